#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "channel.h"
#include "reload/frame/duplicates.h"
#include "reload/frame/receiver.h"
#include "reload/frame/reliable.h"

/* Simple Reliability over paths that lose, delay, reorder and double, in virtual time. */

#define MESSAGE_LEN 1000

struct end { /* a sender of numbered messages, or their receiver */
    struct reload_reliable *sender;
    uint32_t offered;   /* messages given to the sender */
    uint32_t wanted;    /* as many as it has to give */
    uint32_t delivered; /* of the far end's, each once */
    uint32_t repeated;
    uint8_t seen[20000];
    struct reload_frame_receiver receiver;
    struct reload_duplicates duplicates;
    struct channel *out;
};

struct path {
    struct end a, b;
    uint64_t now_ms;
};

static void open_end(struct end *end, const struct reload_congestion *congestion, uint32_t wanted,
                     const struct channel_options *options, uint64_t seed)
{
    memset(end, 0, sizeof *end);
    struct reload_reliable_config config = { .congestion = congestion };
    assert_int_equal(reload_reliable_new(&config, &end->sender), 0);
    end->wanted = wanted;
    end->out = channel_new(options, seed);
}

static void close_end(struct end *end)
{
    reload_reliable_free(end->sender);
    channel_free(end->out);
}

static void put_frame(struct end *end, const struct reload_frame *frame, uint64_t now_ms)
{
    uint8_t bytes[MESSAGE_LEN + RELOAD_FRAME_DATA_HEADER_LEN];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    assert_int_equal(reload_frame_encode(&w, frame), 0);
    channel_put(end->out, bytes, w.len, now_ms);
}

static void offer(struct end *end)
{
    uint8_t message[MESSAGE_LEN] = { 0 };
    while (end->offered < end->wanted) {
        memcpy(message, &end->offered, sizeof end->offered);
        struct reload_slice part = reload_slice_of(message, sizeof message);
        if (reload_reliable_send(end->sender, &part, 1))
            return;
        end->offered++;
    }
}

static void run_sender(struct end *end, uint64_t now_ms)
{
    offer(end);
    reload_reliable_tick(end->sender, now_ms);
    struct reload_frame frame;
    while (reload_reliable_next(end->sender, now_ms, &frame))
        put_frame(end, &frame, now_ms);
}

static void take_message(struct end *end, struct reload_slice message, uint64_t now_ms)
{
    uint32_t number;
    assert_int_equal(message.n, MESSAGE_LEN);
    memcpy(&number, message.p, sizeof number);
    assert_true(number < sizeof end->seen);
    if (reload_duplicates_met(&end->duplicates, message.p, message.n, now_ms))
        return;
    end->repeated += end->seen[number];
    end->delivered += !end->seen[number];
    end->seen[number] = 1;
}

static void run_receiver(struct end *end, struct end *far, uint64_t now_ms)
{
    uint8_t bytes[2000];
    size_t n;
    while ((n = channel_get(far->out, bytes, sizeof bytes, now_ms))) {
        struct reload_reader r = reload_reader_of(bytes, n);
        struct reload_frame frame;
        assert_int_equal(reload_frame_decode(&r, &frame), 0);
        if (frame.type == RELOAD_FRAME_ACK) {
            reload_reliable_acked(end->sender, &frame, now_ms);
            continue;
        }
        struct reload_frame ack = reload_frame_receiver_ack(&end->receiver, frame.sequence);
        put_frame(end, &ack, now_ms);
        take_message(end, frame.message, now_ms);
    }
}

static uint64_t earliest(const struct end *end)
{
    uint64_t a = reload_reliable_deadline(end->sender), b = channel_deadline(end->out);
    return a < b ? a : b;
}

/* Runs to end_ms, or until nothing is left to do. */
static void run(struct path *path, uint64_t end_ms)
{
    for (;;) {
        run_receiver(&path->a, &path->b, path->now_ms);
        run_receiver(&path->b, &path->a, path->now_ms);
        run_sender(&path->a, path->now_ms);
        run_sender(&path->b, path->now_ms);
        uint64_t a = earliest(&path->a), b = earliest(&path->b);
        uint64_t next_ms = a < b ? a : b;
        if (next_ms >= end_ms) {
            path->now_ms = next_ms == RELOAD_NEVER ? path->now_ms : end_ms;
            return;
        }
        assert_true(next_ms >= path->now_ms);
        if (next_ms == path->now_ms && a != path->now_ms && b != path->now_ms)
            fail();
        path->now_ms = next_ms;
    }
}

