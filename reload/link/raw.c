#include "reload/link/raw.h"

#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "reload/link/links_internal.h"

/* Connections of applications: bytes instead of frames. */

static struct reload_link *find_raw(struct reload_links *links, reload_link_id id)
{
    struct reload_link *link = reload_links_find(links, id);
    return link && link->raw && !link->over ? link : NULL;
}

static size_t waiting_bytes(const struct reload_link *link)
{
    return reload_buffer_len(&link->queue) + reload_buffer_len(reload_engine_output(link->engine));
}

/* --- in --- */

bool reload_raw_is_deaf(const struct reload_link *link)
{
    return link->raw && !link->dtls && link->state == RELOAD_LINK_RUNNING &&
           (link->raw->paused || link->raw->far_ended);
}

static bool has_unread(const struct reload_link *link)
{
    int unread = 0;
    return ioctl(link->fd, FIONREAD, &unread) == 0 && unread > 0;
}

/* What has arrived is read once the owner wants it, and then the cut is met again. */
static void stop_watching(struct reload_link *link)
{
    if (epoll_ctl(link->set->epoll_fd, EPOLL_CTL_DEL, link->fd, NULL) == 0)
        link->interest = 0;
}

bool reload_raw_is_cut(struct reload_link *link)
{
    if (!reload_raw_is_deaf(link) || !(link->ready & (EPOLLHUP | EPOLLERR)))
        return false;
    if (!link->raw->far_ended && has_unread(link))
        stop_watching(link);
    else if (!link->raw->far_ended)
        reload_link_fail(link, RELOAD_E_CLOSED, "the far end cut the connection");
    else if (waiting_bytes(link) == 0)
        reload_link_complete(link, "closed by the far end");
    else
        reload_link_fail(link, RELOAD_E_CLOSED, "the far end closed before it had taken all");
    return true;
}

/* A close_notify says that this end sends no more, and a FIN no more than that. A far end that has
 * not ended within the time of lingering learns by a reset that nobody reads it either (RFC 2525
 * s2.17); but not while it is yet to get what was sent before. */
