#include "client_fixture.h"

#include "certs/file.h"
#include "certs/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

int client_set_up(void **state)
{
    struct client_fixture *c = calloc(1, sizeof *c);
    fixture_make(&c->fixture, RELOAD_CERT_KEY_EC);
    *state = c;
    return 0;
}

int client_set_up_served(void **state)
{
    client_set_up(state);
    struct client_fixture *c = *state;
    fixture_start(&c->fixture);
    return 0;
}

int client_tear_down(void **state)
{
    struct client_fixture *c = *state;
    fixture_free(&c->fixture);
    free(c);
    return 0;
}

struct reload_enroll_client_options client_options(struct client_fixture *c)
{
    fixture_path(&c->fixture, "ca.pem", c->ca);
    fixture_path(&c->fixture, "identity", c->identity);
    fixture_path(&c->fixture, "overlay.xml", c->document);
    snprintf(c->url, sizeof c->url, "https://127.0.0.1:%u/.well-known/reload-config",
             c->fixture.port);
    return (struct reload_enroll_client_options){ .source = c->url,
                                                  .user = "alice@example.org",
                                                  .password = "correct horse",
                                                  .ca_file = c->ca,
                                                  .identity_dir = c->identity,
                                                  .timeout_ms = 5000 };
}

void client_expect(struct client_fixture *c, const struct reload_enroll_client_options *o,
                   enum reload_enroll_result result, int exit_code, const char *words)
{
    enum reload_enroll_result got = reload_enroll_run(o, &c->outcome);
    if (got != result || !strstr(c->outcome.text, words))
        fail_msg("%s, not %s: %s", reload_enroll_result_text(got),
                 reload_enroll_result_text(result), c->outcome.text);
    assert_int_equal(c->outcome.result, got);
    assert_int_equal(reload_enroll_exit_code(got), exit_code);
    assert_int_equal(access(o->identity_dir, F_OK) == 0, result == RELOAD_ENROLL_OK);
}

void client_check_identity(const struct client_fixture *c)
{
    const struct reload_config *config = c->fixture.config;
    char path[256], key_path[256];
    struct stat st;
    struct reload_cert_identity *id;
    struct reload_cert_reason reason = { "" };
    snprintf(path, sizeof path, "%s/node.pem", c->identity);
    snprintf(key_path, sizeof key_path, "%s/node.key", c->identity);
    assert_int_equal(stat(key_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(reload_cert_identity_load(path, key_path, config, &id, &reason), 0);
    assert_int_equal(reload_cert_identity_check(id, config, reload_enroll_unix_ms(), &reason), 0);
    reload_cert_identity_free(id);
    struct reload_cert_bytes document;
    snprintf(path, sizeof path, "%s/overlay.xml", c->identity);
    assert_int_equal(reload_cert_file_read(path, &document, &reason), 0);
    assert_int_equal(document.n, config->document.n);
    assert_memory_equal(document.p, config->document.p, document.n);
    reload_cert_bytes_fini(&document);
}
