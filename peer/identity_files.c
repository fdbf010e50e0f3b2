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

static int read_config(const char *path, const struct reload_overlay_options *options,
                       uint64_t now_unix_ms, struct reload_config **out,
                       struct reload_cert_reason *reason)
{
    struct reload_cert_document_policy policy = reload_able_policy();
    policy.allow_unsigned = options->allow_unsigned;
    policy.bare_node_id_uri = options->bare_node_id_uri;
    struct reload_cert_bytes bytes = { 0 };
    struct reload_cert_reason why = { "" };
    int error = reload_cert_file_read(path, &bytes, reason);
    if (error)
        return error;
    error = reload_cert_document_load(reload_cert_bytes_slice(&bytes), NULL, &policy, now_unix_ms,
                                      out, &why);
    reload_cert_bytes_fini(&bytes);
    return error ? reload_cert_refuse(reason, error, "%s: %s", path, why.text) : 0;
}

int reload_identity_files_read(const struct reload_overlay_options *options, uint64_t now_unix_ms,
                               struct reload_identity_files *out, struct reload_cert_reason *reason)
{
    char *config = path_of(options->config, options->identity, RELOAD_IDENTITY_XML);
    char *certificate = path_of(options->certificate, options->identity, RELOAD_IDENTITY_PEM);
    char *key = path_of(options->key, options->identity, RELOAD_IDENTITY_KEY);
    *out = (struct reload_identity_files){ 0 };
    int error;
    if (!config || !certificate || !key)
        error = reload_cert_refuse(reason, RELOAD_E_INVALID,
                                   "an identity folder, or configuration, certificate and key, "
                                   "must be given");
    else
        error = read_config(config, options, now_unix_ms, &out->config, reason);
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
    return error;
}
