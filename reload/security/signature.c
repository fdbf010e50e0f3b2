#include "reload/security/signature.h"

#include "reload/security/bucket.h"

/* --- what is refused unseen --- */

static bool hash_is_strong(uint8_t algorithm)
{
    return algorithm >= RELOAD_HASH_SHA224 && algorithm <= RELOAD_HASH_SHA512;
}

static int check_algorithms(const struct reload_signature *signature)
{
    const struct reload_signer_identity *identity = &signature->identity;
    if (reload_signature_is_none(signature))
        return RELOAD_E_SIGNATURE; /* s7.4.1.1: only what a storing peer makes up is unsigned */
    if (identity->type != RELOAD_SIGNER_CERT_HASH &&
        identity->type != RELOAD_SIGNER_CERT_HASH_NODE_ID)
        return RELOAD_E_UNSUPPORTED;
    if (!hash_is_strong(identity->hash_algorithm) || !hash_is_strong(signature->hash_algorithm))
        return RELOAD_E_UNSUPPORTED;
    if (signature->signature_algorithm != RELOAD_SIGNATURE_RSA &&
        signature->signature_algorithm != RELOAD_SIGNATURE_ECDSA)
        return RELOAD_E_UNSUPPORTED;
    return 0;
}

static int identify_and_verify(const struct reload_crypto *crypto,
                               const struct reload_signature *signature,
                               const struct reload_slice *parts, size_t count,
                               struct reload_slice certificates, struct reload_time now,
                               struct reload_signer *signer)
{
    int error = check_algorithms(signature);
    if (!error)
        error = reload_bucket_check(certificates);
    if (!error)
        error = crypto->ops->identify(crypto->context, certificates, signature->identity.type,
                                      signature->identity.value, now, signer);
    if (error)
        return error;
    return crypto->ops->verify(crypto->context, signer->identity, signature->hash_algorithm,
                               signature->signature_algorithm, parts, count, signature->value);
}

/* Signs the parts and describes the signature by the own identity. */
static int sign_parts(const struct reload_crypto *crypto, const struct reload_slice *parts,
                      size_t count, uint8_t *value, struct reload_signature *out)
{
    const struct reload_own_identity *own = crypto->own;
    size_t len = 0;
    int error = crypto->ops->sign(crypto->context, parts, count, value, &len);
    if (error)
        return error;
    out->hash_algorithm = own->hash_algorithm;
    out->signature_algorithm = own->signature_algorithm;
    out->value = reload_slice_of(value, len);
    struct reload_reader r = reload_reader_over(own->signer_identity);
    return reload_signer_identity_decode(&r, &out->identity);
}

/* --- messages --- */

void reload_message_signature_input(struct reload_message_signature_input *out, uint32_t overlay,
                                    uint64_t transaction_id, struct reload_slice contents,
                                    struct reload_slice signer_identity)
{
    /* RFC 6940 s6.3.4 */
    struct reload_writer w = reload_writer_of(out->head, sizeof out->head);
    reload_wr_u32(&w, overlay);
    reload_wr_u64(&w, transaction_id);
    out->parts[0] = reload_writer_slice(&w);
    out->parts[1] = contents;
    out->parts[2] = signer_identity;
}

int reload_message_sign(const struct reload_crypto *crypto, uint32_t overlay,
                        uint64_t transaction_id, struct reload_slice contents,
                        struct reload_slice certificates, struct reload_writer *w)
{
    struct reload_message_signature_input input;
    reload_message_signature_input(&input, overlay, transaction_id, contents,
                                   crypto->own->signer_identity);
    uint8_t value[RELOAD_SIGNATURE_MAX];
    struct reload_signature signature;
    int error = sign_parts(crypto, input.parts, RELOAD_MESSAGE_SIGNATURE_PARTS, value, &signature);
    if (error)
        return error;
    size_t mark = reload_wr_open16(w);
    size_t start = w->len;
    reload_bucket_add_all(w, start, crypto->own->certificates);
    reload_bucket_add_all(w, start, certificates);
    reload_wr_close16(w, mark);
    return reload_signature_encode(w, &signature);
}

