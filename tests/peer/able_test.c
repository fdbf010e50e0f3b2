#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "peer/able.h"

static const char *const tls[] = { "TLS" };
static const char *const foreign[] = { "EXP-LINK" };
static const char *const experimental[] = { "EXP-PROTOCOL" };
static const char *const both[] = { "EXP-LINK", "TLS" };

static struct reload_config usual(void)
{
    struct reload_config config = reload_config_defaults();
    config.instance_name = "overlay.example";
    config.overlay_link_protocols = tls;
    config.overlay_link_protocol_count = 1;
    return config;
}

static void refused(const struct reload_config *config, enum reload_role role, int error,
                    const char *word)
{
    struct reload_cert_reason reason = { "" };
    assert_int_equal(reload_able_check(config, role, &reason), error);
    assert_non_null(strstr(reason.text, word));
}

static void the_usual_configuration_suits_peers_and_clients(void **state)
{
    (void)state;
    struct reload_config config = usual();
    assert_int_equal(reload_able_check(&config, RELOAD_ROLE_PEER, NULL), 0);
    assert_int_equal(reload_able_check(&config, RELOAD_ROLE_CLIENT, NULL), 0);
    config.overlay_link_protocols = both;
    config.overlay_link_protocol_count = 2;
    assert_int_equal(reload_able_check(&config, RELOAD_ROLE_PEER, NULL), 0);
}

/* R6940-11.1-10, R6940-11.1-23, R6940-11.1-37, R6940-14.3-1: experiments included */
static void what_this_program_does_not_have_keeps_it_out(void **state)
{
    (void)state;
    struct reload_config config = usual();
    config.topology_plugin = "KADEMLIA-RELOAD";
    refused(&config, RELOAD_ROLE_PEER, RELOAD_E_UNSUPPORTED, "KADEMLIA-RELOAD");
    config.topology_plugin = "EXP-OVERLAY";
    refused(&config, RELOAD_ROLE_PEER, RELOAD_E_UNSUPPORTED, "EXP-OVERLAY");
    config = usual();
    config.overlay_link_protocols = experimental;
    refused(&config, RELOAD_ROLE_PEER, RELOAD_E_UNSUPPORTED, "overlay-link-protocol");
    config = usual();
    config.overlay_link_protocols = foreign;
    refused(&config, RELOAD_ROLE_PEER, RELOAD_E_UNSUPPORTED, "overlay-link-protocol");
    config = usual();
    config.shared_secret = "hush";
    refused(&config, RELOAD_ROLE_PEER, RELOAD_E_UNSUPPORTED, "shared-secret");
}

/* R6940-14.16-1 */
static void the_reason_does_not_tell_the_secret(void **state)
{
    (void)state;
    struct reload_config config = usual();
    struct reload_cert_reason reason = { "" };
    config.shared_secret = "hush";
    assert_int_equal(reload_able_check(&config, RELOAD_ROLE_PEER, &reason), RELOAD_E_UNSUPPORTED);
    assert_null(strstr(reason.text, "hush"));
}

/* R6940-11.1-18 */
static void clients_stay_out_where_they_are_not_permitted(void **state)
{
    (void)state;
    struct reload_config config = usual();
    config.clients_permitted = false;
    assert_int_equal(reload_able_check(&config, RELOAD_ROLE_PEER, NULL), 0);
    refused(&config, RELOAD_ROLE_CLIENT, RELOAD_E_FORBIDDEN, "clients");
    refused(&config, RELOAD_ROLE_CLIENT_ANY, RELOAD_E_FORBIDDEN, "clients");
}

/* R6940-11.1-26, RFC 7904 s3.4: the namespace of domain-restriction is one that a node here knows.
 */
static void namespaces_of_its_usages_may_be_mandatory(void **state)
{
    (void)state;
    const struct reload_cert_document_policy policy = reload_able_policy();
    struct reload_cert_reason reason = { "" };
    struct reload_config *config;
    static const char form[] = "<overlay xmlns='urn:ietf:params:xml:ns:p2p:config-base'>"
                               "<configuration instance-name='o.example' sequence='1'>"
                               "<self-signed-permitted digest='sha1'>true</self-signed-permitted>"
                               "<mandatory-extension> urn:ietf:params:xml:ns:p2p:config-base%s "
                               "</mandatory-extension></configuration></overlay>";
    static const struct {
        const char *ending;
        int error;
    } cases[] = { { ":sip", 0 }, { ":SIP", RELOAD_E_UNSUPPORTED } };
    for (size_t i = 0; i < 2; i++) {
        char document[sizeof form + 8];
        int n = snprintf(document, sizeof document, form, cases[i].ending);
        assert_int_equal(reload_cert_document_parse(reload_slice_of(document, (size_t)n), NULL,
                                                    &policy, &config, &reason),
                         cases[i].error);
        if (!cases[i].error)
            reload_cert_document_free(config);
    }
}

static void a_process_that_may_open_too_few_descriptors_makes_no_links_by_ice(void **state)
{
    (void)state;
    struct reload_cert_reason reason = { "" };
    struct rlimit before, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(reload_able_descriptors(&reason), 0);
    low = (struct rlimit){ RELOAD_ABLE_DESCRIPTORS - 1, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(reload_able_descriptors(&reason), RELOAD_E_LIMIT);
    assert_non_null(strstr(reason.text, "ulimit"));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_configuration_suits_peers_and_clients),
        cmocka_unit_test(what_this_program_does_not_have_keeps_it_out),
        cmocka_unit_test(the_reason_does_not_tell_the_secret),
        cmocka_unit_test(clients_stay_out_where_they_are_not_permitted),
        cmocka_unit_test(namespaces_of_its_usages_may_be_mandatory),
        cmocka_unit_test(a_process_that_may_open_too_few_descriptors_makes_no_links_by_ice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
