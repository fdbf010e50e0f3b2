#include "usage-sip/registrar.h"

#include "check.h"
#include "kind.h"
#include "usage-sip/record.h"

/* A registrar, its clock and the Store it last asked for. */
struct rig {
    struct reload_kind_config kind;
    struct reload_config overlay;
    struct reload_node_id own;
    struct reload_sip_registrar r;
    struct reload_time now;
    struct reload_sip_store store;
};

static struct rig rig_new(void)
{
    struct rig rig = { .kind = sip_kind(NULL, 0), .overlay = reload_config_defaults() };
    rig.overlay.instance_name = "overlay.example";
    rig.own = reload_node_id_from(text("0123456789abcdef"));
    rig.now = (struct reload_time){ 1000000, 1800000000000u };
    assert_int_equal(reload_sip_registrar_init(&rig.r, text("alice@overlay.example"), &rig.own), 0);
    return rig;
}

static const struct reload_config *overlay(struct rig *rig)
{
    rig->overlay.kinds = &rig->kind;
    rig->overlay.kind_count = 1;
    return &rig->overlay;
}

static int register_here(struct rig *rig)
{
    return reload_sip_registrar_register(&rig->r, overlay(rig), (struct reload_slice){ 0 },
                                         RELOAD_SIP_SCHEME_SIPS, 1000);
}

static bool next(struct rig *rig)
{
    return reload_sip_registrar_next(&rig->r, &rig->store, rig->now);
}

static void advance(struct rig *rig, uint64_t ms)
{
    rig->now.monotonic_ms += ms;
    rig->now.unix_ms += ms;
    reload_sip_registrar_tick(&rig->r, rig->now);
}

static void stored(struct rig *rig)
{
    reload_sip_registrar_stored(&rig->r, rig->now);
}

/* R7904-3.1-1 R7904-3.1-2 R7904-3.1-4 R7904-3.2-11 R7904-5.1-11 R7904-7-2 */
static void registering_stores_a_route_to_the_own_node(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    struct reload_sip_registration record;
    assert_false(next(&rig));
    assert_int_equal(register_here(&rig), 0);
    assert_true(next(&rig));
    assert_false(next(&rig)); /* one at a time */
    assert_slice_equal(rig.store.name, text("alice@overlay.example"));
    assert_slice_equal(rig.store.key, text("0123456789abcdef"));
    assert_true(rig.store.exists);
    assert_int_equal(rig.store.lifetime_s, 1000);
    assert_int_equal(rig.store.storage_time_ms, rig.now.unix_ms);
    assert_int_equal(reload_sip_registration_decode(rig.store.value, 16, &record), 0);
    assert_slice_equal(record.destination_list, text("\x01\x10"
                                                     "0123456789abcdef"));
    assert_slice_equal(record.contact_prefs, text("(sip.schemes=SIPS)"));
    stored(&rig);
    assert_int_equal(rig.r.state, RELOAD_SIP_REGISTERED);
}

static void it_is_refreshed_at_four_fifths_of_its_lifetime(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(register_here(&rig), 0);
    assert_true(next(&rig));
    stored(&rig);
    uint64_t first = rig.store.storage_time_ms;
    assert_int_equal(reload_sip_registrar_deadline(&rig.r), rig.now.monotonic_ms + 800000);
    advance(&rig, 799999);
    assert_false(next(&rig));
    advance(&rig, 1);
    rig.now.unix_ms = first - 5000; /* the clock was set back */
    assert_true(next(&rig));
    assert_int_equal(rig.store.storage_time_ms, first + 1);
    assert_true(rig.store.exists);
    stored(&rig);
    assert_int_equal(rig.r.state, RELOAD_SIP_REGISTERED);
}

