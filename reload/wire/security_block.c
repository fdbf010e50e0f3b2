#include "reload/wire/security_block.h"

/* Both hashed forms of SignerIdentityValue look alike (RFC 6940 s6.3.4). */
static bool is_hashed(uint8_t type)
{
    return type == RELOAD_SIGNER_CERT_HASH || type == RELOAD_SIGNER_CERT_HASH_NODE_ID;
}

int reload_signer_identity_decode(struct reload_reader *r, struct reload_signer_identity *out)
{
    *out = (struct reload_signer_identity){ 0 };
    const uint8_t *start = r->p;
    out->type = reload_rd_u8(r);
    struct reload_reader value = reload_rd_open16(r);
    out->value = reload_slice_of(value.p, reload_reader_left(&value));
    if (is_hashed(out->type)) {
        out->hash_algorithm = reload_rd_u8(&value);
        out->hash = reload_rd_opaque8(&value);
    } else if (out->type == RELOAD_SIGNER_INVALID) {
        reload_rd_fail(&value);
    } else if (out->type != RELOAD_SIGNER_NONE) {
        (void)reload_rd_rest(&value); /* s6.3.4: may be extended with new types */
    }
    reload_rd_close(r, &value);
    out->raw = reload_rd_since(r, start);
    return reload_reader_status(r);
}

int reload_signer_identity_encode(struct reload_writer *w,
                                  const struct reload_signer_identity *identity)
{
    if (identity->type == RELOAD_SIGNER_INVALID)
        reload_wr_fail(w);
    reload_wr_u8(w, identity->type);
    size_t mark = reload_wr_open16(w);
    if (is_hashed(identity->type)) {
        reload_wr_u8(w, identity->hash_algorithm);
        reload_wr_opaque8(w, identity->hash);
    } else if (identity->type != RELOAD_SIGNER_NONE) {
        reload_wr_bytes(w, identity->value);
    }
    reload_wr_close16(w, mark);
    return reload_writer_status(w);
}

int reload_signature_decode(struct reload_reader *r, struct reload_signature *out)
{
    out->hash_algorithm = reload_rd_u8(r); /* TLS 1.2 order: the hash comes first */
    out->signature_algorithm = reload_rd_u8(r);
    if (reload_signer_identity_decode(r, &out->identity) != 0)
        return RELOAD_E_DECODE;
    out->value = reload_rd_opaque16(r);
    return reload_reader_status(r);
}

int reload_signature_encode(struct reload_writer *w, const struct reload_signature *signature)
{
    reload_wr_u8(w, signature->hash_algorithm);
    reload_wr_u8(w, signature->signature_algorithm);
    if (reload_signer_identity_encode(w, &signature->identity) != 0)
        return RELOAD_E_NOSPACE;
    reload_wr_opaque16(w, signature->value);
    return reload_writer_status(w);
}

struct reload_signature reload_signature_none(void)
{
    return (struct reload_signature){ .hash_algorithm = RELOAD_HASH_NONE,
                                      .signature_algorithm = RELOAD_SIGNATURE_ANONYMOUS,
                                      .identity = { .type = RELOAD_SIGNER_NONE } };
}

bool reload_signature_is_none(const struct reload_signature *signature)
{
    return signature->identity.type == RELOAD_SIGNER_NONE ||
           signature->hash_algorithm == RELOAD_HASH_NONE ||
           signature->signature_algorithm == RELOAD_SIGNATURE_ANONYMOUS;
}

int reload_certificate_decode(struct reload_reader *r, struct reload_certificate *out)
{
    out->type = reload_rd_u8(r);
    out->certificate = reload_rd_opaque16(r);
    return reload_reader_status(r);
}

int reload_certificate_encode(struct reload_writer *w, const struct reload_certificate *certificate)
{
    reload_wr_u8(w, certificate->type);
    reload_wr_opaque16(w, certificate->certificate);
    return reload_writer_status(w);
}

bool reload_certificate_next(struct reload_reader *list, struct reload_certificate *out)
{
    return reload_reader_more(list) && reload_certificate_decode(list, out) == 0;
}

int reload_security_block_decode(struct reload_slice block, struct reload_security_block *out)
{
    struct reload_reader r = reload_reader_over(block);
    out->certificates = reload_rd_opaque16(&r);
    struct reload_reader bucket = reload_reader_over(out->certificates);
    struct reload_certificate certificate;
    while (reload_certificate_next(&bucket, &certificate))
        ;
    reload_rd_close(&r, &bucket);
    if (reload_signature_decode(&r, &out->signature) != 0)
        return RELOAD_E_DECODE;
    return reload_reader_finish(&r);
}

int reload_security_block_encode(struct reload_writer *w, const struct reload_security_block *block)
{
    reload_wr_opaque16(w, block->certificates);
    return reload_signature_encode(w, &block->signature);
}
