#include "reload/wire/message.h"
#include "topology/chord/instance.h"

/* Failures (RFC 6940 s10.7.1, s10.7.2). The lists are views of the connected peers, so removing one
 * puts the best match among the others into its place. */

void reload_chord_failed(struct reload_topology *t, struct reload_chord_id id, const char *why)
{
    reload_chord_log(t, RELOAD_LOG_INFO, why, id);
    struct reload_node_id node_id = reload_chord_id_node(id);
    t->host->disconnect(t->host->context, &node_id);
    reload_chord_gone(t, id);
}

void reload_chord_gone(struct reload_topology *t, struct reload_chord_id id)
{
    const struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (!peer)
        return;
    bool was_peer = peer->ready;
    reload_chord_tables_remove(&t->tables, id);
    reload_chord_candidate_decided(t, id);
    reload_chord_admission_drop(t, id);
    if (t->has_bootstrap && reload_chord_id_equal(id, t->bootstrap))
        t->has_bootstrap = false;
    if (was_peer) {
        /* Others go on naming it for a while; it is not tried again at once. */
        reload_chord_shun(t, id, RELOAD_CHORD_SHUN_MS);
        reload_chord_changed(t, true);
        reload_chord_repair(t);
        reload_chord_finger_failed(t, id);
    }
    if (t->has_ap && reload_chord_id_equal(id, t->ap)) {
        t->has_ap = false;
        reload_chord_step(t, RELOAD_CHORD_AP_LOST);
    }
}
