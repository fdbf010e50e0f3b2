#include "reload/frame/receiver.h"

void reload_frame_receiver_init(struct reload_frame_receiver *receiver)
{
    *receiver = (struct reload_frame_receiver){ 0 };
}

static uint32_t look_up(const struct reload_frame_receiver *receiver, uint32_t sequence)
{
    uint32_t received = 0;
    for (uint32_t i = 0; i < receiver->remembered; i++) {
        uint32_t distance = sequence - receiver->recent[i];     /* N - M, also across the wrap */
        if (distance > 0 && distance < RELOAD_FRAME_REMEMBERED) /* s6.6.2: N-32 < M < N */
            received |= UINT32_C(1) << distance;
    }
    return received;
}

struct reload_frame reload_frame_receiver_ack(struct reload_frame_receiver *receiver,
                                              uint32_t sequence)
{
    bool in_order = receiver->remembered > 0 && sequence == receiver->last.sequence + 1;
    receiver->last = (struct reload_frame){
        .type = RELOAD_FRAME_ACK,
        .sequence = sequence,
        .received = in_order ? (receiver->last.received | 1) << 1 : look_up(receiver, sequence),
    };
    receiver->recent[receiver->count++ % RELOAD_FRAME_REMEMBERED] = sequence;
    if (receiver->remembered < RELOAD_FRAME_REMEMBERED)
        receiver->remembered++;
    return receiver->last;
}
