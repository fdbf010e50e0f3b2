#include "peer/address.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 300

static int read_port(const char *text, uint16_t *port)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > UINT16_MAX)
        return RELOAD_E_INVALID;
    *port = (uint16_t)n;
    return 0;
}

int reload_address_split(char *text, uint16_t default_port, char **host, uint16_t *port)
{
    char *colon = strrchr(text, ':');
    *host = text;
    *port = default_port;
    if (*text == '[') {
        char *close = strchr(text, ']');
        if (!close || close == text + 1 || (close[1] && close[1] != ':'))
            return RELOAD_E_INVALID;
        colon = close[1] ? close + 1 : NULL;
        *close = '\0';
        *host = text + 1;
    } else if (colon && strchr(text, ':') != colon) {
        colon = NULL; /* a bare IPv6 address */
    }
    if (colon) {
        *colon = '\0';
        if (read_port(colon + 1, port))
            return RELOAD_E_INVALID;
    }
    return **host ? 0 : RELOAD_E_INVALID;
}

int reload_address_read(const char *text, uint16_t default_port, struct reload_link_address *out)
{
    char copy[TEXT_MAX], *host;
    uint16_t port;
    size_t len = strlen(text);
    if (len >= sizeof copy)
        return RELOAD_E_INVALID;
    memcpy(copy, text, len + 1);
    if (reload_address_split(copy, default_port, &host, &port))
        return RELOAD_E_INVALID;
    return reload_link_address_parse(host, port, out);
}
