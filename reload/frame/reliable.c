#include "reload/frame/reliable.h"

#include <string.h>
#include <sys/queue.h>

#include "reload/alloc.h"

#define SUSPECT_TIMEOUTS 4  /* one RTO, then three more retransmissions: s6.6.3.1 */
#define FIRST_SPAN       16 /* records of transmissions at first; they double */

TAILQ_HEAD(message_list, message);

struct message {
    TAILQ_ENTRY(message) in_list;
    struct message_list *list; /* waiting, flying or lost */
    uint32_t transmissions;
    uint32_t sequences[RELOAD_CONGESTION_TRANSMISSIONS_MAX];
    size_t len;      /* of the message */
    uint8_t frame[]; /* its header, then the message */
};

struct transmission {        /* what became of one sequence number */
    struct message *message; /* NULL: settled */
    uint64_t sent_ms;
    bool lost; /* taken as such; otherwise it is in flight */
};

struct reload_reliable {
    struct reload_reliable_config config;
    enum reload_frame_sender_state state;
    struct reload_rtt rtt;
    struct reload_congestion_state pace;
    struct message_list waiting, flying, lost;
    struct message *taken;        /* by take(), the last one */
    struct transmission *records; /* a ring, indexed by sequence number; NULL when all is settled */
    uint32_t span;                /* its length, a power of two */
    uint32_t oldest;              /* every sequence number before it is settled */
    uint32_t next_sequence;
    uint32_t newest_acked;
    uint32_t timeouts; /* in a row */
    uint64_t rto_at_ms, loss_at_ms;
    bool wide;   /* a message longer than narrow_len was acknowledged */
    bool narrow; /* the path seems to drop such messages */
    bool stuck;  /* no record for the next transmission: time alone does not help */
    struct reload_reliable_stats stats;
};

/* The one place that changes the state. */
static void enter(struct reload_reliable *r, enum reload_frame_sender_state state)
{
    r->state = state;
    if (state == RELOAD_FRAME_FAILED)
        r->rto_at_ms = r->loss_at_ms = RELOAD_NEVER;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value ? value : otherwise;
}

static void fill_config(struct reload_reliable_config *config)
{
    if (!config->congestion)
        config->congestion = &reload_congestion_window;
    config->rtt.initial_rto_ms = or_default(config->rtt.initial_rto_ms, 500); /* R6940-6.6.3.1-2 */
    config->rtt.min_rto_ms = or_default(config->rtt.min_rto_ms, 100);
    config->rtt.max_rto_ms = or_default(config->rtt.max_rto_ms, 60000);
    config->datagram_len = or_default(config->datagram_len, 1200);
    config->queue_bytes = or_default(config->queue_bytes, 256 * 1024);
    config->queue_messages = or_default(config->queue_messages, 256);
}

/* What the congestion control looks at. */
static void note_rtt(struct reload_reliable *r)
{
    r->pace.srtt_ms = r->rtt.srtt_8 / 8;
    r->pace.rto_ms = r->rtt.rto_ms;
}

int reload_reliable_new(const struct reload_reliable_config *config, struct reload_reliable **out)
{
    struct reload_reliable *r = reload_calloc(1, sizeof *r);
    if (!r)
        return RELOAD_E_NOMEM;
    if (config)
        r->config = *config;
    fill_config(&r->config);
    TAILQ_INIT(&r->waiting);
    TAILQ_INIT(&r->flying);
    TAILQ_INIT(&r->lost);
    r->rto_at_ms = r->loss_at_ms = RELOAD_NEVER;
    reload_rtt_init(&r->rtt, &r->config.rtt);
    r->pace.datagram_len = r->config.datagram_len;
    r->config.congestion->init(&r->pace);
    enter(r, RELOAD_FRAME_ALIVE);
    *out = r;
    return 0;
}

static void drop_list(struct message_list *list)
{
    struct message *message;
    while ((message = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, message, in_list);
        reload_free(message);
    }
}

void reload_reliable_free(struct reload_reliable *r)
{
    if (!r)
        return;
    drop_list(&r->waiting);
    drop_list(&r->flying);
    drop_list(&r->lost);
    reload_free(r->taken);
    reload_free(r->records);
    reload_free(r);
}

