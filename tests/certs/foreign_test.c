#include "tests/certs/fixture.h"

#include <stdio.h>
#include <string.h>

#include "certs/context.h"
#include "certs/file.h"
#include "certs/text.h"

/* CA, certificates and document that another program made: the openssl command, and a hand. */

static const char *const settings[] = {
    /* what a person would write into openssl.cnf */
    "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=whoever\n"
    "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
    "[middle]\nbasicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
    "[node]\nsubjectAltName=URI:reload://011001010101010101010101010101010101@overlay.example.org/,"
    "email:bob@example.org\n"
    "[noslash]\nsubjectAltName=URI:reload://"
    "011001010101010101010101010101010101@overlay.example.org\n"
    "[twousers]\nsubjectAltName=URI:reload://"
    "011001010101010101010101010101010101@overlay.example.org/,"
    "email:bob@example.org,email:eve@example.org\n"
    "[foreign]\nsubjectAltName=URI:reload://011001010101010101010101010101010101@other.example.org/"
    "\n"
    "[mixed]\nsubjectAltName=URI:reload://011001010101010101010101010101010101@overlay.example.org/"
    ","
    "URI:reload://011002020202020202020202020202020202@other.example.org/\n"
    "[https]\nsubjectAltName=DNS:overlay.example.org\n"
    "[more]\nsubjectAltName=URI:reload://011001010101010101010101010101010101@overlay.example.org/,"
    "DNS:host.example.org,IP:192.0.2.1,URI:https://example.org/\n"
};

struct place {
    char *folder;
    const char *key_option[4]; /* after `openssl genpkey` */
};

static const struct place kinds[] = {
    { NULL, { "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256" } },
    { NULL, { "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048" } },
};

static char *in(const struct place *p, const char *name)
{
    return reload_cert_file_path(p->folder, name);
}

static void make_key(const struct place *p, const char *const option[4], const char *name)
{
    char *path = in(p, name);
    run((const char *const[]){ "openssl", "genpkey", option[0], option[1], option[2], option[3],
                               "-out", path, NULL });
    reload_free(path);
}

/* A certificate for key `name`.key with an extension section, by `issuer` (NULL: self-signed). */
static struct reload_cert_bytes make_cert(const struct place *p, const char *name,
                                          const char *section, const char *issuer,
                                          const char *digest)
{
    char file[64], *key, *csr = in(p, "csr"), *out, *cnf = in(p, "openssl.cnf"), *ca = NULL,
                         *ca_key = NULL;
    snprintf(file, sizeof file, "%s.key", name);
    key = in(p, file);
    snprintf(file, sizeof file, "%s.pem", name);
    out = in(p, file);
    run((const char *const[]){ "openssl", "req", "-new", "-config", cnf, "-key", key, "-out", csr,
                               NULL });
    if (issuer) {
        snprintf(file, sizeof file, "%s.pem", issuer);
        ca = in(p, file);
        snprintf(file, sizeof file, "%s.key", issuer);
        ca_key = in(p, file);
        run((const char *const[]){ "openssl",     "x509",  "-req",   "-in",      csr,
                                   "-CA",         ca,      "-CAkey", ca_key,     "-CAcreateserial",
                                   digest,        "-days", "365",    "-extfile", cnf,
                                   "-extensions", section, "-out",   out,        NULL });
    } else {
        run((const char *const[]){ "openssl", "x509", "-req", "-in", csr, "-signkey", key, digest,
                                   "-days", "365", "-extfile", cnf, "-extensions", section, "-out",
                                   out, NULL });
    }
    struct reload_cert_bytes pem = slurp(out), der;
    assert_int_equal(reload_cert_from_pem(reload_cert_bytes_slice(&pem), &der), 0);
    reload_cert_bytes_fini(&pem);
    reload_free(key);
    reload_free(csr);
    reload_free(out);
    reload_free(cnf);
    reload_free(ca);
    reload_free(ca_key);
    return der;
}

static struct place new_place(size_t kind)
{
    struct place p = kinds[kind];
    p.folder = new_folder();
    spit(p.folder, "openssl.cnf", settings[0]);
    make_key(&p, p.key_option, "ca.key");
    make_key(&p, p.key_option, "node.key");
    return p;
}

/* The certificates' own time: openssl takes it from the clock. */
static uint64_t moment_in(const struct reload_cert_bytes *node_der)
{
    struct reload_cert *c;
    assert_int_equal(reload_cert_parse(reload_cert_bytes_slice(node_der), false, &c, NULL), 0);
    uint64_t ms = reload_cert_content(c)->not_before_ms + DAY_MS;
    reload_cert_free(c);
    return ms;
}

