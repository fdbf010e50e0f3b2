#include "tests/certs/parsed.h"

#include <string.h>

/* What a configuration document says: RFC 6940 s11.1. */

/* R6940-11.1-10 R6940-11.1-11 R6940-11.1-14 R6940-11.1-17 R6940-11.1-18 R6940-11.1-19 R6940-11.1-20
 * R6940-11.1-21 R6940-11.1-22 R6940-11.1-23 R6940-11.1.1-3 R6940-11.1-13 */
static void an_empty_configuration_has_every_default(void **state)
{
    (void)state;
    struct reload_config *c = must_parse_with("");
    struct reload_config d = reload_config_defaults();
    assert_int_equal(c->sequence, 22);
    assert_true(c->expiration_ms == RELOAD_NEVER);
    assert_string_equal(c->topology_plugin, d.topology_plugin);
    assert_int_equal(c->node_id_length, d.node_id_length);
    assert_int_equal(c->turn_density, d.turn_density);
    assert_true(c->clients_permitted && !c->no_ice && c->chord_reactive);
    assert_int_equal(c->max_message_size, d.max_message_size);
    assert_int_equal(c->initial_ttl, d.initial_ttl);
    assert_int_equal(c->overlay_reliability_timer_ms, d.overlay_reliability_timer_ms);
    assert_int_equal(c->chord_update_interval_s, d.chord_update_interval_s);
    assert_int_equal(c->chord_ping_interval_s, d.chord_ping_interval_s);
    assert_string_equal(c->overlay_link_protocols[0], "TLS");
    assert_null(c->shared_secret);
    /* the RFC's own Kinds are there, with limits */
    assert_int_equal(c->kind_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(c->kinds[i].max_count > 0 && c->kinds[i].max_size > 0 && !c->kinds[i].block.n);
    assert_non_null(reload_config_kind(c, 0x2));
    reload_cert_document_free(c);
    /* without sequence and without self-signed-permitted there is still a document */
    assert_int_equal(parse_text(HEAD "<configuration instance-name=\"x\">" SELF CLOSE TAIL, &c), 0);
    assert_int_equal(c->sequence, 0);
    reload_cert_document_free(c);
}

/* R6940-11.1-21, R6940-6.6.2-1: the grammar's largest number is more than a frame can hold. */
static void no_message_is_larger_than_a_frame_holds(void **state)
{
    (void)state;
    static const struct {
        const char *element;
        uint32_t bytes;
    } cases[] = { { "<max-message-size>16777214</max-message-size>", 0xfffffe },
                  { "<max-message-size>16777216</max-message-size>", 0xffffff },
                  { "<max-message-size>4294967295</max-message-size>", 0xffffff } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reload_config *c = must_parse_with(cases[i].element);
        assert_int_equal(c->max_message_size, cases[i].bytes);
        reload_cert_document_free(c);
    }
}

/* R6940-11.1-3 R6940-11.1-4 R6940-11.1-8 R6940-11.1-12 R6940-11.1-16 R6940-11.1-24 R6940-11.1-15
 * R6940-11.1-9 R6940-11.1-10 R6940-14.2-1 */
static void every_element_is_read_with_white_space_around_its_value(void **state)
{
    (void)state;
    struct reload_config *c;
    assert_int_equal(
        parse_text(HEAD
                   "<!-- > --><configuration instance-name=\"" OVERLAY "\" sequence=\"65534\""
                   " expiration=\"2030-01-02T03:04:05Z\" ext:x=\"y\">"
                   "<topology-plugin> X-RING </topology-plugin>"
                   "<node-id-length> 16 </node-id-length>"
                   "<enrollment-server> https://a.example/x </enrollment-server>"
                   "<enrollment-server><url>https://b.example/</url></enrollment-server>"
                   "<self-signed-permitted digest=\"sha256\"> 1 </self-signed-permitted>"
                   "<bootstrap-node address=\"192.0.2.1\"/>"
                   "<bootstrap-node address=\"2001:DB8::1\" port=\"7000\" ext:q=\"1\"/>"
                   "<turn-density> 20 </turn-density>"
                   "<clients-permitted>\n false\t</clients-permitted><no-ice> true </no-ice>"
                   "<chord:chord-update-interval> 400 </chord:chord-update-interval>"
                   "<chord:chord-ping-interval>30</chord:chord-ping-interval>"
                   "<chord:chord-reactive> 0 </chord:chord-reactive>"
                   "<shared-secret> p&amp;w </shared-secret>"
                   "<max-message-size>4000</max-message-size><initial-ttl> 30 </initial-ttl>"
                   "<overlay-reliability-timer> 200 </overlay-reliability-timer>"
                   "<overlay-link-protocol>TLS</overlay-link-protocol>"
                   "<overlay-link-protocol>HIP</overlay-link-protocol>"
                   "<configuration-signer>000102030405060708090a0b0c0d0e0f</configuration-signer>"
                   "<kind-signer> 000102030405060708090A0B0C0D0E0F </kind-signer>"
                   "<bad-node>ffffffff000000000000000000000001</bad-node>"
                   "<ext:thing><ext:more a=\"1\">x</ext:more></ext:thing>" CLOSE TAIL,
                   &c),
        0);
    assert_int_equal(c->sequence, 65534);
    assert_true(c->expiration_ms == 1893553445000ull);
    assert_string_equal(c->topology_plugin, "X-RING");
    assert_int_equal(c->enrollment_server_count, 2);
    assert_string_equal(c->enrollment_servers[0], "https://a.example/x");
    assert_string_equal(c->enrollment_servers[1], "https://b.example/");
    assert_true(c->self_signed_permitted);
    assert_int_equal(c->self_signed_digest, RELOAD_HASH_SHA256);
    assert_int_equal(c->bootstrap_node_count, 2);
    assert_int_equal(c->bootstrap_nodes[0].port, 6084);
    assert_int_equal(c->bootstrap_nodes[1].port, 7000);
    assert_string_equal(c->bootstrap_nodes[1].address, "2001:DB8::1");
    assert_int_equal(c->turn_density, 20);
    assert_true(!c->clients_permitted && c->no_ice && !c->chord_reactive);
    assert_int_equal(c->chord_update_interval_s, 400);
    assert_int_equal(c->chord_ping_interval_s, 30);
    assert_string_equal(c->shared_secret, "p&w");
    assert_int_equal(c->max_message_size, 4000);
    assert_int_equal(c->initial_ttl, 30);
    assert_int_equal(c->overlay_reliability_timer_ms, 200);
    assert_int_equal(c->overlay_link_protocol_count, 2); /* no default besides */
    assert_string_equal(c->overlay_link_protocols[1], "HIP");
    assert_int_equal(c->configuration_signers[0].bytes[15], 15);
    assert_true(reload_node_id_equal(&c->configuration_signers[0], &c->kind_signers[0]));
    assert_int_equal(c->bad_nodes[0].bytes[0], 255);
    reload_cert_document_free(c);
}

/* R6940-6.3.2-3 */
static void the_overlay_field_is_the_tail_of_the_names_sha1(void **state)
{
    (void)state;
    struct reload_config *c;
    assert_int_equal(
        parse_text(HEAD "<configuration instance-name=\"example.com\">" SELF CLOSE TAIL, &c), 0);
    assert_int_equal(c->overlay, 0x65b0781f);
    reload_cert_document_free(c);
}

/* R6940-11.1.1-3: where grammar and prose disagree both are read. */
static void the_proses_spelling_of_topology_plugin_is_read_too(void **state)
{
    (void)state;
    struct reload_config *c = must_parse_with("<topology-plug-in>X</topology-plug-in>"
                                              "<node-id-length>20</node-id-length>");
    assert_string_equal(c->topology_plugin, "X");
    assert_int_equal(c->node_id_length, 20);
    reload_cert_document_free(c);
}

/* R6940-11.1-5 */
static void the_configuration_of_the_right_name_is_picked_among_several(void **state)
{
    (void)state;
    static const char document[] =
        HEAD "<configuration instance-name=\"a\" sequence=\"1\">" SELF CLOSE
             "<signature>AAAA</signature><ext:x/>"
             "<configuration instance-name=\"b\" sequence=\"2\">" SELF CLOSE TAIL;
    struct reload_config *c;
    for (uint16_t i = 1; i <= 2; i++) {
        assert_int_equal(parse_document(text(document), i == 1 ? "a" : "b", &c), 0);
        assert_int_equal(c->sequence, i);
        reload_cert_document_free(c);
    }
    assert_int_equal(parse_document(text(document), NULL, &c), 0);
    assert_string_equal(c->instance_name, "a");
    reload_cert_document_free(c);
    assert_int_equal(parse_document(text(document), "c", &c), RELOAD_E_DECODE);
    assert_non_null(strstr(why.text, "overlay c"));
}

/* R6940-11.1-27 R6940-11.1-28 R6940-11.1-29 R6940-11.1-30 R6940-11.1-31 R6940-11.1.1-2
 * R6940-11.1.1-1 R6940-7.4.5-1 R6940-14.6-1 */
static void kinds_are_read_and_registered_ones_keep_their_registered_rules(void **state)
{
    (void)state;
    struct reload_config *c = must_parse_with(
        KIND("id=\"4026531841\"", "ARRAY", "USER-NODE-MATCH", LIMITS "<ext:x> 1 </ext:x>"));
    const struct reload_kind_config *kind = reload_config_kind(c, 0xF0000001);
    assert_int_equal(kind->data_model, RELOAD_MODEL_ARRAY);
    assert_string_equal(kind->access_control, "USER-NODE-MATCH");
    assert_int_equal(kind->max_count, 3);
    assert_int_equal(kind->max_size, 40);
    assert_int_equal(kind->max_node_multiple, 0);
    assert_memory_equal(kind->block.p, "<kind-block><kind id", 20);
    assert_memory_equal(kind->block.p + kind->block.n - 13, "</kind-block>", 13);
    reload_cert_document_free(c);

    /* the document is wrong about a registered Kind: the registry counts. R7904-7-1 */
    c = must_parse_with(KIND("name=\"SIP-REGISTRATION\"", "SINGLE", "USER-MATCH", LIMITS));
    kind = reload_config_kind(c, 1);
    assert_int_equal(kind->data_model, RELOAD_MODEL_DICTIONARY);
    assert_string_equal(kind->access_control, "USER-NODE-MATCH");
    assert_int_equal(kind->max_size, 40); /* the limits are the overlay's */
    reload_cert_document_free(c);
    c = must_parse_with(KIND("id=\"3\"", "SINGLE", "USER-MATCH", LIMITS));
    kind = reload_config_kind(c, 3);
    assert_int_equal(kind->data_model, RELOAD_MODEL_ARRAY);
    assert_int_equal(c->kind_count, 3); /* not listed a second time */
    reload_cert_document_free(c);

    must_refuse_with(KIND("name=\"NO-SUCH-KIND\"", "SINGLE", "USER-MATCH", LIMITS),
                     RELOAD_E_UNSUPPORTED, "NO-SUCH-KIND");
    must_refuse_with(KIND("id=\"4026531841\"", "SINGLE", "ACL", LIMITS), RELOAD_E_UNSUPPORTED,
                     "ACL");
    must_refuse_with(KIND("id=\"4026531841\"", "TREE", "USER-MATCH", LIMITS), RELOAD_E_UNSUPPORTED,
                     "TREE");
    /* R6940-14.3-1: there is no switch for experiments, so they are refused always */
    must_refuse_with(KIND("id=\"4026531841\"", "SINGLE", "EXP-MATCH", LIMITS), RELOAD_E_UNSUPPORTED,
                     "EXP-MATCH");
    must_refuse_with(KIND("id=\"4026531841\"", "EXP-DATA", "USER-MATCH", LIMITS),
                     RELOAD_E_UNSUPPORTED, "EXP-DATA");
    static const char *const bad[] = {
        KIND("", "SINGLE", "USER-MATCH", LIMITS),
        KIND("id=\"0\"", "SINGLE", "USER-MATCH", LIMITS),
        KIND("id=\"2147483647\"", "SINGLE", "USER-MATCH", LIMITS),
        KIND("id=\"4294967294\"", "SINGLE", "USER-MATCH", LIMITS),
        KIND("id=\"4294967296\"", "SINGLE", "USER-MATCH", LIMITS),
        KIND("id=\"4026531841\" name=\"TURN-SERVICE\"", "SINGLE", "USER-MATCH", LIMITS),
        KIND("id=\"4026531841\"", "SINGLE", "USER-MATCH", "<max-count>3</max-count>"),
        KIND("id=\"4026531841\"", "SINGLE", "USER-MATCH", "<max-size>3</max-size>"),
        KIND("id=\"4026531841\"", "SINGLE", "USER-MATCH",
             "<max-size>3</max-size><max-count>0</max-count>"),
        KIND("id=\"4026531841\"", "SINGLE", "NODE-MULTIPLE", LIMITS),
        KIND("id=\"4026531841\"", "SINGLE", "NODE-MULTIPLE",
             LIMITS "<max-node-multiple>0</max-node-multiple>"),
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        must_refuse_with(bad[i], RELOAD_E_INVALID, "");
}

/* R6940-11.1-2 */
static void a_written_document_reads_back_as_it_was(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct reload_node_id ids[] = { node_id(1), node_id(2) };
    const char *const urls[] = { "https://a.example/?x=1&y=\"2\"<3>" };
    const struct reload_bootstrap_node nodes[] = { { "::1", 1 } };
    struct reload_kind_config kind = { .id = 0xF0000009,
                                       .data_model = RELOAD_MODEL_SINGLE,
                                       .access_control = "NODE-MULTIPLE",
                                       .max_count = 1,
                                       .max_size = 9,
                                       .max_node_multiple = 4 };
    f.config.sequence = 77;
    f.config.expiration_ms = NOW_MS;
    f.config.enrollment_servers = urls;
    f.config.enrollment_server_count = 1;
    f.config.bootstrap_nodes = nodes;
    f.config.bootstrap_node_count = 1;
    f.config.configuration_signers = ids;
    f.config.configuration_signer_count = 2;
    f.config.bad_nodes = ids;
    f.config.bad_node_count = 1;
    f.config.kinds = &kind;
    f.config.kind_count = 1;
    f.config.shared_secret = "<&>'\"";
    f.config.no_ice = true;
    f.config.initial_ttl = 7;
    struct reload_cert_bytes xml;
    struct reload_config *c;
    assert_int_equal(reload_cert_document_write(&f.config, &xml), 0);
    static const char declaration[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    assert_memory_equal(xml.p, declaration, sizeof declaration - 1);
    if (parse_document(reload_cert_bytes_slice(&xml), OVERLAY, &c))
        fail_msg("%s", why.text);
    assert_int_equal(c->sequence, 77);
    assert_true(c->expiration_ms == NOW_MS);
    assert_string_equal(c->enrollment_servers[0], urls[0]);
    assert_string_equal(c->shared_secret, f.config.shared_secret);
    assert_true(reload_slice_equal(c->root_certs[0], f.root));
    assert_int_equal(c->configuration_signer_count, 2);
    assert_int_equal(c->bad_node_count, 1);
    assert_int_equal(c->initial_ttl, 7);
    assert_true(c->no_ice);
    assert_int_equal(reload_config_kind(c, 0xF0000009)->max_node_multiple, 4);
    reload_cert_document_free(c);
    reload_cert_bytes_fini(&xml);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_configuration_has_every_default),
        cmocka_unit_test(no_message_is_larger_than_a_frame_holds),
        cmocka_unit_test(every_element_is_read_with_white_space_around_its_value),
        cmocka_unit_test(the_overlay_field_is_the_tail_of_the_names_sha1),
        cmocka_unit_test(the_proses_spelling_of_topology_plugin_is_read_too),
        cmocka_unit_test(the_configuration_of_the_right_name_is_picked_among_several),
        cmocka_unit_test(kinds_are_read_and_registered_ones_keep_their_registered_rules),
        cmocka_unit_test(a_written_document_reads_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
