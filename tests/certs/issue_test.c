#include "tests/certs/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/x509v3.h>

#include "certs/builder.h"
#include "certs/csr.h"
#include "certs/file.h"
#include "certs/lint.h"

/* What is issued, asked for, and kept in files (RFC 6940 s11.3). */

static struct reload_cert_reason why;

/* R6940-11.3-11 R6940-11.3-13 R6940-11.3-15 R6940-11.3-16 */
static void an_issued_certificate_says_exactly_the_node_ids_and_the_user_name(void **state)
{
    (void)state;
    for (int type = RELOAD_CERT_KEY_EC; type <= RELOAD_CERT_KEY_RSA; type++) {
        struct fixture f;
        fixture_init(&f, (enum reload_cert_key_type)type);
        struct reload_cert_key *key = new_key((enum reload_cert_key_type)type);
        struct reload_cert_bytes der =
            issue(&f, key, 7, (struct wish){ .user_name = "alice@example.org", .node_ids = 2 });
        struct reload_cert_bytes public_key;
        struct reload_cert *c;
        assert_int_equal(reload_cert_parse(reload_cert_bytes_slice(&der), false, &c, &why), 0);
        const struct reload_identity *says = reload_cert_content(c);
        assert_int_equal(says->node_id_count, 2);
        assert_int_equal(says->node_ids[0].bytes[0], 7);
        assert_int_equal(says->node_ids[1].bytes[0], 8);
        assert_true(reload_slice_equal(says->user_name, text("alice@example.org")));
        assert_true(says->not_before_ms == NOW_MS - DAY_MS);
        assert_true(says->not_after_ms == NOW_MS + 365 * DAY_MS);
        assert_string_equal(reload_cert_overlay(c), OVERLAY);
        assert_false(reload_cert_is_self_issued(c));
        assert_int_equal(reload_cert_key_public(key, &public_key), 0);
        assert_true(
            reload_slice_equal(reload_cert_public_key(c), reload_cert_bytes_slice(&public_key)));

        const uint8_t *at = der.p;
        X509 *x509 = d2i_X509(NULL, &at, (long)der.n);
        int critical;
        GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
        assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(x509)), 0);
        assert_int_equal(critical, 1);
        assert_int_equal(sk_GENERAL_NAME_num(names), 3);
        const ASN1_STRING *uri = sk_GENERAL_NAME_value(names, 0)->d.uniformResourceIdentifier;
        static const char expected[] =
            "reload://011007070707070707070707070707070707@overlay.example.org/";
        assert_int_equal(ASN1_STRING_length(uri), sizeof expected - 1);
        assert_memory_equal(ASN1_STRING_get0_data(uri), expected, sizeof expected - 1);
        GENERAL_NAMES_free(names);
        X509_free(x509);
        reload_cert_free(c);
        reload_cert_bytes_fini(&der);
        reload_cert_bytes_fini(&public_key);
        reload_cert_key_free(key);
        fixture_fini(&f);
    }
}

