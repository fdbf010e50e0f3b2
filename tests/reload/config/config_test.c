#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <string.h>

#include "reload/config/config.h"
#include "reload/config/registry.h"

/* R6940-6.3.2.1-2 */
static void sequences_compare_modulo_65535_and_the_header_only_value_never_takes_part(void **state)
{
    (void)state;
    static const struct {
        uint16_t a, b;
        int order;
    } cases[] = {
        { 0, 0, 0 },        { 65534, 65534, 0 }, { 1, 0, 1 },        { 0, 1, -1 },
        { 0, 65534, 1 },    { 65534, 0, -1 },    { 32767, 0, 1 },    { 32768, 0, -1 },
        { 5, 65530, 1 },    { 65530, 5, -1 },    { 40000, 7233, 1 }, { 40000, 7232, -1 },
        { 7232, 40000, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int order = reload_config_sequence_compare(cases[i].a, cases[i].b);
        assert_int_equal((order > 0) - (order < 0), cases[i].order);
    }
    for (uint32_t a = 0; a < RELOAD_SEQUENCE_ANY; a += 7)
        for (uint32_t b = 1; b < RELOAD_SEQUENCE_ANY; b += 4099) {
            int order = reload_config_sequence_compare((uint16_t)a, (uint16_t)b);
            assert_int_equal(order, -reload_config_sequence_compare((uint16_t)b, (uint16_t)a));
            assert_true(a == b ? order == 0 : order != 0);
        }
}

/* R6940-11.1-10 R6940-11.1-11 R6940-11.1-17 R6940-11.1-18 R6940-11.1-19 R6940-11.1-20
 * R6940-11.1-21 R6940-11.1-22 R6940-11.1-23 */
static void a_configuration_starts_with_the_defaults_of_the_rfc(void **state)
{
    (void)state;
    struct reload_config c = reload_config_defaults();
    assert_string_equal(c.topology_plugin, "CHORD-RELOAD");
    assert_int_equal(c.node_id_length, 16);
    assert_int_equal(c.turn_density, 1);
    assert_true(c.clients_permitted);
    assert_false(c.no_ice);
    assert_true(c.chord_reactive);
    assert_int_equal(c.max_message_size, 5000);
    assert_int_equal(c.initial_ttl, 100);
    assert_int_equal(c.overlay_reliability_timer_ms, 3000);
    assert_int_equal(c.chord_ping_interval_s, 3600);
    assert_int_equal(c.overlay_link_protocol_count, 1);
    assert_string_equal(c.overlay_link_protocols[0], "TLS");
    assert_false(c.self_signed_permitted);
    assert_true(c.expiration_ms == RELOAD_NEVER);
}

static void kinds_signers_and_bad_nodes_are_found_and_others_are_not(void **state)
{
    (void)state;
    const struct reload_kind_config kinds[] = { { .id = 2 }, { .id = 0xF0000001 } };
    uint8_t bytes[16] = { 1 };
    struct reload_node_id a = reload_node_id_from(reload_slice_of(bytes, 16)), b;
    bytes[15] = 1;
    b = reload_node_id_from(reload_slice_of(bytes, 16));
    struct reload_config c = {
        .kinds = kinds, .kind_count = 2, .bad_nodes = &a, .bad_node_count = 1
    };
    assert_ptr_equal(reload_config_kind(&c, 0xF0000001), &kinds[1]);
    assert_null(reload_config_kind(&c, 3));
    assert_true(reload_config_is_bad_node(&c, &a));
    assert_false(reload_config_is_bad_node(&c, &b));
    assert_false(reload_config_is_signer(NULL, 0, &a));
    assert_true(reload_config_is_signer(&b, 1, &b));
}

/* R6940-14.6-1 */
static void registered_kinds_have_their_registered_model_and_policy(void **state)
{
    (void)state;
    static const struct {
        const char *name, *access;
        uint32_t id;
        enum reload_data_model model;
        bool base;
    } cases[] = {
        { "SIP-REGISTRATION", "USER-NODE-MATCH", 0x1, RELOAD_MODEL_DICTIONARY, false },
        { "TURN-SERVICE", "NODE-MULTIPLE", 0x2, RELOAD_MODEL_SINGLE, true },
        { "CERTIFICATE_BY_NODE", "NODE-MATCH", 0x3, RELOAD_MODEL_ARRAY, true },
        { "CERTIFICATE_BY_USER", "USER-MATCH", 0x10, RELOAD_MODEL_ARRAY, true },
    };
    size_t count;
    reload_config_registered_kinds(&count);
    assert_int_equal(count, sizeof cases / sizeof *cases);
    for (size_t i = 0; i < count; i++) {
        const struct reload_kind_config *kind = reload_config_registered_kind_named(cases[i].name);
        assert_non_null(kind);
        assert_int_equal(kind->id, cases[i].id);
        assert_ptr_equal(reload_config_registered_kind(cases[i].id), kind);
        assert_string_equal(kind->access_control, cases[i].access);
        assert_int_equal(kind->data_model, cases[i].model);
        assert_int_equal(reload_config_kind_is_base(kind->id), cases[i].base);
        assert_true(kind->max_count > 0 && kind->max_size > 0);
    }
    assert_null(reload_config_registered_kind_named("turn-service"));
    assert_null(reload_config_registered_kind(0));
    assert_null(reload_config_registered_kind(0x7fffffff));
    assert_null(reload_config_registered_kind(0xfffffffe));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_compare_modulo_65535_and_the_header_only_value_never_takes_part),
        cmocka_unit_test(a_configuration_starts_with_the_defaults_of_the_rfc),
        cmocka_unit_test(kinds_signers_and_bad_nodes_are_found_and_others_are_not),
        cmocka_unit_test(registered_kinds_have_their_registered_model_and_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
