#include "peer/identity_files.h"

#include "certs/file.h"
#include "peer/able.h"

/* "DIR/name" of an identity folder, unless the loose file is given. For g_free(). */
static char *path_of(const char *file, const char *directory, const char *name)
{
    if (file)
        return g_strdup(file);
    return directory ? g_build_filename(directory, name, NULL) : NULL;
}

/* The overlay that a certificate is for; NULL when it is not in order, which will be said later.
 * For g_free(). */
static char *overlay_of(const char *certificate, const char *key)
{
    struct reload_cert_identity *identity;
    struct reload_cert_reason reason = { "" };
    if (reload_cert_identity_load(certificate, key, NULL, &identity, &reason))
        return NULL;
    char *overlay = g_strdup(reload_cert_identity_overlay(identity));
    reload_cert_identity_free(identity);
    return overlay;
}

/* RFC 6940 s11.1: of several configurations the one of that overlay. A document that has none is
 * read by its first: then it is the certificate that does not fit. */
static int load_config(struct reload_slice document, const char *overlay,
                       const struct reload_cert_document_policy *policy, uint64_t now_unix_ms,
                       struct reload_config **out, struct reload_cert_reason *reason)
{
    int error = reload_cert_document_load(document, overlay, policy, now_unix_ms, out, reason);
    if (error == RELOAD_E_DECODE && overlay)
        error = reload_cert_document_load(document, NULL, policy, now_unix_ms, out, reason);
    return error;
}

static int read_config(const char *path, const char *overlay,
                       const struct reload_overlay_options *options, uint64_t now_unix_ms,
                       struct reload_config **out, struct reload_cert_reason *reason)
{
    struct reload_cert_document_policy policy = reload_able_policy();
    policy.allow_unsigned = options->allow_unsigned;
    policy.bare_node_id_uri = options->bare_node_id_uri;
    struct reload_cert_bytes bytes = { 0 };
    struct reload_cert_reason why = { "" };
    int error = reload_cert_file_read(path, &bytes, reason);
    if (error)
        return error;
    error = load_config(reload_cert_bytes_slice(&bytes), overlay, &policy, now_unix_ms, out, &why);
    reload_cert_bytes_fini(&bytes);
    return error ? reload_cert_refuse(reason, error, "%s: %s", path, why.text) : 0;
}

int reload_identity_files_read(const struct reload_overlay_options *options, uint64_t now_unix_ms,
                               struct reload_identity_files *out, struct reload_cert_reason *reason)
{
    char *config = path_of(options->config, options->identity, RELOAD_IDENTITY_XML);
    char *certificate = path_of(options->certificate, options->identity, RELOAD_IDENTITY_PEM);
    char *key = path_of(options->key, options->identity, RELOAD_IDENTITY_KEY), *overlay = NULL;
    *out = (struct reload_identity_files){ 0 };
    int error;
    if (!config || !certificate || !key)
        error = reload_cert_refuse(reason, RELOAD_E_INVALID,
                                   "an identity folder, or configuration, certificate and key, "
                                   "must be given");
    else {
        overlay = overlay_of(certificate, key);
        error = read_config(config, overlay, options, now_unix_ms, &out->config, reason);
    }
    if (!error)
        error = reload_cert_identity_load(certificate, key, out->config, &out->identity, reason);
    if (!error)
        error = reload_cert_identity_check(out->identity, out->config, now_unix_ms, reason);
    if (error) {
        reload_cert_identity_free(out->identity);
        reload_cert_document_free(out->config);
        *out = (struct reload_identity_files){ 0 };
    }
    g_free(config);
    g_free(certificate);
    g_free(key);
    g_free(overlay);
    return error;
}