static void the_linter_finds_each_departure_from_the_profile(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes der = issue(&f, key, 1, (struct wish){ .user_name = "a@b" });
    struct reload_node_id one[] = { node_id(1), node_id(2) }, other = node_id(9);
    struct reload_slice bytes = reload_cert_bytes_slice(&der);
    struct reload_cert_lint want = { OVERLAY, one, 1, text("a@b") };
    assert_int_equal(reload_cert_lint(bytes, &want, &why), 0);
    want.user_name = text("b@b");
    assert_int_equal(reload_cert_lint(bytes, &want, &why), RELOAD_E_INVALID);
    want.user_name = text("");
    assert_int_equal(reload_cert_lint(bytes, &want, &why), RELOAD_E_INVALID);
    want = (struct reload_cert_lint){ OVERLAY, &other, 1, text("a@b") };
    assert_int_equal(reload_cert_lint(bytes, &want, &why), RELOAD_E_INVALID);
    want = (struct reload_cert_lint){ OVERLAY, one, 2, text("a@b") };
    assert_int_equal(reload_cert_lint(bytes, &want, &why), RELOAD_E_INVALID);
    want = (struct reload_cert_lint){ "Overlay.example.org", one, 1, text("a@b") };
    assert_int_equal(reload_cert_lint(bytes, &want, &why), RELOAD_E_INVALID);
    assert_int_equal(reload_cert_lint(f.root, &want, &why), RELOAD_E_INVALID);
    reload_cert_bytes_fini(&der);

    /* built without the profile: a subject, no keyUsage, a CA */
    static const struct {
        const char *common_name, *constraints, *usage, *word;
    } odd[] = {
        { "x", "critical,CA:FALSE", "critical,digitalSignature", "subject" },
        { NULL, "critical,CA:TRUE", "critical,digitalSignature", "BasicConstraints" },
        { NULL, "critical,CA:FALSE", "critical,digitalSignature,keyCertSign", "keyUsage" },
        { NULL, "critical,CA:FALSE", "critical,digitalSignature", "extendedKeyUsage" },
    };
    struct reload_cert_bytes public_key;
    uint8_t serial[] = { 1 };
    const uint8_t *at = f.root.p;
    X509 *ca = d2i_X509(NULL, &at, (long)f.root.n);
    assert_int_equal(reload_cert_key_public(key, &public_key), 0);
    for (size_t i = 0; i < COUNT(odd); i++) {
        GENERAL_NAMES *names = reload_cert_node_names(one, 1, OVERLAY, text(""));
        const struct reload_cert_extension extensions[] = {
            { NID_basic_constraints, odd[i].constraints }, { NID_key_usage, odd[i].usage }
        };
        X509 *x509;
        assert_int_equal(
            reload_cert_build(
                &(struct reload_cert_plan){ .public_key = reload_cert_bytes_slice(&public_key),
                                            .serial = { serial, 1 },
                                            .common_name = odd[i].common_name,
                                            .not_before_ms = NOW_MS,
                                            .not_after_ms = NOW_MS + DAY_MS,
                                            .alternative_names = names,
                                            .extensions = extensions,
                                            .extension_count = 2,
                                            .issuer = ca,
                                            .issuer_key = key->pkey },
                &x509, &why),
            0);
        assert_int_equal(reload_cert_to_der(x509, &der), 0);
        want = (struct reload_cert_lint){ OVERLAY, one, 1, text("") };
        assert_int_equal(reload_cert_lint(reload_cert_bytes_slice(&der), &want, &why),
                         RELOAD_E_INVALID);
        assert_non_null(strstr(why.text, odd[i].word));
        X509_free(x509);
        GENERAL_NAMES_free(names);
        reload_cert_bytes_fini(&der);
    }
    X509_free(ca);
    reload_cert_bytes_fini(&public_key);
    reload_cert_key_free(key);
    fixture_fini(&f);
}

/* A certificate with these alternative names, for what our own issuer would never write. */
static int parse_names(const struct reload_cert_key *key, GENERAL_NAMES *names)
{
    struct reload_cert_bytes public_key, der;
    struct reload_cert *c;
    uint8_t serial[] = { 1 };
    X509 *x509;
    assert_int_equal(reload_cert_key_public(key, &public_key), 0);
    assert_int_equal(
        reload_cert_build(
            &(struct reload_cert_plan){ .public_key = reload_cert_bytes_slice(&public_key),
                                        .serial = { serial, 1 },
                                        .common_name = "x",
                                        .not_before_ms = NOW_MS,
                                        .not_after_ms = NOW_MS + DAY_MS,
                                        .alternative_names = names,
                                        .issuer_key = key->pkey },
            &x509, &why),
        0);
    assert_int_equal(reload_cert_to_der(x509, &der), 0);
    why.text[0] = '\0';
    int error = reload_cert_parse(reload_cert_bytes_slice(&der), false, &c, &why);
    reload_cert_free(c);
    X509_free(x509);
    reload_cert_bytes_fini(&der);
    reload_cert_bytes_fini(&public_key);
    return error;
}

