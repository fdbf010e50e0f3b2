#include "check.h"

#include <string.h>

#include "peer/address.h"
#include "peer/doctor.h"

/* Each fault is named with a cure, and nothing is blamed on a node in order. */

#define NOW UINT64_C(1800000000000)
#define DAY (UINT64_C(24) * 3600000)

static struct reload_bootstrap bootstrap;
static struct reload_link_address listening, address;

static void listen_at(const char *text, const char *told)
{
    assert_int_equal(reload_address_read(text, 0, &listening), 0);
    assert_int_equal(reload_address_read(told, 0, &address), 0);
}

static struct reload_doctor_evidence healthy(void)
{
    listen_at("198.51.100.7:6084", "198.51.100.7:6084");
    memset(&bootstrap, 0, sizeof bootstrap);
    return (struct reload_doctor_evidence){
        .joined = true,
        .ice = true,
        .role = RELOAD_ROLE_PEER,
        .now_unix_ms = NOW,
        .certificate_expires_ms = NOW + 100 * DAY,
        .document_expires_ms = RELOAD_NEVER,
        .clock_known = true,
        .bootstrap = &bootstrap,
        .listening = &listening,
        .listening_count = 1,
        .addresses = &address,
        .address_count = 1,
        .nat = RELOAD_OVERLAY_NAT_NONE,
    };
}

static void a_node_in_order_has_nothing_to_cure(void **state)
{
    (void)state;
    struct reload_doctor_evidence e = healthy();
    struct reload_doctor_report r;
    reload_doctor_examine(&e, &r);
    assert_int_equal(reload_doctor_verdict(&r), RELOAD_DOCTOR_OK);
    assert_int_equal(r.count, 7);
    for (size_t i = 0; i < r.count; i++)
        assert_null(r.findings[i].cure);
    assert_true(r.joined && !r.expired);
}

/* Exactly one finding is not in order: this one. */
static void assert_blamed(const struct reload_doctor_evidence *e, const char *check,
                          enum reload_doctor_verdict verdict, const char *text)
{
    struct reload_doctor_report r;
    size_t blamed = 0;
    reload_doctor_examine(e, &r);
    for (size_t i = 0; i < r.count; i++) {
        if (r.findings[i].verdict == RELOAD_DOCTOR_OK)
            continue;
        blamed++;
        assert_string_equal(r.findings[i].check, check);
        assert_int_equal(r.findings[i].verdict, verdict);
        assert_non_null(strstr(r.findings[i].text, text));
        assert_non_null(r.findings[i].cure);
    }
    assert_int_equal(blamed, 1);
    assert_int_equal(reload_doctor_verdict(&r), verdict);
}

static void a_clock_that_is_off_is_told_with_its_direction(void **state)
{
    (void)state;
    struct reload_doctor_evidence e = healthy();
    e.clock_ahead_ms = 4999;
    struct reload_doctor_report r;
    reload_doctor_examine(&e, &r);
    assert_int_equal(reload_doctor_verdict(&r), RELOAD_DOCTOR_OK);
    e.clock_ahead_ms = 7000;
    assert_blamed(&e, "clock", RELOAD_DOCTOR_WARNING, "7 s ahead");
    e.clock_ahead_ms = -3600000;
    assert_blamed(&e, "clock", RELOAD_DOCTOR_BAD, "3600 s behind");
    e.clock_known = false;
    reload_doctor_examine(&e, &r);
    assert_int_equal(reload_doctor_verdict(&r), RELOAD_DOCTOR_OK);
}

static void what_expires_is_told_before_and_after(void **state)
{
    (void)state;
    struct reload_doctor_evidence e = healthy();
    struct reload_doctor_report r;
    e.certificate_expires_ms = NOW + DAY;
    assert_blamed(&e, "certificate", RELOAD_DOCTOR_WARNING, "24 hours");
    e.certificate_expires_ms = NOW;
    assert_blamed(&e, "certificate", RELOAD_DOCTOR_BAD, "expired");
    reload_doctor_examine(&e, &r);
    assert_true(r.expired);
    e = healthy();
    e.document_expires_ms = NOW - 1;
    assert_blamed(&e, "configuration", RELOAD_DOCTOR_BAD, "expired");
}

static void each_bootstrap_node_has_its_own_reason(void **state)
{
    (void)state;
    struct reload_doctor_evidence e = healthy();
    struct reload_doctor_report r;
    e.joined = false;
    assert_blamed(&e, "bootstrap", RELOAD_DOCTOR_BAD, "no attempt has failed");
    bootstrap.failed_rounds = 1;
    assert_blamed(&e, "bootstrap", RELOAD_DOCTOR_BAD, "no bootstrap node is known");
    for (int i = 0; i < 3; i++) { /* the same address again is one failure */
        reload_bootstrap_failed(&bootstrap, &listening, false, RELOAD_E_IO, "refused");
        reload_bootstrap_failed(&bootstrap, &listening, true, RELOAD_E_CERTIFICATE, "of another");
    }
    reload_doctor_examine(&e, &r);
    assert_int_equal(r.count, 8);
    assert_non_null(strstr(r.findings[3].text, "198.51.100.7:6084 over TCP: refused"));
    assert_non_null(strstr(r.findings[3].cure, "no node listens"));
    assert_non_null(strstr(r.findings[4].text, "over UDP: of another"));
    assert_non_null(strstr(r.findings[4].cure, "another overlay"));
    for (uint16_t port = 1; port <= 100; port++) { /* a table that others fill has its end */
        listening.port = port;
        reload_bootstrap_failed(&bootstrap, &listening, false, RELOAD_E_TIMEOUT, "silence");
    }
    assert_int_equal(bootstrap.failure_count, RELOAD_BOOTSTRAP_FAILURES_MAX);
    assert_int_equal(bootstrap.failures[RELOAD_BOOTSTRAP_FAILURES_MAX - 1].address.port, 100);
    reload_doctor_examine(&e, &r);
    assert_true(r.count <= RELOAD_DOCTOR_FINDINGS_MAX);
}

