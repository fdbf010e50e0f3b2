#include "usage-sip/lookup.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "kind.h"
#include "usage-sip/gruu.h"
#include "usage-sip/record.h"

/* A lookup against a table of what each address holds. */

#define NODE(c) "\x01\x10" c c c c c c c c c c c c c c c c
#define OWN     "oooooooooooooooo"

static const struct reload_time now = { 1000, 1800000000000u };

struct held {
    const char *aor, *uri;    /* a URI record, or */
    const char *list, *prefs; /* a route */
    struct reload_slice raw;  /* or any value */
};

struct world {
    struct reload_kind_config kind;
    struct reload_config overlay;
    const struct held *held;
    size_t count;
    unsigned fetches;
    const char *failing; /* the Fetch of this address fails */
    struct reload_sip_lookup_limits limits;
    struct reload_sip_contacts *contacts;
    struct reload_sip_lookup *lookup;
    const struct reload_sip_lookup_result *result;
};

static const struct reload_config *overlay(struct world *w)
{
    static const struct reload_kind_parameter own_domain[] = { SIP_ELEMENT("domain-restriction") };
    if (w->kind.id == 0)
        w->kind = sip_kind(own_domain, 1);
    w->overlay = reload_config_defaults();
    w->overlay.instance_name = "o.example";
    w->overlay.kinds = &w->kind;
    w->overlay.kind_count = 1;
    return &w->overlay;
}

static size_t values_of(const struct world *w, struct reload_slice name, uint8_t *bytes, size_t cap,
                        struct reload_fetched_value *out, size_t max)
{
    size_t count = 0;
    struct reload_writer all = reload_writer_of(bytes, cap);
    for (size_t i = 0; i < w->count && count < max; i++) {
        const struct held *h = &w->held[i];
        if (!reload_slice_equal(text(h->aor), name))
            continue;
        struct reload_sip_registration r = { .type = RELOAD_SIP_REGISTRATION_URI };
        if (h->list)
            r = (struct reload_sip_registration){ .type = RELOAD_SIP_REGISTRATION_ROUTE,
                                                  .contact_prefs = text(h->prefs ? h->prefs : ""),
                                                  .destination_list = text(h->list) };
        else if (h->uri)
            r.uri = text(h->uri);
        size_t start = all.len;
        if (h->raw.n)
            reload_wr_bytes(&all, h->raw);
        else
            assert_int_equal(reload_sip_registration_encode(&all, &r), 0);
        out[count++] = (struct reload_fetched_value){
            .kind = RELOAD_KIND_SIP_REGISTRATION,
            .exists = true,
            .value = reload_slice_of(bytes + start, all.len - start),
            .lifetime_s = 100,
        };
    }
    return count;
}

static void answer(struct world *w)
{
    static uint8_t bytes[1 << 16];
    static struct reload_fetched_value values[1024];
    struct reload_sip_fetch fetch;
    while (reload_sip_lookup_next(w->lookup, &fetch)) {
        w->fetches++;
        if (w->failing && reload_slice_equal(fetch.name, text(w->failing))) {
            reload_sip_lookup_failed(w->lookup, fetch.number, now);
            continue;
        }
        size_t count = values_of(w, fetch.name, bytes, sizeof bytes, values, COUNT(values));
        reload_sip_lookup_fetched(w->lookup, fetch.number, overlay(w), values, count, now);
    }
    w->result = reload_sip_lookup_result(w->lookup);
    assert_non_null(w->result);
}

static enum reload_sip_outcome look_up(struct world *w, const char *uri)
{
    struct reload_node_id own = reload_node_id_from(text(OWN));
    reload_sip_lookup_free(w->lookup);
    w->fetches = 0;
    assert_int_equal(reload_sip_lookup_new(text(uri), overlay(w), &own, &w->limits, w->contacts,
                                           now, &w->lookup),
                     0);
    answer(w);
    return w->result->outcome;
}

static void is_target(const struct world *w, size_t i, const char *list)
{
    assert_slice_equal(reload_sip_target_list(&w->result->targets[i]), text(list));
}

#define WORLD(...)                                                                                 \
    {                                                                                              \
        .held = (const struct held[]){ __VA_ARGS__ },                                              \
        .count = COUNT(((const struct held[]){ __VA_ARGS__ })),                                    \
    }