/* R6940-11.3-14 */
static void hostile_names_in_a_certificate_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *user;
        size_t len;
        const char *word;
    } users[] = { { "alice@example.org\0.evil", 23, "byte 0x00" },
                  { "alice\n@example.org", 18, "byte 0x0a" },
                  { "\x80@example.org", 13, "byte 0x80" },
                  { "", 0, "0 bytes" } };
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
    struct reload_node_id ids[RELOAD_CERT_NODE_IDS_MAX + 1];
    for (size_t i = 0; i < COUNT(ids); i++)
        ids[i] = node_id((uint8_t)(i + 1));
    for (size_t i = 0; i < COUNT(users); i++) {
        GENERAL_NAMES *names = reload_cert_node_names(ids, 1, OVERLAY, text(""));
        assert_true(
            reload_cert_add_name(names, GEN_EMAIL, reload_slice_of(users[i].user, users[i].len)));
        assert_int_equal(parse_names(key, names), RELOAD_E_CERTIFICATE);
        assert_non_null(strstr(why.text, users[i].word));
        GENERAL_NAMES_free(names);
    }
    char long_name[RELOAD_CERT_USER_NAME_MAX + 2];
    memset(long_name, 'a', sizeof long_name);
    for (size_t len = RELOAD_CERT_USER_NAME_MAX; len <= RELOAD_CERT_USER_NAME_MAX + 1; len++) {
        GENERAL_NAMES *names =
            reload_cert_node_names(ids, 1, OVERLAY, reload_slice_of(long_name, len));
        assert_int_equal(parse_names(key, names),
                         len == RELOAD_CERT_USER_NAME_MAX ? 0 : RELOAD_E_CERTIFICATE);
        GENERAL_NAMES_free(names);
    }
    struct reload_node_id twice[] = { node_id(1), node_id(1) };
    GENERAL_NAMES *names = reload_cert_node_names(twice, 2, OVERLAY, text(""));
    assert_int_equal(parse_names(key, names), RELOAD_E_CERTIFICATE);
    GENERAL_NAMES_free(names);
    names = reload_cert_node_names(ids, RELOAD_CERT_NODE_IDS_MAX, OVERLAY, text(""));
    assert_int_equal(parse_names(key, names), 0);
    GENERAL_NAMES_free(names);
    names = reload_cert_node_names(ids, RELOAD_CERT_NODE_IDS_MAX + 1, OVERLAY, text(""));
    assert_int_equal(parse_names(key, names), RELOAD_E_LIMIT);
    GENERAL_NAMES_free(names);
    assert_int_equal(parse_names(key, NULL), RELOAD_E_CERTIFICATE);
    reload_cert_key_free(key);
}

