#include "peer/own_addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

static bool is_wildcard(const struct reload_link_address *address)
{
    static const uint8_t zeros[16];
    return memcmp(address->bytes, zeros, address->len) == 0;
}

static void add(const struct reload_link_address *address, struct reload_link_address *out,
                size_t *count, size_t cap)
{
    for (size_t i = 0; i < *count; i++)
        if (reload_link_address_equal(&out[i], address))
            return;
    if (*count < cap)
        out[(*count)++] = *address;
}

/* False for another family than IP, and for IPv6 addresses that mean nothing on another link. */
static bool read_interface(const struct ifaddrs *interface, struct reload_link_address *out,
                           bool *loopback)
{
    const struct sockaddr *address = interface->ifa_addr;
    *out = (struct reload_link_address){ 0 };
    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        out->len = 4;
        memcpy(out->bytes, &v4->sin_addr, 4);
        *loopback = out->bytes[0] == 127;
    } else if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
        out->len = IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? 0 : 16;
        memcpy(out->bytes, &v6->sin6_addr, 16);
        *loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    return out->len > 0;
}

static void add_interfaces(const struct reload_link_address *listen, bool of_loopback,
                           struct reload_link_address *out, size_t *count, size_t cap)
{
    struct ifaddrs *list = NULL;
    struct reload_link_address address;
    bool loopback;
    if (getifaddrs(&list))
        return;
    for (const struct ifaddrs *i = list; i; i = i->ifa_next)
        if (read_interface(i, &address, &loopback) && loopback == of_loopback &&
            address.len == listen->len) {
            address.port = listen->port;
            add(&address, out, count, cap);
        }
    freeifaddrs(list);
}

void reload_own_addresses(const struct reload_link_address *listen, struct reload_link_address *out,
                          size_t *count, size_t cap)
{
    size_t before = *count;
    if (!is_wildcard(listen)) {
        add(listen, out, count, cap);
        return;
    }
    add_interfaces(listen, false, out, count, cap);
    if (*count == before)
        add_interfaces(listen, true, out, count, cap);
}

bool reload_own_addresses_have(const struct reload_link_address *address)
{
    struct ifaddrs *list = NULL;
    struct reload_link_address own;
    bool loopback, found = false;
    if (getifaddrs(&list))
        return false;
    for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next)
        found = read_interface(i, &own, &loopback) && own.len == address->len &&
                memcmp(own.bytes, address->bytes, own.len) == 0;
    freeifaddrs(list);
    return found;
}
