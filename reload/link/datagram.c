#include <errno.h>
#include <string.h>

#include "reload/alloc.h"
#include "reload/link/datagram_internal.h"

#define HEADERS_IPV4 28 /* IP and UDP */
#define HEADERS_IPV6 48
#define RECORD_COST  64 /* of DTLS and the framing header, at most */
#define BURST        (RELOAD_UDP_RUN_LEN - RELOAD_LINK_PATH_MTU) /* bytes: one message of a socket */
#define ACK_BACKLOG  (128 * 1024) /* bytes that wait: more acks would be for nothing */

static uint16_t path_len(const struct reload_link *link, uint16_t path_mtu)
{
    uint16_t headers = link->far.len == 4 ? HEADERS_IPV4 : HEADERS_IPV6;
    return path_mtu > headers ? (uint16_t)(path_mtu - headers) : 0;
}

static int make_sender(struct reload_link *link, uint16_t datagram_len)
{
    const struct reload_links_config *config = &link->set->config;
    const struct reload_reliable_config reliable = {
        .congestion =
            config->stop_and_wait ? &reload_congestion_stop_and_wait : &reload_congestion_window,
        .datagram_len = datagram_len > RECORD_COST ? datagram_len - RECORD_COST : 0,
        .queue_bytes = config->limits.queue_bytes,
        .queue_messages = config->limits.queue_messages,
        .narrow_len = reload_narrow_len(link, datagram_len),
    };
    return reload_reliable_new(&reliable, &link->dtls->reliable);
}

int reload_datagram_begin(struct reload_link *link, struct reload_udp_port *port, uint16_t path_mtu,
                          bool cookie_shown)
{
    uint16_t datagram_len = path_len(link, path_mtu);
    link->dtls = reload_calloc(1, sizeof *link->dtls);
    if (!link->dtls || !reload_datagrams_of(link->set))
        return RELOAD_E_NOMEM; /* reload_datagram_release() frees what there is */
    int status = make_sender(link, datagram_len);
    if (!status)
        status =
            reload_engine_new_datagram(link->set->engines, link->role, reload_link_expected(link),
                                       datagram_len, cookie_shown, &link->engine);
    if (status)
        return status;
    link->dtls->port = port;
    link->dtls->handshake_ms = RELOAD_NEVER;
    reload_link_enter(link, RELOAD_LINK_HANDSHAKING);
    reload_link_mark_ready(link); /* a client begins to speak */
    return 0;
}

static void leave_bucket(struct reload_link *link)
{
    struct reload_link **at = reload_udp_bucket(link->set->datagrams, &link->far);
    while (*at && *at != link)
        at = &(*at)->dtls->same_next;
    if (*at)
        *at = link->dtls->same_next;
}

void reload_datagram_release(struct reload_link *link)
{
    struct reload_datagram_link *dtls = link->dtls;
    if (!dtls)
        return;
    struct reload_udp_port *port = dtls->port;
    if (port && !port->owner)
        leave_bucket(link);
    reload_reliable_free(dtls->reliable);
    reload_buffer_free(&dtls->arrived);
    reload_free(dtls);
    link->dtls = NULL;
    if (port && port->owner)
        reload_udp_free_port(port);
}

void reload_datagram_keep_undelivered(struct reload_link *link)
{
    if (!link->dtls || link->raw)
        return;
    link->undelivered = link->dtls->reliable;
    link->dtls->reliable = NULL;
}

bool reload_datagram_push(struct reload_link *link)
{
    return reload_udp_send(link) == 0;
}

void reload_datagram_refused(struct reload_link *link, int error)
{
    struct reload_reliable_stats s;
    reload_reliable_stats(link->dtls->reliable, &s);
    link->set->stats.icmp_errors++;
    if (link->state == RELOAD_LINK_LINGERING)
        reload_link_enter(link, RELOAD_LINK_DEAD);
    else if (link->state == RELOAD_LINK_HANDSHAKING || link->raw ||
             s.unacked > 0) /* R6940-6.6.3.1-10 */
        reload_link_fail(link, RELOAD_E_IO, "the far end's system refuses: %s", strerror(error));
}

