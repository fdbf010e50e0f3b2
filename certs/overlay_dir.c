#include "certs/overlay_dir.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "certs/ca.h"
#include "certs/certificate.h"
#include "certs/file.h"
#include "certs/overlay_dir_internal.h"

#define TEN_YEARS_S     (10ull * 365 * 86400)
#define HTTPS_NAMES_MAX 32

/* What is being made: files appear in the order CA, HTTPS, signer, document. */
struct making {
    const char *directory;
    const struct reload_cert_overlay_options *options;
    struct reload_cert_reason *reason;
    struct reload_cert_ca *ca;
    struct reload_cert_identity *signer;
    uint64_t not_before_ms, not_after_ms;
};

/* A key and the certificate that the new CA issues for it. */
struct pair {
    int (*issue)(struct making *m, struct reload_slice public_key, struct reload_cert_bytes *der);
    const char *pem_name, *key_name;
};

struct reload_cert_overlay_options reload_cert_overlay_options_default(const char *instance_name,
                                                                       uint64_t now_unix_ms)
{
    struct reload_cert_overlay_options options = { .config = reload_config_defaults(),
                                                   .key = RELOAD_CERT_KEY_EC,
                                                   .now_unix_ms = now_unix_ms };
    options.config.instance_name = instance_name;
    return options;
}

static bool exists(const char *directory, const char *name)
{
    struct stat about;
    char *path = reload_cert_file_path(directory, name);
    bool found = path && stat(path, &about) == 0;
    reload_free(path);
    return found;
}

static int prepare_folder(struct making *m)
{
    if (mkdir(m->directory, 0700) != 0 && errno != EEXIST)
        return reload_cert_refuse(m->reason, RELOAD_E_IO, "%s: %s", m->directory, strerror(errno));
    if (exists(m->directory, RELOAD_CERT_OVERLAY_XML) || exists(m->directory, RELOAD_CERT_CA_KEY))
        return reload_cert_refuse(m->reason, RELOAD_E_STATE,
                                  "%s already holds an overlay: choose another folder",
                                  m->directory);
    return 0;
}

int reload_cert_overlay_write_pem(const char *directory, const char *name, struct reload_slice der,
                                  struct reload_cert_reason *reason)
{
    char *path = reload_cert_file_path(directory, name);
    struct reload_cert_bytes pem = { 0 };
    int error = path ? reload_cert_pem(&der, 1, &pem) : reload_cert_no_memory(reason);
    if (!error)
        error = reload_cert_file_write(path, reload_cert_bytes_slice(&pem), false, reason);
    reload_cert_bytes_fini(&pem);
    reload_free(path);
    return error;
}

/* The key first: whoever sees the certificate finds its key there. */
static int write_pair(struct making *m, const struct pair *pair, struct reload_slice der,
                      const struct reload_cert_key *key)
{
    char *key_path = reload_cert_file_path(m->directory, pair->key_name);
    int error = key_path ? reload_cert_key_write(key, key_path, m->reason)
                         : reload_cert_no_memory(m->reason);
    if (!error)
        error = reload_cert_overlay_write_pem(m->directory, pair->pem_name, der, m->reason);
    reload_free(key_path);
    return error;
}

static int make_ca(struct making *m)
{
    int error = reload_cert_ca_create(m->options->key, m->options->config.instance_name,
                                      m->not_before_ms, m->not_after_ms, &m->ca, m->reason);
    if (error)
        return error;
    char *pem_path = reload_cert_file_path(m->directory, RELOAD_CERT_CA_PEM);
    char *key_path = reload_cert_file_path(m->directory, RELOAD_CERT_CA_KEY);
    error = pem_path && key_path ? reload_cert_ca_save(m->ca, pem_path, key_path, m->reason)
                                 : reload_cert_no_memory(m->reason);
    reload_free(pem_path);
    reload_free(key_path);
    return error;
}

static int issue_https(struct making *m, struct reload_slice public_key,
                       struct reload_cert_bytes *der)
{
    const char *names[HTTPS_NAMES_MAX + 1] = { m->options->config.instance_name };
    uint8_t serial[RELOAD_CERT_SERIAL_LEN];
    if (m->options->https_name_count > HTTPS_NAMES_MAX)
        return reload_cert_refuse(m->reason, RELOAD_E_INVALID, "more than %d server names",
                                  HTTPS_NAMES_MAX);
    for (size_t i = 0; i < m->options->https_name_count; i++)
        names[i + 1] = m->options->https_names[i];
    int error = reload_cert_serial_random(serial);
    if (error)
        return error;
    const struct reload_cert_issue_server issue = { .public_key = public_key,
                                                    .names = names,
                                                    .name_count = m->options->https_name_count + 1,
                                                    .serial = { serial, sizeof serial },
                                                    .not_before_ms = m->not_before_ms,
                                                    .not_after_ms = m->not_after_ms };
    return reload_cert_ca_issue_server(m->ca, &issue, der, m->reason);
}

