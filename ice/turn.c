#include "ice/turn.h"

#include <glib.h>

#include "reload/wire/turn_server.h"

enum reload_ice_turn_fitness reload_ice_turn_fitness(const struct reload_link_address *own,
                                                     const struct reload_link_address *reflexive)
{
    enum reload_ice_scope scope = reload_ice_address_scope(own);
    if (scope < RELOAD_ICE_SCOPE_PRIVATE || own->port == 0)
        return RELOAD_ICE_TURN_UNUSABLE;
    if (scope == RELOAD_ICE_SCOPE_PRIVATE)
        return RELOAD_ICE_TURN_PRIVATE;
    if (!reflexive || reflexive->len == 0)
        return RELOAD_ICE_TURN_UNKNOWN;
    return reload_ice_address_same_host(own, reflexive) ? RELOAD_ICE_TURN_FIT
                                                        : RELOAD_ICE_TURN_TRANSLATED;
}

unsigned int reload_ice_turn_records(unsigned int turn_density)
{
    return turn_density < RELOAD_ICE_TURN_DENSITY_MAX ? turn_density : RELOAD_ICE_TURN_DENSITY_MAX;
}

size_t reload_ice_turn_name(const struct reload_node_id *node_id, uint8_t d,
                            uint8_t out[RELOAD_NODE_ID_MAX + 1])
{
    memcpy(out, node_id->bytes, node_id->len);
    out[node_id->len] = d;
    return (size_t)node_id->len + 1;
}

int reload_ice_turn_value(struct reload_writer *w, uint8_t d,
                          const struct reload_link_address *server)
{
    return reload_turn_server_encode(
        w, &(struct reload_turn_server){ .iteration = d,
                                         .server_address = reload_ice_address_to_wire(server) });
}

int reload_ice_turn_check(struct reload_slice value, struct reload_slice resource,
                          const struct reload_node_id *signer, const struct reload_crypto *crypto,
                          reload_resource_id_function *resource_id, struct reload_link_address *out)
{
    struct reload_turn_server server;
    uint8_t name[RELOAD_NODE_ID_MAX + 1], id[RELOAD_RESOURCE_ID_MAX];
    size_t id_len = 0;
    if (reload_turn_server_decode(value, &server) != 0)
        return RELOAD_E_DECODE;
    if (server.iteration == 0 || server.iteration > RELOAD_ICE_TURN_DENSITY_MAX)
        return RELOAD_E_FORBIDDEN;
    struct reload_slice resource_name =
        reload_slice_of(name, reload_ice_turn_name(signer, server.iteration, name));
    if (resource_id(crypto, resource_name, id, &id_len) != 0 ||
        !reload_slice_equal(reload_slice_of(id, id_len), resource))
        return RELOAD_E_FORBIDDEN;
    if (reload_ice_address_from_wire(&server.server_address, out) != 0 || out->port == 0 ||
        reload_ice_address_scope(out) == RELOAD_ICE_SCOPE_BAD)
        return RELOAD_E_INVALID;
    return 0;
}

/* HMAC-SHA1 in base64, by GLib. */
static bool sign(struct reload_slice secret, const char *text,
                 char password[RELOAD_ICE_TURN_PASSWORD_LEN + 1])
{
    guint8 digest[20];
    gsize len = sizeof digest;
    GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA1, secret.p, secret.n);
    g_hmac_update(hmac, (const guchar *)text, -1);
    g_hmac_get_digest(hmac, digest, &len);
    g_hmac_unref(hmac);
    char *base64 = g_base64_encode(digest, len);
    bool fits = g_strlcpy(password, base64, RELOAD_ICE_TURN_PASSWORD_LEN + 1) ==
                RELOAD_ICE_TURN_PASSWORD_LEN;
    g_free(base64);
    return fits;
}

int reload_ice_turn_credentials(struct reload_slice secret, const struct reload_node_id *user,
                                uint64_t now_s, uint64_t lifetime_s,
                                struct reload_ice_turn_credentials *out)
{
    char id[RELOAD_NODE_ID_TEXT];
    if (secret.n == 0 || lifetime_s > UINT32_MAX || now_s > UINT64_MAX - lifetime_s)
        return RELOAD_E_INVALID;
    out->expires_s = now_s + lifetime_s;
    g_snprintf(out->user_name, sizeof out->user_name, "%" G_GUINT64_FORMAT ":%s", out->expires_s,
               reload_node_id_text(user, id));
    return sign(secret, out->user_name, out->password) ? 0 : RELOAD_E_INVALID;
}
