#include "tests/certs/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/text.h"

#define BASE "urn:ietf:params:xml:ns:p2p:config-base"
#define HEAD                                                                                       \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<overlay xmlns=\"" BASE "\"\n  xmlns:chord=\""    \
    "urn:ietf:params:xml:ns:p2p:config-chord\" xmlns:ext=\"urn:example:ext\" ext:a=\"b\">"
#define TAIL  "</overlay>\n"
#define OPEN  "<configuration instance-name=\"" OVERLAY "\" sequence=\"22\">"
#define SELF  "<self-signed-permitted digest=\"sha1\">true</self-signed-permitted>"
#define CLOSE "</configuration>"

static struct reload_cert_reason why;

static int parse_slice(struct reload_slice document, const char *name, struct reload_config **out)
{
    why.text[0] = '\0';
    return reload_cert_document_parse(document, name, NULL, out, &why);
}

static int parse(const char *document, struct reload_config **out)
{
    return parse_slice(text(document), NULL, out);
}

/* A document with these elements in its configuration. */
static int parse_with(const char *elements, struct reload_config **out)
{
    char document[8192];
    snprintf(document, sizeof document, HEAD OPEN SELF "%s" CLOSE TAIL, elements);
    return parse(document, out);
}

static struct reload_config *must_parse_with(const char *elements)
{
    struct reload_config *c;
    if (parse_with(elements, &c))
        fail_msg("%s: %s", elements, why.text);
    return c;
}

static void must_refuse_with(const char *elements, int error, const char *word)
{
    struct reload_config *c;
    int got = parse_with(elements, &c);
    if (got != error || !strstr(why.text, word))
        fail_msg("%s: %d \"%s\", wanted %d \"%s\"", elements, got, why.text, error, word);
    assert_null(c);
}

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
    assert_int_equal(parse(HEAD "<configuration instance-name=\"x\">" SELF CLOSE TAIL, &c), 0);
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
        parse(HEAD "<!-- > --><configuration instance-name=\"" OVERLAY "\" sequence=\"65534\""
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
        parse(HEAD "<configuration instance-name=\"example.com\">" SELF CLOSE TAIL, &c), 0);
    assert_int_equal(c->overlay, 0x65b0781f);
    reload_cert_document_free(c);
}

/* R6940-11.1-22 R6940-11.1-11 R6940-11.1-12 R6940-11.1-4 R6940-11.1-10 R6940-11.1-24 R6940-11.1-16
 * R6940-11.1-9 R6940-14.16-2 */
static void values_out_of_range_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *elements, *word;
    } bad[] = {
        { "<node-id-length>15</node-id-length>", "node-id-length" },
        { "<node-id-length>21</node-id-length>", "node-id-length" },
        { "<node-id-length>20</node-id-length>", "CHORD-RELOAD" },
        { "<turn-density>256</turn-density>", "turn-density" },
        { "<turn-density>-1</turn-density>", "turn-density" },
        { "<initial-ttl>0</initial-ttl>", "initial-ttl" },
        { "<initial-ttl>256</initial-ttl>", "initial-ttl" },
        { "<max-message-size>0</max-message-size>", "max-message-size" },
        { "<max-message-size>4294967296</max-message-size>", "max-message-size" },
        { "<overlay-reliability-timer>199</overlay-reliability-timer>",
          "overlay-reliability-timer" },
        { "<no-ice>TRUE</no-ice>", "no-ice" },
        { "<no-ice>yes</no-ice>", "no-ice" },
        { "<no-ice>true</no-ice><no-ice>true</no-ice>", "no-ice" },
        { "<chord:chord-update-interval>0</chord:chord-update-interval>", "chord-update-interval" },
        { "<chord:chord-ping-interval>x</chord:chord-ping-interval>", "chord-ping-interval" },
        { "<enrollment-server>http://a.example/</enrollment-server>", "https" },
        { "<bootstrap-node address=\"host.example\"/>", "IP address" },
        { "<bootstrap-node address=\"192.0.2.1\" port=\"0\"/>", "bootstrap-node" },
        { "<bootstrap-node address=\"192.0.2.1\" port=\"65536\"/>", "bootstrap-node" },
        { "<bootstrap-node/>", "bootstrap-node" },
        { "<bad-node>6ebc45d31a900c06</bad-node>", "bad-node" }, /* 8 bytes */
        { "<bad-node>000102030405060708090a0b0c0d0e0g</bad-node>", "bad-node" },
        { "<kind-signer></kind-signer>", "kind-signer" },
        { "<root-cert>YmFkIGNlcnQK</root-cert>", "root-cert 1" },
        { "<root-cert>?</root-cert>", "root-cert" },
        { "<typo-of-an-element/>", "typo-of-an-element" },
        { "<required-kinds><kind-block/></required-kinds>", "kind" },
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        must_refuse_with(bad[i].elements, RELOAD_E_INVALID, bad[i].word);

    static const char *const heads[] = {
        "sequence=\"65535\"",      "sequence=\"-1\"",
        "sequence=\"x\"",          "expiration=\"2030-01-02T03:04:05+02:00\"",
        "expiration=\"tomorrow\"", "expiration=\"2030-13-02T03:04:05Z\"",
    };
    for (size_t i = 0; i < COUNT(heads); i++) {
        char document[2048];
        struct reload_config *c;
        snprintf(document, sizeof document,
                 HEAD "<configuration instance-name=\"x\" %s>" SELF CLOSE TAIL, heads[i]);
        assert_int_equal(parse(document, &c), RELOAD_E_INVALID);
    }
    struct reload_config *c;
    assert_int_equal(parse(HEAD OPEN CLOSE TAIL, &c), RELOAD_E_INVALID); /* nobody could join */
    assert_non_null(strstr(why.text, "root-cert"));
    assert_int_equal(parse(HEAD OPEN "<self-signed-permitted digest=\"md5\">true"
                                     "</self-signed-permitted>" CLOSE TAIL,
                           &c),
                     RELOAD_E_UNSUPPORTED);
}

