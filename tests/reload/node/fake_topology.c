#include "tests/reload/node/fake_topology.h"

#include <stdlib.h>

#include "reload/wire/message.h"
#include "tests/sim/standin.h"

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

static bool fake_undecided(const struct reload_topology *t, struct reload_slice id)
{
    (void)id;
    return t->fake->undecided;
}
static bool fake_retreats(const struct reload_topology *t, struct reload_slice id,
                          const struct reload_node_id *from, const struct reload_node_id *next)
{
    (void)id, (void)from, (void)next;
    return t->fake->retreats;
}
static bool fake_other_hop(struct reload_topology *t, struct reload_slice id,
                           const struct reload_node_id *from, struct reload_node_id *out,
                           struct reload_time now)
{
    (void)id;
    (void)now;
    t->fake->last_node = *from;
    *out = t->fake->other_hop;
    t->fake->undecided |= t->fake->other_hop_checks;
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
    t->fake->left++;
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
    .retreats = fake_retreats,
    .other_hop = fake_other_hop,
    .undecided = fake_undecided,
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
