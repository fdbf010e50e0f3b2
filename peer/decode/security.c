#include <glib.h>

#include "certs/certificate.h"
#include "peer/decode/print.h"

/* SecurityBlock (RFC 6940 s6.3.4), with a summary of what each certificate says. */

static const char *hash_name(uint8_t algorithm)
{
    static const char *const names[] = { "none",   "md5",    "sha1",  "sha224",
                                         "sha256", "sha384", "sha512" };
    return algorithm < G_N_ELEMENTS(names) ? names[algorithm] : "unknown";
}

static const char *signature_name(uint8_t algorithm)
{
    static const char *const names[] = { "anonymous", "rsa", "dsa", "ecdsa" };
    return algorithm < G_N_ELEMENTS(names) ? names[algorithm] : "unknown";
}

static void describe(json_t *json, struct reload_slice der)
{
    struct reload_cert *certificate;
    struct reload_cert_reason reason = { "" };
    if (reload_cert_parse(der, true, &certificate, &reason)) {
        json_object_set_new(json, "not_a_node_certificate", json_string(reason.text));
        return;
    }
    const struct reload_identity *identity = reload_cert_content(certificate);
    json_t *ids = json_array();
    for (size_t i = 0; i < identity->node_id_count; i++)
        json_array_append_new(ids, reload_json_node_id(&identity->node_ids[i]));
    json_object_set_new(json, "node_ids", ids);
    json_object_set_new(json, "user", reload_json_text(identity->user_name));
    json_object_set_new(json, "overlay", json_string(reload_cert_overlay(certificate)));
    json_object_set_new(json, "not_before_ms", reload_json_u64(identity->not_before_ms));
    json_object_set_new(json, "not_after_ms", reload_json_u64(identity->not_after_ms));
    json_object_set_new(json, "self_issued", json_boolean(reload_cert_is_self_issued(certificate)));
    reload_cert_free(certificate);
}

json_t *reload_decode_certificate(struct reload_slice der)
{
    char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, der.p, der.n);
    json_t *json = json_pack("{s:I,s:s?}", "length", (json_int_t)der.n, "sha256", digest);
    g_free(digest);
    describe(json, der);
    return json;
}

static json_t *certificates(struct reload_slice bucket)
{
    json_t *array = json_array();
    struct reload_reader r = reload_reader_over(bucket);
    struct reload_certificate c;
    while (reload_certificate_next(&r, &c)) {
        json_t *json = c.type == RELOAD_CERTIFICATE_X509
                           ? reload_decode_certificate(c.certificate)
                           : json_pack("{s:o}", "hex", reload_json_hex(c.certificate));
        json_object_set_new(json, "type", json_integer(c.type));
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *identity(const struct reload_signer_identity *id)
{
    switch (id->type) {
    case RELOAD_SIGNER_CERT_HASH:
    case RELOAD_SIGNER_CERT_HASH_NODE_ID:
        return json_pack("{s:s,s:s,s:o}", "type",
                         id->type == RELOAD_SIGNER_CERT_HASH ? "cert_hash" : "cert_hash_node_id",
                         "hash_algorithm", hash_name(id->hash_algorithm), "hash",
                         reload_json_hex(id->hash));
    case RELOAD_SIGNER_NONE: return json_pack("{s:s}", "type", "none");
    default:
        return json_pack("{s:s,s:i,s:o}", "type", "unknown", "code", id->type, "value",
                         reload_json_hex(id->value));
    }
}

json_t *reload_decode_signature(const struct reload_signature *s)
{
    return json_pack("{s:s,s:s,s:o,s:o}", "hash", hash_name(s->hash_algorithm), "algorithm",
                     signature_name(s->signature_algorithm), "identity", identity(&s->identity),
                     "value", reload_json_hex(s->value));
}

json_t *reload_decode_security(const struct reload_security_block *block)
{
    return json_pack("{s:o,s:o}", "certificates", certificates(block->certificates), "signature",
                     reload_decode_signature(&block->signature));
}
