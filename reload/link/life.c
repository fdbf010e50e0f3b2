#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reload/alloc.h"
#include "reload/link/links_internal.h"

static const char *state_name(enum reload_link_state state)
{
    switch (state) {
    case RELOAD_LINK_CONNECTING: return "connecting";
    case RELOAD_LINK_HANDSHAKING: return "handshaking";
    case RELOAD_LINK_CONFIRMING: return "confirming";
    case RELOAD_LINK_RUNNING: return "up";
    case RELOAD_LINK_OVERSIZED: return "oversized";
    case RELOAD_LINK_LINGERING: return "lingering";
    case RELOAD_LINK_DEAD: return "dead";
    }
    return "?";
}

bool reload_link_is_up(const struct reload_link *link)
{
    return link->state == RELOAD_LINK_RUNNING || link->state == RELOAD_LINK_OVERSIZED;
}

static uint64_t state_lifetime_ms(const struct reload_link *link)
{
    const struct reload_links_limits *limits = &link->set->config.limits;
    switch (link->state) {
    case RELOAD_LINK_CONNECTING: return limits->connect_ms;
    case RELOAD_LINK_HANDSHAKING: return limits->handshake_ms;
    case RELOAD_LINK_CONFIRMING: return RELOAD_LINK_CONFIRM_MS;
    case RELOAD_LINK_OVERSIZED:
    case RELOAD_LINK_LINGERING: return RELOAD_LINK_LINGER_MS;
    case RELOAD_LINK_RUNNING:
    case RELOAD_LINK_DEAD: break;
    }
    return RELOAD_NEVER;
}

static void release_connection(struct reload_link *link)
{
    if (link->fd >= 0)
        close(link->fd); /* leaves the epoll set by itself */
    link->fd = -1;
    link->interest = 0;
    reload_datagram_release(link);
    reload_engine_free(link->engine);
    link->engine = NULL;
    reload_buffer_free(&link->queue);
    link->queued_messages = 0;
    link->ack_is_owed = false;
}

/* The one place that changes a link's state. */
void reload_link_enter(struct reload_link *link, enum reload_link_state state)
{
    reload_log_write(link->set->config.log, RELOAD_LOG_DEBUG, "link", "link %u: %s -> %s", link->id,
                     state_name(link->state), state_name(state));
    link->state = state;
    uint64_t lifetime_ms = state_lifetime_ms(link);
    link->deadline_ms =
        lifetime_ms == RELOAD_NEVER ? RELOAD_NEVER : link->set->now.monotonic_ms + lifetime_ms;
    if (state == RELOAD_LINK_RUNNING) {
        reload_free(link->dial);
        link->dial = NULL;
        if (link->raw && link->raw->invitation)
            reload_invitation_taken(link);
        reload_link_note(link);
    }
    if (state == RELOAD_LINK_DEAD) {
        if (link->returns)
            reload_datagram_keep_undelivered(link);
        release_connection(link);
        link->set->count--;
        reload_link_note(link); /* to be told of, then freed */
    }
    reload_link_rearm(link);
    reload_link_watch(link);
}

static uint32_t wanted_interest(const struct reload_link *link)
{
    bool blocked = link->engine && reload_buffer_len(reload_engine_output(link->engine)) > 0;
    uint32_t out = blocked ? (uint32_t)EPOLLOUT : 0;
    switch (link->state) {
    case RELOAD_LINK_CONNECTING: return EPOLLOUT;
    case RELOAD_LINK_OVERSIZED: return out; /* s6.6: nothing more is taken from it */
    case RELOAD_LINK_DEAD: return 0;
    default: return reload_raw_is_deaf(link) ? out : EPOLLIN | out;
    }
}

void reload_link_watch(struct reload_link *link)
{
    uint32_t want = wanted_interest(link);
    if (link->fd < 0 || want == link->interest)
        return;
    struct epoll_event event = { .events = want, .data.u64 = link->id };
    int epoll_fd = link->set->epoll_fd;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, link->fd, &event) == 0 ||
        (errno == ENOENT && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, link->fd, &event) == 0))
        link->interest = want;
}

