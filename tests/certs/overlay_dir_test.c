#include "tests/certs/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/file.h"
#include "certs/overlay_dir.h"

static struct reload_cert_bytes read_in(const char *folder, const char *name)
{
    char *path = reload_cert_file_path(folder, name);
    struct reload_cert_bytes bytes = slurp(path);
    reload_free(path);
    return bytes;
}

static unsigned mode_of(const char *folder, const char *name)
{
    struct stat about;
    char *path = reload_cert_file_path(folder, name);
    assert_int_equal(stat(path, &about), 0);
    reload_free(path);
    return (unsigned)about.st_mode & 0777;
}

static void create(const char *folder, const struct reload_cert_overlay_options *options)
{
    struct reload_cert_reason why = { "" };
    if (reload_cert_overlay_create(folder, options, &why))
        fail_msg("%s", why.text);
}

static struct reload_config *load(const char *folder)
{
    struct reload_cert_bytes document = read_in(folder, RELOAD_CERT_OVERLAY_XML);
    struct reload_config *config;
    struct reload_cert_reason why = { "" };
    if (reload_cert_document_load(reload_cert_bytes_slice(&document), OVERLAY, NULL, NOW_MS,
                                  &config, &why))
        fail_msg("%s", why.text);
    reload_cert_bytes_fini(&document);
    return config;
}

static void a_new_overlay_is_complete_and_its_document_says_what_was_asked_for(void **state)
{
    (void)state;
    for (int type = RELOAD_CERT_KEY_EC; type <= RELOAD_CERT_KEY_RSA; type++) {
        char *folder = new_folder();
        struct reload_cert_overlay_options o = reload_cert_overlay_options_default(OVERLAY, NOW_MS);
        const struct reload_bootstrap_node bootstrap[] = { { "127.0.0.1", 7001 }, { "::1", 6084 } };
        const char *const servers[] = { "https://127.0.0.1:8443/enroll?a=1&b=2" };
        const char *const names[] = { "localhost", "127.0.0.1", "::1" };
        struct reload_kind_config kinds[2];
        assert_int_equal(reload_cert_kind_option("0xF0000001:DICTIONARY:USER-NODE-MATCH:10:2000",
                                                 &kinds[0], NULL),
                         0);
        assert_int_equal(
            reload_cert_kind_option("4026531842:ARRAY:NODE-MULTIPLE:5:100:7", &kinds[1], NULL), 0);
        o.key = (enum reload_cert_key_type)type;
        o.config.no_ice = true;
        o.config.chord_update_interval_s = 5;
        o.config.bootstrap_nodes = bootstrap;
        o.config.bootstrap_node_count = 2;
        o.config.enrollment_servers = servers;
        o.config.enrollment_server_count = 1;
        o.config.kinds = kinds;
        o.config.kind_count = 2;
        o.https_names = names;
        o.https_name_count = 3;
        create(folder, &o);

        struct reload_config *c = load(folder);
        assert_string_equal(c->instance_name, OVERLAY);
        assert_int_equal(c->sequence, 1);
        assert_true(c->no_ice);
        assert_int_equal(c->chord_update_interval_s, 5);
        assert_int_equal(c->bootstrap_node_count, 2);
        assert_string_equal(c->bootstrap_nodes[1].address, "::1");
        assert_int_equal(c->bootstrap_nodes[0].port, 7001);
        assert_string_equal(c->enrollment_servers[0], servers[0]);
        assert_int_equal(reload_config_kind(c, 0xF0000001)->max_size, 2000);
        assert_int_equal(reload_config_kind(c, 0xF0000002)->max_node_multiple, 7);
        assert_int_equal(c->root_cert_count, 1);
        assert_int_equal(c->configuration_signer_count, 1);
        reload_cert_document_free(c);

        const char *const keys[] = { RELOAD_CERT_CA_KEY, RELOAD_CERT_HTTPS_KEY,
                                     RELOAD_CERT_SIGNER_KEY };
        for (size_t i = 0; i < COUNT(keys); i++)
            assert_int_equal(mode_of(folder, keys[i]), 0600);
        remove_folder(folder);
    }
}