static struct reload_config config_with(const struct reload_slice *roots, size_t count)
{
    struct reload_config c = reload_config_defaults();
    c.instance_name = OVERLAY;
    c.root_certs = roots;
    c.root_cert_count = count;
    return c;
}

static int judge(const struct reload_config *config, const struct reload_slice *chain, size_t count,
                 uint64_t now_ms, char *reason, size_t cap)
{
    struct reload_cert_context *context;
    const struct reload_cert_context_options options = { .config = config };
    struct reload_link_peer peer;
    assert_int_equal(reload_cert_context_new(&options, &context, NULL), 0);
    int error = reload_cert_link_identity_ops.check(
        context, chain, count, (struct reload_time){ 0, now_ms }, &peer, reason, cap);
    reload_cert_context_free(context);
    return error;
}

static void certificates_made_by_openssl_are_judged_by_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *section, *word;
        int error;
    } cases[] = {
        { "node", "", 0 },
        { "noslash", "", 0 },
        { "more", "", 0 }, /* names of other kinds are passed over */
        { "twousers", "several user names", RELOAD_E_CERTIFICATE },
        { "foreign", "other.example.org", RELOAD_E_CERTIFICATE },
        { "mixed", "two overlays", RELOAD_E_CERTIFICATE },
        { "https", "no Node-ID", RELOAD_E_CERTIFICATE },
    };
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        struct place p = new_place(kind);
        struct reload_cert_bytes ca = make_cert(&p, "ca", "ca", NULL, "-sha256");
        struct reload_slice root = reload_cert_bytes_slice(&ca);
        struct reload_config config = config_with(&root, 1);
        uint64_t now_ms = 0;
        for (size_t i = 0; i < COUNT(cases); i++) {
            char reason[200];
            struct reload_cert_bytes der = make_cert(&p, "node", cases[i].section, "ca", "-sha256");
            struct reload_slice one = reload_cert_bytes_slice(&der);
            now_ms = now_ms ? now_ms : moment_in(&der);
            int error = judge(&config, &one, 1, now_ms, reason, sizeof reason);
            if (error != cases[i].error || !strstr(reason, cases[i].word))
                fail_msg("%s: %d %s", cases[i].section, error, reason);
            assert_int_not_equal(judge(&config, &one, 1, now_ms + 400 * DAY_MS, reason, 8), 0);
            reload_cert_bytes_fini(&der);
        }
        reload_cert_bytes_fini(&ca);
        remove_folder(p.folder);
    }
}

static void
a_chain_through_an_intermediate_ca_is_found_and_weak_digests_and_keys_are_refused(void **state)
{
    (void)state;
    static const char *const weak[4] = { "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024" };
    struct place p = new_place(0);
    char reason[200];
    make_key(&p, p.key_option, "middle.key");
    struct reload_cert_bytes ca = make_cert(&p, "ca", "ca", NULL, "-sha256");
    struct reload_cert_bytes middle = make_cert(&p, "middle", "middle", "ca", "-sha256");
    struct reload_cert_bytes node = make_cert(&p, "node", "node", "middle", "-sha256");
    struct reload_slice root = reload_cert_bytes_slice(&ca);
    struct reload_config config = config_with(&root, 1);
    struct reload_slice chain[] = { reload_cert_bytes_slice(&node),
                                    reload_cert_bytes_slice(&middle) };
    uint64_t now_ms = moment_in(&node);
    assert_int_equal(judge(&config, chain, 1, now_ms, reason, sizeof reason), RELOAD_E_CERTIFICATE);
    assert_int_equal(judge(&config, chain, 2, now_ms, reason, sizeof reason), 0);
    config = config_with(&chain[1], 1); /* the intermediate as a root-cert */
    assert_int_equal(judge(&config, chain, 1, now_ms, reason, sizeof reason), 0);
    reload_cert_bytes_fini(&node);

    config = config_with(&root, 1);
    node = make_cert(&p, "node", "node", "ca", "-sha1");
    chain[0] = reload_cert_bytes_slice(&node);
    assert_int_equal(judge(&config, chain, 1, now_ms, reason, sizeof reason), RELOAD_E_CERTIFICATE);
    assert_non_null(strstr(reason, "SHA-256 or better"));
    reload_cert_bytes_fini(&node);
    make_key(&p, weak, "node.key");
    node = make_cert(&p, "node", "node", "ca", "-sha256");
    chain[0] = reload_cert_bytes_slice(&node);
    assert_int_equal(judge(&config, chain, 1, now_ms, reason, sizeof reason), RELOAD_E_CERTIFICATE);
    assert_non_null(strstr(reason, "1024 bits"));
    reload_cert_bytes_fini(&node);

    /* a node that plays CA for another one */
    make_key(&p, p.key_option, "node.key");
    make_key(&p, p.key_option, "victim.key");
    node = make_cert(&p, "node", "node", "ca", "-sha256");
    struct reload_cert_bytes victim = make_cert(&p, "victim", "node", "node", "-sha256");
    chain[0] = reload_cert_bytes_slice(&victim);
    chain[1] = reload_cert_bytes_slice(&node);
    assert_int_equal(judge(&config, chain, 2, now_ms, reason, sizeof reason), RELOAD_E_CERTIFICATE);
    reload_cert_bytes_fini(&victim);
    reload_cert_bytes_fini(&node);
    reload_cert_bytes_fini(&middle);
    reload_cert_bytes_fini(&ca);
    remove_folder(p.folder);
}

