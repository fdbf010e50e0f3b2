#include "topology/chord/instance.h"

/* Data here that others own (RFC 6940 s6.4.2.3): what was ours until the range shrank, what a
 * joining node missed, what a store file held of another time. It is one arc of the ring, handed to
 * the owners by Resource-ID, since they need not be neighbours, again and again until each resource
 * was acknowledged. Until then nothing is forgotten (replicas.c). */

#define RETRY_MS    5000 /* doubles with each failure in a row */
#define DOUBLINGS   6
#define PATIENCE_MS 600000 /* with a push under way */

bool reload_chord_handover_pending(const struct reload_topology *t)
{
    return t->handover.pending;
}

/* The smallest arc behind this peer that holds both. More than needed does no harm: an owner that
 * has a value already only says so, and the node passes over what is its own. */
void reload_chord_handover_add(struct reload_topology *t, struct reload_chord_id after,
                               struct reload_chord_id up_to)
{
    struct reload_chord_handover *h = &t->handover;
    if (!h->pending) {
        *h = (struct reload_chord_handover){ .pending = true, .after = after, .up_to = up_to };
    } else {
        if (!reload_chord_within(after, h->after, t->self))
            h->after = after;
        if (reload_chord_within(up_to, h->up_to, t->self))
            h->up_to = up_to;
        h->grown = true;
    }
    h->failures = 0;
    if (!h->cookie)
        h->due_ms = t->now_ms;
}

void reload_chord_handover_pushed(struct reload_topology *t, uint32_t cookie, int error)
{
    struct reload_chord_handover *h = &t->handover;
    if (!h->pending || h->cookie != cookie)
        return;
    h->cookie = 0;
    if (error == 0 && !h->grown) {
        h->pending = false;
        return;
    }
    h->due_ms = t->now_ms;
    if (error == 0)
        return;
    h->due_ms += reload_chord_around(t, (uint64_t)RETRY_MS << h->failures);
    if (h->failures < DOUBLINGS)
        h->failures++;
    t->host->log(t->host->context, RELOAD_LOG_INFO, "some data was not handed over yet");
}

void reload_chord_handover_go_on(struct reload_topology *t)
{
    struct reload_chord_handover *h = &t->handover;
    bool may = t->state == RELOAD_CHORD_JOINED || t->state == RELOAD_CHORD_INTRODUCE;
    if (!h->pending || !may || h->due_ms > t->now_ms)
        return;
    h->grown = false;
    h->due_ms = t->now_ms + PATIENCE_MS;
    h->cookie = reload_chord_cookie(t, RELOAD_CHORD_FOR_HANDOVER);
    reload_chord_push(t, h->after, h->up_to, NULL, 1, h->cookie);
}

uint64_t reload_chord_handover_deadline(const struct reload_topology *t)
{
    bool may = t->state == RELOAD_CHORD_JOINED || t->state == RELOAD_CHORD_INTRODUCE;
    return t->handover.pending && may ? t->handover.due_ms : RELOAD_NEVER;
}
