#include "kind.h"
#include "tests/reload/store/fixture.h"

/* Registrations at the storing peer and at who fetches them (RFC 7904 s3.3, s7). */

/* The overlay's Kind SIP-REGISTRATION, in the place of another USER-NODE-MATCH dictionary. */
static void have_sip(struct fixture *f, const struct reload_kind_parameter *parameters,
                     size_t count)
{
    for (size_t i = 0; i < RELOAD_STANDIN_KIND_COUNT; i++)
        if (f->config.kinds[i].id == RELOAD_STANDIN_DICTIONARY_USER_NODE ||
            f->config.kinds[i].id == RELOAD_KIND_SIP_REGISTRATION)
            f->config.kinds[i] = sip_kind(parameters, count);
}

static struct reload_store_item registration(const struct fixture *f, const struct writer *w)
{
    return item_key(f, RELOAD_KIND_SIP_REGISTRATION, reload_node_id_slice(&w->own->node_id), "x");
}

/* R7904-3.1-1 R7904-7-1 R7904-7-2 R7904-9.1-1 R7904-3.3-3 R7904-3.3-4 */
static void each_device_of_a_user_has_its_own_entry(void **state)
{
    struct fixture *f = *state;
    have_sip(f, NULL, 0);
    struct writer phone = writer_new(f, 20, "alice@overlay.example");
    struct reload_slice place = user_place(&f->alice)->slice;
    assert_int_equal(0, store_one(f, &f->alice, place, registration(f, &f->alice)));
    assert_int_equal(0, store_one(f, &phone, place, registration(f, &phone)));
    struct got got = fetch(f, place, RELOAD_KIND_SIP_REGISTRATION);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.rejected, 0);
    advance(f, 1);
    assert_int_equal(0, store_one(f, &phone, place, removed(registration(f, &phone))));
    reload_standin_free(phone.standin);
}

/* R7904-3.3-4 R7904-3.3-5 R7904-3.3-6 */
static void another_users_place_and_another_nodes_key_are_forbidden(void **state)
{
    struct fixture *f = *state;
    have_sip(f, NULL, 0);
    struct writer phone = writer_new(f, 20, "alice@overlay.example");
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_one(f, &f->alice, user_place(&f->bob)->slice,
                                                       registration(f, &f->alice)));
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_one(f, &f->alice, user_place(&f->alice)->slice,
                                                       registration(f, &phone)));
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_one(f, &f->peer, user_place(&f->peer)->slice,
                                                       registration(f, &f->peer)));
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_one(f, &f->alice, user_place(&f->bob)->slice,
                                                       removed(registration(f, &f->alice))));
    /* one bad value, and none of the request is kept */
    const struct reload_store_item both[] = { registration(f, &f->alice), registration(f, &phone) };
    struct reload_slice place = user_place(&f->alice)->slice;
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store(f, &f->alice, place, both, 2));
    assert_int_equal(0, fetch(f, place, RELOAD_KIND_SIP_REGISTRATION).count);
    /* values by their owner, brought in another's request */
    struct reload_store_item own = registration(f, &f->alice);
    struct reload_slice body = store_body(f, &f->alice, place, &own, 1);
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_bytes(f, &f->bob, body));
    f->context.replica_plausible = true; /* but a replica is not its sender's */
    body = store_body(f, &f->alice, place, &own, 1);
    assert_int_equal(0, store_bytes(f, &f->bob, as_replica(f, body, 1, 1)));
    reload_standin_free(phone.standin);
}

/* With more than one Node-ID in the certificate, the one that the SignerIdentity selects is the
 * key. R7904-3.3-4 */
