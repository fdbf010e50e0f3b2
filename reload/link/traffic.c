#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "reload/link/links_internal.h"

#define TLS_ANSWERS_MAX (64 * 1024) /* bytes behind output that waits */

/* Lends the engine what the socket has. DONE when it has nothing (now, or for this round). */
static enum reload_link_step receive(struct reload_link *link)
{
    struct reload_links *links = link->set;
    if (link->drained || link->budget == 0 || reload_raw_is_deaf(link))
        return RELOAD_STEP_DONE; /* epoll tells again if there is more */
    ssize_t n = recv(link->fd, links->cipher, RELOAD_LINK_READ_LEN, 0);
    if (n > 0) {
        link->counters.bytes_in += (uint64_t)n;
        links->stats.sum.bytes_in += (uint64_t)n;
        link->budget -= (uint32_t)n < link->budget ? (uint32_t)n : link->budget;
        link->drained = n < RELOAD_LINK_READ_LEN;
        reload_engine_input(link->engine, reload_slice_of(links->cipher, (size_t)n));
        return RELOAD_STEP_AGAIN;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return RELOAD_STEP_DONE;
    if (n < 0)
        reload_link_fail(link, RELOAD_E_IO, "connection lost: %s", strerror(errno));
    else
        reload_link_fail(link, RELOAD_E_CLOSED, "the far end cut the connection");
    return RELOAD_STEP_DONE;
}

enum reload_link_step reload_link_engine_failed(struct reload_link *link, int error)
{
    const char *reason = reload_engine_reason(link->engine);
    if (error == RELOAD_E_CLOSED && reload_link_is_up(link) && link->raw && !link->dtls) {
        reload_raw_far_ended(link);
        return RELOAD_STEP_DONE;
    }
    if (error != RELOAD_E_CLOSED || !reload_link_is_up(link)) {
        reload_link_fail(link, error, "%s", reason);
        return RELOAD_STEP_DONE;
    }
    reload_buffer_free(&link->queue); /* nobody reads it any more */
    link->ack_is_owed = false;
    reload_link_end(link, reason);
    return RELOAD_STEP_DONE;
}

static enum reload_link_step shake_hands(struct reload_link *link)
{
    int status = reload_engine_handshake(link->engine, link->set->now);
    reload_link_mark_dirty(link);
    if (status == RELOAD_ENGINE_WANT)
        return receive(link);
    if (status)
        return reload_link_engine_failed(link, status);
    bool certain = reload_engine_confirmed(link->engine);
    reload_link_enter(link, certain ? RELOAD_LINK_RUNNING : RELOAD_LINK_CONFIRMING);
    return RELOAD_STEP_AGAIN;
}

/* TLS itself may have something to say: to each KeyUpdate, if the far end wants it so (RFC 8446
 * s4.6.3). What it does not take of that must not pile up. */
static int watch_answers(struct reload_link *link, size_t waited)
{
    size_t waits = reload_buffer_len(reload_engine_output(link->engine));
    if (waits > 0)
        reload_link_mark_dirty(link);
    link->tls_answers = waited == 0 ? 0 : link->tls_answers + (waits - waited);
    return link->tls_answers > TLS_ANSWERS_MAX ? RELOAD_E_LIMIT : 0;
}

/* More plaintext, from the engine or through it from the socket. */
static enum reload_link_step decrypt(struct reload_link *link)
{
    struct reload_links *links = link->set;
    size_t n, waited = reload_buffer_len(reload_engine_output(link->engine));
    int status =
        reload_engine_read(link->engine, links->plain, RELOAD_LINK_READ_LEN, &n, links->now);
    if (watch_answers(link, waited)) {
        reload_link_fail(link, RELOAD_E_LIMIT, "the far end does not take the answers of TLS");
        return RELOAD_STEP_DONE;
    }
    if (link->state == RELOAD_LINK_CONFIRMING && reload_engine_confirmed(link->engine))
        reload_link_enter(link, RELOAD_LINK_RUNNING);
    if (status == RELOAD_ENGINE_WANT)
        return receive(link);
    if (status)
        return reload_link_engine_failed(link, status);
    links->unread = reload_slice_of(links->plain, n);
    return RELOAD_STEP_AGAIN;
}

static void count_frame(struct reload_link *link, const struct reload_frame *frame, bool fresh)
{
    struct reload_link_counters *each[] = { &link->counters, &link->set->stats.sum };
    for (size_t i = 0; i < 2; i++) {
        each[i]->frames_in++;
        each[i]->acks_in += frame->type == RELOAD_FRAME_ACK;
        if (frame->type == RELOAD_FRAME_ACK || !fresh)
            continue;
        each[i]->messages_in++;
        each[i]->message_bytes_in += frame->message.n;
    }
}

static void fill_event(const struct reload_link *link, enum reload_link_event_type type,
                       struct reload_slice message, struct reload_link_event *event)
{
    *event = (struct reload_link_event){ .type = type,
                                         .link = link->id,
                                         .inbound = link->inbound,
                                         .address = link->far,
                                         .message = message };
}

static void capture_data(struct reload_link *link, const struct reload_frame *frame)
{
    if (!link->set->config.pcap)
        return;
    uint8_t header[RELOAD_FRAME_ACK_LEN];
    struct reload_writer w = reload_writer_of(header, sizeof header);
    struct reload_slice parts[2] = { { header, RELOAD_FRAME_ACK_LEN }, frame->message };
    if (frame->type == RELOAD_FRAME_DATA) {
        reload_frame_data_header(header, frame->sequence, frame->message.n);
        parts[0].n = RELOAD_FRAME_DATA_HEADER_LEN;
    } else if (reload_frame_encode(&w, frame)) {
        return;
    }
    reload_link_capture(link, false, parts, 2);
}

void reload_link_frame_in(struct reload_link *link, const struct reload_frame *frame, bool fresh)
{
    count_frame(link, frame, fresh);
    capture_data(link, frame);
}

enum reload_link_step reload_link_tell_message(struct reload_link *link,
                                               const struct reload_frame *frame,
                                               struct reload_link_event *event)
{
    fill_event(link, RELOAD_LINK_MESSAGE, frame->message, event);
    return RELOAD_STEP_MESSAGE;
}

static enum reload_link_step handle_frame(struct reload_link *link,
                                          const struct reload_frame *frame,
                                          struct reload_link_event *event)
{
    reload_link_frame_in(link, frame, true);
    if (frame->type == RELOAD_FRAME_ACK) {
        reload_frame_sender_acked(&link->sender, frame, link->set->now.monotonic_ms);
        reload_link_rearm(link);
        if (link->told_suspect && link->sender.state == RELOAD_FRAME_ALIVE)
            reload_link_note(link);
        return RELOAD_STEP_AGAIN;
    }
    /* R6940-6.6.2-4: at once; it leaves with what else this round sends on the link. */
    struct reload_frame ack = reload_frame_receiver_ack(&link->receiver, frame->sequence);
    reload_link_queue_ack(link, &ack);
    return reload_link_tell_message(link, frame, event);
}

enum reload_link_step reload_link_oversize(struct reload_link *link,
                                           const struct reload_frame *frame,
                                           struct reload_link_event *event)
{
    link->counters.oversize++;
    link->set->stats.sum.oversize++;
    reload_link_enter(link, RELOAD_LINK_OVERSIZED);
    fill_event(link, RELOAD_LINK_OVERSIZE, frame->message, event);
    return RELOAD_STEP_MESSAGE;
}

static enum reload_link_step take_frame(struct reload_link *link, struct reload_link_event *event)
{
    struct reload_frame frame;
    int status = reload_frame_stream_next(&link->stream, &link->set->unread, &frame);
    switch (status) {
    case 0: return handle_frame(link, &frame, event);
    case RELOAD_FRAME_STREAM_MORE: return RELOAD_STEP_AGAIN;
    case RELOAD_E_LIMIT: return reload_link_oversize(link, &frame, event);
    case RELOAD_E_DECODE: /* R6940-6.6.2-7 */
        reload_link_fail(link, status, "framing error: neither a data nor an ack frame");
        return RELOAD_STEP_DONE;
    default:
        reload_link_fail(link, status, "framing: %s", reload_error_text(status));
        return RELOAD_STEP_DONE;
    }
}

/* A closed link swallows what still comes, until the far end has closed too. */
static enum reload_link_step swallow(struct reload_link *link)
{
    if (link->budget == 0)
        return RELOAD_STEP_DONE;
    ssize_t n = recv(link->fd, link->set->cipher, RELOAD_LINK_READ_LEN, 0);
    if (n > 0) {
        link->budget -= (uint32_t)n < link->budget ? (uint32_t)n : link->budget;
        return RELOAD_STEP_AGAIN;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return RELOAD_STEP_DONE;
    reload_link_enter(link, RELOAD_LINK_DEAD);
    return RELOAD_STEP_DONE;
}

enum reload_link_step reload_link_step(struct reload_link *link, struct reload_link_event *event)
{
    struct reload_links *links = link->set;
    if (link->dtls)
        return reload_datagram_step(link, event);
    if (links->reading != link) {
        links->reading = link;
        links->unread = (struct reload_slice){ 0 };
    }
    switch (link->state) {
    case RELOAD_LINK_CONNECTING:
        if (link->ready)
            reload_link_connected(link);
        return link->state == RELOAD_LINK_HANDSHAKING ? RELOAD_STEP_AGAIN : RELOAD_STEP_DONE;
    case RELOAD_LINK_HANDSHAKING: return shake_hands(link);
    case RELOAD_LINK_CONFIRMING:
    case RELOAD_LINK_RUNNING:
        if (!links->unread.n)
            return reload_raw_is_cut(link) ? RELOAD_STEP_DONE : decrypt(link);
        return link->raw ? reload_raw_bytes(link, event) : take_frame(link, event);
    case RELOAD_LINK_LINGERING: return swallow(link);
    case RELOAD_LINK_OVERSIZED: /* not read, so only epoll can tell that it broke */
        if (link->ready & (EPOLLHUP | EPOLLERR))
            reload_link_fail(link, RELOAD_E_CLOSED, "the far end cut the connection");
        break;
    case RELOAD_LINK_DEAD: break;
    }
    return RELOAD_STEP_DONE;
}