static void count_failure(struct reload_link *link, int error)
{
    struct reload_links_stats *stats = &link->set->stats;
    if (reload_link_is_up(link)) {
        stats->failed_framing += error == RELOAD_E_DECODE;
        stats->failed_unread += error == RELOAD_E_LIMIT;
        return;
    }
    if (link->state != RELOAD_LINK_HANDSHAKING && link->state != RELOAD_LINK_CONFIRMING)
        return;
    if (link->evicted)
        stats->evicted++;
    else if (link->engine && reload_engine_unexpected(link->engine))
        stats->failed_expected++;
    else if (error == RELOAD_E_TIMEOUT)
        stats->failed_timeout++;
    else if (link->engine && reload_engine_untrusted(link->engine))
        stats->failed_certificate++;
    else
        stats->failed_tls++;
}

/* Over for the owner. With bytes that the far end should still see (a close_notify, an alert, a
 * last message) the socket drains for a while: closing it with unread input would reset the
 * connection and take them back. Without, what it did not get is the owner's again. */
static void finish(struct reload_link *link, int error, bool drain)
{
    link->error = error;
    link->over = true;
    link->returns = !drain || error == RELOAD_E_TIMEOUT;
    reload_link_note(link);
    reload_link_enter(link, drain && (link->fd >= 0 || link->dtls) ? RELOAD_LINK_LINGERING
                                                                   : RELOAD_LINK_DEAD);
    if (link->state == RELOAD_LINK_LINGERING)
        reload_link_mark_dirty(link);
}

/* Of a DTLS link that is given up the far end learns: the path may be dead in one direction only,
 * or the far end have slept, and it would go on with a link that nobody answers. */
static bool worth_draining(const struct reload_link *link, int error)
{
    bool given_up = error == RELOAD_E_TIMEOUT && !(link->dtls && reload_link_is_up(link));
    return link->engine && error != RELOAD_E_IO && error != RELOAD_E_CLOSED && !given_up;
}

void reload_link_fail(struct reload_link *link, int error, const char *format, ...)
{
    if (link->over)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(link->reason, sizeof link->reason, format, args);
    va_end(args);
    count_failure(link, error);
    if (link->inbound && !link->told_up)
        reload_links_log_stranger(link->set, &link->far, link->reason);
    if (link->dial && link->type != RELOAD_LINK_TYPE_DTLS_UDP_SR) { /* perhaps another address */
        if (link->engine)
            (void)reload_link_push(link); /* the alert that tells this one why */
        release_connection(link);
        if (reload_link_try_next(link))
            return;
    }
    finish(link, error, worth_draining(link, error));
}

void reload_link_evict(struct reload_link *link)
{
    link->evicted = true;
    reload_link_fail(link, RELOAD_E_CLOSED, "it makes room for newer connections");
}

void reload_links_recheck(struct reload_links *links, struct reload_time now)
{
    struct reload_link *link, *after;
    char reason[RELOAD_ENGINE_REASON];
    links->now = now;
    for (link = TAILQ_FIRST(&links->all); link; link = after) {
        after = TAILQ_NEXT(link, in_all);
        if (link->raw || link->over || !reload_link_is_up(link))
            continue;
        int error = reload_engine_recheck(link->engine, now, reason);
        if (!error || error == RELOAD_E_NOMEM)
            continue;
        links->stats.failed_certificate++;
        reload_link_fail(link, error, "its certificate: %s",
                         reason[0] ? reason : reload_error_text(error));
    }
}

void reload_link_end(struct reload_link *link, const char *reason)
{
    if (link->over)
        return;
    snprintf(link->reason, sizeof link->reason, "%s", reason ? reason : "closed");
    if (reload_link_is_up(link))
        reload_link_flush(link);
    if (link->over) /* the flush met a dead socket */
        return;
    if (link->engine && !link->dtls) /* over DTLS once all is acknowledged */
        reload_engine_close(link->engine);
    finish(link, 0, link->engine != NULL);
}