static void what_cannot_be_issued_is_refused_with_a_reason(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes public_key, der;
    struct reload_node_id id = node_id(1);
    uint8_t serial[21] = { 1 };
    assert_int_equal(reload_cert_key_public(key, &public_key), 0);
    const struct reload_cert_issue good = { .overlay = OVERLAY,
                                            .public_key = reload_cert_bytes_slice(&public_key),
                                            .user_name = text("a@b"),
                                            .node_ids = &id,
                                            .node_id_count = 1,
                                            .serial = { serial, 20 },
                                            .not_before_ms = NOW_MS,
                                            .not_after_ms = NOW_MS + DAY_MS };
    assert_int_equal(reload_cert_ca_issue(f.ca, &good, &der, &why), 0);
    reload_cert_bytes_fini(&der);
    struct reload_cert_issue bad[10];
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = good;
    uint8_t zero[] = { 0 }, negative[20] = { 0x80 };
    bad[0].overlay = "no name";
    bad[1].public_key = text("junk");
    bad[2].user_name = text("alice");
    bad[3].user_name = text("a@B");
    bad[4].node_id_count = 0;
    bad[5].serial.n = 21;
    bad[6].serial = reload_slice_of(zero, 1);
    bad[7].serial = reload_slice_of(negative, 20);
    bad[8].not_after_ms = NOW_MS;
    bad[9].user_name = reload_slice_of("a\0@b", 4);
    for (size_t i = 0; i < COUNT(bad); i++) {
        why.text[0] = '\0';
        assert_int_equal(reload_cert_ca_issue(f.ca, &bad[i], &der, &why), RELOAD_E_INVALID);
        assert_true(why.text[0] && !der.p);
    }
    /* never beyond the CA's own end */
    struct reload_cert_issue endless = good;
    struct reload_cert *c;
    endless.not_after_ms = NOW_MS + 36500 * DAY_MS;
    assert_int_equal(reload_cert_ca_issue(f.ca, &endless, &der, &why), 0);
    assert_int_equal(reload_cert_parse(reload_cert_bytes_slice(&der), false, &c, &why), 0);
    assert_true(reload_cert_content(c)->not_after_ms == reload_cert_ca_not_after_ms(f.ca));
    reload_cert_free(c);
    reload_cert_bytes_fini(&der);
    reload_cert_bytes_fini(&public_key);
    reload_cert_key_free(key);
    fixture_fini(&f);
}