/* --- in --- */

void reload_datagram_lend(struct reload_link *link, struct reload_slice datagram)
{
    link->counters.bytes_in += datagram.n;
    link->set->stats.sum.bytes_in += datagram.n;
    if (link->state == RELOAD_LINK_HANDSHAKING || link->state == RELOAD_LINK_RUNNING ||
        link->state == RELOAD_LINK_LINGERING)
        reload_engine_input(link->engine, datagram);
}

static enum reload_link_step shake_hands(struct reload_link *link)
{
    uint64_t now_ms = link->set->now.monotonic_ms;
    int status = reload_engine_handshake(link->engine, link->set->now);
    link->dtls->handshake_ms = reload_engine_datagram_deadline(link->engine, now_ms);
    reload_link_rearm(link);
    reload_link_mark_dirty(link);
    if (status == RELOAD_ENGINE_WANT)
        return RELOAD_STEP_DONE;
    if (status)
        return reload_link_engine_failed(link, status);
    link->dtls->heard_ms = now_ms;
    reload_link_enter(link, RELOAD_LINK_RUNNING);
    if (link->inbound)
        reload_udp_replace(link);
    return RELOAD_STEP_AGAIN;
}

static void count_out(struct reload_link *link, size_t frames, size_t acks, size_t retransmissions)
{
    struct reload_link_counters *each[] = { &link->counters, &link->set->stats.sum };
    for (size_t i = 0; i < 2; i++) {
        each[i]->frames_out += frames;
        each[i]->acks_out += acks;
        each[i]->retransmissions += retransmissions;
    }
}

void reload_datagram_send_ack(struct reload_link *link)
{
    uint8_t bytes[RELOAD_FRAME_ACK_LEN];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    if (!link->dtls->owes_ack)
        return;
    link->dtls->owes_ack = false;
    if (reload_buffer_len(reload_engine_output(link->engine)) > ACK_BACKLOG ||
        reload_frame_encode(&w, &link->dtls->ack) ||
        reload_engine_write(link->engine, reload_writer_slice(&w)))
        return;
    count_out(link, 1, 1, 0);
    struct reload_slice whole = reload_writer_slice(&w);
    reload_link_capture(link, true, &whole, 1);
}

/* R6940-6.6.2-4: at once; what one read of the socket brought together is acknowledged together,
 * the last of it by number and the rest by the mask, which holds 31 before it. A stop-and-wait
 * sender has nothing to be put together. */
static void acknowledge(struct reload_link *link, uint32_t sequence)
{
    struct reload_datagram_link *dtls = link->dtls;
    struct reload_frame ack = reload_frame_receiver_ack(&link->receiver, sequence);
    bool covers = dtls->owes_ack && reload_sequence_after(sequence, dtls->ack.sequence) &&
                  sequence - dtls->ack_first < RELOAD_FRAME_REMEMBERED;
    if (!covers) {
        reload_datagram_send_ack(link);
        dtls->ack_first = sequence;
    }
    dtls->ack = ack;
    dtls->owes_ack = true;
    reload_link_mark_dirty(link);
}

static void take_ack(struct reload_link *link, const struct reload_frame *frame)
{
    reload_link_frame_in(link, frame, true);
    reload_reliable_acked(link->dtls->reliable, frame, link->set->now.monotonic_ms);
    reload_narrow_notice(link);
    reload_link_mark_dirty(link); /* the window may have moved */
    if (link->told_suspect && !reload_datagram_is_suspect(link))
        reload_link_note(link);
}