void reload_link_complete(struct reload_link *link, const char *reason)
{
    snprintf(link->reason, sizeof link->reason, "%s", reason);
    finish(link, 0, true);
}

const struct reload_node_id *reload_link_expected(const struct reload_link *link)
{
    if (link->dial)
        return link->dial->expected.len ? &link->dial->expected : NULL;
    const struct reload_link_invitation *invitation =
        link->raw ? reload_invitation_find(link->set, link->raw->invitation) : NULL;
    return invitation ? &invitation->expected : NULL;
}

/* The timeout of s6.6.5 needs a frame that is not acknowledged. While none is sent TCP itself asks
 * whether the far end is there: after 10 s, and three times 5 s apart. */
static void probe_while_idle(int fd)
{
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){ 10 }, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){ 5 }, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){ 3 }, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
}

void reload_link_secure(struct reload_link *link, int fd)
{
    link->fd = fd;
    probe_while_idle(fd);
    int status = reload_engine_new(link->set->engines, link->role, reload_link_expected(link),
                                   &link->engine);
    if (status == 0 && link->raw)
        reload_engine_halve(link->engine);
    if (status) {
        reload_link_fail(link, status, "TLS: %s", reload_error_text(status));
        return;
    }
    reload_link_enter(link, RELOAD_LINK_HANDSHAKING);
}

static void tick_running(struct reload_link *link)
{
    enum reload_frame_sender_state before = link->sender.state;
    reload_frame_sender_tick(&link->sender, link->set->now.monotonic_ms);
    if (link->sender.state == before)
        return;
    if (link->sender.state == RELOAD_FRAME_SUSPECT) { /* R6940-6.6.5-2 */
        link->counters.suspects++;
        link->set->stats.sum.suspects++;
        reload_link_note(link);
        return;
    }
    link->set->stats.failed_dead++; /* R6940-6.6.5-3 */
    reload_link_fail(link, RELOAD_E_TIMEOUT, "no acknowledgement came back within %u s",
                     link->sender.timing->grace_ms / 1000);
}

void reload_link_tick(struct reload_link *link)
{
    uint64_t now_ms = link->set->now.monotonic_ms;
    if (link->dtls)
        reload_datagram_tick(link);
    else if (link->state == RELOAD_LINK_RUNNING)
        tick_running(link);
    if (now_ms < link->deadline_ms)
        return;
    switch (link->state) {
    case RELOAD_LINK_CONNECTING:
        reload_link_fail(link, RELOAD_E_TIMEOUT, "no answer to the TCP connection");
        break;
    case RELOAD_LINK_HANDSHAKING:
        reload_link_fail(link, RELOAD_E_TIMEOUT, "the %s handshake did not end in time",
                         link->dtls ? "DTLS" : "TLS");
        break;
    case RELOAD_LINK_CONFIRMING: reload_link_enter(link, RELOAD_LINK_RUNNING); break;
    case RELOAD_LINK_OVERSIZED: reload_link_end(link, "a message exceeded max-message-size"); break;
    case RELOAD_LINK_LINGERING:
        reload_raw_reset(link);
        reload_link_enter(link, RELOAD_LINK_DEAD);
        break;
    case RELOAD_LINK_RUNNING:
    case RELOAD_LINK_DEAD: break;
    }
}

uint64_t reload_link_deadline(const struct reload_link *link)
{
    uint64_t deadline_ms = link->deadline_ms, frames_ms = RELOAD_NEVER;
    if (link->dtls)
        frames_ms = reload_datagram_deadline(link);
    else if (link->state == RELOAD_LINK_RUNNING)
        frames_ms = reload_frame_sender_deadline(&link->sender);
    return frames_ms < deadline_ms ? frames_ms : deadline_ms;
}
