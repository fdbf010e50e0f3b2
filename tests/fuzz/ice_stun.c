#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ice/stun.h"
#include "ice/stun_client.h"

/* What comes to a bare UDP port. An answer is never longer than the question allows, and an own
 * question takes no answer with another transaction id: the first byte of the input says whether
 * the rest is given the right one. */

static const struct reload_link_address far = { 4, { 203, 0, 113, 5 }, 6084 };

static void fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0xa5, len);
}

static void question(struct reload_slice datagram)
{
    struct reload_ice_stun_stats stats = { 0 };
    uint8_t out[RELOAD_ICE_STUN_ANSWER_MAX];
    size_t len = 0;
    int error = reload_ice_stun_answer(&stats, datagram, &far, out, sizeof out, &len);
    if (len > datagram.n + RELOAD_ICE_STUN_GROWTH_MAX || (error && len > 0) || (!error && !len) ||
        stats.answered + stats.refused + stats.malformed + stats.other != 1)
        abort();
}

static void answer(uint8_t *bytes, size_t len, bool right)
{
    const struct reload_random random = { .fill = fill };
    const struct reload_time now = { 1000, 1000 };
    struct reload_ice_stun_client client;
    struct reload_ice_stun_result result;
    struct reload_link_address to;
    uint8_t request[RELOAD_ICE_STUN_REQUEST_LEN];
    reload_ice_stun_client_init(&client, &random);
    if (reload_ice_stun_client_ask(&client, &far, 7, now) ||
        !reload_ice_stun_client_next(&client, now, request, &to))
        abort();
    if (right && len >= sizeof request)
        memcpy(bytes + 8, request + 8, 12);
    int error =
        reload_ice_stun_client_receive(&client, reload_slice_of(bytes, len), &far, now, &result);
    bool is_its = len >= sizeof request && memcmp(bytes + 8, request + 8, 12) == 0;
    if (error == 0 && (!is_its || result.cookie != 7 || result.reflexive.len == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t *copy = malloc(size - 1 + (size == 1)); /* of exact size */
    if (!copy)
        return 0;
    memcpy(copy, data + 1, size - 1);
    question(reload_slice_of(copy, size - 1));
    answer(copy, size - 1, data[0] & 1);
    free(copy);
    return 0;
}
