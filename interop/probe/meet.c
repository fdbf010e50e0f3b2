#include "interop/probe/actor.h"

static void ignore(void *context, struct probe_link *link, struct reload_slice bytes)
{
    (void)context, (void)link, (void)bytes;
}

/* Learns the peer's Node-ID from its certificate: one link, over at once. */
int probe_world_meet(struct probe_world *world, struct probe_fault *fault)
{
    struct probe_actor *actor;
    if (probe_actor_make(&actor, world, "own", PROBE_ACTOR_OWN, (struct reload_slice){ 0 },
                         &world->names, fault))
        return -1;
    actor->message = ignore;
    struct probe_link *link = probe_actor_dial(actor, fault);
    if (link) {
        struct reload_slice id = probe_link_far_id(link);
        uint8_t opposite[RELOAD_NODE_ID_MAX];
        memcpy(opposite, id.p, id.n);
        opposite[0] ^= 0x80;
        probe_scope_bytes(&world->names, "peer", id);
        probe_scope_bytes(&world->names, "opposite", reload_slice_of(opposite, id.n));
    }
    probe_actor_free(actor);
    return link ? 0 : -1;
}
