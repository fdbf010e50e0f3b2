#include <openssl/err.h>

#include "certs/builder.h"
#include "certs/ca.h"
#include "certs/identity.h"
#include "certs/lint.h"
#include "certs/trust.h"

/* Making one's own certificate (RFC 6940 s11.3.1). */

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int node_ids_of(const struct reload_cert_self_signed_request *request,
                       struct reload_slice public_key, struct reload_node_id *out)
{
    for (size_t i = 0; i < request->node_id_count; i++) {
        uint32_t index = request->node_id_count == 1 ? 0 : (uint32_t)i + 1;
        int error = reload_cert_self_signed_node_id(request->digest, public_key, index,
                                                    request->node_id_len, &out[i]);
        if (error)
            return error;
    }
    return 0;
}

static int build(const struct reload_cert_key *key,
                 const struct reload_cert_self_signed_request *request,
                 struct reload_slice public_key, const struct reload_node_id *ids,
                 struct reload_cert_bytes *der, struct reload_cert_reason *reason)
{
    const struct reload_cert_extension extensions[] = {
        { NID_basic_constraints, "critical,CA:FALSE" },
        { NID_key_usage, reload_cert_key_usage(key->pkey) },
        { NID_ext_key_usage, "clientAuth,serverAuth" },
        { NID_subject_key_identifier, "hash" },
    };
    uint8_t serial[RELOAD_CERT_SERIAL_LEN];
    char name[RELOAD_NODE_ID_TEXT]; /* RFC 5280: an issuer has a name */
    X509 *x509 = NULL;
    int error = reload_cert_serial_random(serial);
    GENERAL_NAMES *names =
        reload_cert_node_names(ids, request->node_id_count, request->overlay, request->user_name);
    if (!error && !names)
        error =
            reload_cert_refuse(reason, RELOAD_E_INVALID,
                               "overlay name %s cannot stand in a reload URI", request->overlay);
    if (!error)
        error = reload_cert_build(
            &(struct reload_cert_plan){ .public_key = public_key,
                                        .serial = { serial, sizeof serial },
                                        .common_name = reload_node_id_text(&ids[0], name),
                                        .not_before_ms = request->not_before_ms,
                                        .not_after_ms = request->not_after_ms,
                                        .alternative_names = names,
                                        .extensions = extensions,
                                        .extension_count = COUNT(extensions),
                                        .issuer_key = key->pkey },
            &x509, reason);
    if (!error)
        error = reload_cert_to_der(x509, der);
    X509_free(x509);
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return error;
}

int reload_cert_self_signed(const struct reload_cert_key *key,
                            const struct reload_cert_self_signed_request *request,
                            struct reload_cert_bytes *der, struct reload_cert_reason *reason)
{
    struct reload_node_id ids[RELOAD_CERT_NODE_IDS_MAX];
    struct reload_cert_bytes public_key;
    *der = (struct reload_cert_bytes){ 0 };
    if (request->node_id_count == 0 || request->node_id_count > RELOAD_CERT_NODE_IDS_MAX)
        return reload_cert_refuse(reason, RELOAD_E_INVALID, "a certificate holds 1 to %d Node-IDs",
                                  RELOAD_CERT_NODE_IDS_MAX);
    int error = request->user_name.n ? reload_cert_user_name_check(request->user_name, reason) : 0;
    if (error)
        return error;
    error = reload_cert_key_public(key, &public_key);
    if (error)
        return error;
    error = node_ids_of(request, reload_cert_bytes_slice(&public_key), ids);
    if (!error)
        error = build(key, request, reload_cert_bytes_slice(&public_key), ids, der, reason);
    reload_cert_bytes_fini(&public_key);
    if (error)
        return error;
    error =
        reload_cert_lint(reload_cert_bytes_slice(der),
                         &(struct reload_cert_lint){ request->overlay, ids, request->node_id_count,
                                                     request->user_name },
                         reason);
    if (error)
        reload_cert_bytes_fini(der);
    return error;
}
