#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/address.h"
#include "peer/bootstrap.h"

static uint64_t seed = 1;

static void fill(void *unused, uint8_t *out, size_t len)
{
    (void)unused;
    while (len-- > 0) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        *out++ = (uint8_t)(seed >> 56);
    }
}

static const struct reload_random generator = { .fill = fill };

static struct reload_link_address address(const char *text)
{
    struct reload_link_address a;
    assert_int_equal(reload_address_read(text, 6084, &a), 0);
    return a;
}

static bool contains(struct reload_bootstrap *b, const char *text)
{
    struct reload_link_address wanted = address(text), a;
    bool found = false;
    while (reload_bootstrap_next(b, &a))
        found = found || reload_link_address_equal(&a, &wanted);
    return found;
}

static const struct reload_bootstrap_node nodes[] = { { "192.0.2.1", 6084 }, { "192.0.2.2", 7 } };
static const struct reload_config config = { .bootstrap_nodes = nodes, .bootstrap_node_count = 2 };

/* R6940-11.4-1 */
static void cached_peers_come_before_the_documents_bootstrap_nodes(void **state)
{
    (void)state;
    struct reload_bootstrap b;
    struct reload_link_address cached = address("198.51.100.9:1"), first;
    reload_bootstrap_init(&b, NULL, &generator);
    reload_bootstrap_remember(&b, &cached);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(reload_bootstrap_begin(&b, &config), 3);
        assert_true(reload_bootstrap_next(&b, &first));
        assert_true(reload_link_address_equal(&first, &cached));
    }
    assert_true(contains(&b, "192.0.2.2:7"));
    reload_bootstrap_fini(&b);
}

static void own_addresses_are_never_tried_and_others_once(void **state)
{
    (void)state;
    struct reload_bootstrap b;
    struct reload_link_address own = address("192.0.2.1"), again = address("192.0.2.2:7");
    reload_bootstrap_init(&b, NULL, &generator);
    g_array_append_val(b.own, own);
    g_array_append_val(b.fixed, again); /* the document names it too */
    assert_int_equal(reload_bootstrap_begin(&b, &config), 1);
    assert_false(contains(&b, "192.0.2.1"));
    reload_bootstrap_fini(&b);
}

/* R6940-11.4-4 R6940-4.5.2-1 */
static void the_cache_keeps_the_ten_latest_and_survives_a_restart(void **state)
{
    (void)state;
    char path[] = "/tmp/reload-bootstrap-XXXXXX", text[40];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct reload_bootstrap b;
    reload_bootstrap_init(&b, path, &generator);
    for (int i = 0; i < 25; i++) {
        snprintf(text, sizeof text, "198.51.100.%d:%d", i, 1000 + i);
        struct reload_link_address a = address(text);
        reload_bootstrap_remember(&b, &a);
        reload_bootstrap_remember(&b, &a);
    }
    assert_int_equal(b.cache->len, RELOAD_BOOTSTRAP_CACHE_MAX);
    reload_bootstrap_fini(&b);
    reload_bootstrap_init(&b, path, &generator);
    assert_int_equal(b.cache->len, RELOAD_BOOTSTRAP_CACHE_MAX);
    assert_int_equal(reload_bootstrap_begin(&b, &config), RELOAD_BOOTSTRAP_CACHE_MAX + 2);
    assert_true(contains(&b, "198.51.100.24:1024"));
    reload_bootstrap_begin(&b, &config);
    assert_false(contains(&b, "198.51.100.14:1014"));
    reload_bootstrap_fini(&b);
    unlink(path);
}

static void a_damaged_cache_file_is_read_as_far_as_it_makes_sense(void **state)
{
    (void)state;
    char path[] = "/tmp/reload-bootstrap-XXXXXX";
    static const char text[] = "nonsense\n192.0.2.77:1\n\xff\xfe\n192.0.2.78\n[::1]:99999\n";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    struct reload_bootstrap b;
    reload_bootstrap_init(&b, path, &generator);
    assert_int_equal(b.cache->len, 1);
    reload_bootstrap_fini(&b);
    unlink(path);
}

static void pauses_grow_to_a_minute_and_end_with_success(void **state)
{
    (void)state;
    struct reload_bootstrap b;
    uint64_t now = 1000, longest = 0;
    reload_bootstrap_init(&b, NULL, &generator);
    for (int i = 0; i < 100; i++) {
        reload_bootstrap_missed(&b, now);
        uint64_t pause = b.not_before_ms - now;
        assert_true(pause >= RELOAD_BOOTSTRAP_PAUSE_MS / 2 && pause <= RELOAD_BOOTSTRAP_PAUSE_MAX);
        longest = pause > longest ? pause : longest;
        if (i == 0)
            assert_true(pause <= RELOAD_BOOTSTRAP_PAUSE_MS);
        now = b.not_before_ms;
    }
    assert_true(longest > RELOAD_BOOTSTRAP_PAUSE_MAX / 2);
    reload_bootstrap_reached(&b);
    assert_int_equal(b.not_before_ms, 0);
    reload_bootstrap_missed(&b, now);
    assert_true(b.not_before_ms - now <= RELOAD_BOOTSTRAP_PAUSE_MS);
    reload_bootstrap_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cached_peers_come_before_the_documents_bootstrap_nodes),
        cmocka_unit_test(own_addresses_are_never_tried_and_others_once),
        cmocka_unit_test(the_cache_keeps_the_ten_latest_and_survives_a_restart),
        cmocka_unit_test(a_damaged_cache_file_is_read_as_far_as_it_makes_sense),
        cmocka_unit_test(pauses_grow_to_a_minute_and_end_with_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