/* R6940-6.3.2-5 */
static void an_overlay_s_name_has_the_characters_of_a_domain_name(void **state)
{
    (void)state;
    static const char *const good[] = { "x", "Example.ORG", "a-1.b2", "9.test", "a.b." };
    static const char *const bad[] = {
        "a b", "a_b", "a/b", "a@b", "a:1", "a&amp;b", "\xc3\xa4.de"
    };
    char document[2048];
    struct reload_config *c;
    for (size_t i = 0; i < COUNT(good); i++) {
        snprintf(document, sizeof document,
                 HEAD "<configuration instance-name=\"%s\">" SELF CLOSE TAIL, good[i]);
        assert_int_equal(parse(document, &c), 0);
        assert_string_equal(c->instance_name, good[i]);
        reload_cert_document_free(c);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(document, sizeof document,
                 HEAD "<configuration instance-name=\"%s\">" SELF CLOSE TAIL, bad[i]);
        if (parse(document, &c) != RELOAD_E_INVALID || !strstr(why.text, "instance-name"))
            fail_msg("\"%s\": %s", bad[i], why.text);
    }
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
        assert_int_equal(parse_slice(text(document), i == 1 ? "a" : "b", &c), 0);
        assert_int_equal(c->sequence, i);
        reload_cert_document_free(c);
    }
    assert_int_equal(parse_slice(text(document), NULL, &c), 0);
    assert_string_equal(c->instance_name, "a");
    reload_cert_document_free(c);
    assert_int_equal(parse_slice(text(document), "c", &c), RELOAD_E_DECODE);
    assert_non_null(strstr(why.text, "overlay c"));
}

/* R6940-11.1-26 */
static void an_unknown_mandatory_extension_keeps_a_node_out(void **state)
{
    (void)state;
    static const char *const known[] = { "urn:example:ext" };
    const struct reload_cert_document_policy policy = { .extensions = known, .extension_count = 1 };
    struct reload_config *c;
    must_refuse_with("<mandatory-extension> urn:example:ext </mandatory-extension>",
                     RELOAD_E_UNSUPPORTED, "urn:example:ext");
    static const char good[] =
        HEAD OPEN SELF "<mandatory-extension>urn:example:ext</mandatory-extension>" CLOSE TAIL;
    static const char other_case[] =
        HEAD OPEN SELF "<mandatory-extension>urn:example:EXT</mandatory-extension>" CLOSE TAIL;
    assert_int_equal(reload_cert_document_parse(text(good), NULL, &policy, &c, &why), 0);
    assert_string_equal(c->mandatory_extensions[0], "urn:example:ext");
    reload_cert_document_free(c);
    assert_int_equal(reload_cert_document_parse(text(other_case), NULL, &policy, &c, &why),
                     RELOAD_E_UNSUPPORTED);
}

#define KIND(attribute, model, access, more)                                                       \
    "<required-kinds><kind-block><kind " attribute "><data-model>" model                           \
    "</data-model><access-control>" access "</access-control>" more                                \
    "</kind></kind-block></required-kinds>"
#define LIMITS "<max-count>3</max-count><max-size>40</max-size>"

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

