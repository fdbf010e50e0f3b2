#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/digest.h"
#include "interop/probe/actor.h"
#include "interop/probe/memory.h"

#define HOUR_MS 3600000ull
#define DAY_MS  (24 * HOUR_MS)

struct wish { /* what a certificate is to say */
    const char *overlay;
    char user[96];
    struct reload_node_id ids[2];
    size_t id_count;
    uint64_t from_ms, to_ms;
};

static struct reload_node_id random_id(size_t len)
{
    struct reload_node_id id = { .len = (uint8_t)len };
    if (getentropy(id.bytes, len))
        abort();
    id.bytes[0] = (uint8_t)((id.bytes[0] & 0x7f) + 1); /* neither all zeros nor all ones */
    return id;
}

static struct wish wish_of(const struct probe_actor *actor, enum probe_kind_of_actor kind)
{
    const struct probe_world *world = actor->world;
    size_t len = world->config->node_id_length;
    uint64_t now = probe_now().unix_ms;
    struct wish wish = { .overlay = world->config->instance_name,
                         .id_count = kind == PROBE_ACTOR_SEVERAL ? 2 : 1,
                         .from_ms = now - HOUR_MS,
                         .to_ms = now + DAY_MS };
    for (size_t i = 0; i < wish.id_count; i++)
        wish.ids[i] = random_id(len);
    if (kind == PROBE_ACTOR_ELSEWHERE)
        wish.overlay = "elsewhere.example";
    if (kind == PROBE_ACTOR_EXPIRED)
        wish.to_ms = now - 10000;
    if (kind == PROBE_ACTOR_BRIEF)
        wish.to_ms = now + PROBE_BRIEF_MS;
    if (kind == PROBE_ACTOR_NEAR) {
        const struct probe_name *peer = probe_scope_find(&world->names, "peer");
        wish.ids[0] = reload_node_id_from(reload_slice_of(peer->bytes, peer->len));
        wish.ids[0].bytes[0] ^= 0x80; /* the opposite point of the ring */
        wish.ids[0].bytes[len - 1] ^= random_id(len).bytes[1];
    }
    if (kind == PROBE_ACTOR_AT)
        wish.ids[0] = actor->wanted;
    snprintf(wish.user, sizeof wish.user, "probe%02x%02x%02x%02x@%.60s", wish.ids[0].bytes[4],
             wish.ids[0].bytes[5], wish.ids[0].bytes[6], wish.ids[0].bytes[7], wish.overlay);
    return wish;
}

static int issue(const struct reload_cert_ca *ca, const struct reload_cert_key *key,
                 const struct wish *wish, struct reload_cert_bytes *der,
                 struct reload_cert_reason *reason)
{
    struct reload_cert_bytes public_key = { 0 };
    uint8_t serial[RELOAD_CERT_SERIAL_LEN];
    int error = reload_cert_key_public(key, &public_key);
    if (!error)
        error = reload_cert_serial_random(serial);
    struct reload_cert_issue what = { .overlay = wish->overlay,
                                      .public_key = reload_cert_bytes_slice(&public_key),
                                      .user_name = reload_slice_of(wish->user, strlen(wish->user)),
                                      .node_ids = wish->ids,
                                      .node_id_count = wish->id_count,
                                      .serial = reload_slice_of(serial, sizeof serial),
                                      .not_before_ms = wish->from_ms,
                                      .not_after_ms = wish->to_ms };
    if (!error)
        error = reload_cert_ca_issue(ca, &what, der, reason);
    reload_cert_bytes_fini(&public_key);
    return error;
}

static int issue_untrusted(const struct reload_cert_key *key, const struct wish *wish,
                           struct reload_cert_bytes *der, struct reload_cert_reason *reason)
{
    struct reload_cert_ca *ca = NULL;
    int error = reload_cert_ca_create(RELOAD_CERT_KEY_EC, wish->overlay, wish->from_ms, wish->to_ms,
                                      &ca, reason);
    if (!error)
        error = issue(ca, key, wish, der, reason);
    reload_cert_ca_free(ca);
    return error;
}

static int self_made(const struct reload_cert_key *key, const struct wish *wish,
                     struct reload_cert_bytes *der, struct reload_cert_reason *reason)
{
    const struct reload_cert_self_signed_request request = {
        .overlay = wish->overlay,
        .digest = RELOAD_HASH_SHA256,
        .node_id_len = wish->ids[0].len,
        .node_id_count = 1,
        .user_name = reload_slice_of(wish->user, strlen(wish->user)),
        .not_before_ms = wish->from_ms,
        .not_after_ms = wish->to_ms,
    };
    return reload_cert_self_signed(key, &request, der, reason);
}

