#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "couple.h"
#include "reload/frame/frame.h"

/* Links whose far end reads slowly or not at all. */

static void a_slow_reader_fills_a_bounded_queue_and_loses_nothing_that_was_taken(void **state)
{
    (void)state;
    struct host_options options = { .limits = { .queue_bytes = 100000, .queue_messages = 50 } };
    couple_open(&alice, &bob, &options);
    reload_link_id id = couple_link();
    host_b.deaf = true;
    host_b.numbered = true;
    static uint8_t message[4000];
    uint32_t taken = 0;
    int status = 0;
    while (status == 0 && taken < 100000) {
        memcpy(message, &taken, 4);
        status = host_send(&host_a, id, message, sizeof message);
        taken += status == 0;
        net_turn();
    }
    assert_int_equal(status, RELOAD_E_LIMIT);
    struct reload_link_info info = host_info(&host_a, id);
    assert_true(info.queued_bytes <= 100000 + 4096);
    assert_true(info.queued_messages <= 50);
    assert_int_equal(info.counters.queue_drops, 1);
    assert_int_equal(host_send(&host_a, id, message, 4),
                     info.queued_messages == 50 ? RELOAD_E_LIMIT : 0);
    taken += info.queued_messages < 50;
    host_b.deaf = false;
    host_b.numbered = info.queued_messages == 50;
    for (int i = 0; i < 10 && host_b.count[RELOAD_LINK_MESSAGE] < taken; i++)
        (void)net_events(&host_b, RELOAD_LINK_MESSAGE, taken);
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], taken);
    net_for_ms(20);
    info = host_info(&host_a, id);
    assert_int_equal(info.queued_bytes, 0);
    assert_int_equal(info.queued_messages, 0);
    assert_int_equal(info.unacked, 0);
    assert_int_equal(host_send(&host_a, id, "ok", 2), 0);
}

static void the_queue_is_bounded_in_messages_and_empty_once_all_is_written(void **state)
{
    (void)state;
    struct host_options options = { .max_message_size = 66000, .limits = { .queue_messages = 50 } };
    couple_open(&alice, &bob, &options);
    reload_link_id id = couple_link();
    host_b.deaf = true;
    static const uint8_t large[66000];
    size_t taken = 0;
    while (host_info(&host_a, id).queued_bytes ==
           0) { /* each is written at once, until one is not */
        assert_int_equal(host_send(&host_a, id, large, sizeof large), 0);
        taken++;
    }
    assert_int_equal(host_info(&host_a, id).queued_messages, 1);
    host_b.deaf = false;
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, taken));
    assert_int_equal(host_info(&host_a, id).queued_messages, 0);
    host_b.deaf = true;
    while (host_info(&host_a, id).queued_bytes == 0)
        assert_int_equal(host_send(&host_a, id, large, sizeof large), 0);
    for (int i = 1; i < 50; i++)
        assert_int_equal(host_send(&host_a, id, "x", 1), 0);
    assert_int_equal(host_send(&host_a, id, "x", 1), RELOAD_E_LIMIT);
    assert_int_equal(host_info(&host_a, id).queued_messages, 50);
}

static struct raw raw;

/* A peer that sends and sends and never reads our acks: they must not pile up. */
static void acks_that_nobody_reads_do_not_pile_up(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    couple_raw(&raw);
    int small = 4096;
    setsockopt(raw.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    static uint8_t frames[8 * 2000];
    uint32_t sequence = 0;
    struct reload_buffer *output = reload_engine_output(raw.engine);
    size_t largest = 0;
    for (int i = 0; i < 3000; i++) {
        for (size_t at = 0; at < sizeof frames; at += 8)
            reload_frame_data_header(frames + at, sequence++, 0);
        if (reload_buffer_len(output) == 0)
            raw_write(&raw, frames, sizeof frames);
        while (reload_buffer_len(output) > 0) {
            ssize_t n = send(raw.fd, output->p + output->start, reload_buffer_len(output),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n <= 0)
                break;
            reload_buffer_consume(output, (size_t)n);
        }
        net_turn();
        struct reload_link_info info;
        info = host_info(&host_b, host_b.last[RELOAD_LINK_UP].link);
        largest = info.queued_bytes > largest ? info.queued_bytes : largest;
    }
    assert_true(host_b.count[RELOAD_LINK_MESSAGE] > 1000000);
    assert_true(largest > 0); /* it did block */
    assert_in_range(largest, 1, 512 * 1024);
    raw_close(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(a_slow_reader_fills_a_bounded_queue_and_loses_nothing_that_was_taken),
        COUPLE(the_queue_is_bounded_in_messages_and_empty_once_all_is_written),
        COUPLE(acks_that_nobody_reads_do_not_pile_up),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