static struct reload_reliable_stats stats(const struct end *end)
{
    struct reload_reliable_stats s;
    reload_reliable_stats(end->sender, &s);
    return s;
}

/* Messages that arrive in a minute at 200 ms round trip. */
static uint32_t carried(const struct reload_congestion *congestion,
                        const struct channel_options *options)
{
    struct path *path = calloc(1, sizeof *path);
    open_end(&path->a, congestion, 20000, options, 1);
    open_end(&path->b, congestion, 0, options, 2);
    run(path, 60000);
    uint32_t delivered = path->b.delivered;
    close_end(&path->a);
    close_end(&path->b);
    free(path);
    return delivered;
}

/* R6940-6.6.3-1 */
static void at_200_ms_the_window_carries_20_times_what_stop_and_wait_does(void **state)
{
    (void)state;
    const struct channel_options path = { .delay_ms = 100 };
    uint32_t slow = carried(&reload_congestion_stop_and_wait, &path);
    uint32_t fast = carried(&reload_congestion_window, &path);
    printf("stop and wait %u, window %u messages in 60 s at 200 ms\n", slow, fast);
    assert_int_equal(slow, (60000 + 209) / 210); /* the round trip and 10 ms: sent at 0, 210, .. */
    assert_true(fast >= 20 * slow);
}

static void with_loss_the_window_is_never_slower_than_stop_and_wait(void **state)
{
    (void)state;
    for (unsigned loss = 50; loss <= 200; loss *= 2) {
        const struct channel_options path = { .delay_ms = 100, .loss_permille = loss };
        uint32_t slow = carried(&reload_congestion_stop_and_wait, &path);
        uint32_t fast = carried(&reload_congestion_window, &path);
        printf("loss %u permille: stop and wait %u, window %u\n", loss, slow, fast);
        assert_true(fast > slow);
    }
}

/* Both ends send `wanted` messages over a bad path with a seed: all arrive, none twice, but for
 * those given up, which the sender knows of. */
static void bad_path(const struct reload_congestion *at_a, const struct reload_congestion *at_b,
                     unsigned loss_permille, uint64_t seed, uint32_t wanted)
{
    const struct channel_options options = { .loss_permille = loss_permille,
                                             .delay_ms = 200,
                                             .jitter_ms = 50,
                                             .reorder_permille = 100,
                                             .duplicate_permille = 20 };
    struct path *path = calloc(1, sizeof *path);
    open_end(&path->a, at_a, wanted, &options, seed * 2);
    open_end(&path->b, at_b, wanted, &options, seed * 2 + 1);
    run(path, 3600 * 1000);
    struct end *ends[] = { &path->a, &path->b };
    for (int i = 0; i < 2; i++) {
        struct reload_reliable_stats s = stats(ends[i]);
        struct end *far = ends[1 - i];
        bool failed = reload_reliable_state(ends[i]->sender) == RELOAD_FRAME_FAILED;
        if (!failed && (far->delivered + s.given_up < wanted || s.messages != 0)) {
            printf("seed %lu loss %u: %u of %u arrived, %lu given up\n", (unsigned long)seed,
                   loss_permille, far->delivered, wanted, (unsigned long)s.given_up);
            fail();
        }
        if (failed) /* five losses in a row, each way counted: rare, and more so with little loss */
            assert_true(loss_permille >= 100);
        assert_true(s.given_up * 50 <= wanted);
        /* What comes again after RELOAD_DUPLICATES_MS is for the node's duplicate cache. */
        assert_true(far->repeated * 20 <= wanted);
    }
    close_end(&path->a);
    close_end(&path->b);
    free(path);
}