static enum reload_link_step take_data(struct reload_link *link, struct reload_frame *frame,
                                       struct reload_link_event *event)
{
    struct reload_links *links = link->set;
    if (frame->message.n > links->config.max_message_size) {
        frame->message.n = links->config.max_message_size;
        return reload_link_oversize(link, frame, event);
    }
    bool met = reload_duplicates_met(&link->dtls->duplicates, frame->message.p, frame->message.n,
                                     links->now.monotonic_ms);
    reload_link_frame_in(link, frame, !met);
    acknowledge(link, frame->sequence);
    if (!met)
        return reload_link_tell_message(link, frame, event);
    link->counters.repeated++;
    links->stats.sum.repeated++;
    return RELOAD_STEP_AGAIN;
}

static enum reload_link_step take_record(struct reload_link *link, struct reload_slice record,
                                         struct reload_link_event *event)
{
    struct reload_reader r = reload_reader_over(record);
    struct reload_frame frame;
    if (reload_frame_decode(&r, &frame) ||
        r.p != r.end) { /* unlike on a stream the next is whole */
        link->set->stats.bad_frames++;
        return RELOAD_STEP_AGAIN;
    }
    link->dtls->heard_ms = link->set->now.monotonic_ms;
    if (frame.type == RELOAD_FRAME_ACK)
        take_ack(link, &frame);
    else if (link->state == RELOAD_LINK_RUNNING)
        return take_data(link, &frame, event);
    return RELOAD_STEP_AGAIN;
}

static enum reload_link_step decrypt(struct reload_link *link, struct reload_link_event *event)
{
    struct reload_datagrams *d = link->set->datagrams;
    size_t n;
    int status = reload_engine_read(link->engine, d->record, sizeof d->record, &n, link->set->now);
    if (reload_buffer_len(reload_engine_output(link->engine)) > 0)
        reload_link_mark_dirty(link); /* an alert, or a flight that was asked for again */
    if (status == 0)
        return link->raw ? reload_raw_datagram(link, reload_slice_of(d->record, n), event)
                         : take_record(link, reload_slice_of(d->record, n), event);
    if (status == RELOAD_ENGINE_WANT)
        return RELOAD_STEP_DONE;
    if (!link->over)
        return reload_link_engine_failed(link, status);
    reload_link_enter(link, RELOAD_LINK_DEAD);
    return RELOAD_STEP_DONE;
}

enum reload_link_step reload_datagram_read(struct reload_link *link,
                                           struct reload_link_event *event)
{
    switch (link->state) {
    case RELOAD_LINK_HANDSHAKING: return shake_hands(link);
    case RELOAD_LINK_RUNNING:
    case RELOAD_LINK_LINGERING: return decrypt(link, event);
    case RELOAD_LINK_CONNECTING:
    case RELOAD_LINK_CONFIRMING:
    case RELOAD_LINK_OVERSIZED: /* s6.6: nothing more is taken from it */
    case RELOAD_LINK_DEAD: break;
    }
    return RELOAD_STEP_DONE;
}

enum reload_link_step reload_datagram_step(struct reload_link *link,
                                           struct reload_link_event *event)
{
    enum reload_link_step step = reload_datagram_read(link, event);
    if (step != RELOAD_STEP_DONE || !link->dtls || !reload_channel_lend(link))
        return step;
    step = reload_datagram_read(link, event); /* at once: it takes the whole datagram */
    return step == RELOAD_STEP_DONE ? RELOAD_STEP_AGAIN : step;
}

/* --- out --- */

int reload_datagram_send(struct reload_link *link, const struct reload_slice *parts, size_t count,
                         size_t len)
{
    if (len > RELOAD_LINK_DATAGRAM_MESSAGE_MAX)
        return RELOAD_E_INVALID;
    struct reload_link_counters *each[] = { &link->counters, &link->set->stats.sum };
    int status = reload_reliable_send(link->dtls->reliable, parts, count);
    for (size_t i = 0; i < 2; i++) {
        each[i]->queue_drops += status == RELOAD_E_LIMIT;
        each[i]->messages_out += status == 0;
        each[i]->message_bytes_out += status == 0 ? len : 0;
    }
    if (status == 0)
        reload_link_mark_dirty(link);
    return status;
}

