#include "reload/store/access.h"
#include "tests/reload/store/fixture.h"

/* Access control policies, RFC 6940 s7.3. */

static int ask(struct fixture *f, uint32_t kind, struct reload_slice resource,
               struct reload_slice key, const struct writer *by)
{
    const struct reload_kind_config *config = reload_config_kind(&f->config.config, kind);
    struct reload_signer signer;
    struct reload_slice identity = by->own->signer_identity;
    assert_int_equal(0, f->peer.crypto->ops->identify(
                            f->peer.crypto->context, by->own->certificates, identity.p[0],
                            reload_slice_of(identity.p + 3, identity.n - 3), f->now, &signer));
    const struct reload_access_question q = {
        .kind = config, .resource = resource, .key = key, .exists = true, .signer = &signer
    };
    return reload_access_find(config->access_control)
        ->allows(&q, f->peer.crypto, reload_standin_resource_id);
}

static const struct reload_slice none = { NULL, 0 };

/* R6940-7.3.1-1 */
static void user_match_wants_the_hash_of_the_user_name(void **state)
{
    struct fixture *f = *state;
    uint32_t kind = RELOAD_STANDIN_SINGLE_USER;
    assert_int_equal(0, ask(f, kind, user_place(&f->alice)->slice, none, &f->alice));
    assert_int_equal(RELOAD_E_FORBIDDEN, ask(f, kind, user_place(&f->alice)->slice, none, &f->bob));
    assert_int_equal(RELOAD_E_FORBIDDEN,
                     ask(f, kind, node_place(&f->alice)->slice, none, &f->alice));
    struct reload_slice shorter = user_place(&f->alice)->slice;
    shorter.n--;
    assert_int_equal(RELOAD_E_FORBIDDEN, ask(f, kind, shorter, none, &f->alice));
    /* A certificate without a user name owns nothing, not even the hash of nothing. */
    assert_int_equal(RELOAD_E_FORBIDDEN, ask(f, kind, user_place(&f->peer)->slice, none, &f->peer));
}

/* R6940-7.3.2-1 */
static void node_match_wants_the_hash_of_the_node_id_that_signed(void **state)
{
    struct fixture *f = *state;
    uint32_t kind = RELOAD_STANDIN_SINGLE_NODE;
    assert_int_equal(0, ask(f, kind, node_place(&f->alice)->slice, none, &f->alice));
    assert_int_equal(RELOAD_E_FORBIDDEN, ask(f, kind, node_place(&f->alice)->slice, none, &f->bob));
    /* The Node-ID itself is not its hash. */
    assert_int_equal(RELOAD_E_FORBIDDEN,
                     ask(f, kind, reload_node_id_slice(&f->alice.own->node_id), none, &f->alice));
}

/* R6940-7.3.2-1 R6940-7.3.4-2: another Node-ID of the same certificate does not count. */
static void with_several_node_ids_the_one_in_the_signer_identity_counts(void **state)
{
    struct fixture *f = *state;
    struct reload_node_id first = reload_standin_node_id(70);
    struct reload_standin_certificate c =
        reload_standin_certificate(&f->config.config, &first, "carol@overlay.example");
    c.node_ids[1] = reload_standin_node_id(71);
    c.node_id_count = 2;
    struct writer as_first = { .standin = reload_standin_new(&f->config.config, &c, 0) };
    struct writer as_second = { .standin = reload_standin_new(&f->config.config, &c, 1) };
    as_first.crypto = reload_standin_crypto(as_first.standin);
    as_first.own = as_first.crypto->own;
    as_second.crypto = reload_standin_crypto(as_second.standin);
    as_second.own = as_second.crypto->own;
    static const uint32_t kinds[] = { RELOAD_STANDIN_SINGLE_NODE, RELOAD_STANDIN_SINGLE_MULTIPLE };
    for (size_t i = 0; i < 2; i++) {
        struct id *place = i ? multiple_place(&as_second, 1) : node_place(&as_second);
        assert_int_equal(0, ask(f, kinds[i], place->slice, none, &as_second));
        assert_int_equal(RELOAD_E_FORBIDDEN, ask(f, kinds[i], place->slice, none, &as_first));
    }
    reload_standin_free(as_first.standin);
    reload_standin_free(as_second.standin);
}

