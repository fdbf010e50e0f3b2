#include "tests/topology/chord/fake.h"

struct reload_node_id place(unsigned first_byte)
{
    struct reload_node_id id = { .len = 16 };
    id.bytes[0] = (uint8_t)first_byte;
    return id;
}

struct reload_chord_id ring_id(unsigned first_byte)
{
    struct reload_node_id id = place(first_byte);
    return reload_chord_id_of(&id);
}

static struct reload_time now(const struct fake *f)
{
    return (struct reload_time){ f->now_ms, UINT64_C(1700000000000) + f->now_ms };
}

static void fill(void *context, uint8_t *out, size_t len)
{
    struct fake *f = context;
    for (size_t i = 0; i < len; i++) {
        f->random_state = f->random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
        out[i] = (uint8_t)(f->random_state >> 56);
    }
}

static const struct reload_config *config(void *context)
{
    return &((struct fake *)context)->config;
}

static void request(void *context, const struct reload_topology_request *in)
{
    struct fake *f = context;
    assert_true(f->request_count < FAKE_MAX);
    struct fake_request *r = &f->requests[f->request_count++];
    *r = (struct fake_request){ .code = in->code,
                                .to_resource = in->to_resource,
                                .has_via = in->via != NULL,
                                .to = reload_node_id_from(in->destination),
                                .len = in->body.n,
                                .cookie = in->cookie };
    if (in->via)
        r->via = *in->via;
    assert_true(in->body.n <= sizeof r->body);
    if (in->body.n > 0)
        memcpy(r->body, in->body.p, in->body.n);
}

static void attach(void *context, const struct reload_node_id *via, bool to_resource,
                   struct reload_slice destination, bool send_update, uint32_t cookie)
{
    struct fake *f = context;
    assert_true(f->attach_count < FAKE_MAX);
    struct fake_attach *a = &f->attaches[f->attach_count++];
    *a = (struct fake_attach){ to_resource,  via != NULL,
                               send_update,  reload_node_id_from(destination),
                               { .len = 0 }, cookie };
    if (via)
        a->via = *via;
}

static void push(void *context, const struct reload_topology_push *in)
{
    struct fake *f = context;
    assert_true(f->push_count < FAKE_MAX);
    f->pushes[f->push_count++] =
        (struct fake_push){ reload_node_id_from(in->after), reload_node_id_from(in->up_to),
                            in->target, in->replica_number, in->cookie };
}

static void forget(void *context, struct reload_slice after, struct reload_slice up_to)
{
    struct fake *f = context;
    f->forget_after = reload_node_id_from(after);
    f->forget_up_to = reload_node_id_from(up_to);
    f->forget_count++;
}

static void disconnect(void *context, const struct reload_node_id *node_id)
{
    struct fake *f = context;
    f->disconnects[f->disconnect_count++] = *node_id;
}

static bool connected(void *context, const struct reload_node_id *node_id)
{
    const struct fake *f = context;
    for (size_t i = 0; i < f->linked_count; i++)
        if (reload_node_id_equal(&f->linked[i], node_id))
            return true;
    return false;
}

static size_t connections(void *context, struct reload_node_id *out, size_t cap)
{
    const struct fake *f = context;
    for (size_t i = 0; i < f->linked_count && i < cap; i++)
        out[i] = f->linked[i];
    return f->linked_count;
}

static void want_bootstrap(void *context)
{
    ((struct fake *)context)->bootstrap_count++;
}

static void lost(void *context)
{
    ((struct fake *)context)->lost_count++;
}

static void state(void *context, enum reload_topology_state topology_state, const char *text)
{
    struct fake *f = context;
    assert_non_null(text);
    f->state = topology_state;
    f->state_count++;
}

static void log_line(void *context, enum reload_log_level level, const char *text)
{
    (void)context;
    (void)level;
    assert_non_null(text);
}

struct fake *fake_new(unsigned self, enum reload_role role)
{
    struct fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->now_ms = 1000000;
    f->random_state = self + 1;
    f->random = (struct reload_random){ fill, f };
    f->config.node_id_length = 16;
    f->config.chord_reactive = true;
    f->config.chord_update_interval_s = 600;
    f->config.chord_ping_interval_s = 3600;
    f->host = (struct reload_topology_host){
        .context = f,
        .self = place(self),
        .role = role,
        .random = &f->random,
        .config = config,
        .request = request,
        .attach = attach,
        .push = push,
        .forget = forget,
        .disconnect = disconnect,
        .connected = connected,
        .connections = connections,
        .want_bootstrap = want_bootstrap,
        .lost = lost,
        .state = state,
        .log = log_line,
    };
    assert_int_equal(reload_chord_ops.create(&f->host, now(f), &f->t), 0);
    return f;
}

void fake_free(struct fake *f)
{
    reload_chord_ops.destroy(f->t);
    free(f);
}

