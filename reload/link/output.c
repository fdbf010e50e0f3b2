#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "reload/link/links_internal.h"

static size_t waiting_bytes(const struct reload_link *link)
{
    return reload_buffer_len(&link->queue) + reload_buffer_len(reload_engine_output(link->engine));
}

static bool is_full(const struct reload_link *link, size_t len)
{
    const struct reload_links_limits *limits = &link->set->config.limits;
    size_t waiting = waiting_bytes(link);
    if (waiting == 0) /* whatever the limits, one message can always go */
        return false;
    return link->queued_messages >= limits->queue_messages || waiting > limits->queue_bytes ||
           len > limits->queue_bytes - waiting;
}

static void count_sent(struct reload_link *link, size_t message_len, bool is_ack)
{
    struct reload_link_counters *each[] = { &link->counters, &link->set->stats.sum };
    for (size_t i = 0; i < 2; i++) {
        each[i]->frames_out++;
        each[i]->acks_out += is_ack;
        each[i]->messages_out += !is_ack;
        each[i]->message_bytes_out += message_len;
    }
}

static void append_ack(struct reload_link *link, const struct reload_frame *ack)
{
    uint8_t *to = reload_buffer_reserve(&link->queue, RELOAD_FRAME_ACK_LEN);
    if (!to) {
        link->owed_ack = *ack;
        link->ack_is_owed = true;
        return;
    }
    struct reload_writer w = reload_writer_of(to, RELOAD_FRAME_ACK_LEN);
    if (reload_frame_encode(&w, ack))
        return;
    reload_buffer_commit(&link->queue, w.len);
    count_sent(link, 0, true);
    struct reload_slice whole = { to, w.len };
    reload_link_capture(link, true, &whole, 1);
}

void reload_link_queue_ack(struct reload_link *link, const struct reload_frame *ack)
{
    reload_link_mark_dirty(link);
    if (reload_buffer_len(reload_engine_output(link->engine)) == 0) {
        append_ack(link, ack);
        return;
    }
    /* Output waits, so one ack is to stand for several: for as many as its mask reaches back to. */
    bool out_of_reach =
        link->ack_is_owed && ack->sequence - link->owed_since >= RELOAD_FRAME_REMEMBERED;
    if (out_of_reach && !is_full(link, RELOAD_FRAME_ACK_LEN))
        append_ack(link, &link->owed_ack);
    if (out_of_reach || !link->ack_is_owed)
        link->owed_since = ack->sequence;
    link->owed_ack = *ack;
    link->ack_is_owed = true;
}

bool reload_link_push(struct reload_link *link)
{
    if (link->dtls)
        return reload_datagram_push(link);
    struct reload_buffer *output = reload_engine_output(link->engine);
    while (reload_buffer_len(output) > 0) {
        ssize_t n =
            send(link->fd, output->p + output->start, reload_buffer_len(output), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        link->counters.bytes_out += (uint64_t)n;
        link->set->stats.sum.bytes_out += (uint64_t)n;
        reload_buffer_consume(output, (size_t)n);
    }
    return true;
}

/* All frames of the round become TLS records together. */
static int encrypt(struct reload_link *link)
{
    struct reload_slice plain = { link->queue.p + link->queue.start,
                                  reload_buffer_len(&link->queue) };
    int status = reload_engine_write(link->engine, plain);
    reload_buffer_free(&link->queue);
    return status;
}

static void push_failed(struct reload_link *link)
{
    if (errno == EAGAIN)
        reload_link_watch(link); /* epoll tells when there is room */
    else if (link->state == RELOAD_LINK_LINGERING)
        reload_link_enter(link, RELOAD_LINK_DEAD);
    else
        reload_link_fail(link, RELOAD_E_IO, "connection lost: %s", strerror(errno));
}

static void flush_up(struct reload_link *link)
{
    if (link->ack_is_owed) {
        link->ack_is_owed = false;
        append_ack(link, &link->owed_ack); /* without memory it stays owed until the next frame */
    }
    if (reload_buffer_len(&link->queue) == 0) {
        link->queued_messages = 0;
        return;
    }
    int status = encrypt(link);
    if (status)
        reload_link_fail(link, status, "%s", reload_engine_reason(link->engine));
    else if (reload_link_push(link))
        link->queued_messages = 0;
    else
        push_failed(link);
}

void reload_link_flush(struct reload_link *link)
{
    if (link->dtls) {
        reload_datagram_flush(link);
        return;
    }
    if (!link->engine || link->fd < 0)
        return;
    if (!reload_link_push(link)) {
        push_failed(link);
        return;
    }
    if (reload_link_is_up(link))
        flush_up(link);
    if (link->raw && reload_link_is_up(link))
        reload_raw_flushed(link);
    if (link->state == RELOAD_LINK_LINGERING && !link->sending_ended) {
        link->sending_ended = true;
        shutdown(link->fd, SHUT_WR);
    }
    reload_link_watch(link);
}

static void append_message(struct reload_link *link, uint8_t *to, const struct reload_slice *parts,
                           size_t count, size_t len)
{
    uint32_t sequence = reload_frame_sender_next(&link->sender, link->set->now.monotonic_ms);
    reload_frame_data_header(to, sequence, len);
    uint8_t *p = to + RELOAD_FRAME_DATA_HEADER_LEN;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].n)
            memcpy(p, parts[i].p, parts[i].n);
        p += parts[i].n;
    }
    reload_buffer_commit(&link->queue, RELOAD_FRAME_DATA_HEADER_LEN + len);
    link->queued_messages++;
    count_sent(link, len, false);
    struct reload_slice whole = { to, RELOAD_FRAME_DATA_HEADER_LEN + len };
    reload_link_capture(link, true, &whole, 1);
    reload_link_rearm(link);
    reload_link_mark_dirty(link);
}

static int queue_message(struct reload_link *link, const struct reload_slice *parts, size_t count,
                         size_t len)
{
    size_t frame_len = RELOAD_FRAME_DATA_HEADER_LEN + len;
    if (is_full(link, frame_len))
        reload_link_flush(link); /* perhaps only this round is long, and the socket has room */
    if (!reload_link_is_up(link))
        return RELOAD_E_STATE;
    if (is_full(link, frame_len)) {
        link->counters.queue_drops++;
        link->set->stats.sum.queue_drops++;
        return RELOAD_E_LIMIT;
    }
    uint8_t *to = reload_buffer_reserve(&link->queue, frame_len);
    if (!to)
        return RELOAD_E_NOMEM;
    append_message(link, to, parts, count, len);
    if (reload_buffer_len(&link->queue) >= RELOAD_LINK_FLUSH_LEN &&
        reload_buffer_len(reload_engine_output(link->engine)) == 0)
        reload_link_flush(link);
    return 0;
}

int reload_links_send(struct reload_links *links, reload_link_id id,
                      const struct reload_slice *parts, size_t count, struct reload_time now)
{
    struct reload_link *link = reload_links_find(links, id);
    if (!link || link->over || link->raw)
        return RELOAD_E_NOT_FOUND;
    if (!reload_link_is_up(link)) /* R6940-13.2-1: nothing leaves before the handshake */
        return RELOAD_E_STATE;
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].n > RELOAD_FRAME_MESSAGE_MAX - len)
            return RELOAD_E_INVALID;
        len += parts[i].n;
    }
    links->now = now;
    if (link->dtls)
        return reload_datagram_send(link, parts, count, len);
    return queue_message(link, parts, count, len);
}
