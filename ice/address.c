#include "ice/address.h"

#include <netinet/in.h>
#include <string.h>

static enum reload_ice_scope scope_ipv4(const uint8_t b[4])
{
    if (b[0] == 0 || b[0] >= 224) /* "this network"; multicast, reserved, broadcast */
        return RELOAD_ICE_SCOPE_BAD;
    if (b[0] == 127)
        return RELOAD_ICE_SCOPE_LOOPBACK;
    if (b[0] == 169 && b[1] == 254)
        return RELOAD_ICE_SCOPE_LINK_LOCAL;
    if (b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
        (b[0] == 100 && (b[1] & 0xc0) == 64))
        return RELOAD_ICE_SCOPE_PRIVATE;
    return RELOAD_ICE_SCOPE_PUBLIC;
}

static enum reload_ice_scope scope_ipv6(const uint8_t b[16])
{
    static const uint8_t zeros[16], mapped[12] = { [10] = 0xff, [11] = 0xff };
    if (b[0] == 0xff || memcmp(b, mapped, 12) == 0)
        return RELOAD_ICE_SCOPE_BAD;
    if (memcmp(b, zeros, 15) == 0 && b[15] == 1)
        return RELOAD_ICE_SCOPE_LOOPBACK;
    if (memcmp(b, zeros, 12) == 0) /* ::, and the IPv4-compatible form */
        return RELOAD_ICE_SCOPE_BAD;
    if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
        return RELOAD_ICE_SCOPE_LINK_LOCAL;
    if ((b[0] & 0xfe) == 0xfc)
        return RELOAD_ICE_SCOPE_PRIVATE;
    return RELOAD_ICE_SCOPE_PUBLIC;
}

enum reload_ice_scope reload_ice_address_scope(const struct reload_link_address *address)
{
    if (address->len == 4)
        return scope_ipv4(address->bytes);
    return address->len == 16 ? scope_ipv6(address->bytes) : RELOAD_ICE_SCOPE_BAD;
}

bool reload_ice_address_same_host(const struct reload_link_address *a,
                                  const struct reload_link_address *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

struct reload_ip_address_port reload_ice_address_to_wire(const struct reload_link_address *address)
{
    return (struct reload_ip_address_port){
        .type = address->len == 16 ? RELOAD_ADDRESS_IPV6 : RELOAD_ADDRESS_IPV4,
        .port = address->port,
        .address = reload_slice_of(address->bytes, address->len),
    };
}

int reload_ice_address_from_wire(const struct reload_ip_address_port *wire,
                                 struct reload_link_address *out)
{
    size_t len = wire->type == RELOAD_ADDRESS_IPV4 ? 4 : wire->type == RELOAD_ADDRESS_IPV6 ? 16 : 0;
    *out = (struct reload_link_address){ 0 };
    if (len == 0 || wire->address.n != len)
        return RELOAD_E_UNSUPPORTED;
    out->len = (uint8_t)len;
    memcpy(out->bytes, wire->address.p, len);
    out->port = wire->port;
    return 0;
}

socklen_t reload_ice_address_to_socket(const struct reload_link_address *address,
                                       struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (address->len == 4) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(address->port) };
        memcpy(&in.sin_addr, address->bytes, 4);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    if (address->len == 16) {
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(address->port) };
        memcpy(&in6.sin6_addr, address->bytes, 16);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    return 0;
}

struct reload_link_address reload_ice_address_from_socket(const struct sockaddr *socket_address)
{
    struct reload_link_address out = { 0 };
    if (socket_address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, socket_address, sizeof in);
        out = (struct reload_link_address){ .len = 4, .port = ntohs(in.sin_port) };
        memcpy(out.bytes, &in.sin_addr, 4);
    } else if (socket_address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, socket_address, sizeof in6);
        out = (struct reload_link_address){ .len = 16, .port = ntohs(in6.sin6_port) };
        memcpy(out.bytes, &in6.sin6_addr, 16);
    }
    return out;
}