static void
the_https_certificate_is_good_for_the_overlay_and_each_host_by_openssl_itself(void **state)
{
    (void)state;
    char *folder = new_folder();
    struct reload_cert_overlay_options o = reload_cert_overlay_options_default(OVERLAY, NOW_MS);
    const char *const names[] = { "localhost", "127.0.0.1" };
    o.https_names = names;
    o.https_name_count = 2;
    create(folder, &o);
    char *ca = reload_cert_file_path(folder, RELOAD_CERT_CA_PEM);
    char *pem = reload_cert_file_path(folder, RELOAD_CERT_HTTPS_PEM);
    char now[32];
    snprintf(now, sizeof now, "%llu", (unsigned long long)NOW_MS / 1000);
    const char *const checks[][2] = { { "-verify_hostname", OVERLAY },
                                      { "-verify_hostname", "localhost" },
                                      { "-verify_ip", "127.0.0.1" } };
    for (size_t i = 0; i < COUNT(checks); i++)
        run((const char *const[]){ "openssl", "verify", "-attime", now, "-purpose", "sslserver",
                                   "-x509_strict", "-CAfile", ca, checks[i][0], checks[i][1], pem,
                                   NULL });
    reload_free(ca);
    reload_free(pem);
    remove_folder(folder);
}

static void edit(const char *folder, const char *from, const char *to)
{
    struct reload_cert_bytes old = read_in(folder, RELOAD_CERT_OVERLAY_XML);
    char *whole = reload_strndup((const char *)old.p, old.n);
    char *at = strstr(whole, from);
    assert_non_null(at);
    size_t cap = old.n + strlen(to) + 1;
    char *changed = malloc(cap);
    snprintf(changed, cap, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
    spit(folder, RELOAD_CERT_OVERLAY_XML, changed);
    free(changed);
    reload_free(whole);
    reload_cert_bytes_fini(&old);
}

/* R6940-11.1-36 R6940-6.5.4.2-2 */
static void an_edited_document_is_signed_again_and_accepted_as_the_next_one(void **state)
{
    (void)state;
    char *folder = new_folder();
    struct reload_cert_overlay_options o = reload_cert_overlay_options_default(OVERLAY, NOW_MS);
    struct reload_kind_config kind;
    assert_int_equal(reload_cert_kind_option("0xF0000001:SINGLE:NODE-MATCH:1:10", &kind, NULL), 0);
    o.config.kinds = &kind;
    o.config.kind_count = 1;
    create(folder, &o);
    struct reload_config *before = load(folder);
    edit(folder, "<max-size>10</max-size>", "<max-size>20</max-size>");

    struct reload_cert_bytes tampered = read_in(folder, RELOAD_CERT_OVERLAY_XML);
    struct reload_config *none;
    assert_int_equal(reload_cert_document_load(reload_cert_bytes_slice(&tampered), NULL, NULL,
                                               NOW_MS, &none, NULL),
                     RELOAD_E_SIGNATURE);
    reload_cert_bytes_fini(&tampered);

    uint16_t sequence = 0;
    struct reload_cert_reason why = { "" };
    assert_int_equal(reload_cert_overlay_sign(folder, NULL, NOW_MS, &sequence, &why), 0);
    assert_int_equal(sequence, 2);
    struct reload_cert_bytes next = read_in(folder, RELOAD_CERT_OVERLAY_XML);
    struct reload_config *after;
    assert_int_equal(reload_cert_document_update(reload_cert_bytes_slice(&next), before, NULL,
                                                 NOW_MS, &after, &why),
                     0);
    assert_int_equal(after->sequence, 2);
    assert_int_equal(reload_config_kind(after, 0xF0000001)->max_size, 20);
    reload_cert_document_free(before);
    reload_cert_document_free(after);
    reload_cert_bytes_fini(&next);
    remove_folder(folder);
}

static void a_folder_in_use_and_bad_options_and_bad_edits_are_refused_with_a_reason(void **state)
{
    (void)state;
    struct reload_cert_reason why = { "" };
    char *folder = new_folder();
    struct reload_cert_overlay_options o = reload_cert_overlay_options_default(OVERLAY, NOW_MS);
    create(folder, &o);
    assert_int_equal(reload_cert_overlay_create(folder, &o, &why), RELOAD_E_STATE);
    assert_non_null(strstr(why.text, "already holds an overlay"));

    edit(folder, "<no-ice>false</no-ice>", "<no-ice>maybe</no-ice>");
    struct reload_cert_bytes broken = read_in(folder, RELOAD_CERT_OVERLAY_XML);
    uint16_t sequence;
    assert_int_equal(reload_cert_overlay_sign(folder, NULL, NOW_MS, &sequence, &why),
                     RELOAD_E_INVALID);
    assert_non_null(strstr(why.text, "no-ice"));
    struct reload_cert_bytes still = read_in(folder, RELOAD_CERT_OVERLAY_XML);
    assert_true(
        reload_slice_equal(reload_cert_bytes_slice(&broken), reload_cert_bytes_slice(&still)));
    reload_cert_bytes_fini(&broken);
    reload_cert_bytes_fini(&still);
    remove_folder(folder);

    folder = new_folder();
    o.config.instance_name = "not a name";
    assert_int_equal(reload_cert_overlay_create(folder, &o, &why), RELOAD_E_INVALID);
    assert_non_null(strstr(why.text, "not a name"));
    char ca_key[256]; /* nothing is left behind that the next attempt would stumble over */
    snprintf(ca_key, sizeof ca_key, "%s/%s", folder, RELOAD_CERT_CA_KEY);
    assert_int_not_equal(access(ca_key, F_OK), 0);
    remove_folder(folder);
}

/* R6940-14.6-2: Kinds of one's own have private Kind-IDs, 2000 is none. */
static void kind_options_are_read_and_wrong_ones_refused_by_field(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        { "", "form" },
        { "0xF0000001:SINGLE:USER-MATCH:1", "form" },
        { "0xF0000001:SINGLE:USER-MATCH:1:2:3:4", "form" },
        { "5:SINGLE:USER-MATCH:1:2", "ID" },
        { "2000:SINGLE:USER-MATCH:1:2", "ID" },
        { "0xF0000000:SINGLE:USER-MATCH:1:2", "ID" },
        { "0xFFFFFFFF:SINGLE:USER-MATCH:1:2", "ID" },
        { "0xFFFFFFFE:SINGLE:USER-MATCH:1:2", "ID" },
        { "0xF0000001:LIST:USER-MATCH:1:2", "MODEL" },
        { "0xF0000001:SINGLE:ANYONE:1:2", "POLICY" },
        { "0xF0000001:SINGLE:USER-MATCH:0:2", "MAXCOUNT" },
        { "0xF0000001:SINGLE:USER-MATCH:1:-2", "MAXSIZE" },
        { "0xF0000001:SINGLE:USER-MATCH:1:99999999999999999999", "MAXSIZE" },
        { "0xF0000001:SINGLE:NODE-MULTIPLE:1:2", "MAXMULTIPLE" },
        { "0xF0000001:SINGLE:NODE-MULTIPLE:1:2:0", "MAXMULTIPLE" },
        { "0xF0000001:SINGLE:USER-MATCH:1:2:3", "MAXMULTIPLE" },
    };
    struct reload_kind_config kind;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct reload_cert_reason why = { "" };
        assert_int_equal(reload_cert_kind_option(bad[i][0], &kind, &why), RELOAD_E_INVALID);
        assert_non_null(strstr(why.text, bad[i][1]));
    }
    assert_int_equal(reload_cert_kind_option("0xFFFFFFFD:SINGLE:USER-MATCH:1:2", &kind, NULL), 0);
    assert_int_equal(kind.id, 0xfffffffd);
    assert_int_equal(reload_cert_kind_option("0xf0000001:array:node-multiple:3:4:5", &kind, NULL),
                     0);
    assert_string_equal(kind.access_control, "NODE-MULTIPLE");
    assert_int_equal(kind.data_model, RELOAD_MODEL_ARRAY);
    assert_int_equal(kind.max_node_multiple, 5);
}

