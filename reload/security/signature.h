#ifndef RELOAD_SECURITY_SIGNATURE_H
#define RELOAD_SECURITY_SIGNATURE_H

#include "reload/security/crypto.h"
#include "reload/wire/message.h"
#include "reload/wire/stored_data.h"

/* Signatures over messages (RFC 6940 s6.3.4) and over stored values (s7.1): which bytes they cover,
 * and which kinds of signature are refused before any certificate is looked for.
 *
 * Where a function verifies it answers 0 with the signer, or
 *   RELOAD_E_SIGNATURE     none at all (identity none, algorithms {0, 0}), or it does not verify
 *   RELOAD_E_UNSUPPORTED   MD5, SHA-1, DSA, an unknown algorithm or SignerIdentity type
 *   RELOAD_E_LIMIT         more than RELOAD_BUCKET_MAX certificates
 *   or what crypto->ops->identify gives: RELOAD_E_CERTIFICATE, RELOAD_E_EXPIRED,
 *   RELOAD_E_FORBIDDEN, RELOAD_E_NOMEM.
 * The signer is valid as struct reload_signer says: until the next call that identifies another. */

/* --- messages (s6.3.4) --- */

/* The input: overlay || transaction_id || MessageContents || SignerIdentity. Nothing else of the
 * header is covered, nor are the certificates. */
struct reload_message_signature_input {
    uint8_t head[12];
    struct reload_slice parts[3];
};
#define RELOAD_MESSAGE_SIGNATURE_PARTS 3
/* `contents` and `signer_identity` as sent, lengths included. *out borrows both and must not move.
 */
void reload_message_signature_input(struct reload_message_signature_input *out, uint32_t overlay,
                                    uint64_t transaction_id, struct reload_slice contents,
                                    struct reload_slice signer_identity);

/* Signs the message that ends at w with `contents` and appends its SecurityBlock: the own
 * certificates, then those of `certificates` (a bucket's bytes: what contained objects need, may be
 * empty), each once; then the signature. `contents` may lie in w's own buffer.
 * 0, RELOAD_E_NOSPACE, or what crypto->ops->sign gives. */
RELOAD_MUST_USE int reload_message_sign(const struct reload_crypto *crypto, uint32_t overlay,
                                        uint64_t transaction_id, struct reload_slice contents,
                                        struct reload_slice certificates, struct reload_writer *w);

/* Verifies a decoded message, over the bytes that came. */
RELOAD_MUST_USE int reload_message_verify(const struct reload_crypto *crypto,
                                          const struct reload_message *message,
                                          struct reload_time now, struct reload_signer *signer);

/* --- stored values (s7.1) --- */

/* s7.1 says "resource_id" without saying how it is written. We take its wire form, with the length
 * byte, like all the other terms. Some older programs take the bytes alone. */
enum reload_resource_framing {
    RELOAD_RESOURCE_WITH_LENGTH,
    RELOAD_RESOURCE_RAW,
};

struct reload_value_signature_input {
    uint8_t head[1 + RELOAD_RESOURCE_ID_MAX + 4 + 8 + 4];
    uint8_t data[5];
    struct reload_slice parts[5];
};
#define RELOAD_VALUE_SIGNATURE_PARTS 5
/* The input: resource_id || kind || storage_time || StoredDataValue || SignerIdentity, with an
 * array's index as 0 (s7.4.2.2). Reads storage_time_ms and value of `data`. *out borrows the value,
 * the key and signer_identity, and must not move. RELOAD_E_INVALID when the resource or the key is
 * longer than its length field can say, else 0. */
RELOAD_MUST_USE int reload_value_signature_input(struct reload_value_signature_input *out,
                                                 enum reload_resource_framing framing,
                                                 struct reload_slice resource, uint32_t kind,
                                                 const struct reload_stored_data *data,
                                                 struct reload_slice signer_identity);

/* Signs data->storage_time_ms and data->value and fills data->signature, whose slices lie in the
 * own identity and in `value` (RELOAD_SIGNATURE_MAX bytes). 0, RELOAD_E_INVALID as above, or what
 * crypto->ops->sign gives. */
RELOAD_MUST_USE int reload_value_sign(const struct reload_crypto *crypto,
                                      struct reload_slice resource, uint32_t kind,
                                      struct reload_stored_data *data, uint8_t *value);

/* Verifies a decoded value. `certificates` is the bucket of the message that carried it; what was
 * checked before need not be there. With crypto->raw_resource_ids a signature over the other
 * framing of the Resource-ID is good, too: a switch for overlays with older programs, off by
 * default. */
RELOAD_MUST_USE int reload_value_verify(const struct reload_crypto *crypto,
                                        struct reload_slice resource, uint32_t kind,
                                        const struct reload_stored_data *data,
                                        struct reload_slice certificates, struct reload_time now,
                                        struct reload_signer *signer);

#endif
