/* A node enrolls with the real server (RFC 6940 s11.3), or is told why not. */
#include "client_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* R6940-11.2-1 R6940-11.2-3 R6940-11.2-4 R6940-11.3-1 R6940-11.3-2 R6940-11.3-3 R6940-11.3-5
 * R6940-11.3-6 R6940-11.3-7 R6940-11.3-20 */
static void a_node_enrolls_by_url_and_has_an_identity_that_peers_accept(void **state)
{
    struct client_fixture *c = *state;
    struct reload_enroll_client_options o = client_options(c);
    o.node_ids = 2;
    client_expect(c, &o, RELOAD_ENROLL_OK, 0, FIXTURE_OVERLAY);
    assert_int_equal(c->outcome.node_id_count, 2);
    assert_string_equal(c->outcome.user, "alice@example.org");
    assert_string_equal(c->outcome.overlay, FIXTURE_OVERLAY);
    assert_true(c->outcome.not_after_ms > reload_enroll_unix_ms());
    assert_false(c->outcome.self_signed);
    client_check_identity(c);
    struct reload_node_id first = c->outcome.node_ids[0];
    o.device = "phone"; /* the account has its two Node-IDs, and may have no more */
    o.node_ids = 0;
    assert_int_equal(reload_enroll_run(&o, &c->outcome), RELOAD_ENROLL_REFUSED_NODE_IDS);
    o.device = NULL;
    assert_int_equal(reload_enroll_run(&o, &c->outcome), RELOAD_ENROLL_OK);
    assert_true(reload_node_id_equal(&first, &c->outcome.node_ids[0]));
}

/* R6940-11.2-7 R6940-11.3-12 */
static void a_document_s_file_is_enough_and_renewal_replaces_the_folder(void **state)
{
    struct client_fixture *c = *state;
    struct reload_enroll_client_options o = client_options(c);
    char path[300];
    struct stat st;
    o.source = c->document;
    o.ca_file = NULL; /* the verified document holds the CA */
    client_expect(c, &o, RELOAD_ENROLL_OK, 0, "enrolled");
    struct reload_node_id first = c->outcome.node_ids[0];
    snprintf(path, sizeof path, "%s/values.db", c->identity);
    fclose(fopen(path, "w"));
    snprintf(path, sizeof path, "%s/peers.cache", c->identity);
    fclose(fopen(path, "w"));
    client_expect(c, &o, RELOAD_ENROLL_OK, 0, "enrolled");
    assert_true(reload_node_id_equal(&first, &c->outcome.node_ids[0]));
    client_check_identity(c);
    assert_int_not_equal(stat(path, &st), 0); /* the cache is gone, other things moved over */
    snprintf(path, sizeof path, "%s/values.db", c->identity);
    assert_int_equal(stat(path, &st), 0);
    snprintf(path, sizeof path, "test $(ls -d %s* | wc -l) = 1", c->identity);
    assert_int_equal(system(path), 0);
}

/* R6940-11.3-18 */
static void each_refusal_is_explained(void **state)
{
    struct client_fixture *c = *state;
    struct reload_enroll_client_options o = client_options(c);
    o.password = "wrong";
    client_expect(c, &o, RELOAD_ENROLL_REFUSED_AUTHENTICATION, 4, "password is wrong");
    o = client_options(c);
    o.node_ids = 3;
    client_expect(c, &o, RELOAD_ENROLL_REFUSED_NODE_IDS, 4, "fewer");
    o = client_options(c);
    o.user = "nobody@example.org";
    client_expect(c, &o, RELOAD_ENROLL_REFUSED_AUTHENTICATION, 4, "failed_authentication");
    o.user = "Not A Name";
    client_expect(c, &o, RELOAD_ENROLL_USAGE, 2, "");
    o.user = NULL;
    client_expect(c, &o, RELOAD_ENROLL_USAGE, 2, "--user");
    o = client_options(c);
    o.password = "wrong";
    for (int i = 0; i < 5; i++)
        reload_enroll_run(&o, &c->outcome);
    client_expect(c, &o, RELOAD_ENROLL_REFUSED_FOR_NOW, 4, "wait");
}

static void a_server_that_is_not_there_is_named(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    struct reload_enroll_client_options o = client_options(c);
    close(f->listen_fd);
    f->listen_fd = -1;
    client_expect(c, &o, RELOAD_ENROLL_CONNECT, 1, "127.0.0.1");
    o.source = c->document; /* the document is there, its enrollment server is not */
    client_expect(c, &o, RELOAD_ENROLL_CONNECT, 1, "127.0.0.1");
}

static void an_rsa_overlay_gets_rsa_keys_unless_told(void **state)
{
    struct client_fixture *c = calloc(1, sizeof *c);
    char key_path[256];
    struct reload_cert_key *key;
    struct reload_cert_reason reason = { "" };
    (void)state;
    fixture_make(&c->fixture, RELOAD_CERT_KEY_RSA);
    fixture_start(&c->fixture);
    struct reload_enroll_client_options o = client_options(c);
    for (int told = 0; told < 2; told++) {
        o.key_given = told;
        o.key = RELOAD_CERT_KEY_EC;
        if (reload_enroll_run(&o, &c->outcome))
            fail_msg("%s", c->outcome.text);
        snprintf(key_path, sizeof key_path, "%s/node.key", c->identity);
        assert_int_equal(reload_cert_key_read(key_path, &key, &reason), 0);
        assert_int_equal(reload_cert_key_type(key),
                         told ? RELOAD_CERT_KEY_EC : RELOAD_CERT_KEY_RSA);
        reload_cert_key_free(key);
    }
    fixture_free(&c->fixture);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_SERVED(a_node_enrolls_by_url_and_has_an_identity_that_peers_accept),
        CLIENT_SERVED(a_document_s_file_is_enough_and_renewal_replaces_the_folder),
        CLIENT_SERVED(each_refusal_is_explained),
        CLIENT_ALONE(a_server_that_is_not_there_is_named),
        cmocka_unit_test(an_rsa_overlay_gets_rsa_keys_unless_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
