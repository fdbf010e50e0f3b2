#include "reload/frame/sender.h"

const struct reload_frame_timing reload_frame_stream_timing = {
    .rtt = { .initial_rto_ms = 1000, .min_rto_ms = 1000, .max_rto_ms = 60000 },
    .grace_ms = 30000,
};

/* The one place that changes state or deadline. */
static void enter(struct reload_frame_sender *sender, enum reload_frame_sender_state state,
                  uint64_t now_ms)
{
    sender->state = state;
    switch (state) {
    case RELOAD_FRAME_ALIVE: /* RFC 6298 (5.2), (5.3): the timer runs while something is unacked */
        sender->deadline_ms = sender->unacked ? now_ms + sender->rtt.rto_ms : RELOAD_NEVER;
        break;
    case RELOAD_FRAME_SUSPECT: sender->deadline_ms = now_ms + sender->timing->grace_ms; break;
    case RELOAD_FRAME_FAILED: sender->deadline_ms = RELOAD_NEVER; break;
    }
}

void reload_frame_sender_init(struct reload_frame_sender *sender,
                              const struct reload_frame_timing *timing)
{
    *sender = (struct reload_frame_sender){ .timing = timing };
    reload_rtt_init(&sender->rtt, &timing->rtt);
    enter(sender, RELOAD_FRAME_ALIVE, 0);
}

uint32_t reload_frame_sender_next(struct reload_frame_sender *sender, uint64_t now_ms)
{
    uint32_t sequence = sender->next_sequence++; /* s6.6.2: from zero, by exactly one per frame */
    size_t slot = sequence % RELOAD_FRAME_TIMED;
    /* With more frames in flight than slots the older ones stay timed: their acks come first. */
    if (!sender->timed[slot].waiting) {
        sender->timed[slot].waiting = true;
        sender->timed[slot].sequence = sequence;
        sender->timed[slot].sent_ms = now_ms;
    }
    sender->unacked++;
    if (sender->state == RELOAD_FRAME_ALIVE && sender->deadline_ms == RELOAD_NEVER)
        enter(sender, RELOAD_FRAME_ALIVE, now_ms); /* RFC 6298 (5.1) */
    return sequence;
}

static void take_sample(struct reload_frame_sender *sender, uint32_t sequence, uint64_t now_ms)
{
    size_t slot = sequence % RELOAD_FRAME_TIMED;
    if (!sender->timed[slot].waiting || sender->timed[slot].sequence != sequence)
        return;
    uint64_t sent_ms = sender->timed[slot].sent_ms;
    uint64_t rtt_ms = now_ms > sent_ms ? now_ms - sent_ms : 0;
    reload_rtt_sample(&sender->rtt, &sender->timing->rtt,
                      rtt_ms < UINT32_MAX ? (uint32_t)rtt_ms : UINT32_MAX);
}

/* Frees the slots of everything up to and including sequence. */
static void forget_acked(struct reload_frame_sender *sender, uint32_t sequence)
{
    for (size_t i = 0; i < RELOAD_FRAME_TIMED; i++)
        if (!reload_sequence_after(sender->timed[i].sequence, sequence))
            sender->timed[i].waiting = false;
}

bool reload_frame_sender_acked(struct reload_frame_sender *sender, const struct reload_frame *ack,
                               uint64_t now_ms)
{
    uint32_t behind =
        sender->next_sequence - 1 - ack->sequence; /* frames sent after the acked one */
    if (behind >= sender->unacked || sender->state == RELOAD_FRAME_FAILED)
        return false;
    take_sample(sender, ack->sequence, now_ms);
    forget_acked(sender, ack->sequence);
    sender->unacked = behind;
    enter(sender, RELOAD_FRAME_ALIVE, now_ms); /* from SUSPECT: s6.6, may be restored */
    return true;
}

void reload_frame_sender_tick(struct reload_frame_sender *sender, uint64_t now_ms)
{
    if (now_ms < sender->deadline_ms)
        return;
    if (sender->state == RELOAD_FRAME_ALIVE)
        enter(sender, RELOAD_FRAME_SUSPECT,
              now_ms); /* s6.6.5: the RTO is a sign, not a retransmission */
    else
        enter(sender, RELOAD_FRAME_FAILED, now_ms);
}

uint64_t reload_frame_sender_deadline(const struct reload_frame_sender *sender)
{
    return sender->deadline_ms;
}