static int encrypt(struct reload_link *link, const struct reload_frame *frame)
{
    struct reload_slice whole = { frame->message.p - RELOAD_FRAME_DATA_HEADER_LEN,
                                  RELOAD_FRAME_DATA_HEADER_LEN + frame->message.n };
    int status = reload_engine_write(link->engine, whole);
    if (status == 0)
        reload_link_capture(link, true, &whole, 1);
    return status;
}

/* Memory for all that may leave at once: growing with each record would copy those before it. A
 * refusal shows when a record is written. */
static void make_room(struct reload_link *link, const struct reload_reliable_stats *s)
{
    size_t len = s->bytes + s->messages * (size_t)RECORD_COST;
    (void)reload_buffer_reserve(reload_engine_output(link->engine), len < BURST ? len : BURST);
}

/* A burst of frames becomes datagrams; false when there is none to send now. */
static bool transmit(struct reload_link *link)
{
    if (link->state == RELOAD_LINK_HANDSHAKING)
        return false;
    struct reload_reliable *reliable = link->dtls->reliable;
    struct reload_reliable_stats before, after;
    reload_reliable_stats(reliable, &before);
    struct reload_frame frame;
    size_t count = 0;
    int status = 0;
    while (reload_buffer_len(reload_engine_output(link->engine)) < BURST && status == 0 &&
           reload_reliable_next(reliable, link->set->now.monotonic_ms, &frame)) {
        if (count++ == 0)
            make_room(link, &before);
        status = encrypt(link, &frame);
    }
    reload_reliable_stats(reliable, &after);
    count_out(link, count, 0, after.retransmissions - before.retransmissions);
    return count > 0 && status == 0;
}

/* LINGERING: is there still something that the far end should get? */
static bool has_last_words(const struct reload_link *link)
{
    struct reload_reliable_stats s;
    reload_reliable_stats(link->dtls->reliable, &s);
    return link->error == 0 && s.messages > 0 && !link->dtls->farewell &&
           reload_reliable_state(link->dtls->reliable) != RELOAD_FRAME_FAILED &&
           reload_engine_write(link->engine, (struct reload_slice){ 0 }) == 0;
}

static void part(struct reload_link *link)
{
    if (!link->dtls->farewell)
        reload_engine_close(link->engine);
    link->dtls->farewell = true;
    if (reload_udp_send(link) != EAGAIN || link->dtls->port)
        reload_link_enter(link, RELOAD_LINK_DEAD);
}

void reload_datagram_flush(struct reload_link *link)
{
    int error;
    if (reload_link_is_up(link))
        reload_datagram_send_ack(link);
    while ((error = reload_udp_send(link)) == 0 && transmit(link))
        ;
    if (link->raw && reload_link_is_up(link))
        reload_raw_flushed(link);
    if (error && error != EAGAIN)
        reload_datagram_refused(link, error);
    else if (link->state == RELOAD_LINK_LINGERING && error == 0 && !has_last_words(link))
        part(link);
    if (link->engine)
        reload_engine_datagram_rest(link->engine);
    reload_link_rearm(link);
}

/* --- time --- */

static void tick_handshake(struct reload_link *link)
{
    struct reload_links *links = link->set;
    if (links->now.monotonic_ms < link->dtls->handshake_ms)
        return;
    int status = reload_engine_datagram_tick(link->engine, links->now);
    reload_link_mark_dirty(link);
    link->dtls->handshake_ms =
        reload_engine_datagram_deadline(link->engine, links->now.monotonic_ms);
    if (status != RELOAD_ENGINE_WANT)
        reload_link_fail(link, status, "%s", reload_engine_reason(link->engine));
}