bool reload_reliable_take(struct reload_reliable *r, struct reload_slice *out)
{
    struct message_list *const lists[] = { &r->lost, &r->flying, &r->waiting };
    reload_free(r->taken);
    r->taken = NULL;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && !r->taken; i++)
        r->taken = TAILQ_FIRST(lists[i]);
    if (!r->taken)
        return false;
    TAILQ_REMOVE(r->taken->list, r->taken, in_list);
    *out = reload_slice_of(r->taken->frame + RELOAD_FRAME_DATA_HEADER_LEN, r->taken->len);
    return true;
}

void reload_reliable_measured(struct reload_reliable *r, uint32_t rtt_ms)
{
    reload_rtt_sample(&r->rtt, &r->config.rtt, rtt_ms);
    note_rtt(r);
}

/* --- messages --- */

static void move(struct message *message, struct message_list *list)
{
    if (message->list)
        TAILQ_REMOVE(message->list, message, in_list);
    message->list = list;
    TAILQ_INSERT_TAIL(list, message, in_list);
}

static bool is_full(const struct reload_reliable *r, size_t len)
{
    if (r->stats.messages == 0)
        return false;
    return r->stats.messages >= r->config.queue_messages ||
           r->stats.bytes > r->config.queue_bytes || len > r->config.queue_bytes - r->stats.bytes;
}

int reload_reliable_send(struct reload_reliable *r, const struct reload_slice *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].n;
    if (r->state == RELOAD_FRAME_FAILED)
        return RELOAD_E_STATE;
    if (is_full(r, len))
        return RELOAD_E_LIMIT;
    struct message *message = reload_alloc(sizeof *message + RELOAD_FRAME_DATA_HEADER_LEN + len);
    if (!message)
        return RELOAD_E_NOMEM;
    *message = (struct message){ .len = len };
    uint8_t *to = message->frame + RELOAD_FRAME_DATA_HEADER_LEN;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].n)
            memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
    move(message, &r->waiting);
    r->stats.messages++;
    r->stats.bytes += (uint32_t)len;
    return 0;
}

/* --- records of transmissions --- */

static struct transmission *record(const struct reload_reliable *r, uint32_t sequence)
{
    return &r->records[sequence & (r->span - 1)];
}

/* Room for one more; false without memory, or when the oldest awaited lies too far back. */
static bool make_room(struct reload_reliable *r)
{
    uint32_t used = r->next_sequence - r->oldest;
    if (r->records && used < r->span)
        return true;
    uint32_t span = r->records ? r->span * 2 : FIRST_SPAN;
    if (span > RELOAD_RELIABLE_SPAN_MAX)
        return false;
    struct transmission *records = reload_calloc(span, sizeof *records);
    if (!records)
        return false;
    for (uint32_t i = 0; i < used; i++)
        records[(r->oldest + i) & (span - 1)] = *record(r, r->oldest + i);
    reload_free(r->records);
    r->records = records;
    r->span = span;
    return true;
}

/* An idle sender holds no records. */
static void forget_settled(struct reload_reliable *r)
{
    while (r->oldest != r->next_sequence && !record(r, r->oldest)->message)
        r->oldest++;
    r->stuck = false;
    if (r->oldest != r->next_sequence)
        return;
    reload_free(r->records);
    r->records = NULL;
}

/* Bytes of its frame: an empty message weighs something too. */
static size_t weight(const struct message *message)
{
    return RELOAD_FRAME_DATA_HEADER_LEN + message->len;
}

static void leaves_flight(struct reload_reliable *r, const struct message *message)
{
    r->pace.flight -= (uint32_t)weight(message);
    r->stats.unacked--;
}

static bool is_long(const struct reload_reliable *r, const struct message *message)
{
    return r->config.narrow_len > 0 && message->len > r->config.narrow_len;
}

/* The message is delivered, given up or taken out: all its transmissions are settled. */
static void take_off(struct reload_reliable *r, struct message *message)
{
    for (uint32_t i = 0; i < message->transmissions; i++) {
        struct transmission *t = record(r, message->sequences[i]);
        if (!t->lost)
            leaves_flight(r, message);
        t->message = NULL;
    }
    TAILQ_REMOVE(message->list, message, in_list);
    r->stats.messages--;
    r->stats.bytes -= (uint32_t)message->len;
}

static void settle(struct reload_reliable *r, struct message *message)
{
    take_off(r, message);
    reload_free(message);
}

bool reload_reliable_is_narrow(const struct reload_reliable *r)
{
    return r->narrow;
}

static struct message *first_long(const struct reload_reliable *r, const struct message_list *list)
{
    struct message *message = TAILQ_FIRST(list);
    while (message && !is_long(r, message))
        message = TAILQ_NEXT(message, in_list);
    return message;
}