/* R6940-7.3.3-1 R6940-7.3.3-2 R6940-7.3.3-3 */
static void user_node_match_wants_the_user_and_the_node_id_as_key_of_a_dictionary(void **state)
{
    struct fixture *f = *state;
    uint32_t kind = RELOAD_STANDIN_DICTIONARY_USER_NODE;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_slice own = reload_node_id_slice(&f->alice.own->node_id);
    struct reload_slice other = reload_node_id_slice(&f->bob.own->node_id);
    assert_int_equal(0, ask(f, kind, place, own, &f->alice));
    assert_int_equal(RELOAD_E_FORBIDDEN, ask(f, kind, place, other, &f->alice));
    assert_int_equal(RELOAD_E_FORBIDDEN, ask(f, kind, place, none, &f->alice));
    assert_int_equal(RELOAD_E_FORBIDDEN, ask(f, kind, place, other, &f->bob));
    assert_int_equal(RELOAD_E_FORBIDDEN,
                     ask(f, kind, node_place(&f->alice)->slice, own, &f->alice));
    for (size_t i = 0; i < RELOAD_STANDIN_KIND_COUNT; i++)
        if (f->config.kinds[i].id == kind)
            f->config.kinds[i].data_model = RELOAD_MODEL_ARRAY;
    assert_int_equal(RELOAD_E_FORBIDDEN, ask(f, kind, place, own, &f->alice));
}

/* R6940-7.3.4-1 R6940-7.3.4-3 */
static void node_multiple_tries_every_i_up_to_the_kinds_maximum(void **state)
{
    struct fixture *f = *state;
    uint32_t kind = RELOAD_STANDIN_SINGLE_MULTIPLE;
    for (uint8_t i = 0; i <= RELOAD_STANDIN_MAX_MULTIPLE; i++)
        assert_int_equal(0, ask(f, kind, multiple_place(&f->alice, i)->slice, none, &f->alice));
    assert_int_equal(RELOAD_E_FORBIDDEN,
                     ask(f, kind, multiple_place(&f->alice, RELOAD_STANDIN_MAX_MULTIPLE + 1)->slice,
                         none, &f->alice));
    assert_int_equal(RELOAD_E_FORBIDDEN,
                     ask(f, kind, multiple_place(&f->alice, 1)->slice, none, &f->bob));
    assert_int_equal(RELOAD_E_FORBIDDEN,
                     ask(f, kind, node_place(&f->alice)->slice, none, &f->alice));
    /* i is one byte: a larger maximum does not loop for ever. */
    for (size_t i = 0; i < RELOAD_STANDIN_KIND_COUNT; i++)
        if (f->config.kinds[i].id == kind)
            f->config.kinds[i].max_node_multiple = UINT32_MAX;
    assert_int_equal(0, ask(f, kind, multiple_place(&f->alice, 255)->slice, none, &f->alice));
    assert_int_equal(RELOAD_E_FORBIDDEN,
                     ask(f, kind, node_place(&f->alice)->slice, none, &f->alice));
}

/* R6940-7.3-1 */
static void an_unknown_policy_has_no_operations_and_lets_nobody_write(void **state)
{
    struct fixture *f = *state;
    assert_null(reload_access_find("USER"));
    assert_null(reload_access_find(""));
    assert_null(reload_access_find("user-match"));
    struct reload_slice place = user_place(&f->alice)->slice;
    for (size_t i = 0; i < RELOAD_STANDIN_KIND_COUNT; i++)
        f->config.kinds[i].access_control[0] = 'X';
    assert_int_equal(RELOAD_ERROR_FORBIDDEN,
                     store_one(f, &f->alice, place, item(f, RELOAD_STANDIN_SINGLE_USER, "x")));
}

/* All sensible cells of model and policy: the owner may, another may not. */
static void each_cell_of_model_and_policy_takes_its_owners_value(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < RELOAD_STANDIN_KIND_COUNT; i++) {
        const struct reload_kind_config *kind = &f->config.kinds[i];
        bool by_user = strncmp(kind->access_control, "USER", 4) == 0;
        bool multiple = strcmp(kind->access_control, "NODE-MULTIPLE") == 0;
        struct reload_slice place = by_user    ? user_place(&f->alice)->slice
                                    : multiple ? multiple_place(&f->alice, 3)->slice
                                               : node_place(&f->alice)->slice;
        struct reload_store_item it = item(f, kind->id, "value");
        it.key = reload_node_id_slice(&f->alice.own->node_id);
        assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_one(f, &f->bob, place, it));
        assert_int_equal(0, store_one(f, &f->alice, place, it));
        struct got got = fetch(f, place, kind->id);
        assert_int_equal(1, got.count);
        assert_true(value_is(&got.values[0], "value"));
    }
    assert_int_equal(RELOAD_STANDIN_KIND_COUNT, reload_store_value_count(f->store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(user_match_wants_the_hash_of_the_user_name),
        WITH_FIXTURE(node_match_wants_the_hash_of_the_node_id_that_signed),
        WITH_FIXTURE(with_several_node_ids_the_one_in_the_signer_identity_counts),
        WITH_FIXTURE(user_node_match_wants_the_user_and_the_node_id_as_key_of_a_dictionary),
        WITH_FIXTURE(node_multiple_tries_every_i_up_to_the_kinds_maximum),
        WITH_FIXTURE(an_unknown_policy_has_no_operations_and_lets_nobody_write),
        WITH_FIXTURE(each_cell_of_model_and_policy_takes_its_owners_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
