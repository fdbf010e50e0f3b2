#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>

static const uint8_t no_padding[2];
const struct reload_slice rig_ping = { no_padding, sizeof no_padding };

/* --- the topology --- */

struct reload_topology {
    struct fake *fake;
};

static struct fake *next_fake; /* of the rig that is being started */

void fake_prepare(struct fake *fake)
{
    next_fake = fake;
}

static int fake_create(const struct reload_topology_host *host, struct reload_time now,
                       struct reload_topology **out)
{
    (void)now;
    *out = malloc(sizeof **out);
    (*out)->fake = next_fake;
    next_fake->host = host;
    return 0;
}
static void fake_destroy(struct reload_topology *t)
{
    free(t);
}
static bool fake_responsible(const struct reload_topology *t, struct reload_slice id)
{
    const struct fake *f = t->fake;
    return f->owns_everything ||
           (f->owned_node.len && reload_slice_equal(id, reload_node_id_slice(&f->owned_node))) ||
           (f->owns_resource && id.n == 16 && memcmp(id.p, f->owned_resource, 16) == 0);
}
static bool fake_next_hop(const struct reload_topology *t, struct reload_slice id,
                          struct reload_node_id *out)
{
    (void)id;
    *out = t->fake->hop;
    return t->fake->hop.len != 0;
}
static bool fake_certain(const struct reload_topology *t, struct reload_slice id)
{
    (void)id;
    return !t->fake->uncertain;
}
static bool fake_other_hop(struct reload_topology *t, struct reload_slice id,
                           const struct reload_node_id *from, struct reload_node_id *out,
                           struct reload_time now)
{
    (void)id;
    (void)now;
    t->fake->last_node = *from;
    *out = t->fake->other_hop;
    return t->fake->other_hop.len != 0;
}
static bool fake_close_enough(const struct reload_topology *t, const struct reload_node_id *signer,
                              struct reload_slice resource, struct reload_node_id *closer)
{
    (void)signer;
    (void)resource;
    *closer = t->fake->closer;
    return !t->fake->far;
}
static size_t fake_replicas(const struct reload_topology *t, struct reload_slice resource,
                            struct reload_node_id *out, size_t cap)
{
    (void)resource;
    for (size_t i = 0; i < t->fake->replica_count && i < cap; i++)
        out[i] = t->fake->replicas[i];
    return t->fake->replica_count;
}
static bool fake_plausible(const struct reload_topology *t, struct reload_slice resource,
                           const struct reload_node_id *sender)
{
    (void)resource;
    (void)sender;
    return t->fake->replica_plausible;
}
static uint32_t fake_ppb(const struct reload_topology *t)
{
    (void)t;
    return 125000000;
}
static void fake_join(struct reload_topology *t, bool first, struct reload_time now)
{
    (void)now;
    const struct reload_topology_host *h = t->fake->host;
    if (first)
        h->state(h->context, RELOAD_TOPOLOGY_JOINED, "first");
    else
        h->want_bootstrap(h->context);
}
static void fake_leave(struct reload_topology *t, struct reload_time now)
{
    (void)now;
    t->fake->host->state(t->fake->host->context, RELOAD_TOPOLOGY_LEFT, "done");
}
static void fake_configured(struct reload_topology *t, struct reload_time now)
{
    (void)now;
    t->fake->configured++;
}
static uint64_t fake_deadline(const struct reload_topology *t)
{
    (void)t;
    return RELOAD_NEVER;
}
static void fake_tick(struct reload_topology *t, struct reload_time now)
{
    (void)t;
    (void)now;
}
static void fake_link_up(struct reload_topology *t, const struct reload_node_id *id,
                         struct reload_time now)
{
    (void)now;
    t->fake->link_ups++;
    t->fake->last_node = *id;
}
static void fake_link_down(struct reload_topology *t, const struct reload_node_id *id, bool suspect,
                           struct reload_time now)
{
    (void)now;
    t->fake->last_node = *id;
    (*(suspect ? &t->fake->suspects : &t->fake->link_downs))++;
}
static void fake_bootstrap(struct reload_topology *t, const struct reload_node_id *id,
                           struct reload_time now)
{
    (void)now;
    (*(id ? &t->fake->bootstraps : &t->fake->bootstrap_failures))++;
}
static void fake_attached(struct reload_topology *t, uint32_t cookie, int error,
                          const struct reload_node_id *id, struct reload_time now)
{
    (void)cookie;
    (void)now;
    t->fake->attached++;
    t->fake->attached_error = error;
    t->fake->last_node = *id;
}
static void fake_update_wanted(struct reload_topology *t, const struct reload_node_id *id,
                               struct reload_time now)
{
    (void)id;
    (void)now;
    t->fake->updates_wanted++;
}
static void fake_pushed(struct reload_topology *t, uint32_t cookie, int error,
                        struct reload_time now)
{
    (void)cookie;
    (void)now;
    t->fake->pushed++;
    t->fake->pushed_error = error;
}
static void fake_replica_failed(struct reload_topology *t, const struct reload_node_id *holder,
                                struct reload_time now)
{
    (void)now;
    t->fake->replica_failures++;
    t->fake->last_node = *holder;
}
static void fake_doubted(struct reload_topology *t, const struct reload_node_id *closer,
                         struct reload_time now)
{
    (void)now;
    t->fake->doubts++;
    t->fake->last_node = *closer;
}
static void fake_answer(struct reload_topology *t, const struct reload_topology_answer *answer,
                        struct reload_time now)
{
    (void)now;
    t->fake->answers++;
    t->fake->last_answer = *answer;
}
static uint16_t fake_handle(struct reload_topology *t,
                            const struct reload_topology_message *message,
                            struct reload_writer *body, struct reload_time now)
{
    (void)now;
    const struct reload_topology_host *h = t->fake->host;
    t->fake->handled++;
    t->fake->last_message = *message;
    if (t->fake->follow_up) {
        struct reload_topology_request request = {
            .code = RELOAD_UPDATE_REQ,
            .destination = reload_node_id_slice(message->signer),
            .body = reload_slice_of("update", 6),
        };
        h->request(h->context, &request);
    }
    reload_wr_u16(body, 0xbeef);
    return t->fake->handle_error;
}
static size_t fake_snapshot(const struct reload_topology *t, struct reload_topology_entry *out,
                            size_t cap)
{
    if (cap && t->fake->hop.len)
        *out = (struct reload_topology_entry){ t->fake->hop, RELOAD_RELATION_SUCCESSOR, 0 };
    return t->fake->hop.len ? 1 : 0;
}