/* R7904-4.1-2 R7904-4.2-1 R7904-4.2-2 R7904-4.2-5 R7904-3.2-11 R7904-3.2-12 */
static void every_device_of_an_address_is_a_target(void **state)
{
    (void)state;
    struct world w = WORLD({ "alice@o.example", .list = NODE("a") },
                           { "alice@o.example", .list = NODE("b"), .prefs = "(sip.schemes=SIPS)" },
                           { "alice@o.example", .list = NODE("x") NODE("o") });
    assert_int_equal(look_up(&w, "sip:%61lice@O.example"), RELOAD_SIP_FOUND);
    assert_int_equal(w.result->target_count, 3);
    is_target(&w, 0, NODE("a"));
    is_target(&w, 1, NODE("b"));
    assert_int_equal(w.result->targets[0].scheme, RELOAD_SIP_SCHEME_ANY);
    assert_int_equal(w.result->targets[1].scheme, RELOAD_SIP_SCHEME_SIPS);
    assert_false(w.result->targets[1].own);
    assert_true(w.result->targets[2].own); /* it comes back to this node */
    assert_int_equal(w.fetches, 1);
    reload_sip_lookup_free(w.lookup);
}

/* R7904-4.2-3 R7904-3.1-4 */
static void addresses_are_followed_and_removed_values_are_not(void **state)
{
    (void)state;
    struct world w =
        WORLD({ "alice@o.example", .uri = "bob@o.example" },
              { "alice@o.example", .uri = "sip:carol@O.example;x" },
              { "bob@o.example", .list = NODE("b") }, { "carol@o.example", .list = NODE("c") });
    assert_int_equal(look_up(&w, "alice@o.example"), RELOAD_SIP_FOUND);
    assert_int_equal(w.result->target_count, 2);
    assert_string_equal(w.result->targets[0].aor.text, "bob@o.example");
    assert_string_equal(w.result->targets[1].aor.text, "carol@o.example");
    assert_int_equal(w.fetches, 3);

    struct reload_sip_fetch fetch;
    struct reload_node_id own = reload_node_id_from(text(OWN));
    reload_sip_lookup_free(w.lookup);
    assert_int_equal(reload_sip_lookup_new(text("alice@o.example"), overlay(&w), &own, NULL, NULL,
                                           now, &w.lookup),
                     0);
    assert_null(reload_sip_lookup_result(w.lookup));
    assert_true(reload_sip_lookup_next(w.lookup, &fetch));
    assert_false(reload_sip_lookup_next(w.lookup, &fetch));
    const struct reload_fetched_value gone = { .kind = RELOAD_KIND_SIP_REGISTRATION };
    reload_sip_lookup_fetched(w.lookup, 7, overlay(&w), &gone, 1, now); /* not under way */
    assert_null(reload_sip_lookup_result(w.lookup));
    reload_sip_lookup_fetched(w.lookup, fetch.number, overlay(&w), &gone, 1, now);
    assert_int_equal(reload_sip_lookup_result(w.lookup)->outcome, RELOAD_SIP_NOT_FOUND);
    reload_sip_lookup_fetched(w.lookup, fetch.number, overlay(&w), &gone, 1, now); /* twice */
    reload_sip_lookup_free(w.lookup);
}

/* R7904-4.1-1 R7904-6-4 R7904-6-5 R7904-4.2-4 */
static void gruus_need_no_fetch_and_duplicates_fall_together(void **state)
{
    (void)state;
#define GRUU_A "alice@o.example;gr=ARBhYWFhYWFhYWFhYWFhYWFh"
    struct world w = WORLD(
        { "bob@o.example", .uri = GRUU_A }, { "bob@o.example", .list = NODE("a") },
        { "bob@o.example", .uri = "alice@o.example" }, { "alice@o.example", .list = NODE("a") });
    assert_int_equal(look_up(&w, "sips:" GRUU_A), RELOAD_SIP_FOUND);
    assert_int_equal(w.fetches, 0);
    assert_int_equal(w.result->target_count, 1);
    is_target(&w, 0, NODE("a"));
    assert_int_equal(w.result->targets[0].scheme, RELOAD_SIP_SCHEME_SIPS);
    assert_int_equal(look_up(&w, "bob@o.example"), RELOAD_SIP_FOUND);
    assert_int_equal(w.fetches, 2);
    assert_int_equal(w.result->target_count, 1);
    /* a gr that is RFC 5627's is no way there */
    assert_int_equal(look_up(&w, "alice@o.example;gr=urn:uuid:f81d4fae"), RELOAD_SIP_FOUND);
    assert_int_equal(w.fetches, 1);
    reload_sip_lookup_free(w.lookup);
}

/* R7904-6-6: of a Node-ID for it alone, and of ids that the user's peer made up in two lengths. The
 * list goes to the node as it is, and is not taken for another one of that user. */
