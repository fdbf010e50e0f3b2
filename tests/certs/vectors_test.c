#include "tests/certs/fixture.h"

#include <string.h>

#include <jansson.h>

#include "certs/context.h"
#include "reload/security/signature.h"

/* Messages and values signed by another program (tests/data/vectors/README.md), through the
 * operations that the core calls. */

struct other { /* the other program's overlay as we see it */
    struct reload_cert_bytes root_der;
    struct reload_slice root;
    struct reload_config config;
    struct reload_cert_context *context;
    json_t *keys;
};

static json_t *load_json(const char *name)
{
    json_error_t error;
    struct reload_cert_bytes bytes = slurp(name);
    json_t *json = json_loadb((const char *)bytes.p, bytes.n, 0, &error);
    reload_cert_bytes_fini(&bytes);
    assert_non_null(json);
    return json;
}

static const char *string(const json_t *object, const char *name)
{
    const char *s = json_string_value(json_object_get(object, name));
    assert_non_null(s);
    return s;
}

static struct reload_cert_bytes unhex(const char *s)
{
    struct reload_cert_bytes out = { reload_alloc(strlen(s) / 2), strlen(s) / 2 };
    for (size_t i = 0; i < out.n; i++) {
        unsigned int byte;
        assert_int_equal(sscanf(s + 2 * i, "%2x", &byte), 1);
        out.p[i] = (uint8_t)byte;
    }
    return out;
}

static void other_init(struct other *o, bool bare_node_id_uri)
{
    struct reload_cert_reason why = { "" };
    *o = (struct other){ .keys = load_json("vectors/keys.json"),
                         .config = reload_config_defaults() };
    assert_int_equal(reload_cert_from_pem(text(string(o->keys, "ca_cert_pem")), &o->root_der), 0);
    o->root = reload_cert_bytes_slice(&o->root_der);
    o->config.instance_name = "overlay.example.org";
    o->config.root_certs = &o->root;
    o->config.root_cert_count = 1;
    const struct reload_cert_context_options options = {
        .config = &o->config, .policy = { .bare_node_id_uri = bare_node_id_uri }
    };
    if (reload_cert_context_new(&options, &o->context, &why))
        fail_msg("%s", why.text);
}

static void other_fini(struct other *o)
{
    reload_cert_context_free(o->context);
    reload_cert_bytes_fini(&o->root_der);
    json_decref(o->keys);
}

static const struct reload_time now = { 0, NOW_MS };

/* R6940-6.3.4-1 R6940-6.3.4-11 R6940-6.3.4-14 R6940-6.3.4-15 R6940-6.3.4-16 R6940-6.3.4-24 */
static void messages_signed_by_another_program_verify_and_changed_ones_do_not(void **state)
{
    (void)state;
    struct other o;
    other_init(&o, true);
    const struct reload_crypto_ops *ops = &reload_cert_crypto_ops;
    json_t *list = load_json("vectors/danpascu_signed_messages.json"), *entry;
    size_t i, seen = 0;
    json_array_foreach(list, i, entry)
    {
        struct reload_cert_bytes block_bytes = unhex(string(entry, "security_block_hex"));
        struct reload_cert_bytes tbs = unhex(string(entry, "tbs_hex"));
        struct reload_security_block block;
        struct reload_signer signer;
        assert_int_equal(
            reload_security_block_decode(reload_cert_bytes_slice(&block_bytes), &block), 0);
        const struct reload_signature *sig = &block.signature;
        if (ops->identify(o.context, block.certificates, sig->identity.type, sig->identity.value,
                          now, &signer))
            fail_msg("%s: %s", string(entry, "name"), reload_cert_context_reason(o.context));
        assert_int_equal(signer.node_id.bytes[0], 0x11);
        assert_memory_equal(signer.identity->user_name.p, "alice@example.org", 17);
        struct reload_slice whole = reload_cert_bytes_slice(&tbs);
        assert_int_equal(ops->verify(o.context, signer.identity, sig->hash_algorithm,
                                     sig->signature_algorithm, &whole, 1, sig->value),
                         0);
        for (size_t k = 0; k < tbs.n; k++) {
            tbs.p[k] ^= 1;
            assert_int_equal(ops->verify(o.context, signer.identity, sig->hash_algorithm,
                                         sig->signature_algorithm, &whole, 1, sig->value),
                             RELOAD_E_SIGNATURE);
            tbs.p[k] ^= 1;
        }
        reload_cert_bytes_fini(&block_bytes);
        reload_cert_bytes_fini(&tbs);
        seen++;
    }
    assert_int_equal(seen, 7);
    assert_int_equal(reload_cert_context_counters(o.context)->verified, 7);
    assert_int_equal(reload_cert_context_counters(o.context)->checked, 2); /* two certificates */
    json_decref(list);
    other_fini(&o);
}