/* R7904-3.1-2 */
static void a_failed_store_is_tried_again_less_and_less_often(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(register_here(&rig), 0);
    uint64_t wait = RELOAD_SIP_RETRY_MIN_MS;
    for (int i = 0; i < 8; i++) {
        assert_true(next(&rig));
        reload_sip_registrar_failed(&rig.r, RELOAD_E_TIMEOUT, rig.now);
        assert_int_equal(rig.r.state, RELOAD_SIP_WAITING);
        assert_int_equal(rig.r.error, RELOAD_E_TIMEOUT);
        advance(&rig, wait - 1);
        assert_false(next(&rig));
        advance(&rig, 1);
        wait = 2 * wait < RELOAD_SIP_RETRY_MAX_MS ? 2 * wait : RELOAD_SIP_RETRY_MAX_MS;
    }
    assert_true(next(&rig));
    stored(&rig);
    assert_int_equal(rig.r.error, 0);
    assert_int_equal(rig.r.failures, 8);
    reload_sip_registrar_failed(&rig.r, RELOAD_E_TIMEOUT, rig.now); /* nothing is under way */
    reload_sip_registrar_stored(&rig.r, rig.now);
    assert_int_equal(rig.r.failures, 8);
}

static void unregistering_outlives_what_it_removes(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(register_here(&rig), 0);
    assert_true(next(&rig));
    stored(&rig);
    advance(&rig, 400000);
    reload_sip_registrar_unregister(&rig.r, rig.now);
    assert_true(next(&rig));
    assert_false(rig.store.exists);
    assert_int_equal(rig.store.value.n, 0);
    assert_in_range(rig.store.lifetime_s, 600, 601);
    assert_slice_equal(rig.store.key, text("0123456789abcdef"));
    stored(&rig);
    assert_int_equal(rig.r.state, RELOAD_SIP_IDLE);
    assert_int_equal(reload_sip_registrar_deadline(&rig.r), RELOAD_NEVER);
    reload_sip_registrar_unregister(&rig.r, rig.now); /* nothing is there any more */
    assert_false(next(&rig));
}

/* What this node stored before it was started again is not known. */
static void the_first_removal_outlives_anything(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    reload_sip_registrar_unregister(&rig.r, rig.now);
    assert_true(next(&rig));
    assert_false(rig.store.exists);
    assert_int_equal(rig.store.lifetime_s, RELOAD_SIP_REGISTRATION_MAX_S);
}

static void a_change_while_a_store_is_under_way_follows_it(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(register_here(&rig), 0);
    assert_true(next(&rig));
    assert_int_equal(reload_sip_registrar_forward(&rig.r, overlay(&rig), text("bob@a.b"), 0), 0);
    assert_false(next(&rig));
    stored(&rig);
    assert_true(next(&rig));
    assert_int_equal(rig.store.value.p[0], RELOAD_SIP_REGISTRATION_URI);
    reload_sip_registrar_unregister(&rig.r, rig.now);
    reload_sip_registrar_unregister(&rig.r, rig.now);
    stored(&rig);
    assert_true(next(&rig));
    assert_false(rig.store.exists);
    reload_sip_registrar_failed(&rig.r, RELOAD_E_TIMEOUT, rig.now);
    advance(&rig, RELOAD_SIP_RETRY_MIN_MS);
    assert_int_equal(rig.r.state, RELOAD_SIP_REMOVING);
    assert_true(next(&rig));
    advance(&rig, 1000ull * RELOAD_SIP_REGISTRATION_S); /* by now it is gone by itself */
    reload_sip_registrar_failed(&rig.r, RELOAD_E_TIMEOUT, rig.now);
    assert_int_equal(rig.r.state, RELOAD_SIP_IDLE);
}

