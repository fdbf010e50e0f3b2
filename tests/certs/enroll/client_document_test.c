/* Which documents the client takes, what each leads to, and when it fetches the next: RFC 6940
 * s11.2, s11.3.1. */
#include "client_fixture.h"

#include "certs/file.h"
#include "certs/identity.h"
#include "certs/overlay_dir.h"
#include "reload/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* R6940-11.2-5 R6940-4.1-1: the first document comes over HTTPS or from a file, and signed. */
static void a_document_of_another_overlay_or_without_signature_is_discarded(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    struct reload_enroll_client_options o = client_options(c);
    char path[128];
    o.overlay = "another.example.org";
    client_expect(c, &o, RELOAD_ENROLL_DOCUMENT_INVALID, 1, "another.example.org");
    o = client_options(c);
    struct reload_cert_bytes document;
    struct reload_cert_reason reason = { "" };
    assert_int_equal(reload_cert_file_read(c->document, &document, &reason), 0);
    uint8_t *at = memmem(document.p, document.n, "<initial-ttl>", 13);
    assert_non_null(at);
    at[13] = '2';
    o.source = fixture_path(f, "changed.xml", path);
    assert_int_equal(
        reload_cert_file_write(path, reload_cert_bytes_slice(&document), false, &reason), 0);
    client_expect(c, &o, RELOAD_ENROLL_DOCUMENT_UNSIGNED, 4, "--unsigned");
    o.allow_unsigned = true;
    client_expect(c, &o, RELOAD_ENROLL_OK, 0, "");
    reload_cert_bytes_fini(&document);
    o = client_options(c);
    c->identity[strlen(c->identity) - 1] = '2';
    o.source = "no-such-file.xml";
    client_expect(c, &o, RELOAD_ENROLL_LOCAL, 1, "no-such-file.xml");
    o.source = "http://127.0.0.1/";
    client_expect(c, &o, RELOAD_ENROLL_USAGE, 2, "https://");
    o.source = c->ca;
    client_expect(c, &o, RELOAD_ENROLL_DOCUMENT_INVALID, 1, "");
}

static void write_document(struct fixture *f, const char *name, char path[128],
                           void (*change)(struct reload_config *))
{
    struct reload_config config = *f->config;
    struct reload_cert_bytes xml, signed_xml;
    struct reload_cert_identity *signer;
    struct reload_cert_reason reason = { "" };
    char pem[128], key[128];
    change(&config);
    assert_int_equal(reload_cert_document_write(&config, &xml), 0);
    assert_int_equal(reload_cert_identity_load(fixture_path(f, "signer.pem", pem),
                                               fixture_path(f, "signer.key", key), NULL, &signer,
                                               &reason),
                     0);
    if (reload_cert_document_sign(reload_cert_bytes_slice(&xml), NULL, NULL, RELOAD_SEQUENCE_ANY,
                                  signer, signer, &signed_xml, &reason))
        fail_msg("%s", reason.text);
    fixture_path(f, name, path);
    assert_int_equal(
        reload_cert_file_write(path, reload_cert_bytes_slice(&signed_xml), false, &reason), 0);
    reload_cert_bytes_fini(&xml);
    reload_cert_bytes_fini(&signed_xml);
    reload_cert_identity_free(signer);
}

static void to_self_signed(struct reload_config *config)
{
    config->enrollment_server_count = 0;
    config->self_signed_permitted = true;
    config->self_signed_digest = RELOAD_HASH_SHA256;
}

static void to_nobody(struct reload_config *config)
{
    config->enrollment_server_count = 0;
}

static void to_expired(struct reload_config *config)
{
    config->expiration_ms = reload_enroll_unix_ms() - 5000;
}

static const char *two_servers[] = { "https://127.0.0.1:1/enroll", NULL };

static void to_two_servers(struct reload_config *config)
{
    two_servers[1] = config->enrollment_servers[0];
    config->enrollment_servers = two_servers;
    config->enrollment_server_count = 2;
}

static void other_documents_lead_to_other_ends(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    char path[128];
    struct reload_enroll_client_options o = client_options(c);
    o.source = path;
    write_document(f, "d.xml", path, to_nobody);
    client_expect(c, &o, RELOAD_ENROLL_DOCUMENT_INVALID, 1, "no enrollment server");
    write_document(f, "d.xml", path, to_expired);
    client_expect(c, &o, RELOAD_ENROLL_DOCUMENT_EXPIRED, 5, "operator");
    write_document(f, "d.xml", path, to_two_servers); /* the first one is down */
    client_expect(c, &o, RELOAD_ENROLL_OK, 0, "");
}