static int random_node_id(size_t len, struct reload_node_id *out)
{
    uint8_t bytes[RELOAD_NODE_ID_MAX];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return RELOAD_E_IO;
    *out = reload_node_id_from(reload_slice_of(bytes, len));
    return 0;
}

static int issue_signer(struct making *m, struct reload_slice public_key,
                        struct reload_cert_bytes *der)
{
    struct reload_node_id id;
    uint8_t serial[RELOAD_CERT_SERIAL_LEN];
    int error = random_node_id(m->options->config.node_id_length, &id);
    if (!error)
        error = reload_cert_serial_random(serial);
    if (error)
        return error;
    const struct reload_cert_issue issue = { .overlay = m->options->config.instance_name,
                                             .public_key = public_key,
                                             .node_ids = &id,
                                             .node_id_count = 1,
                                             .serial = { serial, sizeof serial },
                                             .not_before_ms = m->not_before_ms,
                                             .not_after_ms = m->not_after_ms };
    return reload_cert_ca_issue(m->ca, &issue, der, m->reason);
}

/* A new key and its certificate, in their files; as an identity too when `out` is not NULL. */
static int make_pair(struct making *m, const struct pair *pair, struct reload_cert_identity **out)
{
    struct reload_cert_key *key;
    struct reload_cert_bytes public_key = { 0 }, der = { 0 };
    int error = reload_cert_key_generate(m->options->key, &key);
    if (error)
        return error;
    error = reload_cert_key_public(key, &public_key);
    if (!error)
        error = pair->issue(m, reload_cert_bytes_slice(&public_key), &der);
    if (!error)
        error = write_pair(m, pair, reload_cert_bytes_slice(&der), key);
    if (!error && out)
        error = reload_cert_identity_new(reload_cert_bytes_slice(&der), key, NULL, out, m->reason);
    reload_cert_bytes_fini(&public_key);
    reload_cert_bytes_fini(&der);
    reload_cert_key_free(key);
    return error;
}

static const struct pair https_pair = { issue_https, RELOAD_CERT_HTTPS_PEM, RELOAD_CERT_HTTPS_KEY };
static const struct pair signer_pair = { issue_signer, RELOAD_CERT_SIGNER_PEM,
                                         RELOAD_CERT_SIGNER_KEY };

/* --- the document --- */

#define EDIT_ROOM 400 /* what an enrollment server adds of its own, and a little more */

static int write_signed(struct making *m, const struct reload_config *config,
                        struct reload_cert_bytes *out)
{
    struct reload_cert_bytes document;
    int error = reload_cert_document_write(config, &document);
    if (error)
        return error;
    error = reload_cert_document_sign(reload_cert_bytes_slice(&document), NULL, NULL, 1, m->signer,
                                      m->signer, out, m->reason);
    reload_cert_bytes_fini(&document);
    return error;
}

static int make_document(struct making *m)
{
    struct reload_config config = m->options->config;
    struct reload_slice root = reload_cert_ca_certificate(m->ca);
    struct reload_node_id own = reload_cert_identity_own(m->signer)->node_id;
    struct reload_cert_bytes document;

    config.root_certs = &root;
    config.root_cert_count = 1;
    config.configuration_signers = config.kind_signers = &own;
    config.configuration_signer_count = config.kind_signer_count = 1;
    int error = write_signed(m, &config, &document);
    if (!error &&
        !reload_cert_overlay_can_be_pushed(document.n + EDIT_ROOM, config.max_message_size)) {
        config.max_message_size = reload_cert_overlay_size_to_push(document.n);
        reload_cert_bytes_fini(&document);
        error = write_signed(m, &config, &document);
    }
    if (error)
        return error;
    error = reload_cert_overlay_publish(m->directory, NULL, reload_cert_bytes_slice(&document),
                                        m->options->now_unix_ms, m->reason);
    reload_cert_bytes_fini(&document);
    return error;
}

int reload_cert_overlay_create(const char *directory,
                               const struct reload_cert_overlay_options *options,
                               struct reload_cert_reason *reason)
{
    uint64_t lifetime_s = options->ca_lifetime_s ? options->ca_lifetime_s : TEN_YEARS_S;
    struct making m = { .directory = directory, .options = options, .reason = reason };
    m.not_before_ms = reload_cert_valid_from_ms(options->now_unix_ms);
    m.not_after_ms = options->now_unix_ms + lifetime_s * 1000;
    int error = reload_cert_overlay_name_check(options->config.instance_name, reason);
    if (!error) /* nothing is left behind by a name that cannot be */
        error = prepare_folder(&m);
    if (!error)
        error = make_ca(&m);
    if (!error)
        error = make_pair(&m, &https_pair, NULL);
    if (!error)
        error = make_pair(&m, &signer_pair, &m.signer);
    if (!error)
        error = make_document(&m);
    reload_cert_identity_free(m.signer);
    reload_cert_ca_free(m.ca);
    return error;
}