/* R7904-3.1-4 R7904-3.3-6 R7904-3.2-12 */
static void forwarding_stores_another_address_or_node(void **state)
{
    (void)state;
    static const struct {
        const char *given, *stored;
    } uris[] = {
        { "sip:bob@Overlay.example;user=phone", "bob@overlay.example" },
        { "tel:+4930123", "tel:+4930123" },
        { "bob@overlay.example;gr=ARABI0VniavN7wEjRWeJq83v",
          "bob@overlay.example;gr=ARABI0VniavN7wEjRWeJq83v" },
    };
    struct reload_sip_registration record;
    for (size_t i = 0; i < COUNT(uris); i++) {
        struct rig rig = rig_new();
        assert_int_equal(
            reload_sip_registrar_forward(&rig.r, overlay(&rig), text(uris[i].given), 0), 0);
        assert_true(next(&rig));
        assert_int_equal(reload_sip_registration_decode(rig.store.value, 16, &record), 0);
        assert_slice_equal(record.uri, text(uris[i].stored));
        assert_int_equal(rig.store.lifetime_s, RELOAD_SIP_REGISTRATION_S);
    }
    struct rig rig = rig_new();
    static const char *const bad[] = { "bob", "", "sip:alice@overlay.EXAMPLE" };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(reload_sip_registrar_forward(&rig.r, overlay(&rig), text(bad[i]), 0),
                         RELOAD_E_INVALID);
    struct reload_slice other = text("\x01\x10"
                                     "fedcba9876543210");
    assert_int_equal(
        reload_sip_registrar_register(&rig.r, overlay(&rig), other, RELOAD_SIP_SCHEME_ANY, 0), 0);
    assert_true(next(&rig));
    assert_int_equal(reload_sip_registration_decode(rig.store.value, 16, &record), 0);
    assert_slice_equal(record.destination_list, other);
    assert_slice_equal(rig.store.key, text("0123456789abcdef"));
    assert_int_equal(reload_sip_registrar_register(&rig.r, overlay(&rig), text("\x01\x01x"),
                                                   RELOAD_SIP_SCHEME_ANY, 0),
                     RELOAD_E_INVALID);
}

/* R7904-3.3-1 */
static void a_domain_that_is_not_admitted_is_refused_before_anything_is_sent(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    rig.kind = sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("true"),
                                       SIP_PATTERN("other\\.example")));
    assert_int_equal(register_here(&rig), RELOAD_E_FORBIDDEN);
    assert_false(next(&rig));
    assert_int_equal(rig.r.state, RELOAD_SIP_IDLE);
}

static void names_lifetimes_and_records_have_bounds(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    struct reload_sip_registrar r;
    static const char *const names[] = { "", "alice", "alice@Overlay.example", "sip:alice@a.b" };
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(reload_sip_registrar_init(&r, text(names[i]), &rig.own), RELOAD_E_INVALID);
    const uint32_t lifetimes[] = { 1, RELOAD_SIP_REGISTRATION_MIN_S - 1,
                                   RELOAD_SIP_REGISTRATION_MAX_S + 1 };
    for (size_t i = 0; i < COUNT(lifetimes); i++)
        assert_int_equal(reload_sip_registrar_register(&rig.r, overlay(&rig),
                                                       (struct reload_slice){ 0 },
                                                       RELOAD_SIP_SCHEME_ANY, lifetimes[i]),
                         RELOAD_E_INVALID);
    char uri[RELOAD_SIP_VALUE_MAX + 1] = "tel:";
    memset(uri + 4, '1', sizeof uri - 5);
    assert_int_equal(reload_sip_registrar_forward(&rig.r, overlay(&rig), text(uri), 0),
                     RELOAD_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registering_stores_a_route_to_the_own_node),
        cmocka_unit_test(it_is_refreshed_at_four_fifths_of_its_lifetime),
        cmocka_unit_test(a_failed_store_is_tried_again_less_and_less_often),
        cmocka_unit_test(unregistering_outlives_what_it_removes),
        cmocka_unit_test(the_first_removal_outlives_anything),
        cmocka_unit_test(a_change_while_a_store_is_under_way_follows_it),
        cmocka_unit_test(forwarding_stores_another_address_or_node),
        cmocka_unit_test(a_domain_that_is_not_admitted_is_refused_before_anything_is_sent),
        cmocka_unit_test(names_lifetimes_and_records_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