/* R6940-11.3.1-1 R6940-11.3.1-2 R6940-11.3.1-3 R6940-11.3.1-4 */
static void where_self_signed_is_permitted_a_node_makes_its_own(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    char path[128];
    struct reload_enroll_client_options o = client_options(c);
    write_document(f, "self.xml", path, to_self_signed);
    o.source = path;
    o.password = NULL;
    o.node_ids = 3;
    client_expect(c, &o, RELOAD_ENROLL_OK, 0, "self-signed");
    assert_true(c->outcome.self_signed);
    assert_int_equal(c->outcome.node_id_count, 3);
    o.user = NULL;
    o.node_ids = 0;
    client_expect(c, &o, RELOAD_ENROLL_OK, 0, "self-signed");
    assert_int_equal(c->outcome.node_id_count, 1);
    assert_string_equal(c->outcome.user, "");
}

static void without_memory_nothing_is_written(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    char path[128];
    struct reload_enroll_client_options o = client_options(c);
    write_document(f, "self.xml", path, to_self_signed);
    o.source = path;
    unsigned long n = 0;
    enum reload_enroll_result result;
    do {
        reload_alloc_fail_at(++n);
        result = reload_enroll_run(&o, &c->outcome);
        reload_alloc_fail_at(0);
        assert_true(c->outcome.text[0] != '\0');
        assert_int_equal(access(c->identity, F_OK) == 0, result == RELOAD_ENROLL_OK);
    } while (result && n < 5000);
    assert_int_equal(result, RELOAD_ENROLL_OK);
    assert_true(n > 10);
    char command[200];
    snprintf(command, sizeof command, "test $(ls -d %s* | wc -l) = 1", c->identity);
    assert_int_equal(system(command), 0);
}

/* R6940-11.2-6 */
static void the_document_is_refetched_when_there_is_a_newer_one(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    struct reload_config *next;
    struct reload_cert_reason reason = { "" };
    uint16_t sequence;
    char path[256];
    struct reload_enroll_client_options o = client_options(c);
    client_expect(c, &o, RELOAD_ENROLL_OK, 0, "");
    assert_int_equal(reload_enroll_refetch(&o, f->config, &next, &c->outcome),
                     RELOAD_ENROLL_UNCHANGED);
    assert_null(next);
    assert_int_equal(
        reload_cert_overlay_sign(f->dir, NULL, reload_enroll_unix_ms(), &sequence, &reason), 0);
    assert_int_equal(reload_enroll_refetch(&o, f->config, &next, &c->outcome), RELOAD_ENROLL_OK);
    assert_int_equal(next->sequence, sequence);
    struct reload_cert_bytes kept;
    snprintf(path, sizeof path, "%s/overlay.xml", c->identity);
    assert_int_equal(reload_cert_file_read(path, &kept, &reason), 0);
    assert_int_equal(kept.n, next->document.n);
    assert_memory_equal(kept.p, next->document.p, kept.n);
    reload_cert_bytes_fini(&kept);
    reload_cert_document_free(next);
}

static void the_refetch_comes_well_before_the_expiration(void **state)
{
    struct reload_config config = { .expiration_ms = RELOAD_NEVER };
    (void)state;
    assert_true(reload_enroll_refetch_at_ms(&config, 5, 7) == RELOAD_NEVER);
    config.expiration_ms = 3000000;
    for (uint64_t random = 0; random < 5000000; random += 777777) {
        uint64_t at_ms = reload_enroll_refetch_at_ms(&config, 0, random);
        assert_in_range(at_ms, 1000000, 1999999);
    }
    assert_int_equal(reload_enroll_refetch_at_ms(&config, 3000000, 1), 3000000);
    assert_int_equal(reload_enroll_refetch_at_ms(&config, 4000000, 1), 4000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_SERVED(a_document_of_another_overlay_or_without_signature_is_discarded),
        CLIENT_ALONE(without_memory_nothing_is_written),
        CLIENT_ALONE(where_self_signed_is_permitted_a_node_makes_its_own),
        CLIENT_SERVED(other_documents_lead_to_other_ends),
        CLIENT_SERVED(the_document_is_refetched_when_there_is_a_newer_one),
        cmocka_unit_test(the_refetch_comes_well_before_the_expiration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
