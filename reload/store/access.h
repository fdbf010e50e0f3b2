#ifndef RELOAD_STORE_ACCESS_H
#define RELOAD_STORE_ACCESS_H

#include "reload/config/config.h"
#include "reload/security/crypto.h"
#include "reload/wire/cursor.h"

/* Access control policies (RFC 6940 s7.3) behind a registry. The same function judges the signer of
 * a value, the signer of a StoreReq, and, at a fetching node, the signer of what came back. */

/* The topology's Resource Name hash (s10.2 for Chord): out holds RELOAD_RESOURCE_ID_MAX bytes. */
typedef int reload_resource_id_function(const struct reload_crypto *crypto,
                                        struct reload_slice resource_name, uint8_t *out,
                                        size_t *len);

struct reload_access_question {
    const struct reload_config *config;
    const struct reload_kind_config *kind;
    struct reload_slice resource;
    struct reload_slice key; /* dictionary key; empty otherwise */
    uint32_t index;          /* array index; 0 otherwise */
    bool exists;
    struct reload_slice value;
    const struct reload_signer *signer;
};

struct reload_access_ops {
    const char *name; /* as in the configuration: "USER-MATCH" */
    /* 0, or RELOAD_E_FORBIDDEN. resource_id is the topology's hash of a Resource Name (s7.3). */
    int (*allows)(const struct reload_access_question *question, const struct reload_crypto *crypto,
                  reload_resource_id_function *resource_id);
};

/* The policy of that name, or NULL. */
const struct reload_access_ops *reload_access_find(const char *name);

/* What the usage that defines a Kind adds to the rules of this folder. Constant; found through
 * reload_kind_config.ops. */
struct reload_kind_ops {
    uint32_t kind;
    /* Judges what a configuration document says of the Kind in its parameters: NULL, or what is
     * wrong with it, a static string. */
    const char *(*refuses)(const struct reload_kind_config *kind);
    /* Asked after the access control policy has allowed it: 0 or RELOAD_E_FORBIDDEN. */
    int (*allows)(const struct reload_access_question *question);
    bool bars_find; /* the Kind is not allowed to be used with Find (s7.4.4.2) */
};

/* The policy of the question's Kind, and then its usage. 0 or RELOAD_E_FORBIDDEN; also when the
 * policy is not known here. */
int reload_access_allows(const struct reload_access_question *question,
                         const struct reload_crypto *crypto,
                         reload_resource_id_function *resource_id);

#endif