int reload_message_verify(const struct reload_crypto *crypto, const struct reload_message *message,
                          struct reload_time now, struct reload_signer *signer)
{
    const struct reload_signature *signature = &message->security.signature;
    struct reload_message_signature_input input;
    reload_message_signature_input(&input, message->header.overlay, message->header.transaction_id,
                                   message->contents, signature->identity.raw);
    return identify_and_verify(crypto, signature, input.parts, RELOAD_MESSAGE_SIGNATURE_PARTS,
                               message->security.certificates, now, signer);
}

/* --- stored values --- */

int reload_value_signature_input(struct reload_value_signature_input *out,
                                 enum reload_resource_framing framing, struct reload_slice resource,
                                 uint32_t kind, const struct reload_stored_data *data,
                                 struct reload_slice signer_identity)
{
    const struct reload_stored_data_value *value = &data->value;
    bool is_dictionary = value->model == RELOAD_MODEL_DICTIONARY;
    struct reload_slice key = is_dictionary ? value->key : reload_slice_of("", 0);
    if (resource.n > RELOAD_RESOURCE_ID_MAX || key.n > UINT16_MAX ||
        value->data.value.n > UINT32_MAX)
        return RELOAD_E_INVALID;

    /* RFC 6940 s7.1, piece by piece. Each structure has one encoding only, so these are the bytes
     * that came, but for the index. */
    struct reload_writer w = reload_writer_of(out->head, sizeof out->head);
    if (framing == RELOAD_RESOURCE_WITH_LENGTH)
        reload_wr_u8(&w, (uint8_t)resource.n);
    reload_wr_bytes(&w, resource);
    reload_wr_u32(&w, kind);
    reload_wr_u64(&w, data->storage_time_ms);
    if (value->model == RELOAD_MODEL_ARRAY)
        reload_wr_u32(&w, 0); /* s7.4.2.2: the signer of an append cannot know its index */
    if (is_dictionary)
        reload_wr_u16(&w, (uint16_t)key.n);
    out->parts[0] = reload_writer_slice(&w);
    out->parts[1] = key;
    w = reload_writer_of(out->data, sizeof out->data);
    reload_wr_boolean(&w, value->data.exists);
    reload_wr_u32(&w, (uint32_t)value->data.value.n);
    out->parts[2] = reload_writer_slice(&w);
    out->parts[3] = value->data.value;
    out->parts[4] = signer_identity;
    return 0;
}

int reload_value_sign(const struct reload_crypto *crypto, struct reload_slice resource,
                      uint32_t kind, struct reload_stored_data *data, uint8_t *value)
{
    struct reload_value_signature_input input;
    int error = reload_value_signature_input(&input, RELOAD_RESOURCE_WITH_LENGTH, resource, kind,
                                             data, crypto->own->signer_identity);
    if (error)
        return error;
    return sign_parts(crypto, input.parts, RELOAD_VALUE_SIGNATURE_PARTS, value, &data->signature);
}

static int verify_framed(const struct reload_crypto *crypto, enum reload_resource_framing framing,
                         struct reload_slice resource, uint32_t kind,
                         const struct reload_stored_data *data, struct reload_slice certificates,
                         struct reload_time now, struct reload_signer *signer)
{
    struct reload_value_signature_input input;
    int error = reload_value_signature_input(&input, framing, resource, kind, data,
                                             data->signature.identity.raw);
    if (error)
        return error;
    return identify_and_verify(crypto, &data->signature, input.parts, RELOAD_VALUE_SIGNATURE_PARTS,
                               certificates, now, signer);
}

int reload_value_verify(const struct reload_crypto *crypto, struct reload_slice resource,
                        uint32_t kind, const struct reload_stored_data *data,
                        struct reload_slice certificates, struct reload_time now,
                        struct reload_signer *signer)
{
    int error = verify_framed(crypto, RELOAD_RESOURCE_WITH_LENGTH, resource, kind, data,
                              certificates, now, signer);
    if (error == RELOAD_E_SIGNATURE && crypto->raw_resource_ids)
        error = verify_framed(crypto, RELOAD_RESOURCE_RAW, resource, kind, data, certificates, now,
                              signer);
    return error;
}