static void the_node_id_that_signs_is_the_key(void **state)
{
    struct fixture *f = *state;
    have_sip(f, NULL, 0);
    struct reload_node_id first = reload_standin_node_id(70);
    struct reload_standin_certificate c =
        reload_standin_certificate(&f->config.config, &first, "carol@overlay.example");
    c.node_ids[1] = reload_standin_node_id(71);
    c.node_id_count = 2;
    struct writer carol = { .standin = reload_standin_new(&f->config.config, &c, 1) };
    carol.crypto = reload_standin_crypto(carol.standin);
    carol.own = carol.crypto->own;
    struct reload_slice place = user_place(&carol)->slice;
    struct reload_store_item item = registration(f, &carol);
    assert_int_equal(0, store_one(f, &carol, place, item));
    item.key = reload_node_id_slice(&first);
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_one(f, &carol, place, item));
    reload_standin_free(carol.standin);
}

/* R7904-3.3-2 R7904-3.3-5 R7904-3.4-6 R7904-3.4-7 */
static void the_storing_peer_admits_the_overlays_domains_only(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    have_sip(f, SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("true"),
                               SIP_PATTERN("other\\.example")));
    assert_int_equal(RELOAD_ERROR_FORBIDDEN,
                     store_one(f, &f->alice, place, registration(f, &f->alice)));
    have_sip(f, SIP_PARAMETERS(SIP_ELEMENT("domain-restriction")));
    f->config.config.instance_name = "another.example";
    assert_int_equal(RELOAD_ERROR_FORBIDDEN,
                     store_one(f, &f->alice, place, registration(f, &f->alice)));
    f->config.config.instance_name = "overlay.example";
    assert_int_equal(0, store_one(f, &f->alice, place, registration(f, &f->alice)));
}

/* A user name that is no AOR, or that no one who looks it up would hash so, registers nothing.
 * R7904-3.3-3 */
static void a_user_name_must_be_an_address(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = { "alice", "Alice@OVERLAY.example", "sip:alice@a.b",
                                         "%61@a.b" };
    have_sip(f, NULL, 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct writer w = writer_new(f, 30 + i, names[i]);
        assert_int_equal(RELOAD_ERROR_FORBIDDEN,
                         store_one(f, &w, user_place(&w)->slice, registration(f, &w)));
        reload_standin_free(w.standin);
    }
}

/* A peer that stores what it must not is found out by who fetches. R7904-3.3-2 R7904-3.3-4 */
static void a_lying_storing_peers_values_are_dropped_and_counted(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    const struct reload_node_id bobs = f->bob.own->node_id;
    struct reload_store_item forged = registration(f, &f->alice);
    have_sip(f, NULL, 0);
    assert_int_equal(0, store_one(f, &f->alice, place, registration(f, &f->alice)));
    for (size_t i = 0; i < RELOAD_STANDIN_KIND_COUNT; i++) /* it applies a weaker policy */
        if (f->config.kinds[i].id == RELOAD_KIND_SIP_REGISTRATION) {
            memcpy(f->config.kinds[i].access_control, "USER-MATCH", 11);
            f->config.kinds[i].ops = NULL;
        }
    forged.key = reload_node_id_slice(&bobs);
    assert_int_equal(0, store_one(f, &f->alice, place, forged));
    have_sip(f, NULL, 0);
    struct got got = fetch(f, place, RELOAD_KIND_SIP_REGISTRATION);
    assert_int_equal(got.count, 1);
    assert_int_equal(got.rejected, 1);
    have_sip(f, SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("true"),
                               SIP_PATTERN("other\\.example")));
    got = fetch(f, place, RELOAD_KIND_SIP_REGISTRATION);
    assert_int_equal(got.count, 0);
    assert_int_equal(got.rejected, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(each_device_of_a_user_has_its_own_entry),
        WITH_FIXTURE(another_users_place_and_another_nodes_key_are_forbidden),
        WITH_FIXTURE(the_node_id_that_signs_is_the_key),
        WITH_FIXTURE(the_storing_peer_admits_the_overlays_domains_only),
        WITH_FIXTURE(a_user_name_must_be_an_address),
        WITH_FIXTURE(a_lying_storing_peers_values_are_dropped_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