/* R6940-6.6.3-2 */
static void bad_paths_deliver_everything_in_both_directions(void **state)
{
    (void)state;
    const struct reload_congestion *slow = &reload_congestion_stop_and_wait;
    const struct reload_congestion *fast = &reload_congestion_window;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        bad_path(fast, fast, 50, seed, 500);
        bad_path(fast, fast, 100, seed, 500);
        bad_path(fast, fast, 200, seed, 500);
        bad_path(slow, slow, 50, seed, 100);
        bad_path(slow, fast, 100, seed, 100); /* neither can tell what the other is */
    }
}

static void late_frames_taken_as_lost_do_not_shrink_the_window_for_good(void **state)
{
    (void)state;
    const struct channel_options calm = { .delay_ms = 100 };
    const struct channel_options stray = { .delay_ms = 100,
                                           .jitter_ms = 90,
                                           .reorder_permille = 1000 };
    struct path *path = calloc(1, sizeof *path);
    open_end(&path->a, &reload_congestion_window, 20000, &calm, 1);
    open_end(&path->b, &reload_congestion_window, 0, &calm, 2);
    run(path, 2000);
    channel_set(path->a.out, &stray);
    run(path, 10000);
    assert_true(stats(&path->a).false_losses > 0);
    assert_int_equal(channel_lost(path->a.out), 0);
    assert_true(path->b.delivered > 20 * 10000 / 210);
    close_end(&path->a);
    close_end(&path->b);
    free(path);
}

/* --- the congestion rules --- */

/* R6940-6.6.3-1: the first flight is small (RFC 3390), then it doubles each round (RFC 5681). */
static void it_starts_with_four_frames_and_doubles_each_round_trip(void **state)
{
    (void)state;
    const struct channel_options options = { .delay_ms = 100 };
    struct path *path = calloc(1, sizeof *path);
    open_end(&path->a, &reload_congestion_window, 20000, &options, 1);
    open_end(&path->b, &reload_congestion_window, 0, &options, 2);
    run(path, 100);
    assert_int_equal(stats(&path->a).transmissions, 4);
    run(path, 300); /* frames 4 to 11 left between 200 and 300 ms */
    uint64_t second = stats(&path->a).transmissions - 4;
    assert_true(second >= 6 && second <= 8);
    run(path, 1200);
    assert_true(stats(&path->a).window > 60000);
    close_end(&path->a);
    close_end(&path->b);
    free(path);
}

static void a_round_trip_of_losses_halves_the_window_once_and_a_timeout_closes_it(void **state)
{
    (void)state;
    struct reload_congestion_state s = { .datagram_len = 1000 };
    const struct reload_congestion *w = &reload_congestion_window;
    w->init(&s);
    assert_int_equal(s.window, 4000);
    s.window = s.flight = 40000;
    w->lost(&s, 10, 50);
    assert_int_equal(s.window, 20000);
    w->lost(&s, 11, 50);
    w->lost(&s, 49, 60);
    assert_int_equal(s.window, 20000);
    s.flight = 20000;
    w->lost(&s, 50, 60); /* sent after the decrease */
    assert_int_equal(s.window, 10000);
    w->was_not_lost(&s);
    assert_int_equal(s.window, 20000);
    w->timed_out(&s, 1, 70);
    assert_int_equal(s.window, 1000);
    assert_int_equal(s.threshold, 10000);
    s.flight = 1000;
    w->timed_out(&s, 2, 71);
    assert_int_equal(s.threshold, 10000);
    w->acked(&s, 1000, 0); /* slow start again */
    assert_int_equal(s.window, 2000);
    s.window = s.threshold = s.flight = 10000;
    w->acked(&s, 1000, 0);
    assert_int_equal(s.window, 10100); /* one datagram more in a round trip */
    s.flight = 1000;
    w->acked(&s, 1000, 0);
    assert_int_equal(s.window, 10100); /* it is not used: it does not grow */
    s.window = s.flight = RELOAD_CONGESTION_WINDOW_MAX;
    w->acked(&s, 1000, 0);
    assert_int_equal(s.window, RELOAD_CONGESTION_WINDOW_MAX);
}

