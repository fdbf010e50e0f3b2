#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

/* The actions that came out, kept beyond the next call. */

static void keep_send(struct rig_action *kept)
{
    const struct reload_action_send *send = &kept->action.send;
    for (size_t i = 0; i < send->part_count; i++)
        kept->len += send->parts[i].n;
    kept->bytes = malloc(kept->len);
    size_t at = 0;
    for (size_t i = 0; i < send->part_count; i++) {
        memcpy(kept->bytes + at, send->parts[i].p, send->parts[i].n);
        at += send->parts[i].n;
    }
}

static void keep_addresses(struct rig_action *kept, const struct reload_ip_address_port *addresses,
                           size_t count)
{
    for (size_t i = 0; i < count && i < 8; i++) {
        kept->addresses[i] = addresses[i];
        memcpy(kept->address_bytes[i], addresses[i].address.p, addresses[i].address.n);
        kept->addresses[i].address.p = kept->address_bytes[i];
    }
}

/* Three slices in one piece of memory. */
static void keep_offer(struct rig_action *kept, struct reload_slice *slices[3])
{
    for (size_t i = 0; i < 3; i++)
        kept->len += slices[i]->n;
    kept->bytes = malloc(kept->len + 1);
    struct reload_writer w = reload_writer_of(kept->bytes, kept->len);
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *p = kept->bytes + w.len;
        reload_wr_bytes(&w, *slices[i]);
        slices[i]->p = p;
    }
}

static void keep_open_link(struct rig_action *kept, struct reload_action_open_link *open)
{
    keep_offer(kept, (struct reload_slice *[]){ &open->ufrag, &open->password, &open->candidates });
    keep_addresses(kept, open->addresses, open->address_count);
}

static void keep_app_channel(struct rig_action *kept, struct reload_action_app_channel *channel)
{
    keep_offer(kept, (struct reload_slice *[]){ &channel->ufrag, &channel->password,
                                                &channel->candidates });
    keep_addresses(kept, channel->addresses, channel->address_count);
}

static void keep_result(struct rig_action *kept)
{
    struct reload_result *r = &kept->action.result;
    kept->len = r->body.n;
    kept->bytes = malloc(kept->len ? kept->len : 1);
    if (r->body.n)
        memcpy(kept->bytes, r->body.p, r->body.n);
    r->body.p = kept->bytes;
}

void rig_pull(struct rig *rig)
{
    struct reload_action action;
    while (reload_node_next(rig->node, &action)) {
        assert_true(rig->action_count < RIG_ACTIONS);
        struct rig_action *kept = &rig->actions[rig->action_count++];
        memset(kept, 0, sizeof *kept);
        kept->action = action;
        if (action.type == RELOAD_ACTION_SEND)
            keep_send(kept);
        if (action.type == RELOAD_ACTION_OPEN_LINK)
            keep_open_link(kept, &kept->action.open_link);
        if (action.type == RELOAD_ACTION_APP_CHANNEL)
            keep_app_channel(kept, &kept->action.app_channel);
        if (action.type == RELOAD_ACTION_REQUEST_DONE)
            keep_result(kept);
        if (action.type == RELOAD_ACTION_LOG) {
            kept->len = strlen(action.log.text) + 1;
            kept->bytes = malloc(kept->len);
            memcpy(kept->bytes, action.log.text, kept->len);
        }
    }
}

const struct rig_action *rig_action(const struct rig *rig, enum reload_action_type type, size_t n)
{
    for (size_t i = 0; i < rig->action_count; i++)
        if (rig->actions[i].action.type == type && n-- == 0)
            return &rig->actions[i];
    return NULL;
}

size_t rig_count(const struct rig *rig, enum reload_action_type type)
{
    size_t count = 0;
    while (rig_action(rig, type, count))
        count++;
    return count;
}

struct reload_message rig_sent(const struct rig *rig, size_t n, reload_link_id *link)
{
    const struct rig_action *kept = rig_action(rig, RELOAD_ACTION_SEND, n);
    struct reload_message m;
    assert_non_null(kept);
    assert_int_equal(reload_message_decode(reload_slice_of(kept->bytes, kept->len), 16, &m), 0);
    if (link)
        *link = kept->action.send.link;
    return m;
}

uint16_t rig_error_code(const struct reload_message *m)
{
    struct reload_error_response error;
    assert_int_equal(m->message_code, RELOAD_ERROR);
    assert_int_equal(reload_error_response_decode(m->body, &error), 0);
    return error.error_code;
}

uint64_t rig_dropped(const struct rig *rig, enum reload_drop_reason reason)
{
    return reload_node_counters(rig->node)->dropped[reason];
}
