/* Which servers the client talks to: the names and the CA of RFC 6940 s11.2 and s11.3. */
#include "client_fixture.h"
#include "fake_server.h"

#include "certs/ca.h"
#include "certs/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* R6940-11.2-3 */
static void a_server_that_cannot_be_trusted_gets_nothing(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    struct reload_enroll_client_options o = client_options(c);
    char other[128];
    o.ca_file = NULL;
    client_expect(c, &o, RELOAD_ENROLL_TLS_UNKNOWN_CA, 4, "--ca");
    /* another CA than the one pinned */
    struct reload_cert_ca *ca;
    struct reload_cert_reason reason = { "" };
    uint64_t now_ms = reload_enroll_unix_ms();
    assert_int_equal(reload_cert_ca_create(RELOAD_CERT_KEY_EC, FIXTURE_OVERLAY, now_ms,
                                           now_ms + 86400000, &ca, &reason),
                     0);
    char other_key[128];
    assert_int_equal(reload_cert_ca_save(ca, fixture_path(f, "other.pem", other),
                                         fixture_path(f, "other.key", other_key), &reason),
                     0);
    reload_cert_ca_free(ca);
    o.ca_file = other;
    client_expect(c, &o, RELOAD_ENROLL_TLS_UNKNOWN_CA, 4, "not the one given");
    o = client_options(c);
    snprintf(c->url, sizeof c->url, "https://127.0.0.2:%u/.well-known/reload-config", f->port);
    fixture_stop(f);
    f->options.listen = NULL;
    /* listening on 127.0.0.2, a name that its certificate does not have */
    char place[32];
    snprintf(place, sizeof place, "127.0.0.2:%u", f->port);
    f->options.listen = place;
    f->options.listen_fd = -1;
    assert_int_equal(reload_enroll_server_start(&f->options, &f->server, &reason), 0);
    client_expect(c, &o, RELOAD_ENROLL_TLS_NAME, 4, "127.0.0.2");
    o.ca_file = "/nonexistent.pem";
    client_expect(c, &o, RELOAD_ENROLL_LOCAL, 1, "/nonexistent.pem");
    o.ca_file = c->document;
    client_expect(c, &o, RELOAD_ENROLL_LOCAL, 1, "no PEM");
}

/* Gives the server a certificate for the host of its URL alone. */
static void drop_overlay_name(struct fixture *f)
{
    char pem[128], key_path[128];
    const char *names[] = { "127.0.0.1" };
    uint8_t serial[] = { 3 };
    struct reload_cert_ca *ca;
    struct reload_cert_key *key;
    struct reload_cert_bytes public, der, text;
    struct reload_cert_reason reason = { "" };
    uint64_t now_ms = reload_enroll_unix_ms();
    assert_int_equal(reload_cert_ca_load(fixture_path(f, "ca.pem", pem),
                                         fixture_path(f, "ca.key", key_path), &ca, &reason),
                     0);
    assert_int_equal(reload_cert_key_read(fixture_path(f, "https.key", key_path), &key, &reason),
                     0);
    assert_int_equal(reload_cert_key_public(key, &public), 0);
    struct reload_cert_issue_server issue = {
        reload_cert_bytes_slice(&public), names, 1, { serial, 1 }, now_ms - 1000, now_ms + 86400000
    };
    assert_int_equal(reload_cert_ca_issue_server(ca, &issue, &der, &reason), 0);
    struct reload_slice slice = reload_cert_bytes_slice(&der);
    assert_int_equal(reload_cert_pem(&slice, 1, &text), 0);
    assert_int_equal(reload_cert_file_write(fixture_path(f, "https.pem", pem),
                                            reload_cert_bytes_slice(&text), false, &reason),
                     0);
    reload_cert_bytes_fini(&text);
    reload_cert_bytes_fini(&der);
    reload_cert_bytes_fini(&public);
    reload_cert_key_free(key);
    reload_cert_ca_free(ca);
}

/* R6940-11.3-3 */
static void the_enrollment_server_s_name_is_the_overlay_s_or_its_url_s(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    struct fake k;
    struct reload_enroll_client_options o = client_options(c);
    o.source = c->document;
    o.strict_name = true;
    drop_overlay_name(f);
    fake_start(f, &k, FAKE_SAYS("403 Forbidden", "text/plain", "bad_CSR"));
    client_expect(c, &o, RELOAD_ENROLL_TLS_NAME, 4, FIXTURE_OVERLAY);
    assert_int_equal(k.requests, 0); /* and no password has left this machine */
    o.strict_name = false;
    client_expect(c, &o, RELOAD_ENROLL_REFUSED_CSR, 4, "");
    char host[64];
    snprintf(host, sizeof host, "Host: 127.0.0.1:%u\r\n", f->port);
    fake_stop(f, &k);
    assert_non_null(strstr(k.asked, host));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_SERVED(a_server_that_cannot_be_trusted_gets_nothing),
        CLIENT_ALONE(the_enrollment_server_s_name_is_the_overlay_s_or_its_url_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
