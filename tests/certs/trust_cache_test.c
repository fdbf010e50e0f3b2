#include "tests/certs/asked.h"

#include <string.h>

/* What a verifier remembers of certificates, good and bad, and how much of it. */

/* R6940-6.3.4-19: a hostile peer that repeats what was refused costs no more full checks; and what
 * made it unacceptable may change. */
static void what_was_refused_is_not_checked_again(void **state)
{
    (void)state;
    struct fixture f, other;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    fixture_init(&other, RELOAD_CERT_KEY_EC);
    struct asked a = asked_of(&f.config);
    struct reload_cert_bytes foreign = asked_issued(&other, 1, (struct wish){ 0 });
    struct reload_cert_bytes late = asked_issued(
        &f, 2, (struct wish){ .not_before_ms = NOW_MS, .not_after_ms = NOW_MS + DAY_MS });
    const struct reload_trust_counters *c = reload_trust_counters(a.trust);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(asked_check(&a, &foreign, NOW_MS), RELOAD_E_CERTIFICATE);
        assert_non_null(strstr(a.why.text, "root-cert")); /* the same reason each time */
    }
    assert_int_equal(c->checked, 1);
    assert_int_equal(c->refused, 10);
    assert_int_equal(c->refused_again, 9);

    /* with other certificates along it may be good: it is checked once more */
    struct reload_slice chain[] = { reload_cert_bytes_slice(&foreign),
                                    reload_cert_bytes_slice(&late) };
    const struct reload_identity *out;
    assert_int_equal(reload_trust_check(a.trust, chain, 2, NOW_MS, &out, &a.why),
                     RELOAD_E_CERTIFICATE);
    assert_int_equal(c->checked, 2);

    /* time passes: nothing is remembered of it */
    assert_int_equal(asked_check(&a, &late, NOW_MS - 1000), RELOAD_E_EXPIRED);
    assert_int_equal(asked_check(&a, &late, NOW_MS - 1000), RELOAD_E_EXPIRED);
    assert_int_equal(c->refused_again, 9);
    assert_int_equal(asked_check(&a, &late, NOW_MS), 0);

    /* another configuration may have another opinion */
    assert_int_equal(reload_trust_configure(a.trust, &other.config, NULL), 0);
    assert_int_equal(asked_check(&a, &foreign, NOW_MS), 0);
    reload_cert_bytes_fini(&foreign);
    reload_cert_bytes_fini(&late);
    reload_trust_free(a.trust);
    fixture_fini(&f);
    fixture_fini(&other);
}

/* The cap: any number of refused ones fit into what there is, and the last ones are known. */
static void refusals_take_no_more_room_than_they_have(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = asked_of(&f.config);
    const struct reload_trust_counters *c = reload_trust_counters(a.trust);
    for (uint32_t i = 0; i < 1000; i++) { /* no certificate at all, each of other bytes */
        uint8_t bytes[4] = { (uint8_t)(i >> 8), (uint8_t)i, 1, 2 };
        struct reload_cert_bytes der = { bytes, sizeof bytes };
        assert_int_equal(asked_check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
        assert_int_equal(asked_check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
    }
    assert_int_equal(c->checked, 1000);
    assert_int_equal(c->refused_again, 1000);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

static void the_cache_holds_its_cap_and_drops_the_least_recently_used(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = asked_of(&f.config);
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes first = issue(&f, key, 1, (struct wish){ 0 });
    struct reload_cert_bytes second = issue(&f, key, 2, (struct wish){ 0 });
    assert_int_equal(asked_check(&a, &first, NOW_MS), 0);
    assert_int_equal(asked_check(&a, &second, NOW_MS), 0);
    for (size_t i = 2; i < RELOAD_CERT_CACHE_MAX; i++) {
        struct reload_cert_bytes der = issue(&f, key, 3, (struct wish){ 0 }); /* another serial */
        assert_int_equal(asked_check(&a, &der, NOW_MS), 0);
        reload_cert_bytes_fini(&der);
    }
    assert_int_equal(reload_trust_counters(a.trust)->evicted, 0);
    assert_int_equal(asked_check(&a, &first, NOW_MS), 0); /* used again */
    struct reload_cert_bytes last = issue(&f, key, 4, (struct wish){ 0 });
    assert_int_equal(asked_check(&a, &last, NOW_MS), 0);
    const struct reload_trust_counters *n = reload_trust_counters(a.trust);
    assert_int_equal(n->evicted, 1);
    uint64_t checked = n->checked;
    assert_int_equal(asked_check(&a, &first, NOW_MS), 0);
    assert_int_equal(n->checked, checked); /* still there */
    assert_int_equal(asked_check(&a, &second, NOW_MS), 0);
    assert_int_equal(n->checked, checked + 1); /* had gone */
    reload_cert_bytes_fini(&first);
    reload_cert_bytes_fini(&second);
    reload_cert_bytes_fini(&last);
    reload_cert_key_free(key);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

static void without_memory_a_check_fails_and_leaks_nothing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes der = asked_issued(&f, 1, (struct wish){ .user_name = "a@b" });
    struct reload_slice one = reload_cert_bytes_slice(&der);
    bool done = false;
    for (unsigned long n = 1; !done && n < 100; n++) {
        struct reload_trust *trust = NULL;
        const struct reload_identity *who;
        reload_alloc_fail_at(n);
        int error = reload_trust_new(&f.config, false, &trust, NULL);
        if (!error)
            error = reload_trust_check(trust, &one, 1, NOW_MS, &who, NULL);
        reload_alloc_fail_at(0);
        assert_true(error == 0 || error == RELOAD_E_NOMEM);
        done = error == 0;
        reload_trust_free(trust);
    }
    assert_true(done);
    reload_cert_bytes_fini(&der);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_refused_is_not_checked_again),
        cmocka_unit_test(refusals_take_no_more_room_than_they_have),
        cmocka_unit_test(the_cache_holds_its_cap_and_drops_the_least_recently_used),
        cmocka_unit_test(without_memory_a_check_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
