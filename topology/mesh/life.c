#include "topology/mesh/instance.h"

/* Joining, leaving and a changing set of members.
 *
 *   IDLE -> JOINING: bootstrap link, its Update, Attach to all members, Join, Update that lists us
 *        -> JOINED -> LEAVING -> LEFT
 *
 * While joining, each attempt begins anew from what is there by then, so that lost answers and
 * peers that die need no states of their own. */

#define ATTEMPT_MS 1500
#define SETTLE_MS  100
#define LEAVING_MS 5000
#define MISSED_MS  2000 /* until replicas that did not get there are pushed again */

void reload_mesh_enter(struct reload_topology *t, enum reload_topology_state state,
                       const char *text)
{
    const struct reload_config *config = t->host->config(t->host->context);
    t->state = state;
    t->next_ms = RELOAD_NEVER;
    if (state == RELOAD_TOPOLOGY_JOINING)
        t->next_ms = t->now_ms + ATTEMPT_MS;
    if (state == RELOAD_TOPOLOGY_JOINED && !reload_mesh_is_client(t))
        t->next_ms = t->now_ms + UINT64_C(1000) * config->chord_update_interval_s;
    if (state == RELOAD_TOPOLOGY_LEAVING)
        t->next_ms = t->now_ms + LEAVING_MS;
    t->host->state(t->host->context, state, text);
    if (state == RELOAD_TOPOLOGY_JOINED && !reload_mesh_is_client(t))
        t->look_ms = reload_mesh_next_look(t);
}

void reload_mesh_attach(struct reload_topology *t, const struct reload_node_id *id,
                        const struct reload_node_id *via, uint32_t cookie)
{
    bool over = via && via->len && !reload_node_id_equal(via, id);
    t->host->attach(t->host->context, over ? via : NULL, false, reload_node_id_slice(id), true,
                    cookie);
}

bool reload_mesh_owns(const struct reload_topology *t, struct reload_slice id)
{
    const struct reload_mesh_node *owner = reload_mesh_owner(&t->members, id, 0, false);
    return owner && reload_node_id_equal(&owner->id, &t->host->self);
}

/* To whoever is responsible for the id after one's own: the own id would come back over the own
 * link, and both have the same owner. */
static void attach_to_owner(struct reload_topology *t)
{
    struct reload_node_id id = t->host->self;
    for (size_t i = id.len; i > 0 && ++id.bytes[i - 1] == 0; i--)
        ;
    t->host->attach(t->host->context, NULL, true, reload_node_id_slice(&id), true,
                    RELOAD_MESH_FOR_HOME);
}

void reload_mesh_join_go_on(struct reload_topology *t)
{
    t->next_ms = t->now_ms + ATTEMPT_MS;
    if (t->home.len == 0) {
        t->host->want_bootstrap(t->host->context);
        return;
    }
    if (reload_mesh_is_client(t)) {
        if (t->host->role == RELOAD_ROLE_CLIENT_ANY)
            reload_mesh_enter(t, RELOAD_TOPOLOGY_JOINED, "linked to a peer");
        else
            attach_to_owner(t);
        return;
    }
    const struct reload_mesh_node *admitting =
        reload_mesh_owner(&t->members, reload_node_id_slice(&t->host->self), 0, true);
    if (!admitting)
        return; /* nobody has told us yet that it is a member */
    t->asked_join = true;
    reload_mesh_send_join(t, &admitting->id);
}

void reload_mesh_admitted(struct reload_topology *t)
{
    struct reload_mesh_node *self = reload_mesh_add(&t->members, &t->host->self);
    if (!self)
        return;
    self->member = true;
    reload_mesh_enter(t, RELOAD_TOPOLOGY_JOINED, "a member");
    reload_mesh_owe_all(t);
}

/* target NULL: each resource to the member that owns it. */
static void push(struct reload_topology *t, const struct reload_node_id *after,
                 const struct reload_node_id *up_to, const struct reload_node_id *target,
                 uint8_t number, uint32_t cookie)
{
    struct reload_topology_push push = {
        .after = reload_node_id_slice(after),
        .up_to = reload_node_id_slice(up_to),
        .replica_number = number,
        .cookie = cookie,
    };
    if (target)
        push.target = *target;
    t->host->push(t->host->context, &push);
}

static struct reload_node_id range_after(const struct reload_topology *t)
{
    const struct reload_mesh_node *before =
        reload_mesh_before(&t->members, reload_node_id_slice(&t->host->self));
    return before ? before->id : t->host->self;
}

static const struct reload_mesh_node *holder(const struct reload_topology *t, size_t i)
{
    return reload_mesh_owner(&t->members, reload_node_id_slice(&t->host->self), i + 1, false);
}

static bool is_member(struct reload_topology *t, const struct reload_node_id *id)
{
    const struct reload_mesh_node *node = reload_mesh_find(&t->members, id);
    return node && node->member;
}