bool reload_reliable_take_long(struct reload_reliable *r, struct reload_slice *out)
{
    struct message *message = first_long(r, &r->lost);
    if (!message)
        message = first_long(r, &r->waiting);
    reload_free(r->taken);
    r->taken = message;
    if (!message)
        return false;
    take_off(r, message);
    forget_settled(r);
    *out = reload_slice_of(message->frame + RELOAD_FRAME_DATA_HEADER_LEN, message->len);
    return true;
}

/* --- out --- */

static struct message *first_to_go(const struct reload_reliable *r)
{
    struct message *message = TAILQ_FIRST(&r->lost);
    return message ? message : TAILQ_FIRST(&r->waiting);
}

static uint64_t rto_ms(const struct reload_reliable *r)
{
    uint64_t ms = (uint64_t)r->rtt.rto_ms << r->timeouts; /* R6940-6.6.3.1-9 */
    return ms < r->config.rtt.max_rto_ms ? ms : r->config.rtt.max_rto_ms;
}

static void transmit(struct reload_reliable *r, struct message *message, uint64_t now_ms)
{
    uint32_t sequence = r->next_sequence++; /* R6940-6.6.2-3: retransmissions included */
    *record(r, sequence) = (struct transmission){ .message = message, .sent_ms = now_ms };
    r->stats.transmissions++;
    r->stats.retransmissions += message->transmissions > 0;
    message->sequences[message->transmissions++] = sequence;
    move(message, &r->flying);
    r->config.congestion->sent(&r->pace, weight(message), now_ms);
    r->pace.flight += (uint32_t)weight(message);
    r->stats.unacked++;
    if (r->rto_at_ms == RELOAD_NEVER)
        r->rto_at_ms = now_ms + rto_ms(r);
}

bool reload_reliable_next(struct reload_reliable *r, uint64_t now_ms, struct reload_frame *out)
{
    struct message *message = first_to_go(r);
    if (!message || r->state == RELOAD_FRAME_FAILED ||
        r->config.congestion->when(&r->pace, weight(message)) > now_ms)
        return false;
    r->stuck = !make_room(r);
    if (r->stuck)
        return false;
    transmit(r, message, now_ms);
    uint32_t sequence = r->next_sequence - 1;
    reload_frame_data_header(message->frame, sequence, message->len);
    *out = (struct reload_frame){ .type = RELOAD_FRAME_DATA,
                                  .sequence = sequence,
                                  .message = { message->frame + RELOAD_FRAME_DATA_HEADER_LEN,
                                               message->len } };
    return true;
}

/* --- losses --- */

static void lose(struct reload_reliable *r, struct transmission *t)
{
    struct message *message = t->message;
    t->lost = true;
    leaves_flight(r, message);
    r->stats.losses++;
    if (is_long(r, message) && !r->wide && message->transmissions >= RELOAD_RELIABLE_NARROW)
        r->narrow = true;
    if (message->transmissions < r->config.congestion->transmissions) { /* R6940-6.6.3.1-10 */
        move(message, &r->lost);
        return;
    }
    r->stats.given_up++;
    settle(r, message);
}

/* How long after its sending a frame that later ones overtook may still be merely late. */
static uint64_t patience_ms(const struct reload_reliable *r)
{
    uint32_t spread = r->rtt.rttvar_4;       /* four times the variation, in ms */
    uint32_t eighth = r->rtt.srtt_8 / 8 / 8; /* as RFC 8985 and RFC 9002 allow */
    uint32_t more = spread > eighth ? spread : eighth;
    return r->rtt.srtt_8 / 8 + (more ? more : 1);
}

/* Sequence numbers tell the order of sending, also among retransmissions, so a frame is overtaken
 * when any later number is acknowledged. */
static void find_losses(struct reload_reliable *r, uint64_t now_ms)
{
    r->loss_at_ms = RELOAD_NEVER;
    if (!r->config.congestion->selective)
        return;
    for (uint32_t n = r->oldest; reload_sequence_after(r->newest_acked, n); n++) {
        struct transmission *t = record(r, n);
        if (!t->message || t->lost)
            continue;
        uint64_t lost_ms = t->sent_ms + patience_ms(r);
        if (now_ms < lost_ms) { /* and so are all after it */
            r->loss_at_ms = lost_ms;
            return;
        }
        r->config.congestion->lost(&r->pace, n, r->next_sequence);
        lose(r, t);
    }
}