/* R6940-11.1-1 R6940-14.16-2: well-formed, UTF-8, and nothing that reaches outside the document. */
static void what_is_not_utf8_xml_without_a_dtd_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "not xml",
        "<overlay",
        HEAD OPEN SELF CLOSE,
        HEAD OPEN SELF "</x>" CLOSE TAIL,
        "<!DOCTYPE overlay [<!ENTITY a \"x\">]>" OPEN SELF CLOSE,
        "<!DOCTYPE overlay SYSTEM \"http://127.0.0.1:1/x.dtd\">" OPEN SELF CLOSE,
        "<?xml version=\"1.0\"?><!DOCTYPE o [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
        "\"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">"
        "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]><overlay xmlns=\"" BASE "\">&d;</overlay>",
        "<!DOCTYPE o [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><overlay xmlns=\"" BASE
        "\"><configuration instance-name=\"x\"><shared-secret>&x;</shared-secret></configuration>"
        "</overlay>",
        HEAD OPEN SELF "<shared-secret>&undefined;</shared-secret>" CLOSE TAIL,
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><overlay xmlns=\"" BASE
        "\">" OPEN SELF CLOSE TAIL,
        HEAD OPEN SELF "<shared-secret>\xff\xfe</shared-secret>" CLOSE TAIL,
    };
    struct reload_config *c;
    for (size_t i = 0; i < COUNT(bad); i++) {
        int error = parse(bad[i], &c);
        if (error != RELOAD_E_DECODE || !why.text[0])
            fail_msg("%s: %d %s", bad[i], error, why.text);
    }
    static const char other_root[] = "<other xmlns=\"" BASE "\"/>";
    assert_int_equal(parse(other_root, &c), RELOAD_E_INVALID);
    assert_int_equal(parse_slice(reload_slice_of("<o>\0</o>", 8), NULL, &c), RELOAD_E_DECODE);
    assert_int_equal(parse_slice(reload_slice_of("", 0), NULL, &c), RELOAD_E_LIMIT);
    /* the byte order mark of UTF-8 is none of the XML */
    assert_int_equal(parse("\xef\xbb\xbf" HEAD OPEN SELF CLOSE TAIL, &c), 0);
    reload_cert_document_free(c);
}

static void a_document_beyond_its_limits_is_refused(void **state)
{
    (void)state;
    struct reload_cert_text t = { 0 };
    struct reload_cert_bytes big;
    struct reload_config *c;
    reload_cert_text_string(&t, HEAD OPEN SELF);
    for (int i = 0; i < RELOAD_CERT_ELEMENTS_MAX; i++)
        reload_cert_text_string(&t, "<ext:x/>");
    reload_cert_text_string(&t, CLOSE TAIL);
    assert_int_equal(reload_cert_text_take(&t, &big), 0);
    assert_int_equal(parse_slice(reload_cert_bytes_slice(&big), NULL, &c), RELOAD_E_LIMIT);
    assert_non_null(strstr(why.text, "elements"));
    reload_cert_bytes_fini(&big);

    char *spaces = malloc(RELOAD_CERT_DOCUMENT_MAX + 1);
    memset(spaces, ' ', RELOAD_CERT_DOCUMENT_MAX + 1);
    assert_int_equal(parse_slice(reload_slice_of(spaces, RELOAD_CERT_DOCUMENT_MAX + 1), NULL, &c),
                     RELOAD_E_LIMIT);
    free(spaces);

    for (int i = 0; i < 2000; i++) /* very deep */
        reload_cert_text_string(&t, "<ext:x xmlns:ext=\"e\">");
    assert_int_equal(reload_cert_text_take(&t, &big), 0);
    assert_int_equal(parse_slice(reload_cert_bytes_slice(&big), NULL, &c), RELOAD_E_DECODE);
    reload_cert_bytes_fini(&big);
}

static void a_document_cut_anywhere_is_refused_and_without_memory_too(void **state)
{
    (void)state;
    static const char document[] = HEAD OPEN SELF "<bootstrap-node address=\"192.0.2.1\"/>" KIND(
        "id=\"4026531841\"", "ARRAY", "USER-MATCH", LIMITS) CLOSE "</overlay>";
    struct reload_config *c;
    for (size_t cut = 0; cut < sizeof document - 1; cut++)
        assert_int_not_equal(parse_slice(reload_slice_of(document, cut), NULL, &c), 0);
    bool done = false;
    for (unsigned long n = 1; !done && n < 500; n++) {
        reload_alloc_fail_at(n);
        int error = parse(document, &c);
        reload_alloc_fail_at(0);
        assert_true(error == 0 || error == RELOAD_E_NOMEM || error == RELOAD_E_DECODE);
        done = error == 0;
        reload_cert_document_free(c);
    }
    assert_true(done);
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
    if (parse_slice(reload_cert_bytes_slice(&xml), OVERLAY, &c))
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
        cmocka_unit_test(values_out_of_range_are_refused_by_name),
        cmocka_unit_test(an_overlay_s_name_has_the_characters_of_a_domain_name),
        cmocka_unit_test(the_proses_spelling_of_topology_plugin_is_read_too),
        cmocka_unit_test(the_configuration_of_the_right_name_is_picked_among_several),
        cmocka_unit_test(an_unknown_mandatory_extension_keeps_a_node_out),
        cmocka_unit_test(kinds_are_read_and_registered_ones_keep_their_registered_rules),
        cmocka_unit_test(what_is_not_utf8_xml_without_a_dtd_is_refused),
        cmocka_unit_test(a_document_beyond_its_limits_is_refused),
        cmocka_unit_test(a_document_cut_anywhere_is_refused_and_without_memory_too),
        cmocka_unit_test(a_written_document_reads_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
