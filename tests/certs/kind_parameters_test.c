#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "certs/document.h"
#include "usage-sip/domain.h"

/* What an extension says in a <kind>, from document to data and back. */

#define HEAD                                                                                       \
    "<overlay xmlns='urn:ietf:params:xml:ns:p2p:config-base' xmlns:sip='" RELOAD_SIP_NAMESPACE     \
    "'><configuration instance-name='o.example' sequence='1'><self-signed-permitted "              \
    "digest='sha1'>true</self-signed-permitted><required-kinds><kind-block>"                       \
    "<kind name='SIP-REGISTRATION'><data-model>DICTIONARY</data-model><access-control>"            \
    "USER-NODE-MATCH</access-control><max-count>3</max-count><max-size>40</max-size>"
#define TAIL "</kind></kind-block></required-kinds></configuration></overlay>"

static struct reload_cert_reason why;

static int parse(const char *extension, struct reload_config **out)
{
    static const struct reload_kind_ops *const ops[] = { &reload_sip_kind_ops };
    const struct reload_cert_document_policy policy = { .kind_ops = ops, .kind_ops_count = 1 };
    size_t cap = strlen(extension) + sizeof HEAD + sizeof TAIL;
    char *document = malloc(cap);
    assert_non_null(document);
    int len = snprintf(document, cap, "%s%s%s", HEAD, extension, TAIL);
    int error = reload_cert_document_parse(reload_slice_of(document, (size_t)len), NULL, &policy,
                                           out, &why);
    free(document);
    return error;
}

static void is(const struct reload_kind_parameter *p, enum reload_kind_parameter_part part,
               const char *name, const char *value)
{
    assert_int_equal(p->part, part);
    assert_string_equal(p->namespace_uri, RELOAD_SIP_NAMESPACE);
    assert_string_equal(p->name, name);
    assert_string_equal(p->text, value);
}

static void is_the_example(const struct reload_config *c)
{
    const struct reload_kind_config *kind = reload_config_kind(c, 1);
    assert_int_equal(kind->parameter_count, 4);
    is(&kind->parameters[0], RELOAD_PARAMETER_ELEMENT, "domain-restriction", "");
    is(&kind->parameters[1], RELOAD_PARAMETER_ATTRIBUTE, "enable", "true");
    is(&kind->parameters[2], RELOAD_PARAMETER_CHILD, "pattern", "dht\\.example\\.com");
    is(&kind->parameters[3], RELOAD_PARAMETER_CHILD, "pattern", ".*\\.my\\.example");
}

#define EXAMPLE                                                                                    \
    "<sip:domain-restriction enable='true'><sip:pattern>dht\\.example\\.com</sip:pattern>"         \
    "<sip:pattern> .*\\.my\\.example\n</sip:pattern></sip:domain-restriction>"

/* R7904-3.4-1 R7904-3.4-2 R7904-3.4-3 */
static void a_domain_restriction_is_read_and_written(void **state)
{
    (void)state;
    struct reload_config *c, *again;
    struct reload_cert_bytes document;
    static const struct reload_kind_ops *const ops[] = { &reload_sip_kind_ops };
    const struct reload_cert_document_policy policy = { .kind_ops = ops, .kind_ops_count = 1 };
    assert_int_equal(parse(EXAMPLE, &c), 0);
    is_the_example(c);
    assert_ptr_equal(reload_config_kind(c, 1)->ops, &reload_sip_kind_ops);
    assert_true(reload_sip_domain_is_hosted(c, "a.my.example"));
    assert_false(reload_sip_domain_is_hosted(c, "o.example"));
    assert_int_equal(reload_cert_document_write(c, &document), 0);
    assert_int_equal(
        reload_cert_document_parse(reload_cert_bytes_slice(&document), NULL, &policy, &again, &why),
        0);
    is_the_example(again);
    reload_cert_bytes_fini(&document);
    reload_cert_document_free(again);
    reload_cert_document_free(c);
    assert_int_equal(parse("<y:domain-restrictions xmlns:y='" RELOAD_SIP_NAMESPACE "'/>", &c), 0);
    assert_true(reload_sip_domain_is_hosted(c, "o.example"));
    assert_false(reload_sip_domain_is_hosted(c, "p.example"));
    reload_cert_document_free(c);
}

/* R7904-3.4-3 */
static void a_bad_restriction_makes_the_document_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "<sip:domain-restriction enable='true'><sip:pattern>a(</sip:pattern>"
        "</sip:domain-restriction>",
        "<sip:domain-restriction enable='maybe'/>",
        "<sip:domain-restriction/><sip:domain-restrictions/>",
    };
    struct reload_config *c;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(parse(bad[i], &c), RELOAD_E_INVALID);
        assert_non_null(strstr(why.text, "Kind 0x1"));
    }
    assert_int_equal(parse("<foreign xmlns='urn:x'><y>1</y></foreign>", &c), 0);
    assert_true(reload_sip_domain_is_hosted(c, "p.example"));
    reload_cert_document_free(c);
}

static void more_parameters_than_the_limit_are_refused(void **state)
{
    (void)state;
    static const char element[] = "<sip:x/>";
    size_t len = sizeof element - 1;
    char *many = malloc((RELOAD_KIND_PARAMETERS_MAX + 1) * len + 1);
    struct reload_config *c;
    assert_non_null(many);
    for (size_t i = 0; i <= RELOAD_KIND_PARAMETERS_MAX; i++)
        memcpy(many + i * len, element, len + 1);
    assert_int_equal(parse(many, &c), RELOAD_E_LIMIT);
    many[RELOAD_KIND_PARAMETERS_MAX * len] = '\0';
    assert_int_equal(parse(many, &c), 0);
    assert_int_equal(reload_config_kind(c, 1)->parameter_count, RELOAD_KIND_PARAMETERS_MAX);
    reload_cert_document_free(c);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_restriction_is_read_and_written),
        cmocka_unit_test(a_bad_restriction_makes_the_document_bad),
        cmocka_unit_test(more_parameters_than_the_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