/* What a node sends to bring a document to another: the largest that happens, with an RSA
 * certificate of its own. */
static bool fits_one_message(const char *folder)
{
    struct reload_config *c = load(folder);
    bool fits = c->document.n + 2000 <= c->max_message_size;
    reload_cert_document_free(c);
    return fits;
}

/* R6940-6.3.2.1-5 R6940-6.5.4-1: a document must fit the ConfigUpdate that brings it to others. */
static void a_new_document_fits_the_message_size_that_it_sets(void **state)
{
    (void)state;
    struct reload_kind_config kinds[8];
    for (size_t i = 0; i < COUNT(kinds); i++) {
        assert_int_equal(
            reload_cert_kind_option("0xF0000001:SINGLE:NODE-MATCH:1:10", &kinds[i], NULL), 0);
        kinds[i].id += (uint32_t)i;
    }
    static const struct {
        size_t kinds;
        uint32_t asked;
        bool raised;
    } cases[] = { { 0, 5000, false },
                  { 0, 9000, false },
                  { 8, 5000, true },
                  { 8, 20000, false },
                  { 0, 1000, true } };
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        char *folder = new_folder();
        struct reload_cert_overlay_options o = reload_cert_overlay_options_default(OVERLAY, NOW_MS);
        o.key = i % 2 ? RELOAD_CERT_KEY_RSA : RELOAD_CERT_KEY_EC;
        o.config.kinds = kinds;
        o.config.kind_count = cases[i / 2].kinds;
        o.config.max_message_size = cases[i / 2].asked;
        create(folder, &o);
        struct reload_config *c = load(folder);
        if (i % 2 == 0) /* an RSA document has about 5000 bytes with no Kind at all */
            assert_int_equal(c->max_message_size > cases[i / 2].asked, cases[i / 2].raised);
        assert_true(c->max_message_size >= cases[i / 2].asked);
        reload_cert_document_free(c);
        assert_true(fits_one_message(folder));
        remove_folder(folder);
    }
}