static void an_anonymous_gruu_leads_there_without_the_user_s_node_id(void **state)
{
    (void)state;
    static const char *const lists[] = { NODE("z"), NODE("p") "\x80\x2a",
                                         NODE("p") "\x03\x09\x08made up." };
    struct reload_sip_aor alice;
    assert_int_equal(reload_sip_aor_read(text("alice@o.example"), &alice), 0);
    for (size_t i = 0; i < COUNT(lists); i++) {
        char gruu[RELOAD_SIP_GRUU_MAX + 1];
        struct reload_sip_gruu read;
        assert_int_equal(reload_sip_gruu_write(&alice, text(lists[i]), gruu), 0);
        assert_int_equal(reload_sip_gruu_read(text(gruu), 16, &read), 0);
        assert_slice_equal(reload_slice_of(read.list, read.list_len), text(lists[i]));
        struct world w =
            WORLD({ "alice@o.example", .list = NODE("a") }, { "bob@o.example", .uri = gruu },
                  { "bob@o.example", .uri = "alice@o.example" });
        assert_int_equal(look_up(&w, gruu), RELOAD_SIP_FOUND);
        assert_int_equal(w.fetches, 0); /* which would show alice's record */
        assert_int_equal(w.result->target_count, 1);
        is_target(&w, 0, lists[i]);
        assert_int_equal(look_up(&w, "bob@o.example"), RELOAD_SIP_FOUND);
        assert_int_equal(w.result->target_count, 2);
        reload_sip_lookup_free(w.lookup);
    }
}

/* R7904-4.1-4 R7904-4.2-5 R7904-4.1-6: each overlay decides by its own configuration */
static void what_is_not_the_overlays_is_for_others_to_find(void **state)
{
    (void)state;
    struct world w = WORLD(
        { "alice@o.example", .uri = "sip:alice@elsewhere.example" },
        { "alice@o.example", .uri = "tel:+4930123" }, { "alice@o.example", .uri = "tel:+4930123" },
        { "bob@o.example", .uri = "tel:+1" }, { "bob@o.example", .list = NODE("b") });
    assert_int_equal(look_up(&w, "alice@o.example"), RELOAD_SIP_EXTERNAL);
    assert_int_equal(w.result->external_count, 2);
    assert_string_equal(w.result->externals[0], "sip:alice@elsewhere.example");
    assert_string_equal(w.result->externals[1], "tel:+4930123");
    assert_int_equal(look_up(&w, "bob@o.example"), RELOAD_SIP_FOUND);
    assert_int_equal(w.result->external_count, 1);
    assert_int_equal(look_up(&w, "alice@elsewhere.example"), RELOAD_SIP_EXTERNAL);
    assert_int_equal(w.fetches, 0);
    assert_int_equal(look_up(&w, "alice@elsewhere.example;gr=ARBhYWFhYWFhYWFhYWFhYWFh"),
                     RELOAD_SIP_EXTERNAL); /* another overlay's GRUU */
    assert_int_equal(w.fetches, 0);
    w.kind = sip_kind(NULL, 0); /* an overlay that admits every domain */
    assert_int_equal(look_up(&w, "alice@elsewhere.example"), RELOAD_SIP_NOT_FOUND);
    assert_int_equal(w.fetches, 1);
    reload_sip_lookup_free(w.lookup);
}

/* R7904-4.1-5 */
static void nobody_and_no_answer_are_told_apart(void **state)
{
    (void)state;
    struct world w = WORLD({ "alice@o.example", .uri = "bob@o.example" },
                           { "alice@o.example", .uri = "carol@o.example" },
                           { "carol@o.example", .list = NODE("c") });
    assert_int_equal(look_up(&w, "nobody@o.example"), RELOAD_SIP_NOT_FOUND);
    w.failing = "nobody@o.example";
    assert_int_equal(look_up(&w, "nobody@o.example"), RELOAD_SIP_FAILED);
    w.failing = "bob@o.example"; /* one way failed, another led to someone */
    assert_int_equal(look_up(&w, "alice@o.example"), RELOAD_SIP_FOUND);
    struct reload_node_id own = reload_node_id_from(text(OWN));
    struct reload_sip_lookup *none;
    assert_int_equal(
        reload_sip_lookup_new(text("nobody"), overlay(&w), &own, NULL, NULL, now, &none),
        RELOAD_E_INVALID);
    reload_sip_lookup_free(w.lookup);
}