void reload_raw_reset(const struct reload_link *link)
{
    const struct linger at_once = { .l_onoff = 1 };
    int unsent = 0;
    if (link->raw && link->told_up && link->fd >= 0 && link->sending_ended &&
        ioctl(link->fd, SIOCOUTQ, &unsent) == 0 && unsent == 0)
        (void)setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void count_in(struct reload_link *link, size_t len)
{
    link->counters.message_bytes_in += len;
    link->set->stats.sum.message_bytes_in += len;
}

static enum reload_link_step tell_bytes(struct reload_link *link, struct reload_slice bytes,
                                        struct reload_link_event *event)
{
    count_in(link, bytes.n);
    *event = (struct reload_link_event){ .type = RELOAD_LINK_BYTES,
                                         .link = link->id,
                                         .inbound = link->inbound,
                                         .raw = true,
                                         .address = link->far,
                                         .message = bytes };
    return RELOAD_STEP_MESSAGE;
}

enum reload_link_step reload_raw_bytes(struct reload_link *link, struct reload_link_event *event)
{
    struct reload_slice bytes = link->set->unread;
    link->set->unread = (struct reload_slice){ 0 };
    return tell_bytes(link, bytes, event);
}

enum reload_link_step reload_raw_datagram(struct reload_link *link, struct reload_slice datagram,
                                          struct reload_link_event *event)
{
    if (link->state != RELOAD_LINK_RUNNING || datagram.n == 0)
        return RELOAD_STEP_AGAIN;
    if (!link->raw->paused)
        return tell_bytes(link, datagram, event);
    link->set->stats.dropped_datagrams++;
    return RELOAD_STEP_AGAIN;
}

void reload_raw_far_ended(struct reload_link *link)
{
    if (link->raw->far_ended)
        return;
    link->raw->far_ended = true;
    reload_link_note(link);
    reload_link_mark_dirty(link); /* perhaps nothing is left to do */
    reload_link_watch(link);
}

void reload_links_pause_raw(struct reload_links *links, reload_link_id id, bool paused,
                            struct reload_time now)
{
    links->now = now;
    struct reload_link *link = find_raw(links, id);
    if (!link || link->raw->paused == paused)
        return;
    link->raw->paused = paused;
    reload_link_watch(link);
    if (!paused)
        reload_link_mark_ready(link);
}

/* --- out --- */

static int queue_bytes(struct reload_link *link, struct reload_slice bytes)
{
    uint32_t limit = link->set->config.limits.queue_bytes;
    if (bytes.n > RELOAD_LINK_PIECE_MAX)
        return RELOAD_E_INVALID;
    if (bytes.n == 0)
        return 0;
    if (waiting_bytes(link) > 0 && waiting_bytes(link) + bytes.n > limit)
        reload_link_flush(link); /* perhaps the socket has room */
    if (!reload_link_is_up(link))
        return RELOAD_E_STATE;
    if (waiting_bytes(link) > 0 && waiting_bytes(link) + bytes.n > limit)
        return RELOAD_E_LIMIT;
    reload_link_mark_dirty(link);
    return reload_buffer_append(&link->queue, bytes.p, bytes.n);
}

static int send_datagram(struct reload_link *link, struct reload_slice bytes)
{
    size_t waiting = reload_buffer_len(reload_engine_output(link->engine));
    if (bytes.n == 0 || bytes.n > RELOAD_LINK_RAW_DATAGRAM_MAX)
        return RELOAD_E_INVALID;
    if (waiting > 0 && waiting + bytes.n > link->set->config.limits.queue_bytes)
        return RELOAD_E_LIMIT;
    reload_link_mark_dirty(link);
    return reload_engine_write(link->engine, bytes);
}

static void count_sent(struct reload_link *link, int status, size_t len)
{
    struct reload_link_counters *each[] = { &link->counters, &link->set->stats.sum };
    for (size_t i = 0; i < 2; i++) {
        each[i]->queue_drops += status == RELOAD_E_LIMIT;
        each[i]->message_bytes_out += status == 0 ? len : 0;
    }
}

int reload_links_send_raw(struct reload_links *links, reload_link_id id, struct reload_slice bytes,
                          struct reload_time now)
{
    struct reload_link *link = find_raw(links, id);
    if (!link)
        return RELOAD_E_NOT_FOUND;
    if (!link->told_up || !reload_link_is_up(link) || link->raw->ending)
        return RELOAD_E_STATE;
    links->now = now;
    int status = link->dtls ? send_datagram(link, bytes) : queue_bytes(link, bytes);
    if (status == RELOAD_E_LIMIT)
        link->raw->starved = true;
    count_sent(link, status, bytes.n);
    return status;
}

void reload_links_end_raw(struct reload_links *links, reload_link_id id, struct reload_time now)
{
    links->now = now;
    struct reload_link *link = find_raw(links, id);
    if (!link || !reload_link_is_up(link))
        return;
    if (link->dtls) {
        reload_link_end(link, "closed");
        return;
    }
    link->raw->ending = true;
    reload_link_mark_dirty(link);
}

static bool has_room(const struct reload_link *link)
{
    return waiting_bytes(link) <= link->set->config.limits.queue_bytes / 2;
}

void reload_raw_flushed(struct reload_link *link)
{
    struct reload_link_raw *raw = link->raw;
    if (raw->starved && has_room(link))
        reload_link_note(link);
    if (link->dtls)
        return;
    if (raw->ending && !raw->ended && reload_buffer_len(&link->queue) == 0) {
        raw->ended = true;
        reload_engine_end(link->engine);
        (void)reload_link_push(link); /* what does not go now goes when epoll says so */
    }
    if (raw->ended && raw->told_far_ended && waiting_bytes(link) == 0)
        reload_link_complete(link, "both ends have ended");
}

/* --- what the owner is told --- */

void reload_raw_describe(struct reload_link *link, struct reload_link_event *event)
{
    if (!link->local.len)
        reload_link_learn_local(link);
    event->local = link->local;
    event->invitation = link->raw->invitation;
}

bool reload_raw_tell(struct reload_link *link, struct reload_link_event *event)
{
    struct reload_link_raw *raw = link->raw;
    if (raw->starved && has_room(link)) {
        raw->starved = false;
        event->type = RELOAD_LINK_WRITABLE;
        return true;
    }
    if (!raw->far_ended || raw->told_far_ended)
        return false;
    raw->told_far_ended = true;
    reload_link_mark_dirty(link);
    event->type = RELOAD_LINK_ENDED;
    return true;
}