static void a_node_that_was_reached_and_did_not_lead_in_is_told(void **state)
{
    (void)state;
    struct reload_doctor_evidence e = healthy();
    struct reload_doctor_report r;
    e.joined = false;
    g_strlcpy(bootstrap.unjoined, "no link to the responsible peer", sizeof bootstrap.unjoined);
    assert_blamed(&e, "bootstrap", RELOAD_DOCTOR_BAD, "no link to the responsible peer");
    reload_doctor_examine(&e, &r);
    assert_non_null(strstr(r.findings[3].cure, "--turn"));
    e.nat = RELOAD_OVERLAY_NAT_BLOCKED;
    reload_doctor_examine(&e, &r);
    assert_non_null(strstr(r.findings[3].cure, "see udp"));
    e.ice = false;
    reload_doctor_examine(&e, &r);
    assert_non_null(strstr(r.findings[3].cure, "cannot dial"));
}

static void where_a_peer_listens_decides_who_reaches_it(void **state)
{
    (void)state;
    struct reload_doctor_evidence e = healthy();
    struct reload_doctor_report r;
    e.listening_count = 0;
    assert_blamed(&e, "listen", RELOAD_DOCTOR_BAD, "nowhere");
    e.role = RELOAD_ROLE_CLIENT;
    reload_doctor_examine(&e, &r);
    assert_int_equal(reload_doctor_verdict(&r), RELOAD_DOCTOR_OK);
    e = healthy();
    listen_at("127.0.0.1:6084", "127.0.0.1:6084");
    assert_blamed(&e, "listen", RELOAD_DOCTOR_WARNING, "reach a loopback address");
    listen_at("0.0.0.0:6084", "127.0.0.1:6084");
    assert_blamed(&e, "listen", RELOAD_DOCTOR_WARNING, "no address but loopback");
    listen_at("192.168.1.7:6084", "192.168.1.7:6084");
    reload_doctor_examine(&e, &r);
    assert_int_equal(reload_doctor_verdict(&r), RELOAD_DOCTOR_OK); /* ICE is for that */
    e.ice = false;
    assert_blamed(&e, "listen", RELOAD_DOCTOR_WARNING, "private");
    listen_at("0.0.0.0:6084", "192.168.1.7:6084");
    assert_blamed(&e, "listen", RELOAD_DOCTOR_WARNING, "private");
    listen_at("0.0.0.0:6084", "198.51.100.7:6084");
    reload_doctor_examine(&e, &r);
    assert_int_equal(reload_doctor_verdict(&r), RELOAD_DOCTOR_OK);
}

static void the_kind_of_nat_and_lost_udp_are_told(void **state)
{
    (void)state;
    struct reload_doctor_evidence e = healthy();
    struct reload_doctor_report r;
    e.nat = RELOAD_OVERLAY_NAT_BLOCKED;
    assert_blamed(&e, "udp", RELOAD_DOCTOR_BAD, "no STUN server answers");
    e.nat = RELOAD_OVERLAY_NAT_SYMMETRIC;
    assert_blamed(&e, "nat", RELOAD_DOCTOR_WARNING, "symmetric");
    e.relay = &listening; /* it makes up for either */
    reload_doctor_examine(&e, &r);
    assert_int_equal(reload_doctor_verdict(&r), RELOAD_DOCTOR_OK);
    e.nat = RELOAD_OVERLAY_NAT_BLOCKED;
    assert_blamed(&e, "udp", RELOAD_DOCTOR_WARNING, "the relay at 198.51.100.7:6084");
    e.relay = NULL;
    static const enum reload_overlay_nat fine[] = { RELOAD_OVERLAY_NAT_UNKNOWN,
                                                    RELOAD_OVERLAY_NAT_SOME,
                                                    RELOAD_OVERLAY_NAT_CONE };
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        e.nat = fine[i];
        reload_doctor_examine(&e, &r);
        assert_int_equal(reload_doctor_verdict(&r), RELOAD_DOCTOR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_in_order_has_nothing_to_cure),
        cmocka_unit_test(a_clock_that_is_off_is_told_with_its_direction),
        cmocka_unit_test(what_expires_is_told_before_and_after),
        cmocka_unit_test(each_bootstrap_node_has_its_own_reason),
        cmocka_unit_test(a_node_that_was_reached_and_did_not_lead_in_is_told),
        cmocka_unit_test(where_a_peer_listens_decides_who_reaches_it),
        cmocka_unit_test(the_kind_of_nat_and_lost_udp_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