/* Whether a user's resource lies in the half of the ring that ends at the peer. */
static bool owned(const struct probe_actor *actor, const char *user)
{
    const struct probe_name *peer = probe_scope_find(&actor->world->names, "peer");
    const struct reload_slice name = reload_slice_of(user, strlen(user));
    struct reload_cert_hasher hasher;
    uint8_t digest[RELOAD_DIGEST_MAX];
    size_t len;
    if (!peer || reload_cert_hasher_init(&hasher))
        return true;
    int error = reload_cert_hasher_digest(&hasher, RELOAD_HASH_SHA1, &name, 1, digest, &len);
    reload_cert_hasher_fini(&hasher);
    uint8_t before = (uint8_t)(peer->bytes[0] - digest[0]);
    return error == 0 && before > 0 && before < 0x7f;
}

static int certify(const struct probe_actor *actor, enum probe_kind_of_actor kind,
                   const struct reload_cert_key *key, struct reload_cert_bytes *der,
                   struct reload_cert_reason *reason)
{
    struct wish wish = wish_of(actor, kind);
    while (kind == PROBE_ACTOR_OWNED && !owned(actor, wish.user))
        wish = wish_of(actor, kind);
    if (kind == PROBE_ACTOR_UNTRUSTED)
        return issue_untrusted(key, &wish, der, reason);
    if (kind == PROBE_ACTOR_SELF_MADE)
        return self_made(key, &wish, der, reason);
    return issue(actor->world->ca, key, &wish, der, reason);
}

static int identify(struct probe_actor *actor, enum probe_kind_of_actor kind,
                    struct reload_cert_reason *reason)
{
    struct reload_cert_key *key = NULL;
    struct reload_cert_bytes der = { 0 };
    int error = reload_cert_key_generate(
        kind == PROBE_ACTOR_RSA ? RELOAD_CERT_KEY_RSA : RELOAD_CERT_KEY_EC, &key);
    if (!error)
        error = certify(actor, kind, key, &der, reason);
    if (!error)
        error = reload_cert_identity_new(reload_cert_bytes_slice(&der), key, NULL, &actor->identity,
                                         reason);
    reload_cert_bytes_fini(&der);
    reload_cert_key_free(key);
    return error;
}

/* --- the names of an actor --- */

static void name(struct probe_scope *names, const struct probe_actor *actor, const char *what,
                 struct reload_slice value)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s.%s", actor->name, what);
    probe_scope_bytes(names, whole, value);
}

static void name_resource(struct probe_scope *names, const struct probe_actor *actor,
                          const char *what, struct reload_slice of)
{
    uint8_t digest[RELOAD_DIGEST_MAX];
    size_t len;
    if (reload_cert_crypto_ops.digest(actor->certs, RELOAD_HASH_SHA1, &of, 1, digest, &len))
        abort();
    name(names, actor, what, reload_slice_of(digest, 16)); /* s10.2 */
}

static void define(const struct probe_actor *actor, struct probe_scope *names)
{
    const struct reload_identity *said =
        reload_cert_identity_certificate(probe_actor_identity(actor));
    const struct reload_own_identity *own = reload_cert_identity_own(probe_actor_identity(actor));
    const uint8_t algorithms[2] = { own->hash_algorithm, own->signature_algorithm };
    name(names, actor, "id", reload_node_id_slice(&said->node_ids[0]));
    if (said->node_id_count > 1)
        name(names, actor, "second_id", reload_node_id_slice(&said->node_ids[1]));
    name(names, actor, "certificate", said->certificate);
    name(names, actor, "user", said->user_name);
    name(names, actor, "algorithms", reload_slice_of(algorithms, 2));
    name_resource(names, actor, "user_resource", said->user_name);
    name_resource(names, actor, "node_resource", reload_node_id_slice(&said->node_ids[0]));
}

static int open_contexts(struct probe_actor *actor, struct reload_cert_reason *reason)
{
    const struct reload_cert_context_options options = { .identity = probe_actor_identity(actor),
                                                         .config = actor->world->config };
    int error = reload_cert_context_new(&options, &actor->certs, reason);
    if (error)
        return error;
    return reload_engine_context_new(&reload_cert_link_identity_ops, actor->certs, NULL,
                                     &actor->engines);
}

int probe_actor_make(struct probe_actor **out, struct probe_world *world, const char *actor_name,
                     enum probe_kind_of_actor kind, struct reload_slice wanted,
                     struct probe_scope *names, struct probe_fault *fault)
{
    struct reload_cert_reason reason = { "" };
    struct probe_actor *actor = probe_calloc(1, sizeof *actor);
    actor->world = world;
    actor->listener = -1;
    actor->wanted = reload_node_id_from(wanted);
    snprintf(actor->name, sizeof actor->name, "%s", actor_name);
    int error = kind == PROBE_ACTOR_OWN ? 0 : identify(actor, kind, &reason);
    if (!error)
        error = open_contexts(actor, &reason);
    if (error) {
        probe_actor_free(actor);
        return probe_fault_set(fault, "no identity for %s: %s %s", actor_name,
                               reload_error_text(error), reason.text);
    }
    define(actor, names);
    *out = actor;
    return 0;
}