const struct reload_topology_ops fake_topology = {
    .name = "fake",
    .create = fake_create,
    .destroy = fake_destroy,
    .resource_id = reload_standin_resource_id,
    .resource_id_length = 16,
    .responsible = fake_responsible,
    .certain = fake_certain,
    .next_hop = fake_next_hop,
    .other_hop = fake_other_hop,
    .close_enough = fake_close_enough,
    .replicas = fake_replicas,
    .replica_plausible = fake_plausible,
    .responsible_ppb = fake_ppb,
    .join = fake_join,
    .leave = fake_leave,
    .configured = fake_configured,
    .deadline = fake_deadline,
    .tick = fake_tick,
    .link_up = fake_link_up,
    .link_down = fake_link_down,
    .bootstrap = fake_bootstrap,
    .attached = fake_attached,
    .update_wanted = fake_update_wanted,
    .pushed = fake_pushed,
    .replica_failed = fake_replica_failed,
    .doubted = fake_doubted,
    .answer = fake_answer,
    .handle = fake_handle,
    .snapshot = fake_snapshot,
};

/* --- the rig --- */

static void make_party(struct rig *rig, struct party *p, uint64_t number, size_t others)
{
    char user[32];
    snprintf(user, sizeof user, "user%u@overlay.example", (unsigned)number);
    p->id = reload_standin_node_id(number);
    struct reload_standin_certificate c =
        reload_standin_certificate(&rig->config.config, &p->id, user);
    for (size_t i = 0; i < others; i++)
        c.node_ids[c.node_id_count++] = reload_standin_node_id(1000 * number + i);
    p->standin = reload_standin_new(&rig->config.config, &c, 0);
    assert_non_null(p->standin);
    p->crypto = reload_standin_crypto(p->standin);
}

