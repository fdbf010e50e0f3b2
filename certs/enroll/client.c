#include "certs/enroll/client.h"

#include "certs/certificate.h"
#include "certs/enroll/client_parts.h"
#include "certs/enroll/events.h"
#include "certs/enroll/identity_dir.h"
#include "certs/identity.h"
#include "certs/trust.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define SELF_SIGNED_MS (365ull * 24 * 3600 * 1000)

/* EC, but RSA where the operator's CA shows that the overlay keeps to the RFC's mandatory
 * algorithm. */
static enum reload_cert_key_type key_type(const struct reload_enroll_client_options *options,
                                          const struct reload_config *config)
{
    if (options->key_given || config->root_cert_count == 0)
        return options->key_given ? options->key : RELOAD_CERT_KEY_EC;
    const uint8_t *p = config->root_certs[0].p;
    X509 *root = d2i_X509(NULL, &p, (long)config->root_certs[0].n);
    EVP_PKEY *key = root ? X509_get0_pubkey(root) : NULL;
    bool rsa = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
    X509_free(root);
    return rsa ? RELOAD_CERT_KEY_RSA : RELOAD_CERT_KEY_EC;
}

/* RFC 6940 s11.3.1. */
static enum reload_enroll_result self_sign(const struct reload_enroll_client_options *options,
                                           const struct reload_config *config,
                                           const struct reload_cert_key *key,
                                           struct reload_cert_bytes *der,
                                           struct reload_enroll_outcome *out)
{
    struct reload_cert_reason reason = { "" };
    uint64_t now_ms = reload_enroll_unix_ms();
    struct reload_cert_self_signed_request request = {
        .overlay = config->instance_name,
        .digest = config->self_signed_digest,
        .node_id_len = config->node_id_length,
        .node_id_count = options->node_ids ? options->node_ids : 1,
        .not_before_ms = reload_cert_valid_from_ms(now_ms),
        .not_after_ms = now_ms + SELF_SIGNED_MS,
    };
    if (options->user)
        request.user_name =
            (struct reload_slice){ (const uint8_t *)options->user, strlen(options->user) };
    out->self_signed = true;
    if (reload_cert_self_signed(key, &request, der, &reason))
        return reload_enroll_say(out, RELOAD_ENROLL_USAGE, "no certificate of one's own: %s",
                                 reason.text);
    return RELOAD_ENROLL_OK;
}

static enum reload_enroll_result obtain(const struct reload_enroll_client_options *options,
                                        const struct reload_config *config,
                                        const struct reload_cert_key *key,
                                        struct reload_cert_bytes *der, int64_t *date_s,
                                        struct reload_enroll_outcome *out)
{
    *der = (struct reload_cert_bytes){ 0 };
    /* RFC 6940 s11.3: an enrollment-server in the document makes its credentials REQUIRED. */
    if (config->enrollment_server_count)
        return reload_enroll_request_certificate(options, config, key, der, date_s, out);
    if (config->self_signed_permitted)
        return self_sign(options, config, key, der, out);
    return reload_enroll_say(
        out, RELOAD_ENROLL_DOCUMENT_INVALID,
        "the document of %s names no enrollment server and does not permit "
        "self-signed certificates: get a certificate from the overlay's operator",
        out->overlay);
}

/* RFC 6940 s11.3: the certificate chains to a root-cert with BasicConstraints (or obeys s11.3.1);
 * and it is for our key, our name, and as many Node-IDs as we asked for. */
static enum reload_enroll_result check(const struct reload_enroll_client_options *options,
                                       const struct reload_cert_key *key,
                                       const struct reload_identity *identity,
                                       const struct reload_cert *certificate,
                                       struct reload_enroll_outcome *out)
{
    struct reload_cert_bytes own;
    if (reload_cert_key_public(key, &own))
        return reload_enroll_say(out, RELOAD_ENROLL_LOCAL, "out of memory");
    struct reload_slice theirs = reload_cert_public_key(certificate);
    bool same_key = theirs.n == own.n && memcmp(theirs.p, own.p, own.n) == 0;
    reload_cert_bytes_fini(&own);
    size_t user_len = options->user ? strlen(options->user) : 0;
    const char *wrong = NULL;
    if (!same_key)
        wrong = "is for another key than ours";
    else if (identity->user_name.n != user_len ||
             (user_len && memcmp(identity->user_name.p, options->user, user_len) != 0))
        wrong = "is for another user name than ours";
    else if (identity->node_id_count < options->node_ids)
        wrong = "has fewer Node-IDs than asked for";
    if (wrong)
        return reload_enroll_say(out, RELOAD_ENROLL_CERTIFICATE,
                                 "the certificate that the server gave %s: tell the overlay's "
                                 "operator",
                                 wrong);
    out->node_id_count = identity->node_id_count;
    memcpy(out->node_ids, identity->node_ids, identity->node_id_count * sizeof out->node_ids[0]);
    out->not_after_ms = identity->not_after_ms;
    snprintf(out->user, sizeof out->user, "%.*s", (int)user_len,
             options->user ? options->user : "");
    return RELOAD_ENROLL_OK;
}

