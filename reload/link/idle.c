#include "reload/link/datagram_internal.h"

/* Idle DTLS links. A path that dies in silence shows only when something is sent that must be
 * acknowledged; then Simple Reliability tells. The owner knows what to say (RFC 6940 s6.5.3). */

/* Of two ends that ask for it one begins: what it says is heard at the other. */
static uint64_t patience_ms(const struct reload_link *link)
{
    return link->role == RELOAD_LINK_CLIENT ? RELOAD_LINK_IDLE_MS : RELOAD_LINK_IDLE_MS * 5 / 4;
}

uint64_t reload_idle_deadline(const struct reload_link *link)
{
    const struct reload_datagram_link *dtls = link->dtls;
    struct reload_reliable_stats s;
    if (link->state != RELOAD_LINK_RUNNING || link->raw)
        return RELOAD_NEVER;
    reload_reliable_stats(dtls->reliable, &s);
    if (s.messages > 0) /* its ack will tell, or that there is none */
        return RELOAD_NEVER;
    uint64_t since_ms = dtls->asked_ms > dtls->heard_ms ? dtls->asked_ms : dtls->heard_ms;
    return since_ms + patience_ms(link);
}

void reload_idle_tick(struct reload_link *link)
{
    uint64_t now_ms = link->set->now.monotonic_ms;
    if (now_ms < reload_idle_deadline(link))
        return;
    link->dtls->asked_ms = now_ms;
    link->dtls->is_idle = true;
    reload_link_note(link);
}

bool reload_idle_tell(struct reload_link *link, struct reload_link_event *event)
{
    if (!link->dtls || !link->dtls->is_idle)
        return false;
    link->dtls->is_idle = false;
    event->type = RELOAD_LINK_IDLE;
    return true;
}