/* R7904-4.2-6 R7904-8.2.1-1 */
static void loops_and_chains_end(void **state)
{
    (void)state;
    struct world w =
        WORLD({ "alice@o.example", .uri = "bob@o.example" },
              { "bob@o.example", .uri = "alice@o.example" },
              { "self@o.example", .uri = "self@o.example" },
              { "c1@o.example", .uri = "c2@o.example" }, { "c2@o.example", .uri = "c3@o.example" },
              { "c3@o.example", .uri = "c4@o.example" }, { "c4@o.example", .uri = "c5@o.example" },
              { "c5@o.example", .uri = "c6@o.example" }, { "c6@o.example", .list = NODE("c") });
    assert_int_equal(look_up(&w, "alice@o.example"), RELOAD_SIP_LOOP);
    assert_int_equal(w.fetches, 2);
    assert_int_equal(w.result->loops, 1);
    assert_int_equal(look_up(&w, "self@o.example"), RELOAD_SIP_LOOP);
    assert_int_equal(w.fetches, 1);
    assert_int_equal(look_up(&w, "c1@o.example"), RELOAD_SIP_LOOP); /* six in a row */
    assert_int_equal(w.fetches, 5);
    assert_int_equal(w.result->cut, 1);
    assert_int_equal(look_up(&w, "c2@o.example"), RELOAD_SIP_FOUND); /* five */
    w.limits.depth = 6;
    assert_int_equal(look_up(&w, "c1@o.example"), RELOAD_SIP_FOUND);
    reload_sip_lookup_free(w.lookup);
}

/* R7904-8.2.1-1 */
static void a_fork_bomb_ends_at_the_limits(void **state)
{
    (void)state;
    static char names[900][32];
    static struct held held[900];
    for (size_t i = 0; i < COUNT(held); i++) {
        snprintf(names[i], sizeof names[i], "u%zu@o.example", i % 30);
        held[i] = (struct held){ "u0@o.example", names[i], NULL, NULL, { 0 } };
    }
    for (size_t i = 0; i < 30; i++) /* each of 30 points to all 30 */
        for (size_t j = 0; j < 30; j++)
            held[30 * i + j] = (struct held){ names[i], names[j], NULL, NULL, { 0 } };
    struct world w = { .held = held, .count = COUNT(held) };
    assert_int_equal(look_up(&w, "u0@o.example"), RELOAD_SIP_LOOP);
    assert_int_equal(w.fetches, 20);
    assert_true(w.result->cut > 0);

    static char lists[60][19];
    for (size_t i = 0; i < COUNT(lists); i++) {
        memcpy(lists[i], NODE("a"), 18);
        lists[i][17] = (char)(i + 1);
        held[i] = (struct held){ .aor = "big@o.example", .list = lists[i] };
    }
    w.count = COUNT(lists);
    assert_int_equal(look_up(&w, "big@o.example"), RELOAD_SIP_FOUND);
    assert_int_equal(w.result->target_count, 10);
    assert_int_equal(w.result->cut, 50);
    w.limits = (struct reload_sip_lookup_limits){ 1000, 1000, 1000 };
    assert_int_equal(look_up(&w, "big@o.example"), RELOAD_SIP_FOUND);
    assert_int_equal(w.result->target_count, 60);
    assert_int_equal(look_up(&w, "u0@o.example"), RELOAD_SIP_NOT_FOUND);
    for (size_t i = 0; i < 20; i++)
        held[i] = (struct held){ "out@o.example", names[i], NULL, NULL, { 0 } };
    for (size_t i = 0; i < 20; i++)
        snprintf(names[i], sizeof names[i], "tel:%zu", i);
    w.count = 20;
    w.limits = (struct reload_sip_lookup_limits){ 0 };
    assert_int_equal(look_up(&w, "out@o.example"), RELOAD_SIP_EXTERNAL);
    assert_int_equal(w.result->external_count, 10);
    assert_int_equal(w.result->cut, 10);
    reload_sip_lookup_free(w.lookup);
}

/* R7904-3.2-7 R7904-3.2-8 */
static void what_cannot_be_read_is_dropped_and_counted(void **state)
{
    (void)state;
    struct world w =
        WORLD({ "alice@o.example", .raw = BYTES(2, 0, 1) },
              { "alice@o.example", .raw = BYTES(7, 0, 1, 9) },
              { "alice@o.example", .list = NODE("a") NODE("a") },
              { "alice@o.example", .uri = "nonsense" }, { "alice@o.example", .uri = "" },
              { "alice@o.example", .list = NODE("b") });
    assert_int_equal(look_up(&w, "alice@o.example"), RELOAD_SIP_FOUND);
    assert_int_equal(w.result->dropped, 5);
    assert_int_equal(w.result->target_count, 1);
    reload_sip_lookup_free(w.lookup);
}