struct fake *fake_ring(unsigned self, const unsigned *others, size_t count)
{
    struct fake *f = fake_new(self, RELOAD_ROLE_PEER);
    reload_chord_ops.join(f->t, true, now(f));
    for (size_t i = 0; i < count; i++) {
        fake_link(f, others[i]);
        assert_int_equal(fake_update(f, others[i], NULL, NULL), 0);
    }
    fake_run(f, 1000);
    for (size_t i = 0; i < f->push_count; i++)
        reload_chord_ops.pushed(f->t, f->pushes[i].cookie, 0, now(f));
    fake_run(f, 99000); /* what that set off is over, hold-down included */
    fake_forget_records(f);
    return f;
}

void fake_link(struct fake *f, unsigned id)
{
    struct reload_node_id node_id = place(id);
    if (!connected(f, &node_id))
        f->linked[f->linked_count++] = node_id;
    reload_chord_ops.link_up(f->t, &node_id, now(f));
}

void fake_unlink(struct fake *f, unsigned id)
{
    struct reload_node_id node_id = place(id);
    for (size_t i = 0; i < f->linked_count; i++)
        if (reload_node_id_equal(&f->linked[i], &node_id))
            f->linked[i--] = f->linked[--f->linked_count];
    reload_chord_ops.link_down(f->t, &node_id, false, now(f));
}

void fake_run(struct fake *f, uint64_t ms)
{
    uint64_t end = f->now_ms + ms;
    for (unsigned ticks = 0;; ticks++) {
        uint64_t deadline = reload_chord_ops.deadline(f->t);
        if (deadline > end)
            break;
        if (deadline > f->now_ms)
            f->now_ms = deadline;
        assert_true(ticks < 20000); /* a deadline that a tick does not move */
        reload_chord_ops.tick(f->t, now(f));
    }
    f->now_ms = end;
}

uint16_t fake_handle_over(struct fake *f, uint16_t code, unsigned signer, unsigned over,
                          bool direct, struct reload_slice body)
{
    uint8_t answer[1000];
    struct reload_writer w = reload_writer_of(answer, sizeof answer);
    struct reload_node_id signer_id = place(signer), over_id = place(over);
    struct reload_topology_message message = { code, body, &signer_id, &over_id, direct };
    return reload_chord_ops.handle(f->t, &message, &w, now(f));
}

uint16_t fake_handle(struct fake *f, uint16_t code, unsigned signer, struct reload_slice body)
{
    return fake_handle_over(f, code, signer, signer, true, body);
}

static struct reload_slice list(uint8_t *bytes, const unsigned *places)
{
    size_t n = 0;
    for (; places && *places; places++, n += 16) {
        struct reload_node_id id = place(*places);
        memcpy(bytes + n, id.bytes, 16);
    }
    return reload_slice_of(bytes, n);
}

uint16_t fake_update(struct fake *f, unsigned from, const unsigned *predecessors,
                     const unsigned *successors)
{
    uint8_t before[1024], after[1024], body[2100];
    struct reload_chord_update update = {
        .uptime_s = 5,
        .type = predecessors ? RELOAD_CHORD_UPDATE_NEIGHBORS : RELOAD_CHORD_UPDATE_PEER_READY,
        .predecessors = list(before, predecessors),
        .successors = list(after, successors),
    };
    struct reload_writer w = reload_writer_of(body, sizeof body);
    assert_int_equal(reload_chord_update_encode(&w, &update), 0);
    return fake_handle(f, RELOAD_UPDATE_REQ, from, reload_writer_slice(&w));
}

uint16_t fake_join_from(struct fake *f, unsigned joining, unsigned signer, unsigned over,
                        bool direct)
{
    uint8_t body[64];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    struct reload_join_req req = { .joining_peer_id = place(joining) };
    assert_int_equal(reload_join_req_encode(&w, &req), 0);
    return fake_handle_over(f, RELOAD_JOIN_REQ, signer, over, direct, reload_writer_slice(&w));
}

void fake_attached(struct fake *f, size_t attach_index, int error, unsigned id)
{
    struct reload_node_id node_id = place(id);
    assert_true(attach_index < f->attach_count);
    reload_chord_ops.attached(f->t, f->attaches[attach_index].cookie, error,
                              error ? NULL : &node_id, now(f));
}

void fake_answer(struct fake *f, uint32_t cookie, int error, unsigned signer)
{
    struct reload_topology_answer answer = { .cookie = cookie, .error = error };
    if (error == 0)
        answer.signer = place(signer);
    reload_chord_ops.answer(f->t, &answer, now(f));
}

size_t fake_sent(const struct fake *f, size_t since, uint16_t code, unsigned to)
{
    struct reload_node_id id = place(to);
    size_t count = 0;
    for (size_t i = since; i < f->request_count; i++)
        count += f->requests[i].code == code && reload_node_id_equal(&f->requests[i].to, &id);
    return count;
}

size_t fake_attached_to(const struct fake *f, unsigned to)
{
    struct reload_node_id id = place(to);
    size_t count = 0;
    for (size_t i = 0; i < f->attach_count; i++)
        count += !f->attaches[i].to_resource && reload_node_id_equal(&f->attaches[i].to, &id);
    return count;
}

void fake_forget_records(struct fake *f)
{
    f->request_count = f->attach_count = f->push_count = f->disconnect_count = 0;
    f->forget_count = f->bootstrap_count = f->state_count = 0;
}
