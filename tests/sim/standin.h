#ifndef RELOAD_TESTS_SIM_STANDIN_H
#define RELOAD_TESTS_SIM_STANDIN_H

#include "reload/random.h"
#include "reload/security/crypto.h"

/* A stand-in for cryptography, for tests and for the simulator only: the same answers as certs/
 * gives, from bytes of fixed size, in a microsecond, and the same in every run. It keeps no secret.
 * No target outside tests/ links it.
 *
 * A "certificate" is a short byte string that says who it is for. A "signature" is 64 bytes mixed
 * from certificate and signed bytes: any bit changed in either, and it does not verify. A "digest"
 * has the real one's length and spreads as evenly, but its values are its own. */

#define RELOAD_STANDIN_NODE_IDS_MAX    8
#define RELOAD_STANDIN_USER_NAME_MAX   64
#define RELOAD_STANDIN_CERTIFICATE_MAX 256
#define RELOAD_STANDIN_SIGNATURE_LEN   64

struct reload_standin_certificate { /* what a certificate says */
    struct reload_node_id node_ids[RELOAD_STANDIN_NODE_IDS_MAX];
    size_t node_id_count;
    const char *user_name; /* NULL: none */
    uint32_t overlay;
    uint64_t not_before_ms, not_after_ms; /* Unix time */
    uint32_t serial;                      /* tells otherwise equal certificates apart */
    bool self_signed;                     /* told in the own identity only */
    bool stranger; /* issued by nobody the overlay trusts: identify gives RELOAD_E_CERTIFICATE */
};

/* A certificate for one Node-ID of an overlay, valid from 1970 to 2100. user_name may be NULL. */
struct reload_standin_certificate reload_standin_certificate(const struct reload_config *config,
                                                             const struct reload_node_id *node_id,
                                                             const char *user_name);
/* Its bytes; out holds RELOAD_STANDIN_CERTIFICATE_MAX. Returns their number, 0 when it does not
 * fit. */
size_t reload_standin_certificate_bytes(const struct reload_standin_certificate *certificate,
                                        uint8_t *out);

struct reload_standin; /* one node's context: its identity, and the certificates it has checked */

/* acts_as: which of the certificate's Node-IDs the node uses. NULL when there is no memory or the
 * certificate does not fit. The configuration is borrowed. */
struct reload_standin *reload_standin_new(const struct reload_config *config,
                                          const struct reload_standin_certificate *certificate,
                                          size_t acts_as);
void reload_standin_free(struct reload_standin *standin);
/* Operations, context and own identity, as a node or a store takes them. */
const struct reload_crypto *reload_standin_crypto(const struct reload_standin *standin);

struct reload_standin_counters {
    uint64_t digests, signatures, verifications, identifications;
};
const struct reload_standin_counters *reload_standin_counters(const struct reload_standin *standin);

/* Resource Name hash as s10.2 has it: the first 16 bytes of the (stand-in) SHA-1. A
 * reload_resource_id_function. */
int reload_standin_resource_id(const struct reload_crypto *crypto,
                               struct reload_slice resource_name, uint8_t *out, size_t *len);

/* --- a seeded generator --- */
struct reload_standin_random {
    uint64_t state;
};
/* Equal seeds give equal bytes. The result borrows *random. */
struct reload_random reload_standin_random(struct reload_standin_random *random, uint64_t seed);
/* A 16-byte Node-ID out of a number; different numbers are far apart and in no order. */
struct reload_node_id reload_standin_node_id(uint64_t number);

/* --- a configuration --- */
#define RELOAD_STANDIN_OVERLAY "overlay.example"

/* The private Kinds of the test configuration: one for each sensible cell of model and policy. */
#define RELOAD_STANDIN_SINGLE_USER          0xf0000001u
#define RELOAD_STANDIN_SINGLE_NODE          0xf0000002u
#define RELOAD_STANDIN_SINGLE_MULTIPLE      0xf0000003u
#define RELOAD_STANDIN_ARRAY_USER           0xf0000004u
#define RELOAD_STANDIN_ARRAY_NODE           0xf0000005u
#define RELOAD_STANDIN_ARRAY_MULTIPLE       0xf0000006u
#define RELOAD_STANDIN_DICTIONARY_USER      0xf0000007u
#define RELOAD_STANDIN_DICTIONARY_NODE      0xf0000008u
#define RELOAD_STANDIN_DICTIONARY_USER_NODE 0xf0000009u
#define RELOAD_STANDIN_DICTIONARY_MULTIPLE  0xf000000au
#define RELOAD_STANDIN_KIND_COUNT           13 /* these and the three of the RFC */
#define RELOAD_STANDIN_MAX_COUNT            8
#define RELOAD_STANDIN_MAX_SIZE             1000
#define RELOAD_STANDIN_MAX_MULTIPLE         16

struct reload_standin_config { /* a configuration with its arrays; may be edited before it is used
                                */
    struct reload_config config;
    struct reload_kind_config kinds[RELOAD_STANDIN_KIND_COUNT];
    struct reload_node_id bad_nodes[4];
};
/* The RFC's defaults, and the Kinds above. *out must not move afterwards. */
void reload_standin_config_init(struct reload_standin_config *out);

#endif