/* All of the own range to holders that do not have it, or to all when the range grew. */
void reload_mesh_push_replicas(struct reload_topology *t)
{
    struct reload_node_id after = range_after(t);
    bool moved = !reload_node_id_equal(&after, &t->before);
    struct reload_node_id had[RELOAD_MESH_REPLICAS];
    memcpy(had, t->holders, sizeof had);
    /* s6.4.2.3: with the old one still there a nearer member came, and what lies before it is its.
     */
    if (moved && t->before.len && is_member(t, &t->before) &&
        !reload_node_id_equal(&after, &t->host->self))
        push(t, &t->before, &after, NULL, 1, 0);
    t->before = after;
    t->replicas_ms = RELOAD_NEVER;
    for (size_t i = 0; i < RELOAD_MESH_REPLICAS; i++) {
        const struct reload_mesh_node *node = holder(t, i);
        t->holders[i] = node ? node->id : (struct reload_node_id){ .len = 0 };
        bool has = false;
        for (size_t j = 0; node && j < RELOAD_MESH_REPLICAS; j++)
            has = has || reload_node_id_equal(&had[j], &node->id);
        if (node && (moved || !has))
            push(t, &after, &t->host->self, &node->id, (uint8_t)(i + 1), RELOAD_MESH_FOR_REPLICAS);
    }
}

void reload_mesh_changed(struct reload_topology *t)
{
    if (t->state != RELOAD_TOPOLOGY_JOINED || reload_mesh_is_client(t))
        return;
    struct reload_node_id after = range_after(t);
    bool same = reload_node_id_equal(&after, &t->before);
    for (size_t i = 0; i < RELOAD_MESH_REPLICAS; i++) {
        const struct reload_mesh_node *node = holder(t, i);
        same = same &&
               (node ? reload_node_id_equal(&node->id, &t->holders[i]) : t->holders[i].len == 0);
    }
    if (same && t->replicas_ms == RELOAD_NEVER)
        return;
    if (t->replicas_ms == RELOAD_NEVER)
        t->replicas_ms = t->now_ms + SETTLE_MS;
    reload_mesh_owe_all(t);
}

void reload_mesh_replicas_missed(struct reload_topology *t, const struct reload_node_id *holder)
{
    for (size_t i = 0; i < RELOAD_MESH_REPLICAS; i++)
        if (!holder || reload_node_id_equal(&t->holders[i], holder))
            t->holders[i].len = 0;
    if (t->replicas_ms == RELOAD_NEVER)
        t->replicas_ms = t->now_ms + MISSED_MS;
}

void reload_mesh_gone(struct reload_topology *t, const struct reload_node_id *id)
{
    struct reload_node_id gone = *id;
    reload_mesh_remove(&t->members, &gone);
    reload_mesh_changed(t);
    if (!t->home.len || !reload_node_id_equal(&gone, &t->home))
        return;
    t->home.len = 0;
    if (t->state == RELOAD_TOPOLOGY_JOINED && reload_mesh_is_client(t))
        reload_mesh_enter(t, RELOAD_TOPOLOGY_JOINING, "the peer is gone; looking for another");
}

/* a is nearer after self than b, going round. */
static bool nearer(const struct reload_node_id *self, const struct reload_node_id *a,
                   const struct reload_node_id *b)
{
    bool a_wraps = reload_node_id_compare(a, self) < 0;
    bool b_wraps = reload_node_id_compare(b, self) < 0;
    return a_wraps != b_wraps ? b_wraps : reload_node_id_compare(a, b) < 0;
}

/* RFC 6940 s4.2.1 */
void reload_mesh_follow_home(struct reload_topology *t, struct reload_slice list)
{
    struct reload_reader r = reload_reader_over(list);
    struct reload_node_id id, best = t->home;
    if (t->host->role != RELOAD_ROLE_CLIENT || t->state != RELOAD_TOPOLOGY_JOINED)
        return;
    while (reload_node_id_next(&r, RELOAD_MESH_ID_LEN, &id))
        if (nearer(&t->host->self, &id, &best))
            best = id;
    if (!reload_node_id_equal(&best, &t->home))
        reload_mesh_attach(t, &best, &t->home, RELOAD_MESH_FOR_HOME);
}

void reload_mesh_leave(struct reload_topology *t)
{
    const struct reload_mesh_node *next = holder(t, 0);
    if (t->state != RELOAD_TOPOLOGY_JOINED || reload_mesh_is_client(t) || !next) {
        reload_mesh_enter(t, RELOAD_TOPOLOGY_LEFT, "left");
        return;
    }
    struct reload_node_id after = range_after(t), target = next->id;
    reload_mesh_enter(t, RELOAD_TOPOLOGY_LEAVING, "leaving");
    push(t, &after, &t->host->self, &target, 1, RELOAD_MESH_FOR_LEAVE);
}

void reload_mesh_leave_pushed(struct reload_topology *t)
{
    if (t->state != RELOAD_TOPOLOGY_LEAVING || t->leaving_told)
        return;
    t->leaving_told = true;
    struct reload_mesh_node *self = reload_mesh_find(&t->members, &t->host->self);
    if (self)
        self->member = false;
    reload_mesh_send_leaves(t);
}