/* R6940-6.3.2.1-5 */
static void a_document_that_could_not_be_pushed_is_not_signed(void **state)
{
    (void)state;
    char *folder = new_folder(), comment[4000];
    struct reload_cert_overlay_options o = reload_cert_overlay_options_default(OVERLAY, NOW_MS);
    struct reload_cert_reason why = { "" };
    uint16_t sequence;
    create(folder, &o);
    snprintf(comment, sizeof comment, "<!--%3900d--><no-ice>", 0);
    edit(folder, "<no-ice>", comment);
    assert_int_equal(reload_cert_overlay_sign(folder, NULL, NOW_MS, &sequence, &why),
                     RELOAD_E_INVALID);
    unsigned from, to;
    const char *numbers = strstr(why.text, "raise max-message-size");
    assert_non_null(numbers);
    assert_int_equal(sscanf(numbers, "raise max-message-size from %u to %u", &from, &to), 2);
    assert_int_equal(from, 5000);
    char size[64];
    snprintf(size, sizeof size, "<max-message-size>%u", to);
    edit(folder, "<max-message-size>5000", size);
    assert_int_equal(reload_cert_overlay_sign(folder, NULL, NOW_MS, &sequence, &why), 0);
    assert_true(fits_one_message(folder));
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_overlay_is_complete_and_its_document_says_what_was_asked_for),
        cmocka_unit_test(
            the_https_certificate_is_good_for_the_overlay_and_each_host_by_openssl_itself),
        cmocka_unit_test(an_edited_document_is_signed_again_and_accepted_as_the_next_one),
        cmocka_unit_test(a_folder_in_use_and_bad_options_and_bad_edits_are_refused_with_a_reason),
        cmocka_unit_test(a_new_document_fits_the_message_size_that_it_sets),
        cmocka_unit_test(a_document_that_could_not_be_pushed_is_not_signed),
        cmocka_unit_test(kind_options_are_read_and_wrong_ones_refused_by_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
