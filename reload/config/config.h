#ifndef RELOAD_CONFIG_CONFIG_H
#define RELOAD_CONFIG_CONFIG_H

#include "reload/time.h"
#include "reload/wire/algorithm.h"
#include "reload/wire/id.h"
#include "reload/wire/stored_data.h" /* enum reload_data_model */

/* The overlay configuration document (RFC 6940 s11.1) as plain data. Whoever makes one (the XML
 * parser in certs/, a test) owns it and everything it points to; all others borrow it and never
 * change it. Values absent from the document hold the RFC's defaults, so readers need no second
 * knowledge of them. */

#define RELOAD_ACCESS_NAME_MAX 32

/* What an extension says in a <kind> (s11.1: elements of other namespaces), for whoever owns that
 * namespace: each element, then its attributes and child elements. What lies deeper is left out. */
struct reload_kind_parameter {
    enum reload_kind_parameter_part {
        RELOAD_PARAMETER_ELEMENT,
        RELOAD_PARAMETER_ATTRIBUTE, /* of the element before; namespace_uri is the element's */
        RELOAD_PARAMETER_CHILD,
    } part;
    const char *namespace_uri, *name;
    const char *text; /* without white space around it */
};
#define RELOAD_KIND_PARAMETERS_MAX 256 /* of one Kind; a document with more is refused */

struct reload_kind_ops; /* reload/store/access.h */

struct reload_kind_config { /* one kind-block */
    uint32_t id;
    const char *name; /* NULL when the block has a numeric id only */
    enum reload_data_model data_model;
    char access_control[RELOAD_ACCESS_NAME_MAX]; /* "USER-MATCH" and so on, s7.3 */
    uint32_t max_count;                          /* values per (Resource-ID, Kind) */
    uint32_t max_size;                           /* bytes of one value */
    uint32_t max_node_multiple;                  /* NODE-MULTIPLE only, else 0 */
    const struct reload_kind_parameter *parameters;
    size_t parameter_count;
    const struct reload_kind_ops *ops; /* of the usage that owns the Kind; NULL: it adds no rules */
    struct reload_slice block; /* raw bytes "<kind-block" .. "</kind-block>" with its signature;
                                  empty for a Kind the document does not list */
};

struct reload_bootstrap_node {
    const char *address; /* IPv4 or IPv6 literal */
    uint16_t port;
};

struct reload_config {
    const char *instance_name;   /* the overlay's name */
    uint32_t overlay;            /* low 32 bits of the name's SHA-1, s6.3.2 */
    uint16_t sequence;           /* 0..65534 */
    uint64_t expiration_ms;      /* Unix time; RELOAD_NEVER when absent */
    const char *topology_plugin; /* "CHORD-RELOAD" */
    uint8_t node_id_length;      /* bytes, 16..20 */
    bool self_signed_permitted;
    enum reload_hash_algorithm self_signed_digest; /* SHA-1 or SHA-256 */
    bool clients_permitted;
    bool no_ice;
    uint8_t turn_density;
    const char *shared_secret; /* NULL when absent; never logged */
    uint32_t max_message_size; /* bytes; at most 2^24-1, what a frame holds (s6.6.2) */
    uint8_t initial_ttl;
    uint32_t overlay_reliability_timer_ms;
    bool chord_reactive;
    uint32_t chord_update_interval_s;
    uint32_t chord_ping_interval_s;

    const struct reload_bootstrap_node *bootstrap_nodes;
    size_t bootstrap_node_count;
    const char *const *enrollment_servers; /* https URLs */
    size_t enrollment_server_count;
    const char *const *overlay_link_protocols; /* {"TLS"} when the document names none */
    size_t overlay_link_protocol_count;
    const struct reload_slice *root_certs; /* DER */
    size_t root_cert_count;
    const struct reload_node_id *kind_signers;
    size_t kind_signer_count;
    const struct reload_node_id *configuration_signers;
    size_t configuration_signer_count;
    const struct reload_node_id *bad_nodes;
    size_t bad_node_count;
    const struct reload_kind_config
        *kinds; /* the document's blocks, and then the RFC's own Kinds that
                   it does not list, with our default limits (docs/protocol.md) */
    size_t kind_count;
    const char *const *mandatory_extensions; /* namespaces */
    size_t mandatory_extension_count;

    struct reload_slice document; /* the whole document as received, signatures included: what a
                                     ConfigUpdate carries */
};

/* A configuration that names no overlay and holds the RFC's default in every other field (s11.1).
 */
struct reload_config reload_config_defaults(void);

#define RELOAD_SEQUENCE_ANY 65535 /* header-only value: accept whatever the sequence, s6.3.2.1 */

/* Serial comparison modulo 65535 (s6.3.2.1): >0 when a is newer than b, 0 when equal, <0
 * when older. Both are 0..65534. */
int reload_config_sequence_compare(uint16_t a, uint16_t b);

/* The kind-block of a Kind-ID, or NULL. */
const struct reload_kind_config *reload_config_kind(const struct reload_config *config,
                                                    uint32_t id);

bool reload_config_is_bad_node(const struct reload_config *config, const struct reload_node_id *id);
bool reload_config_is_signer(const struct reload_node_id *signers, size_t count,
                             const struct reload_node_id *id);

/* What a node needs when a ConfigUpdate (s6.5.4) arrives. Implemented by certs/. Each call gets the
 * context that was given with the struct. */
struct reload_config_ops {
    /* Verifies and parses a document. `current` is the configuration in force: the signature must
     * be by one of its configuration-signers and the sequence must be newer. Returns 0 with *out
     * owned by the caller until release(); RELOAD_E_SIGNATURE, RELOAD_E_TOO_OLD, RELOAD_E_DECODE
     * (not XML, wrong overlay), RELOAD_E_INVALID (breaks the schema), RELOAD_E_UNSUPPORTED
     * (signed and newer, but beyond this node: a mandatory extension, say; the node leaves),
     * RELOAD_E_EXPIRED, RELOAD_E_NOMEM. */
    int (*parse_document)(void *context, struct reload_slice document,
                          const struct reload_config *current, struct reload_time now,
                          const struct reload_config **out);
    /* Verifies a list of kind-blocks by the kind-signers of `current` and answers a copy of
     * `current` with these Kinds added or replaced. Errors as above; RELOAD_E_FORBIDDEN when a
     * known Kind is signed by another signer than before (s6.5.4.2). */
    int (*parse_kinds)(void *context, const struct reload_slice *blocks, size_t count,
                       const struct reload_config *current, struct reload_time now,
                       const struct reload_config **out);
    void (*release)(void *context, const struct reload_config *config);
};

#endif
