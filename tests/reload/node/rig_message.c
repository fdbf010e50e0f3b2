#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

/* Messages that come in. */

static const uint8_t no_padding[2];
const struct reload_slice rig_ping = { no_padding, sizeof no_padding };

struct rig_message rig_long_ping(const struct rig *rig, uint64_t id)
{
    static uint8_t body[2 + RIG_LONG_PADDING];
    body[0] = RIG_LONG_PADDING >> 8;
    body[1] = RIG_LONG_PADDING & 0xff;
    for (size_t i = 0; i < RIG_LONG_PADDING; i++)
        body[2 + i] = (uint8_t)(i * 7);
    return (struct rig_message){
        .signer = &rig->parties[0],
        .code = RELOAD_PING_REQ,
        .body = { body, sizeof body },
        .transaction_id = id,
    };
}

struct rig_message rig_update(const struct rig *rig, size_t party, uint64_t id)
{
    return (struct rig_message){
        .signer = &rig->parties[party],
        .code = RELOAD_UPDATE_REQ,
        .body = rig_ping,
        .transaction_id = id,
    };
}

struct reload_slice rig_encode(struct rig *rig, const struct rig_message *m, uint64_t *id)
{
    static uint8_t buffer[65536];
    const struct reload_config *config = &rig->config.config;
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    struct reload_forwarding_header h = {
        .overlay = m->overlay ? m->overlay : config->overlay,
        .configuration_sequence = m->sequence == RIG_SEQUENCE_0 ? 0
                                  : m->sequence                 ? m->sequence
                                                                : config->sequence,
        .version = m->version ? m->version : RELOAD_VERSION,
        .ttl = m->ttl_0 ? 0
               : m->ttl ? m->ttl
                        : config->initial_ttl,
        .fragment = m->fragment ? m->fragment : RELOAD_FRAGMENT_WHOLE,
        .transaction_id = m->transaction_id ? m->transaction_id : rig->next_id++,
        .max_response_length = m->max_response_length,
        .via_list = m->via_list,
        .destination_list =
            m->destination_list.n ? m->destination_list : rig_nodes(&rig->me.id, NULL),
        .options = m->options,
    };
    assert_int_equal(reload_forwarding_header_encode(&w, &h), 0);
    size_t start = w.len;
    size_t mark = reload_message_contents_begin(&w, m->code);
    reload_wr_bytes(&w, m->body);
    reload_message_contents_end(&w, mark, m->extensions);
    assert_int_equal(reload_message_sign(m->signer->crypto, h.overlay, h.transaction_id,
                                         reload_slice_of(buffer + start, w.len - start),
                                         (struct reload_slice){ 0 }, &w),
                     0);
    reload_forwarding_header_close(&w, 0);
    assert_false(w.failed);
    if (m->bad_signature)
        buffer[w.len - 1] ^= 1;
    if (id)
        *id = h.transaction_id;
    return reload_writer_slice(&w);
}

void rig_receive_bytes(struct rig *rig, reload_link_id link, struct reload_slice bytes)
{
    uint8_t *copy = malloc(bytes.n ? bytes.n : 1); /* exact, so that the sanitizer sees overruns */
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    reload_node_receive(rig->node, link, copy, bytes.n, rig->now);
    rig_pull(rig);
    free(copy);
}

uint64_t rig_receive(struct rig *rig, reload_link_id link, const struct rig_message *m)
{
    uint64_t id;
    rig_receive_bytes(rig, link, rig_encode(rig, m, &id));
    return id;
}

static uint8_t *list_buffer(void)
{
    static uint8_t buffers[8][8192];
    static unsigned next;
    return buffers[next++ % 8];
}

struct reload_slice rig_nodes(const struct reload_node_id *a, const struct reload_node_id *b)
{
    struct reload_writer w = reload_writer_of(list_buffer(), 8192);
    struct reload_destination d = reload_destination_node(a);
    assert_int_equal(reload_destination_encode(&w, &d), 0);
    if (b) {
        d = reload_destination_node(b);
        assert_int_equal(reload_destination_encode(&w, &d), 0);
    }
    return reload_writer_slice(&w);
}

struct reload_slice rig_resource(const void *id, size_t len)
{
    struct reload_writer w = reload_writer_of(list_buffer(), 8192);
    struct reload_destination d = reload_destination_resource(reload_slice_of(id, len));
    assert_int_equal(reload_destination_encode(&w, &d), 0);
    return reload_writer_slice(&w);
}

struct reload_slice rig_join(struct reload_slice a, struct reload_slice b)
{
    struct reload_writer w = reload_writer_of(list_buffer(), 8192);
    reload_wr_bytes(&w, a);
    reload_wr_bytes(&w, b);
    assert_false(w.failed);
    return reload_writer_slice(&w);
}
