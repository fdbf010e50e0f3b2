#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net.h"
#include "people.h"

#define LINKS 100

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static size_t private_dirty_kb(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    if (!file)
        return 0;
    char line[256];
    size_t kb = 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Private_Dirty: %zu", &kb) == 1)
            break;
    fclose(file);
    return kb;
}

/* One end of one more idle link, after traffic, may take 32 KB of memory of its own. */
static void an_idle_link_costs_at_most_32_kilobytes(void **state)
{
    (void)state;
#ifdef SANITIZED
    skip(); /* the sanitizer's memory would be measured */
#endif
    static struct host a, b;
    struct host_options options = { .limits = { .inbound_per_address = LINKS + 1,
                                                .handshakes = LINKS + 1 } };
    host_open(&a, &alice, &options);
    host_open(&b, &bob, &options);
    net_hosts(&a, &b);
    static const uint8_t message[1000];
    size_t before_kb = 0;
    for (size_t i = 0; i <= LINKS; i++) {
        reload_link_id id = host_dial(&a, &b.at, NULL);
        assert_true(net_events(&a, RELOAD_LINK_UP, i + 1));
        assert_true(net_events(&b, RELOAD_LINK_UP, i + 1));
        assert_int_equal(host_send(&a, id, message, sizeof message), 0);
        assert_int_equal(host_send(&b, b.last[RELOAD_LINK_UP].link, message, sizeof message), 0);
        assert_true(net_events(&a, RELOAD_LINK_MESSAGE, i + 1));
        assert_true(net_events(&b, RELOAD_LINK_MESSAGE, i + 1));
        if (i == 0)
            before_kb = private_dirty_kb();
    }
    net_for_ms(20);
    size_t per_end_bytes = (private_dirty_kb() - before_kb) * 1024 / (2 * LINKS);
    print_message("%zu bytes per end of a link\n", per_end_bytes);
    assert_in_range(per_end_bytes, 1, 32 * 1024);
    net_hosts(NULL, NULL);
    host_close(&a);
    host_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_link_costs_at_most_32_kilobytes),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
