#include "ice/extension.h"

#include <stdio.h>
#include <string.h>

#include "ice/address.h"

static struct reload_slice text(const char *s)
{
    return reload_slice_of(s, strlen(s));
}

int reload_ice_extension_add(struct reload_ice_candidate *candidate, struct reload_writer *room,
                             const char *name, struct reload_slice value)
{
    const struct reload_ice_extension extension = { text(name), value };
    size_t start = room->len;
    reload_wr_bytes(room, candidate->extensions);
    int error = reload_ice_extension_encode(room, &extension);
    if (error == 0)
        candidate->extensions = reload_slice_of(room->buf + start, room->len - start);
    return error;
}

bool reload_ice_extension_find(const struct reload_ice_candidate *candidate, const char *name,
                               struct reload_slice *value)
{
    struct reload_reader list = reload_reader_over(candidate->extensions);
    struct reload_ice_extension extension;
    while (reload_ice_extension_next(&list, &extension))
        if (reload_slice_equal(extension.name, text(name))) {
            *value = extension.value;
            return true;
        }
    return false;
}

static bool is_open_at(const struct reload_link_address *bare,
                       const struct reload_ip_address_port *address)
{
    static const uint8_t zeros[16];
    return bare->len == address->address.n &&
           (memcmp(bare->bytes, zeros, bare->len) == 0 ||
            memcmp(bare->bytes, address->address.p, bare->len) == 0);
}

void reload_ice_bare_port_tell(const struct reload_link_address *bare, size_t bare_count,
                               struct reload_ice_candidate *candidates, size_t count,
                               struct reload_writer *room)
{
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < bare_count && candidates[i].type == RELOAD_CANDIDATE_HOST; b++) {
            char port[6];
            if (!is_open_at(&bare[b], &candidates[i].addr_port))
                continue;
            snprintf(port, sizeof port, "%u", bare[b].port);
            (void)!reload_ice_extension_add(&candidates[i], room, RELOAD_ICE_BARE_PORT, text(port));
            break;
        }
}

/* 0: no port. */
static uint16_t read_port(struct reload_slice value)
{
    uint32_t port = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9' || i == 5)
            return 0;
        port = port * 10 + (uint32_t)(value.p[i] - '0');
    }
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

size_t reload_ice_bare_port_read(struct reload_slice candidates, struct reload_link_address *out,
                                 size_t cap)
{
    struct reload_reader list = reload_reader_over(candidates);
    struct reload_ice_candidate candidate;
    struct reload_slice value;
    size_t count = 0;
    while (count < cap && reload_ice_candidate_next(&list, &candidate)) {
        if (candidate.type != RELOAD_CANDIDATE_HOST ||
            !reload_ice_extension_find(&candidate, RELOAD_ICE_BARE_PORT, &value) ||
            reload_ice_address_from_wire(&candidate.addr_port, &out[count]) != 0)
            continue;
        out[count].port = read_port(value);
        count +=
            out[count].port != 0 && reload_ice_address_scope(&out[count]) != RELOAD_ICE_SCOPE_BAD;
    }
    return count;
}