static void state_changed(struct reload_link *link, enum reload_frame_sender_state state)
{
    struct reload_links *links = link->set;
    if (state == RELOAD_FRAME_SUSPECT && !link->over) { /* R6940-6.6.3.1-12 */
        link->counters.suspects++;
        links->stats.sum.suspects++;
        reload_link_note(link);
    }
    if (state == RELOAD_FRAME_FAILED && !link->over) { /* R6940-6.6.3.1-11 */
        links->stats.failed_dead++;
        reload_link_fail(link, RELOAD_E_TIMEOUT, "no transmission of a message was acknowledged");
    }
}

static void tick_frames(struct reload_link *link)
{
    struct reload_reliable *reliable = link->dtls->reliable;
    uint64_t now_ms = link->set->now.monotonic_ms;
    enum reload_frame_sender_state before = reload_reliable_state(reliable);
    struct reload_reliable_stats old, new;
    reload_reliable_stats(reliable, &old);
    reload_reliable_tick(reliable, now_ms);
    reload_reliable_stats(reliable, &new);
    reload_narrow_notice(link);
    link->counters.given_up += new.given_up - old.given_up;
    link->set->stats.sum.given_up += new.given_up - old.given_up;
    if (reload_reliable_deadline(reliable) <= now_ms)
        reload_link_mark_dirty(link);
    enum reload_frame_sender_state after = reload_reliable_state(reliable);
    if (after != before)
        state_changed(link, after);
}

void reload_datagram_tick(struct reload_link *link)
{
    switch (link->state) {
    case RELOAD_LINK_HANDSHAKING: tick_handshake(link); break;
    case RELOAD_LINK_LINGERING:
        if (link->set->now.monotonic_ms >= link->deadline_ms) {
            reload_engine_close(link->engine); /* what is not acknowledged now never will be */
            (void)reload_udp_send(link);
            break;
        }
        tick_frames(link);
        break;
    case RELOAD_LINK_RUNNING:
    case RELOAD_LINK_OVERSIZED:
        reload_idle_tick(link);
        tick_frames(link);
        break;
    case RELOAD_LINK_CONNECTING:
    case RELOAD_LINK_CONFIRMING:
    case RELOAD_LINK_DEAD: break;
    }
}

uint64_t reload_datagram_deadline(const struct reload_link *link)
{
    if (link->state == RELOAD_LINK_HANDSHAKING)
        return link->dtls->handshake_ms;
    uint64_t deadline_ms = reload_reliable_deadline(link->dtls->reliable);
    /* While the socket is full its room, and not the sender's wish, decides. */
    uint64_t soon_ms = link->set->now.monotonic_ms + 1;
    bool blocked = reload_buffer_len(reload_engine_output(link->engine)) > 0;
    if (blocked && deadline_ms < soon_ms)
        deadline_ms = soon_ms;
    uint64_t idle_ms = reload_idle_deadline(link);
    return idle_ms < deadline_ms ? idle_ms : deadline_ms;
}

/* --- what others ask --- */

bool reload_datagram_is_suspect(const struct reload_link *link)
{
    return reload_reliable_state(link->dtls->reliable) != RELOAD_FRAME_ALIVE;
}

uint32_t reload_datagram_mtu(const struct reload_link *link)
{
    size_t room = reload_engine_datagram_room(link->engine);
    if (link->raw)
        return (uint32_t)room;
    return room > RELOAD_FRAME_DATA_HEADER_LEN ? (uint32_t)room - RELOAD_FRAME_DATA_HEADER_LEN : 0;
}

void reload_datagram_describe(const struct reload_link *link, struct reload_link_info *info)
{
    const struct reload_rtt *rtt = reload_reliable_rtt(link->dtls->reliable);
    struct reload_reliable_stats s;
    reload_reliable_stats(link->dtls->reliable, &s);
    info->rtt_ms = rtt->srtt_8 / 8;
    info->rto_ms = rtt->rto_ms;
    info->unacked = s.unacked;
    info->queued_messages = s.messages;
    info->queued_bytes = s.bytes;
}
