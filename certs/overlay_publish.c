#include "certs/file.h"
#include "certs/overlay_dir_internal.h"

/* The document of an overlay's folder: what may stand in overlay.xml, and how the next one does. */

/* RFC 6940 s6.3.2.1: a node brings this document to one that has an older one, in one ConfigUpdate.
 * Besides the document that holds a header and a SecurityBlock with the node's certificate. */
#define PUSH_ROOM  2000 /* at least: RSA, without intermediates */
#define SPARE_ROOM 4096 /* in a size that is new, so that it lasts for some edits */

bool reload_cert_overlay_can_be_pushed(size_t document_len, uint32_t max_message_size)
{
    return document_len + PUSH_ROOM <= max_message_size;
}

uint32_t reload_cert_overlay_size_to_push(size_t document_len)
{
    return (uint32_t)((document_len + SPARE_ROOM + 999) / 1000 * 1000);
}

int reload_cert_overlay_publish(const char *directory,
                                const struct reload_cert_document_policy *policy,
                                struct reload_slice document, uint64_t now_unix_ms,
                                struct reload_cert_reason *reason)
{
    struct reload_config *config = NULL;
    char *path = reload_cert_file_path(directory, RELOAD_CERT_OVERLAY_XML);
    int error =
        path ? reload_cert_document_load(document, NULL, policy, now_unix_ms, &config, reason)
             : reload_cert_no_memory(reason);
    if (config && !reload_cert_overlay_can_be_pushed(document.n, config->max_message_size))
        error = reload_cert_refuse(reason, RELOAD_E_INVALID,
                                   "the document has %zu bytes, so that nodes could not send it to "
                                   "each other: raise max-message-size from %u to %u",
                                   document.n, config->max_message_size,
                                   reload_cert_overlay_size_to_push(document.n));
    if (!error)
        error = reload_cert_file_write(path, document, false, reason);
    reload_cert_document_free(config);
    reload_free(path);
    return error;
}

static int load_signer(const char *directory, struct reload_cert_identity **out,
                       struct reload_cert_reason *reason)
{
    char *pem_path = reload_cert_file_path(directory, RELOAD_CERT_SIGNER_PEM);
    char *key_path = reload_cert_file_path(directory, RELOAD_CERT_SIGNER_KEY);
    *out = NULL;
    int error = pem_path && key_path
                    ? reload_cert_identity_load(pem_path, key_path, NULL, out, reason)
                    : reload_cert_no_memory(reason);
    reload_free(pem_path);
    reload_free(key_path);
    return error;
}

int reload_cert_overlay_read_document(const char *directory, struct reload_cert_bytes *out,
                                      struct reload_cert_reason *reason)
{
    char *path = reload_cert_file_path(directory, RELOAD_CERT_OVERLAY_XML);
    *out = (struct reload_cert_bytes){ 0 };
    int error = path ? reload_cert_file_read(path, out, reason) : reload_cert_no_memory(reason);
    reload_free(path);
    return error;
}

/* Under the next sequence number. */
static int sign_again(struct reload_slice document,
                      const struct reload_cert_document_policy *policy,
                      const struct reload_cert_identity *signer, struct reload_cert_bytes *out,
                      uint16_t *sequence, struct reload_cert_reason *reason)
{
    struct reload_config *config;
    int error = reload_cert_document_parse(document, NULL, policy, &config, reason);
    if (error)
        return error;
    *sequence = (uint16_t)((config->sequence + 1u) % RELOAD_SEQUENCE_ANY);
    reload_cert_document_free(config);
    return reload_cert_document_sign(document, NULL, policy, *sequence, signer, signer, out,
                                     reason);
}

int reload_cert_overlay_publish_next(const char *directory,
                                     const struct reload_cert_document_policy *policy,
                                     struct reload_slice document, uint64_t now_unix_ms,
                                     uint16_t *sequence, struct reload_cert_reason *reason)
{
    struct reload_cert_identity *signer;
    struct reload_cert_bytes next = { 0 };
    int error = load_signer(directory, &signer, reason);
    if (!error)
        error = sign_again(document, policy, signer, &next, sequence, reason);
    if (!error)
        error = reload_cert_overlay_publish(directory, policy, reload_cert_bytes_slice(&next),
                                            now_unix_ms, reason);
    reload_cert_bytes_fini(&next);
    reload_cert_identity_free(signer);
    return error;
}

int reload_cert_overlay_sign(const char *directory,
                             const struct reload_cert_document_policy *policy, uint64_t now_unix_ms,
                             uint16_t *sequence, struct reload_cert_reason *reason)
{
    struct reload_cert_bytes document;
    int error = reload_cert_overlay_read_document(directory, &document, reason);
    if (!error)
        error = reload_cert_overlay_publish_next(
            directory, policy, reload_cert_bytes_slice(&document), now_unix_ms, sequence, reason);
    reload_cert_bytes_fini(&document);
    return error;
}