/* R6940-7.1-1 */
static void values_signed_by_another_program_verify(void **state)
{
    (void)state;
    struct other o;
    other_init(&o, true);
    json_t *list = load_json("vectors/danpascu_stored_data.json"), *entry;
    size_t i, seen = 0;
    json_array_foreach(list, i, entry)
    {
        struct reload_cert_bytes der = unhex(string(entry, "cert_der_hex"));
        struct reload_cert_bytes tbs = unhex(string(entry, "tbs_hex"));
        struct reload_cert_bytes value = unhex(string(entry, "signature_hex"));
        struct reload_slice one = reload_cert_bytes_slice(&der),
                            whole = reload_cert_bytes_slice(&tbs);
        struct reload_cert_bytes list_of_one = bucket(&one, 1);
        struct reload_cert_bytes who = identity_value(RELOAD_HASH_SHA256, NULL, one);
        struct reload_signer signer;
        const char *name = string(entry, "name");
        uint8_t algorithm = strstr(name, "_ec") ? RELOAD_SIGNATURE_ECDSA : RELOAD_SIGNATURE_RSA;
        assert_int_equal(reload_cert_crypto_ops.identify(
                             o.context, reload_cert_bytes_slice(&list_of_one),
                             RELOAD_SIGNER_CERT_HASH, reload_cert_bytes_slice(&who), now, &signer),
                         0);
        if (reload_cert_crypto_ops.verify(o.context, signer.identity, RELOAD_HASH_SHA256, algorithm,
                                          &whole, 1, reload_cert_bytes_slice(&value)))
            fail_msg("%s", name);
        reload_cert_bytes_fini(&der);
        reload_cert_bytes_fini(&tbs);
        reload_cert_bytes_fini(&value);
        reload_cert_bytes_fini(&list_of_one);
        reload_cert_bytes_fini(&who);
        seen++;
    }
    assert_int_equal(seen, 13);
    json_decref(list);
    other_fini(&o);
}

/* The 12 values that were signed over the bare Resource-ID need the switch, the one other does not;
 * the two appends were signed under index 0xffffffff (README.md there) and never verify.
 * R6940-7.1-1 */
static void values_signed_over_a_bare_resource_id_need_the_switch(void **state)
{
    (void)state;
    struct other o;
    other_init(&o, true);
    json_t *list = load_json("vectors/danpascu_stored_data.json"), *entry;
    size_t i, strict = 0, tolerant = 0;
    json_array_foreach(list, i, entry)
    {
        const json_t *fields = json_object_get(entry, "fields");
        const char *model = json_string_value(json_object_get(fields, "data_model"));
        struct reload_cert_bytes der = unhex(string(entry, "cert_der_hex")),
                                 wire = unhex(string(entry, "hex")),
                                 resource = unhex(string(fields, "resource_id"));
        struct reload_slice one = reload_cert_bytes_slice(&der);
        struct reload_cert_bytes certificates = bucket(&one, 1);
        struct reload_crypto crypto = reload_cert_context_crypto(o.context);
        struct reload_reader r = reload_reader_over(reload_cert_bytes_slice(&wire));
        struct reload_stored_data d;
        struct reload_signer signer;
        assert_int_equal(0,
                         reload_stored_data_decode(&r,
                                                   !model || model[0] == 'S' ? RELOAD_MODEL_SINGLE
                                                   : model[0] == 'A'         ? RELOAD_MODEL_ARRAY
                                                                     : RELOAD_MODEL_DICTIONARY,
                                                   &d));
        for (int raw = 0; raw < 2; raw++) {
            crypto.raw_resource_ids = raw;
            int error = reload_value_verify(
                &crypto, reload_cert_bytes_slice(&resource),
                (uint32_t)json_integer_value(json_object_get(fields, "kind_id")), &d,
                reload_cert_bytes_slice(&certificates), now, &signer);
            assert_true(error == 0 || error == RELOAD_E_SIGNATURE);
            *(raw ? &tolerant : &strict) += error == 0;
        }
        reload_cert_bytes_fini(&der);
        reload_cert_bytes_fini(&wire);
        reload_cert_bytes_fini(&resource);
        reload_cert_bytes_fini(&certificates);
    }
    assert_int_equal(strict, 1);
    assert_int_equal(tolerant, 11);
    json_decref(list);
    other_fini(&o);
}

static void
the_certificate_with_a_bare_node_id_needs_the_switch_and_the_other_does_not(void **state)
{
    (void)state;
    static const char *const names[] = { "ec", "rsa" };
    for (int k = 0; k < 2; k++)
        for (int bare = 0; bare < 2; bare++) {
            struct other o;
            struct reload_cert_bytes der;
            struct reload_link_peer peer;
            char reason[64];
            other_init(&o, bare);
            assert_int_equal(reload_cert_from_pem(
                                 text(string(json_object_get(o.keys, names[k]), "cert_pem")), &der),
                             0);
            struct reload_slice one = reload_cert_bytes_slice(&der);
            int error = reload_cert_link_identity_ops.check(o.context, &one, 1, now, &peer, reason,
                                                            sizeof reason);
            bool wanted = bare || k == 1;
            assert_int_equal(error, wanted ? 0 : RELOAD_E_CERTIFICATE);
            assert_int_equal(peer.node_id_count, wanted ? 1 : 0);
            assert_true(wanted ? !reason[0] : strstr(reason, "URI") != NULL);
            reload_cert_bytes_fini(&der);
            other_fini(&o);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_signed_by_another_program_verify_and_changed_ones_do_not),
        cmocka_unit_test(values_signed_by_another_program_verify),
        cmocka_unit_test(values_signed_over_a_bare_resource_id_need_the_switch),
        cmocka_unit_test(
            the_certificate_with_a_bare_node_id_needs_the_switch_and_the_other_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