static void after_a_pause_the_window_is_small_again(void **state)
{
    (void)state;
    struct reload_congestion_state s = { .datagram_len = 1000, .srtt_ms = 100, .rto_ms = 300 };
    reload_congestion_window.init(&s);
    s.window = 100000;
    reload_congestion_window.sent(&s, 1000, 200);
    assert_int_equal(s.window, 100000);
    reload_congestion_window.sent(&s, 1000, 501);
    assert_int_equal(s.window, 4000);
}

/* Senders that share a bottleneck: their frames pass one channel, as on one access link. */
static void two_senders_share_a_bottleneck_fairly_and_fill_it(void **state)
{
    (void)state;
    enum { SENDERS = 2, RATE = 100, MINUTE = 60000 };
    const struct channel_options bottleneck = { .delay_ms = 50,
                                                .bytes_per_ms = RATE,
                                                .queue_bytes = 10000 };
    struct channel *to = channel_new(&bottleneck, 1);
    struct reload_reliable *senders[SENDERS];
    struct {
        uint64_t at_ms;
        struct reload_frame ack;
    } acks[2000] = { 0 };
    struct reload_frame_receiver receivers[SENDERS] = { 0 };
    uint64_t all = 0, delivered[SENDERS] = { 0 };
    size_t first = 0, last = 0;
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(reload_reliable_new(NULL, &senders[i]), 0);
    for (uint64_t now_ms = 0; now_ms < 2 * MINUTE; now_ms++) {
        uint8_t bytes[1100] = { 0 };
        size_t n;
        while ((n = channel_get(to, bytes, sizeof bytes, now_ms))) {
            uint32_t sequence;
            memcpy(&sequence, bytes + 1, 4);
            all++;
            delivered[bytes[0]] += now_ms > MINUTE;
            acks[last % 2000].at_ms = now_ms + 50;
            acks[last % 2000].ack = reload_frame_receiver_ack(&receivers[bytes[0]], sequence);
            acks[last++ % 2000].ack.type = bytes[0];
        }
        for (; first < last && acks[first % 2000].at_ms <= now_ms; first++) {
            struct reload_frame ack = acks[first % 2000].ack;
            reload_reliable_acked(senders[ack.type], &ack, now_ms);
        }
        for (int i = 0; i < SENDERS; i++) {
            uint64_t starts_ms = (uint64_t)i * 10000; /* the second one finds the link full */
            struct reload_slice part = reload_slice_of(bytes, 1000);
            while (now_ms >= starts_ms && reload_reliable_send(senders[i], &part, 1) == 0)
                ;
            reload_reliable_tick(senders[i], now_ms);
            struct reload_frame frame;
            while (reload_reliable_next(senders[i], now_ms, &frame)) {
                bytes[0] = (uint8_t)i;
                memcpy(bytes + 1, &frame.sequence, 4);
                channel_put(to, bytes, 1000, now_ms);
            }
        }
    }
    double a = (double)delivered[0], b = (double)delivered[1];
    double jain = (a + b) * (a + b) / (2 * (a * a + b * b));
    double used = (a + b) * 1000 / ((double)RATE * MINUTE);
    printf("shares %.0f and %.0f, fairness %.3f, used %.2f, dropped %lu\n", a, b, jain, used,
           (unsigned long)channel_lost(to));
    assert_true(jain > 0.9);
    assert_true(used > 0.7 && used <= 1.0);
    assert_true(channel_lost(to) * 20 < all); /* they back off: few are dropped */
    for (int i = 0; i < SENDERS; i++)
        reload_reliable_free(senders[i]);
    channel_free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_200_ms_the_window_carries_20_times_what_stop_and_wait_does),
        cmocka_unit_test(with_loss_the_window_is_never_slower_than_stop_and_wait),
        cmocka_unit_test(bad_paths_deliver_everything_in_both_directions),
        cmocka_unit_test(late_frames_taken_as_lost_do_not_shrink_the_window_for_good),
        cmocka_unit_test(it_starts_with_four_frames_and_doubles_each_round_trip),
        cmocka_unit_test(a_round_trip_of_losses_halves_the_window_once_and_a_timeout_closes_it),
        cmocka_unit_test(after_a_pause_the_window_is_small_again),
        cmocka_unit_test(two_senders_share_a_bottleneck_fairly_and_fill_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