static void time_out(struct reload_reliable *r)
{
    r->timeouts++;
    r->stats.timeouts++;
    r->rto_at_ms = RELOAD_NEVER;                              /* until the next transmission */
    if (r->timeouts == r->config.congestion->transmissions) { /* R6940-6.6.3.1-11 */
        enter(r, RELOAD_FRAME_FAILED);
        return;
    }
    if (r->timeouts == SUSPECT_TIMEOUTS) /* R6940-6.6.3.1-12 */
        enter(r, RELOAD_FRAME_SUSPECT);
    r->config.congestion->timed_out(&r->pace, r->timeouts, r->next_sequence);
    for (uint32_t n = r->oldest; n != r->next_sequence; n++) {
        struct transmission *t = record(r, n);
        if (t->message && !t->lost)
            lose(r, t);
    }
}

/* --- in --- */

static bool settle_acked(struct reload_reliable *r, uint32_t sequence, uint64_t now_ms)
{
    if (sequence - r->oldest >= r->next_sequence - r->oldest) /* settled long ago, or never sent */
        return false;
    struct transmission *t = record(r, sequence);
    if (!t->message)
        return false;
    if (t->lost) {
        r->stats.false_losses++;
        r->config.congestion->was_not_lost(&r->pace);
    }
    r->wide |= is_long(r, t->message);
    r->config.congestion->acked(&r->pace, weight(t->message), now_ms);
    if (reload_sequence_after(sequence, r->newest_acked))
        r->newest_acked = sequence;
    settle(r, t->message);
    return true;
}

/* R6940-6.6.3.1-7: each transmission has a number of its own, so every ack measures. */
static void take_sample(struct reload_reliable *r, uint32_t sequence, uint64_t now_ms)
{
    if (sequence - r->oldest >= r->next_sequence - r->oldest || !record(r, sequence)->message)
        return;
    uint64_t sent_ms = record(r, sequence)->sent_ms;
    uint64_t rtt_ms = now_ms > sent_ms ? now_ms - sent_ms : 0;
    reload_rtt_sample(&r->rtt, &r->config.rtt, rtt_ms < UINT32_MAX ? (uint32_t)rtt_ms : UINT32_MAX);
    note_rtt(r);
}

bool reload_reliable_acked(struct reload_reliable *r, const struct reload_frame *ack,
                           uint64_t now_ms)
{
    if (r->state == RELOAD_FRAME_FAILED)
        return false;
    take_sample(r, ack->sequence, now_ms);
    bool fresh = settle_acked(r, ack->sequence, now_ms);
    for (uint32_t i = 1; i < 32; i++) /* R6940-6.6.2-7: bit i is N - i */
        if (ack->received >> i & 1)
            fresh |= settle_acked(r, ack->sequence - i, now_ms);
    if (!fresh)
        return false;
    r->timeouts = 0;
    enter(r, RELOAD_FRAME_ALIVE); /* R6940-6.6.3.1-13 */
    find_losses(r, now_ms);
    r->rto_at_ms = r->stats.unacked ? now_ms + rto_ms(r) : RELOAD_NEVER; /* RFC 6298 (5.2) (5.3) */
    forget_settled(r);
    return true;
}

void reload_reliable_tick(struct reload_reliable *r, uint64_t now_ms)
{
    if (now_ms >= r->loss_at_ms)
        find_losses(r, now_ms);
    if (now_ms >= r->rto_at_ms)
        time_out(r);
    if (r->state != RELOAD_FRAME_FAILED)
        forget_settled(r);
}

uint64_t reload_reliable_deadline(const struct reload_reliable *r)
{
    uint64_t deadline_ms = r->rto_at_ms < r->loss_at_ms ? r->rto_at_ms : r->loss_at_ms;
    const struct message *message = first_to_go(r);
    if (!message || r->stuck || r->state == RELOAD_FRAME_FAILED)
        return deadline_ms;
    uint64_t send_ms = r->config.congestion->when(&r->pace, weight(message));
    return send_ms < deadline_ms ? send_ms : deadline_ms;
}

enum reload_frame_sender_state reload_reliable_state(const struct reload_reliable *r)
{
    return r->state;
}

const struct reload_rtt *reload_reliable_rtt(const struct reload_reliable *r)
{
    return &r->rtt;
}

void reload_reliable_stats(const struct reload_reliable *r, struct reload_reliable_stats *out)
{
    *out = r->stats;
    out->window = r->pace.window;
    out->flight = r->pace.flight;
}