static struct reload_cert_bytes by_hand(const struct reload_cert_bytes *ca)
{
    struct reload_cert_text t = { 0 };
    struct reload_cert_bytes out;
    reload_cert_text_string(
        &t, "<?xml version='1.0' encoding='utf-8'?>\r\n"
            "<overlay xmlns='urn:ietf:params:xml:ns:p2p:config-base'>\r\n"
            " <configuration instance-name='" OVERLAY "' sequence='3'>\r\n"
            "  <bootstrap-node address='127.0.0.1' port='6084'></bootstrap-node>\r\n"
            "  <no-ice>1</no-ice>\r\n  <root-cert>\r\n");
    struct reload_cert_text base64 = { 0 };
    reload_cert_text_base64(&base64, reload_cert_bytes_slice(ca));
    for (size_t at = 0; at < base64.len; at += 64) {
        size_t len = base64.len - at < 64 ? base64.len - at : 64;
        reload_cert_text_add(&t, reload_slice_of(base64.p + at, len));
        reload_cert_text_string(&t, "\r\n");
    }
    reload_cert_text_fini(&base64);
    reload_cert_text_string(&t, "  </root-cert>\r\n"
                                "  <configuration-signer> 01010101010101010101010101010101 "
                                "</configuration-signer>\r\n </configuration>\r\n</overlay>\r\n");
    assert_int_equal(reload_cert_text_take(&t, &out), 0);
    return out;
}

static void a_peer_starts_from_loose_files_of_another_program_rsa_or_ec(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        struct place p = new_place(kind);
        struct reload_cert_reason why = { "" };
        struct reload_cert_bytes ca = make_cert(&p, "ca", "ca", NULL, "-sha256");
        struct reload_cert_bytes node = make_cert(&p, "node", "node", "ca", "-sha256");
        struct reload_cert_bytes document = by_hand(&ca), signed_document;
        uint64_t now_ms = moment_in(&node);
        const struct reload_cert_document_policy lax = { .allow_unsigned = true };
        struct reload_config *config;
        assert_int_equal(reload_cert_document_load(reload_cert_bytes_slice(&document), NULL, NULL,
                                                   now_ms, &config, &why),
                         RELOAD_E_SIGNATURE);
        assert_int_equal(reload_cert_document_load(reload_cert_bytes_slice(&document), NULL, &lax,
                                                   now_ms, &config, &why),
                         0);
        assert_true(config->no_ice);
        char *pem = in(&p, "node.pem"), *key = in(&p, "node.key");
        struct reload_cert_identity *me;
        if (reload_cert_identity_load(pem, key, config, &me, &why) ||
            reload_cert_identity_check(me, config, now_ms, &why))
            fail_msg("%s", why.text);
        const struct reload_own_identity *own = reload_cert_identity_own(me);
        struct reload_node_id expected = node_id(1);
        assert_true(reload_node_id_equal(&own->node_id, &expected));
        assert_memory_equal(own->user_name.p, "bob@example.org", 15);
        /* and this node is the configuration-signer: with Windows line ends kept as they are */
        assert_int_equal(reload_cert_document_sign(reload_cert_bytes_slice(&document), NULL, NULL,
                                                   RELOAD_SEQUENCE_ANY, me, me, &signed_document,
                                                   &why),
                         0);
        reload_cert_document_free(config);
        if (reload_cert_document_load(reload_cert_bytes_slice(&signed_document), NULL, NULL, now_ms,
                                      &config, &why))
            fail_msg("%s", why.text);
        reload_cert_document_free(config);
        reload_cert_identity_free(me);
        reload_free(pem);
        reload_free(key);
        reload_cert_bytes_fini(&signed_document);
        reload_cert_bytes_fini(&document);
        reload_cert_bytes_fini(&node);
        reload_cert_bytes_fini(&ca);
        remove_folder(p.folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_made_by_openssl_are_judged_by_what_they_say),
        cmocka_unit_test(
            a_chain_through_an_intermediate_ca_is_found_and_weak_digests_and_keys_are_refused),
        cmocka_unit_test(a_peer_starts_from_loose_files_of_another_program_rsa_or_ec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
