#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ice/turn.h"
#include "ice/turn_grant.h"

/* What a stored TURN record and a peer's credentials may say: what is read is written so that it is
 * the same bytes, and a record is believed under one name only. */

static int resource_id(const struct reload_crypto *crypto, struct reload_slice name, uint8_t *out,
                       size_t *len)
{
    (void)crypto;
    memcpy(out, name.p + name.n - 16, 16);
    *len = 16;
    return 0;
}

static void grant(struct reload_slice bytes)
{
    struct reload_ice_turn_grant read;
    uint8_t out[RELOAD_ICE_TURN_GRANT_MAX];
    struct reload_writer w = reload_writer_of(out, sizeof out);
    if (reload_ice_turn_grant_decode(bytes, &read) == 0 &&
        (reload_ice_turn_grant_encode(&w, &read) != 0 ||
         !reload_slice_equal(reload_writer_slice(&w), bytes)))
        abort();
}

static void record(struct reload_slice value)
{
    const struct reload_node_id signer = { 16, { 1, 2, 3 } };
    struct reload_link_address address;
    uint8_t name[RELOAD_NODE_ID_MAX + 1], id[16], out[64];
    size_t len;
    unsigned believed = 0;
    for (unsigned d = 0; d < 256; d++) {
        struct reload_writer w = reload_writer_of(out, sizeof out);
        size_t name_len = reload_ice_turn_name(&signer, (uint8_t)d, name);
        if (resource_id(NULL, reload_slice_of(name, name_len), id, &len) != 0)
            abort();
        if (reload_ice_turn_check(value, reload_slice_of(id, len), &signer, NULL, resource_id,
                                  &address) != 0)
            continue;
        believed++;
        if (address.port == 0 || reload_ice_turn_value(&w, (uint8_t)d, &address) != 0 ||
            !reload_slice_equal(reload_writer_slice(&w), value))
            abort();
    }
    if (believed > 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    grant(reload_slice_of(data, size));
    record(reload_slice_of(data, size));
    return 0;
}
