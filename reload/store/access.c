#include "reload/store/access.h"

/* The policies of RFC 6940 s7.3. "The Node-ID indicated in the SignerIdentity" is signer->node_id,
 * whichever of the two identity types named it. */

static bool names_resource(struct reload_slice name, const struct reload_access_question *q,
                           const struct reload_crypto *crypto,
                           reload_resource_id_function *resource_id)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX];
    size_t len = 0;
    return resource_id(crypto, name, id, &len) == 0 &&
           reload_slice_equal(reload_slice_of(id, len), q->resource);
}

static bool user_matches(const struct reload_access_question *q, const struct reload_crypto *crypto,
                         reload_resource_id_function *resource_id)
{
    struct reload_slice user = q->signer->identity->user_name;
    return user.n > 0 && names_resource(user, q, crypto, resource_id);
}

/* s7.3.1 */
static int user_match(const struct reload_access_question *q, const struct reload_crypto *crypto,
                      reload_resource_id_function *resource_id)
{
    return user_matches(q, crypto, resource_id) ? 0 : RELOAD_E_FORBIDDEN;
}

/* s7.3.2 */
static int node_match(const struct reload_access_question *q, const struct reload_crypto *crypto,
                      reload_resource_id_function *resource_id)
{
    struct reload_slice node_id = reload_node_id_slice(&q->signer->node_id);
    return names_resource(node_id, q, crypto, resource_id) ? 0 : RELOAD_E_FORBIDDEN;
}

/* s7.3.3: for dictionaries only */
static int user_node_match(const struct reload_access_question *q,
                           const struct reload_crypto *crypto,
                           reload_resource_id_function *resource_id)
{
    if (q->kind->data_model != RELOAD_MODEL_DICTIONARY ||
        !reload_slice_equal(q->key, reload_node_id_slice(&q->signer->node_id)))
        return RELOAD_E_FORBIDDEN;
    return user_match(q, crypto, resource_id);
}

/* s7.3.4: i is not on the wire, so each is tried. Its width is not given; one byte, as in
 * TurnServer. */
static int node_multiple(const struct reload_access_question *q, const struct reload_crypto *crypto,
                         reload_resource_id_function *resource_id)
{
    struct reload_slice node_id = reload_node_id_slice(&q->signer->node_id);
    uint8_t name[RELOAD_NODE_ID_MAX + 1];
    memcpy(name, node_id.p, node_id.n);
    uint32_t most = q->kind->max_node_multiple < UINT8_MAX ? q->kind->max_node_multiple : UINT8_MAX;
    for (uint32_t i = 0; i <= most; i++) {
        name[node_id.n] = (uint8_t)i;
        if (names_resource(reload_slice_of(name, node_id.n + 1), q, crypto, resource_id))
            return 0;
    }
    return RELOAD_E_FORBIDDEN;
}

static const struct reload_access_ops policies[] = {
    { "USER-MATCH", user_match },
    { "NODE-MATCH", node_match },
    { "USER-NODE-MATCH", user_node_match },
    { "NODE-MULTIPLE", node_multiple },
};

const struct reload_access_ops *reload_access_find(const char *name)
{
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++)
        if (strcmp(policies[i].name, name) == 0)
            return &policies[i];
    return NULL;
}

int reload_access_allows(const struct reload_access_question *q, const struct reload_crypto *crypto,
                         reload_resource_id_function *resource_id)
{
    const struct reload_access_ops *policy = reload_access_find(q->kind->access_control);
    int error = policy ? policy->allows(q, crypto, resource_id) : RELOAD_E_FORBIDDEN;
    return error || !q->kind->ops ? error : q->kind->ops->allows(q);
}