void rig_init(struct rig *rig)
{
    static const uint8_t home[4] = { 192, 0, 2, 1 };
    static struct reload_ip_address_port address;
    address =
        (struct reload_ip_address_port){ RELOAD_ADDRESS_IPV4, 6084, reload_slice_of(home, 4) };
    memset(rig, 0, sizeof *rig);
    reload_standin_config_init(&rig->config);
    rig->now = (struct reload_time){ 1000000, UINT64_C(1700000000000) };
    rig->next_id = 1;
    rig->actions = calloc(RIG_ACTIONS, sizeof *rig->actions);
    make_party(rig, &rig->me, 100, 0);
    for (size_t i = 0; i < RIG_PARTIES; i++)
        make_party(rig, &rig->parties[i], i + 1, 0);
    rig->node_config = (struct reload_node_config){
        .crypto = rig->me.crypto,
        .overlay = &rig->config.config,
        .topology = &fake_topology,
        .random = reload_standin_random(&rig->random, 7),
        .addresses = &address,
        .address_count = 1,
        .log_level = RELOAD_LOG_WARNING,
    };
    memset(rig->fake.owned_resource, 0x42, 16);
}

void rig_start(struct rig *rig)
{
    fake_prepare(&rig->fake);
    assert_int_equal(reload_node_new(&rig->node_config, rig->now, &rig->node), 0);
    rig_pull(rig);
}

void rig_clear(struct rig *rig)
{
    for (size_t i = 0; i < rig->action_count; i++)
        free(rig->actions[i].bytes);
    rig->action_count = 0;
}

void rig_fini(struct rig *rig)
{
    rig_clear(rig);
    free(rig->actions);
    reload_node_free(rig->node);
    reload_standin_free(rig->me.standin);
    for (size_t i = 0; i < RIG_PARTIES; i++)
        reload_standin_free(rig->parties[i].standin);
}

static void link_up(struct rig *rig, size_t party, const struct reload_node_id *ids, size_t count)
{
    const struct reload_node_link info = {
        .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE,
        .node_ids = ids,
        .node_id_count = count,
        .inbound = true,
    };
    reload_node_link_up(rig->node, (reload_link_id)(party + 1), &info, rig->now);
    rig_pull(rig);
}

void rig_link(struct rig *rig, size_t party)
{
    link_up(rig, party, &rig->parties[party].id, 1);
}

void rig_link_multiple(struct rig *rig, size_t party, size_t others)
{
    struct reload_node_id ids[8];
    struct party *p = &rig->parties[party];
    reload_standin_free(p->standin);
    make_party(rig, p, party + 1, others);
    ids[0] = p->id;
    for (size_t i = 0; i < others; i++)
        ids[i + 1] = reload_standin_node_id(1000 * (party + 1) + i);
    link_up(rig, party, ids, others + 1);
}

void rig_act_as_one_of_several(struct rig *rig, size_t others)
{
    reload_standin_free(rig->me.standin);
    make_party(rig, &rig->me, 100, others);
    rig->node_config.crypto = rig->me.crypto;
}

void rig_wait(struct rig *rig, uint64_t ms)
{
    rig->now.monotonic_ms += ms;
    rig->now.unix_ms += ms;
}

void rig_run(struct rig *rig, uint64_t ms)
{
    uint64_t end = rig->now.monotonic_ms + ms;
    for (;;) {
        uint64_t at = reload_node_deadline(rig->node);
        if (at > end)
            break;
        if (at > rig->now.monotonic_ms)
            rig_wait(rig, at - rig->now.monotonic_ms);
        reload_node_tick(rig->node, rig->now);
        rig_pull(rig);
    }
    rig_wait(rig, end - rig->now.monotonic_ms);
}

/* --- messages --- */

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

/* --- actions --- */

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
