#ifndef RELOAD_WIRE_ALGORITHM_H
#define RELOAD_WIRE_ALGORITHM_H

/* TLS 1.2 SignatureAndHashAlgorithm registry values, as RFC 6940 s6.3.4 uses them. */

enum reload_hash_algorithm {
    RELOAD_HASH_NONE = 0,
    RELOAD_HASH_MD5 = 1, /* never accepted */
    RELOAD_HASH_SHA1 = 2,
    RELOAD_HASH_SHA224 = 3,
    RELOAD_HASH_SHA256 = 4,
    RELOAD_HASH_SHA384 = 5,
    RELOAD_HASH_SHA512 = 6,
};

enum reload_signature_algorithm {
    RELOAD_SIGNATURE_ANONYMOUS = 0,
    RELOAD_SIGNATURE_RSA = 1, /* RSASSA-PKCS1-v1_5 */
    RELOAD_SIGNATURE_DSA = 2, /* never accepted */
    RELOAD_SIGNATURE_ECDSA = 3,
};

#endif