/* R6940-11.3-7 */
static void a_request_gives_its_key_and_name_and_nothing_else(void **state)
{
    (void)state;
    for (int type = RELOAD_CERT_KEY_EC; type <= RELOAD_CERT_KEY_RSA; type++) {
        struct reload_cert_key *key = new_key((enum reload_cert_key_type)type);
        struct reload_cert_bytes der, public_key;
        struct reload_cert_csr csr;
        assert_int_equal(reload_cert_key_public(key, &public_key), 0);
        for (int named = 0; named < 2; named++) {
            assert_int_equal(
                reload_cert_csr_create(key, text(named ? "alice@example.org" : ""), &der, &why), 0);
            assert_int_equal(reload_cert_csr_parse(reload_cert_bytes_slice(&der), &csr, &why), 0);
            assert_string_equal(csr.user_name, named ? "alice@example.org" : "");
            assert_true(reload_slice_equal(reload_cert_bytes_slice(&csr.public_key),
                                           reload_cert_bytes_slice(&public_key)));
            reload_cert_csr_fini(&csr);
            /* The signature covers all but its own AlgorithmIdentifier's parameters. */
            for (size_t bit = 0; bit < 8 * der.n; bit++) {
                der.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
                if (!reload_cert_csr_parse(reload_cert_bytes_slice(&der), &csr, NULL)) {
                    assert_string_equal(csr.user_name, named ? "alice@example.org" : "");
                    assert_true(reload_slice_equal(reload_cert_bytes_slice(&csr.public_key),
                                                   reload_cert_bytes_slice(&public_key)));
                    assert_true(bit / 8 > der.n - 300);
                }
                reload_cert_csr_fini(&csr);
                der.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
            for (size_t cut = 0; cut < der.n; cut++)
                assert_int_not_equal(reload_cert_csr_parse(reload_slice_of(der.p, cut), &csr, NULL),
                                     0);
            reload_cert_bytes_fini(&der);
        }
        assert_int_equal(reload_cert_csr_create(key, text("no name"), &der, &why),
                         RELOAD_E_INVALID);
        reload_cert_bytes_fini(&public_key);
        reload_cert_key_free(key);
    }
    struct reload_cert_csr csr;
    static uint8_t big[RELOAD_CERT_CSR_MAX + 1];
    assert_int_equal(reload_cert_csr_parse(reload_slice_of(big, sizeof big), &csr, &why),
                     RELOAD_E_LIMIT);
}

static int parse_openssl_request(const char *folder, const char *const *key_options,
                                 const char *more, const char *digest, struct reload_cert_csr *csr)
{
    char *key = reload_cert_file_path(folder, "key"), *out = reload_cert_file_path(folder, "csr");
    run((const char *const[]){ "openssl", "genpkey", "-out", key, key_options[0], key_options[1],
                               key_options[2], key_options[3], NULL });
    run((const char *const[]){ "openssl", "req", "-new", "-subj", "/CN=evil/O=Root", digest,
                               "-addext", more, "-key", key, "-out", out, NULL });
    struct reload_cert_bytes request = slurp(out);
    int error = reload_cert_csr_parse(reload_cert_bytes_slice(&request), csr, &why);
    reload_cert_bytes_fini(&request);
    reload_free(key);
    reload_free(out);
    return error;
}

static void requests_of_openssl_are_judged_by_key_digest_and_name(void **state)
{
    (void)state;
    static const char *const ec[] = { "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256" };
    static const char *const p384[] = { "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384" };
    static const char *const small[] = { "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024" };
    static const char *const ed[] = { "-algorithm", "ED25519", NULL, NULL };
    const struct {
        const char *const *key;
        const char *more, *digest, *name;
        int error;
    } cases[] = {
        { ec, "subjectAltName=email:a@b,DNS:x,URI:reload://00@x/", "-sha256", "a@b", 0 },
        { ec, "basicConstraints=CA:TRUE", "-sha256", "", 0 },
        { ec, "subjectAltName=email:a@b,email:c@d", "-sha256", "", RELOAD_E_INVALID },
        { ec, "subjectAltName=email:a", "-sha256", "", RELOAD_E_INVALID },
        { ec, "subjectAltName=email:a@b", "-sha1", "", RELOAD_E_UNSUPPORTED },
        { p384, "subjectAltName=email:a@b", "-sha256", "", RELOAD_E_UNSUPPORTED },
        { small, "subjectAltName=email:a@b", "-sha256", "", RELOAD_E_UNSUPPORTED },
        { ed, "subjectAltName=email:a@b", "-sha256", "", RELOAD_E_UNSUPPORTED },
    };
    char *folder = new_folder();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reload_cert_csr csr;
        int error =
            parse_openssl_request(folder, cases[i].key, cases[i].more, cases[i].digest, &csr);
        if (error != cases[i].error)
            fail_msg("case %zu: %d %s", i, error, why.text);
        if (!error)
            assert_string_equal(csr.user_name, cases[i].name);
        reload_cert_csr_fini(&csr);
    }
    remove_folder(folder);
}