static void contacts_are_tried_first_and_found_anew_when_they_fail(void **state)
{
    (void)state;
    struct world w =
        WORLD({ "alice@o.example", .list = NODE("a") }, { "bob@o.example", .list = NODE("b") },
              { "bob@o.example", .uri = "tel:+1" });
    w.contacts = reload_sip_contacts_new();
    assert_int_equal(look_up(&w, "alice@o.example"), RELOAD_SIP_FOUND);
    assert_int_equal(w.fetches, 1);
    assert_false(w.result->cached);
    assert_false(reload_sip_lookup_anew(w.lookup)); /* nothing newer is to be had */
    assert_int_equal(look_up(&w, "sip:alice@o.example"), RELOAD_SIP_FOUND);
    assert_int_equal(w.fetches, 0);
    assert_true(w.result->cached);
    is_target(&w, 0, NODE("a"));
    w.held = (const struct held[]){ { "alice@o.example", .list = NODE("z") } };
    w.count = 1;
    assert_true(reload_sip_lookup_anew(w.lookup));
    assert_null(reload_sip_lookup_result(w.lookup));
    answer(&w);
    assert_int_equal(w.fetches, 1);
    assert_false(w.result->cached);
    assert_int_equal(w.result->target_count, 1);
    is_target(&w, 0, NODE("z"));
    assert_int_equal(look_up(&w, "alice@o.example"), RELOAD_SIP_FOUND);
    assert_true(w.result->cached);
    is_target(&w, 0, NODE("z"));
    assert_int_equal(look_up(&w, "bob@o.example"), RELOAD_SIP_NOT_FOUND); /* not remembered */
    assert_int_equal(reload_sip_contacts_counters(w.contacts).entries, 1);
    assert_int_equal(reload_sip_contacts_counters(w.contacts).hits, 2);
    reload_sip_lookup_free(w.lookup);
    reload_sip_contacts_free(w.contacts);
}

static struct reload_sip_aor address(unsigned i)
{
    struct reload_sip_aor aor;
    char name[32];
    snprintf(name, sizeof name, "u%u@o.example", i);
    assert_int_equal(reload_sip_aor_read(text(name), &aor), 0);
    return aor;
}

static void contacts_end_with_their_lifetime_and_have_a_limit(void **state)
{
    (void)state;
    struct reload_sip_contacts *contacts = reload_sip_contacts_new();
    struct reload_sip_target target = { .list_len = 1 };
    struct reload_time later = now;
    struct reload_sip_aor first = address(0);
    size_t count;
    reload_sip_contacts_put(contacts, &first, &target, 1, 10, now);
    later.monotonic_ms += 9999;
    assert_non_null(reload_sip_contacts_find(contacts, &first, later, &count));
    later.monotonic_ms++;
    assert_null(reload_sip_contacts_find(contacts, &first, later, &count));
    for (unsigned i = 1; i <= RELOAD_SIP_CONTACTS_MAX; i++) {
        struct reload_sip_aor aor = address(i);
        reload_sip_contacts_put(contacts, &aor, &target, 1, 86400, now);
    }
    assert_int_equal(reload_sip_contacts_counters(contacts).entries, RELOAD_SIP_CONTACTS_MAX);
    assert_int_equal(reload_sip_contacts_counters(contacts).evictions, 1); /* the first */
    assert_null(reload_sip_contacts_find(contacts, &first, now, &count));
    first = address(1);
    assert_non_null(reload_sip_contacts_find(contacts, &first, now, &count));
    later.monotonic_ms = now.monotonic_ms + 1000 * RELOAD_SIP_CONTACTS_LIFETIME_S;
    assert_null(reload_sip_contacts_find(contacts, &first, later, &count));
    reload_sip_contacts_free(contacts);
    reload_sip_contacts_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_device_of_an_address_is_a_target),
        cmocka_unit_test(addresses_are_followed_and_removed_values_are_not),
        cmocka_unit_test(gruus_need_no_fetch_and_duplicates_fall_together),
        cmocka_unit_test(an_anonymous_gruu_leads_there_without_the_user_s_node_id),
        cmocka_unit_test(what_is_not_the_overlays_is_for_others_to_find),
        cmocka_unit_test(nobody_and_no_answer_are_told_apart),
        cmocka_unit_test(loops_and_chains_end),
        cmocka_unit_test(a_fork_bomb_ends_at_the_limits),
        cmocka_unit_test(what_cannot_be_read_is_dropped_and_counted),
        cmocka_unit_test(contacts_are_tried_first_and_found_anew_when_they_fail),
        cmocka_unit_test(contacts_end_with_their_lifetime_and_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
