#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "reload/frame/receiver.h"
#include "reload/frame/reliable.h"
#include "reload/frame/stream.h"

/* Bytes of a stream link: frames come out the same, however the bytes are cut. The first byte says
 * in which pieces. Each frame is answered, and each ack goes to a sender that awaits some. */

#define LARGEST_MESSAGE 300

struct outcome {
    uint64_t hash;
    size_t frames;
    int error;
};

static void mix(struct outcome *o, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++)
        o->hash = (o->hash ^ bytes[i]) * 0x100000001b3u;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static struct reload_reliable *sender(void)
{
    struct reload_reliable *reliable;
    struct reload_frame frame;
    const struct reload_slice text = reload_slice_of("a message", 9);
    if (reload_reliable_new(NULL, &reliable) != 0)
        return NULL;
    for (int i = 0; i < 40; i++)
        (void)!reload_reliable_send(reliable, &text, 1);
    while (reload_reliable_next(reliable, 1000, &frame))
        continue;
    return reliable;
}

static void take(struct outcome *o, const struct reload_frame *frame,
                 struct reload_frame_receiver *receiver, struct reload_reliable *reliable)
{
    o->frames++;
    mix(o, &frame->type, 1);
    mix(o, &frame->sequence, sizeof frame->sequence);
    if (frame->type == RELOAD_FRAME_ACK) {
        mix(o, &frame->received, sizeof frame->received);
        (void)reload_reliable_acked(reliable, frame, 1200);
        return;
    }
    must(frame->message.n <= LARGEST_MESSAGE);
    mix(o, frame->message.p, frame->message.n);
    struct reload_frame ack = reload_frame_receiver_ack(receiver, frame->sequence);
    must(ack.type == RELOAD_FRAME_ACK && ack.sequence == frame->sequence && !(ack.received & 1));
}

static struct outcome feed(const uint8_t *data, size_t size, size_t step)
{
    struct outcome o = { .hash = 0xcbf29ce484222325u };
    struct reload_frame_stream stream;
    struct reload_frame_receiver receiver;
    struct reload_reliable *reliable = sender();
    if (reliable == NULL)
        return o;
    reload_frame_stream_init(&stream, LARGEST_MESSAGE);
    reload_frame_receiver_init(&receiver);
    for (size_t at = 0; at < size && o.error >= 0; at += step) {
        struct reload_slice in = reload_slice_of(data + at, size - at < step ? size - at : step);
        struct reload_frame frame;
        while ((o.error = reload_frame_stream_next(&stream, &in, &frame)) == 0)
            take(&o, &frame, &receiver, reliable);
        must(stream.cap <= LARGEST_MESSAGE + RELOAD_FRAME_DATA_HEADER_LEN);
    }
    for (uint64_t now = 1300; reload_reliable_state(reliable) != RELOAD_FRAME_FAILED;
         now += 70000) {
        struct reload_frame frame;
        reload_reliable_tick(reliable, now);
        while (reload_reliable_next(reliable, now, &frame))
            continue;
        if (reload_reliable_deadline(reliable) == RELOAD_NEVER)
            break;
    }
    reload_frame_stream_fini(&stream);
    reload_reliable_free(reliable);
    return o;
}

/* The same bytes as one datagram: what decodes, encodes back. */
static void recode(struct reload_slice in)
{
    static uint8_t out[65536];
    struct reload_reader r = reload_reader_over(in);
    struct reload_writer w = reload_writer_of(out, sizeof out);
    struct reload_frame frame;
    if (in.n > sizeof out || reload_frame_decode(&r, &frame) != 0)
        return;
    must(reload_frame_encode(&w, &frame) == 0);
    must(w.len <= in.n && memcmp(out, in.p, w.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    recode(reload_slice_of(data + 1, size - 1));
    struct outcome whole = feed(data + 1, size - 1, size - 1);
    struct outcome cut = feed(data + 1, size - 1, (size_t)data[0] + 1);
    must(whole.frames == cut.frames && whole.hash == cut.hash && whole.error == cut.error);
    return 0;
}
