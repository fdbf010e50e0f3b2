#include "tests/certs/parsed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/text.h"

/* Configuration documents that are refused: RFC 6940 s11.1. */

/* R6940-11.1-8 R6940-11.1-22 R6940-11.1-11 R6940-11.1-12 R6940-11.1-4 R6940-11.1-10 R6940-11.1-24
 * R6940-11.1-16 R6940-11.1-9 R6940-14.16-2 */
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
        assert_int_equal(parse_text(document, &c), RELOAD_E_INVALID);
    }
    struct reload_config *c;
    assert_int_equal(parse_text(HEAD OPEN CLOSE TAIL, &c),
                     RELOAD_E_INVALID); /* nobody could join */
    assert_non_null(strstr(why.text, "root-cert"));
    assert_int_equal(parse_text(HEAD OPEN "<self-signed-permitted digest=\"md5\">true"
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
        assert_int_equal(parse_text(document, &c), 0);
        assert_string_equal(c->instance_name, good[i]);
        reload_cert_document_free(c);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(document, sizeof document,
                 HEAD "<configuration instance-name=\"%s\">" SELF CLOSE TAIL, bad[i]);
        if (parse_text(document, &c) != RELOAD_E_INVALID || !strstr(why.text, "instance-name"))
            fail_msg("\"%s\": %s", bad[i], why.text);
    }
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
        int error = parse_text(bad[i], &c);
        if (error != RELOAD_E_DECODE || !why.text[0])
            fail_msg("%s: %d %s", bad[i], error, why.text);
    }
    static const char other_root[] = "<other xmlns=\"" BASE "\"/>";
    assert_int_equal(parse_text(other_root, &c), RELOAD_E_INVALID);
    assert_int_equal(parse_document(reload_slice_of("<o>\0</o>", 8), NULL, &c), RELOAD_E_DECODE);
    assert_int_equal(parse_document(reload_slice_of("", 0), NULL, &c), RELOAD_E_LIMIT);
    /* the byte order mark of UTF-8 is none of the XML */
    assert_int_equal(parse_text("\xef\xbb\xbf" HEAD OPEN SELF CLOSE TAIL, &c), 0);
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
    assert_int_equal(parse_document(reload_cert_bytes_slice(&big), NULL, &c), RELOAD_E_LIMIT);
    assert_non_null(strstr(why.text, "elements"));
    reload_cert_bytes_fini(&big);

    char *spaces = malloc(RELOAD_CERT_DOCUMENT_MAX + 1);
    memset(spaces, ' ', RELOAD_CERT_DOCUMENT_MAX + 1);
    assert_int_equal(
        parse_document(reload_slice_of(spaces, RELOAD_CERT_DOCUMENT_MAX + 1), NULL, &c),
        RELOAD_E_LIMIT);
    free(spaces);

    for (int i = 0; i < 2000; i++) /* very deep */
        reload_cert_text_string(&t, "<ext:x xmlns:ext=\"e\">");
    assert_int_equal(reload_cert_text_take(&t, &big), 0);
    assert_int_equal(parse_document(reload_cert_bytes_slice(&big), NULL, &c), RELOAD_E_DECODE);
    reload_cert_bytes_fini(&big);
}

static void a_document_cut_anywhere_is_refused_and_without_memory_too(void **state)
{
    (void)state;
    static const char document[] = HEAD OPEN SELF "<bootstrap-node address=\"192.0.2.1\"/>" KIND(
        "id=\"4026531841\"", "ARRAY", "USER-MATCH", LIMITS) CLOSE "</overlay>";
    struct reload_config *c;
    for (size_t cut = 0; cut < sizeof document - 1; cut++)
        assert_int_not_equal(parse_document(reload_slice_of(document, cut), NULL, &c), 0);
    bool done = false;
    for (unsigned long n = 1; !done && n < 500; n++) {
        reload_alloc_fail_at(n);
        int error = parse_text(document, &c);
        reload_alloc_fail_at(0);
        assert_true(error == 0 || error == RELOAD_E_NOMEM || error == RELOAD_E_DECODE);
        done = error == 0;
        reload_cert_document_free(c);
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_out_of_range_are_refused_by_name),
        cmocka_unit_test(an_overlay_s_name_has_the_characters_of_a_domain_name),
        cmocka_unit_test(an_unknown_mandatory_extension_keeps_a_node_out),
        cmocka_unit_test(what_is_not_utf8_xml_without_a_dtd_is_refused),
        cmocka_unit_test(a_document_beyond_its_limits_is_refused),
        cmocka_unit_test(a_document_cut_anywhere_is_refused_and_without_memory_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