static void keys_in_files_are_private_whole_and_strong(void **state)
{
    (void)state;
    char *folder = new_folder(), *path = reload_cert_file_path(folder, "node.key");
    struct stat about;
    for (int type = RELOAD_CERT_KEY_EC; type <= RELOAD_CERT_KEY_RSA; type++) {
        struct reload_cert_key *key = new_key((enum reload_cert_key_type)type), *again;
        struct reload_cert_bytes a, b;
        assert_int_equal(reload_cert_key_write(key, path, &why), 0);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        assert_int_equal(reload_cert_key_read(path, &again, &why), 0);
        assert_int_equal(reload_cert_key_type(again), type);
        assert_int_equal(reload_cert_key_private(key, &a), 0);
        assert_int_equal(reload_cert_key_private(again, &b), 0);
        assert_true(reload_slice_equal(reload_cert_bytes_slice(&a), reload_cert_bytes_slice(&b)));
        reload_cert_key_free(again);
        assert_int_equal(reload_cert_key_parse(reload_cert_bytes_slice(&a), &again, &why),
                         0); /* DER */
        reload_cert_key_free(again);
        static const mode_t wide[] = { 0604, 0620, 0640, 0644, 0601, 0666 };
        for (size_t i = 0; i < COUNT(wide); i++) {
            assert_int_equal(chmod(path, wide[i]), 0);
            assert_int_equal(reload_cert_key_read(path, &again, &why), RELOAD_E_FORBIDDEN);
            assert_non_null(strstr(why.text, "chmod 600"));
        }
        reload_cert_bytes_wipe(&a);
        reload_cert_bytes_wipe(&b);
        reload_cert_key_free(key);
    }
    struct reload_cert_key *key;
    assert_int_equal(reload_cert_key_parse(text("-----BEGIN PRIVATE KEY-----\n"), &key, &why),
                     RELOAD_E_DECODE);
    assert_int_equal(reload_cert_key_parse(text(""), &key, &why), RELOAD_E_DECODE);
    run((const char *const[]){ "openssl", "genrsa", "-out", path, "1024", NULL });
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(reload_cert_key_read(path, &key, &why), RELOAD_E_INVALID);
    assert_non_null(strstr(why.text, "1024 bits"));
    run((const char *const[]){ "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                               "ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:x", "-out",
                               path, NULL });
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(reload_cert_key_read(path, &key, &why), RELOAD_E_DECODE); /* and asks nobody */
    enum reload_cert_key_type type;
    assert_int_equal(reload_cert_key_type_parse("rsa", &type), 0);
    assert_int_equal(type, RELOAD_CERT_KEY_RSA);
    assert_int_equal(reload_cert_key_type_parse("dsa", &type), RELOAD_E_INVALID);
    reload_free(path);
    remove_folder(folder);
}

static void files_are_replaced_whole_and_odd_ones_are_not_read(void **state)
{
    (void)state;
    char *folder = new_folder(), *path = reload_cert_file_path(folder, "f");
    char *fifo = reload_cert_file_path(folder, "fifo");
    struct reload_cert_bytes bytes;
    assert_int_equal(reload_cert_file_write(path, text("one"), false, &why), 0);
    assert_int_equal(reload_cert_file_write(path, text("three"), false, &why), 0);
    assert_int_equal(reload_cert_file_read(path, &bytes, &why), 0);
    assert_true(reload_slice_equal(reload_cert_bytes_slice(&bytes), text("three")));
    reload_cert_bytes_fini(&bytes);
    assert_int_equal(reload_cert_file_read(folder, &bytes, &why), RELOAD_E_IO);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(reload_cert_file_read(fifo, &bytes, &why), RELOAD_E_IO);
    char *missing = reload_cert_file_path(folder, "no/such");
    assert_int_equal(reload_cert_file_read(missing, &bytes, &why), RELOAD_E_NOT_FOUND);
    assert_int_equal(reload_cert_file_write(missing, text("x"), false, &why), RELOAD_E_IO);
    assert_non_null(strstr(why.text, "no/such"));
    char *big = calloc(1, RELOAD_CERT_FILE_MAX + 1);
    assert_int_equal(
        reload_cert_file_write(path, reload_slice_of(big, RELOAD_CERT_FILE_MAX + 1), false, &why),
        0);
    assert_int_equal(reload_cert_file_read(path, &bytes, &why), RELOAD_E_LIMIT);
    free(big);
    reload_free(missing);
    reload_free(path);
    reload_free(fifo);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issued_certificate_says_exactly_the_node_ids_and_the_user_name),
        cmocka_unit_test(the_linter_finds_each_departure_from_the_profile),
        cmocka_unit_test(hostile_names_in_a_certificate_are_refused),
        cmocka_unit_test(what_cannot_be_issued_is_refused_with_a_reason),
        cmocka_unit_test(a_request_gives_its_key_and_name_and_nothing_else),
        cmocka_unit_test(requests_of_openssl_are_judged_by_key_digest_and_name),
        cmocka_unit_test(keys_in_files_are_private_whole_and_strong),
        cmocka_unit_test(files_are_replaced_whole_and_odd_ones_are_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
