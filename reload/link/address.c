#include "reload/link/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

int reload_link_address_parse(const char *literal, uint16_t port, struct reload_link_address *out)
{
    *out = (struct reload_link_address){ .port = port };
    if (inet_pton(AF_INET, literal, out->bytes) == 1)
        out->len = 4;
    else if (inet_pton(AF_INET6, literal, out->bytes) == 1)
        out->len = 16;
    return out->len ? 0 : RELOAD_E_INVALID;
}

bool reload_link_address_equal(const struct reload_link_address *a,
                               const struct reload_link_address *b)
{
    return a->len == b->len && a->port == b->port && memcmp(a->bytes, b->bytes, a->len) == 0;
}

const char *reload_link_address_text(const struct reload_link_address *address,
                                     char text[RELOAD_LINK_ADDRESS_TEXT])
{
    char ip[INET6_ADDRSTRLEN] = "none";
    if (address->len)
        inet_ntop(address->len == 4 ? AF_INET : AF_INET6, address->bytes, ip, sizeof ip);
    snprintf(text, RELOAD_LINK_ADDRESS_TEXT, address->len == 16 ? "[%s]:%u" : "%s:%u", ip,
             (unsigned)address->port);
    return text;
}