static enum reload_enroll_result not_acceptable(struct reload_enroll_outcome *out, int error,
                                                const struct reload_cert_reason *reason,
                                                int64_t date_s)
{
    bool time = error == RELOAD_E_EXPIRED;
    reload_enroll_say(out, time ? RELOAD_ENROLL_CERTIFICATE_TIME : RELOAD_ENROLL_CERTIFICATE,
                      "the certificate for this node is not acceptable: %s; %s",
                      reason->text[0] ? reason->text : reload_error_text(error),
                      time ? "check the clock of this machine and the server's"
                           : "tell the overlay's operator");
    if (time)
        reload_enroll_say_clock(out, date_s);
    return out->result;
}

static enum reload_enroll_result verify(const struct reload_enroll_client_options *options,
                                        const struct reload_config *config,
                                        const struct reload_cert_key *key, struct reload_slice der,
                                        int64_t date_s, struct reload_enroll_outcome *out)
{
    struct reload_trust *trust = NULL;
    struct reload_cert *certificate = NULL;
    const struct reload_identity *identity = NULL;
    struct reload_cert_reason reason = { "" };
    bool bare = options->policy && options->policy->bare_node_id_uri;
    int error = reload_trust_new(config, bare, &trust, &reason);
    if (!error)
        error = reload_trust_check(trust, &der, 1, reload_enroll_unix_ms(), &identity, &reason);
    if (!error)
        error = reload_cert_parse(der, bare, &certificate, &reason);
    enum reload_enroll_result result = error ? not_acceptable(out, error, &reason, date_s)
                                             : check(options, key, identity, certificate, out);
    reload_cert_free(certificate);
    reload_trust_free(trust);
    return result;
}

static enum reload_enroll_result finish(const struct reload_enroll_client_options *options,
                                        const struct reload_config *config,
                                        const struct reload_cert_key *key, struct reload_slice der,
                                        struct reload_enroll_outcome *out)
{
    struct reload_cert_reason reason = { "" };
    struct reload_enroll_identity_dir content = {
        .document = config->document,
        .document_is_secret = config->shared_secret != NULL,
        .certificate = der,
        .key = key,
    };
    if (reload_enroll_identity_write(options->identity_dir, &content, &reason))
        return reload_enroll_say(out, RELOAD_ENROLL_LOCAL, "the identity is not written: %s",
                                 reason.text);
    return reload_enroll_say(
        out, RELOAD_ENROLL_OK, "enrolled%s in %s with %zu Node-ID%s; the identity is in %s",
        out->self_signed ? " (self-signed)" : "", out->overlay, out->node_id_count,
        out->node_id_count == 1 ? "" : "s", options->identity_dir);
}

enum reload_enroll_result reload_enroll_run(const struct reload_enroll_client_options *options,
                                            struct reload_enroll_outcome *out)
{
    struct reload_config *config = NULL;
    struct reload_cert_key *key = NULL;
    struct reload_cert_bytes der = { 0 };
    int64_t date_s = -1;
    enum reload_enroll_result result = reload_enroll_fetch(options, &config, out);
    if (result)
        return result;
    if (!options->identity_dir)
        result = reload_enroll_say(out, RELOAD_ENROLL_USAGE, "say with --identity where to write");
    else if (reload_cert_key_generate(key_type(options, config), &key))
        result = reload_enroll_say(out, RELOAD_ENROLL_LOCAL, "no key can be made");
    if (!result)
        result = obtain(options, config, key, &der, &date_s, out);
    if (!result)
        result = verify(options, config, key, reload_cert_bytes_slice(&der), date_s, out);
    if (!result)
        result = finish(options, config, key, reload_cert_bytes_slice(&der), out);
    reload_cert_bytes_fini(&der);
    reload_cert_key_free(key);
    reload_cert_document_free(config);
    return result;
}
