#include "tests/topology/mesh/bench.h"

const struct reload_time bench_now = { 1000, 1000 };

struct reload_node_id place(unsigned high, unsigned low)
{
    struct reload_node_id id = { .len = 16 };
    id.bytes[0] = (uint8_t)high;
    id.bytes[1] = (uint8_t)(low >> 8);
    id.bytes[2] = (uint8_t)low;
    return id;
}

static const struct reload_config *config(void *context)
{
    return &((struct bench *)context)->config;
}
static void request(void *context, const struct reload_topology_request *r)
{
    struct bench *b = context;
    struct bench_request *kept = &b->last[b->requests++ % BENCH_REQUESTS_MAX];
    *kept = (struct bench_request){ .code = r->code,
                                    .has_via = r->via != NULL,
                                    .to = reload_node_id_from(r->destination),
                                    .cookie = r->cookie };
    if (r->via)
        kept->via = *r->via;
}
static void attach(void *context, const struct reload_node_id *via, bool to_resource,
                   struct reload_slice destination, bool send_update, uint32_t cookie)
{
    (void)via, (void)to_resource, (void)destination, (void)send_update, (void)cookie;
    ((struct bench *)context)->attaches++;
}
static void push(void *context, const struct reload_topology_push *p)
{
    struct bench *b = context;
    assert_int_not_equal(p->replica_number, 0);
    b->pushes++;
    b->push_cookie = p->cookie;
}
static void disconnect(void *context, const struct reload_node_id *id)
{
    (void)id;
    ((struct bench *)context)->disconnects++;
}
static void lost(void *context)
{
    ((struct bench *)context)->losses++;
}
static void state(void *context, enum reload_topology_state s, const char *text)
{
    (void)context, (void)s;
    assert_non_null(text);
}
static void want_bootstrap(void *context)
{
    ((struct bench *)context)->looks++;
}
static void log_line(void *context, enum reload_log_level level, const char *text)
{
    (void)context, (void)level;
    assert_non_null(text);
}
static void fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    memset(out, 7, n);
}

int bench_set_up(void **out)
{
    struct bench *b = calloc(1, sizeof *b);
    b->random = (struct reload_random){ .fill = fill };
    b->config = (struct reload_config){ .node_id_length = 16, .chord_update_interval_s = 600 };
    b->host = (struct reload_topology_host){ .context = b,
                                             .self = place(100, 0),
                                             .role = RELOAD_ROLE_PEER,
                                             .config = config,
                                             .request = request,
                                             .attach = attach,
                                             .push = push,
                                             .disconnect = disconnect,
                                             .lost = lost,
                                             .random = &b->random,
                                             .want_bootstrap = want_bootstrap,
                                             .state = state,
                                             .log = log_line };
    assert_int_equal(reload_mesh_ops.create(&b->host, bench_now, &b->t), 0);
    reload_mesh_ops.join(b->t, true, bench_now);
    *out = b;
    return 0;
}

int bench_tear_down(void **out)
{
    reload_mesh_ops.destroy(((struct bench *)*out)->t);
    free(*out);
    return 0;
}

uint16_t bench_handle(struct bench *b, uint16_t code, const struct reload_node_id *signer,
                      const struct reload_node_id *over, bool direct, struct reload_slice body)
{
    uint8_t answer[200];
    struct reload_writer w = reload_writer_of(answer, sizeof answer);
    struct reload_topology_message m = { code, body, signer, over, direct };
    return reload_mesh_ops.handle(b->t, &m, &w, bench_now);
}

const struct bench_request *bench_sent(const struct bench *b, uint16_t code,
                                       const struct reload_node_id *to)
{
    for (size_t i = b->requests; i > 0 && i + BENCH_REQUESTS_MAX > b->requests; i--) {
        const struct bench_request *r = &b->last[(i - 1) % BENCH_REQUESTS_MAX];
        if (r->code == code && reload_node_id_equal(&r->to, to))
            return r;
    }
    return NULL;
}
