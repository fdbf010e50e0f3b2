#include "interop/probe/world.h"

#include <stdio.h>
#include <string.h>

#include "certs/document.h"
#include "certs/file.h"
#include "certs/overlay_dir.h"
#include "interop/probe/link.h"

#define DTLS_UDP_SR_NO_ICE 3 /* OverlayLinkType, RFC 6940 s6.5.1.1 */
#define TLS_TCP_FH_NO_ICE  4

static int refuse(struct probe_fault *fault, int error, const struct reload_cert_reason *reason)
{
    return probe_fault_set(fault, "%s", reason->text[0] ? reason->text : reload_error_text(error));
}

static int read_authority(struct probe_world *world, struct probe_fault *fault)
{
    struct reload_cert_reason reason = { "" };
    const char *names[] = { RELOAD_CERT_CA_PEM, RELOAD_CERT_CA_KEY, RELOAD_CERT_SIGNER_PEM,
                            RELOAD_CERT_SIGNER_KEY };
    char *paths[4];
    int error = 0;
    for (size_t i = 0; i < 4; i++)
        if (!(paths[i] = reload_cert_file_path(world->options.authority, names[i])))
            error = RELOAD_E_NOMEM;
    if (!error)
        error = reload_cert_ca_load(paths[0], paths[1], &world->ca, &reason);
    if (!error)
        error =
            reload_cert_identity_load(paths[2], paths[3], world->config, &world->signer, &reason);
    for (size_t i = 0; i < 4; i++)
        reload_free(paths[i]);
    return error ? refuse(fault, error, &reason) : 0;
}

static void name_number(struct probe_world *world, const char *name, uint64_t value, size_t width)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> 8 * (width - 1 - i));
    probe_scope_bytes(&world->names, name, reload_slice_of(bytes, width));
}

/* kind.single.user-match and so on, for each pair of model and policy that the document has. */
static void name_kinds(struct probe_world *world)
{
    static const char *const models[] = { [RELOAD_MODEL_SINGLE] = "single",
                                          [RELOAD_MODEL_ARRAY] = "array",
                                          [RELOAD_MODEL_DICTIONARY] = "dictionary" };
    for (size_t i = 0; i < world->config->kind_count; i++) {
        const struct reload_kind_config *kind = &world->config->kinds[i];
        char name[80], policy[RELOAD_ACCESS_NAME_MAX];
        for (size_t k = 0; k < sizeof policy; k++) {
            char c = kind->access_control[k];
            policy[k] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c == '-' ? '_' : c);
        }
        snprintf(name, sizeof name, "%s_%s", models[kind->data_model], policy);
        if (probe_scope_find(&world->names, name))
            continue;
        name_number(world, name, kind->id, 4);
        snprintf(name, sizeof name, "%s_%s.max_size", models[kind->data_model], policy);
        name_number(world, name, kind->max_size, 4);
        snprintf(name, sizeof name, "%s_%s.max_count", models[kind->data_model], policy);
        name_number(world, name, kind->max_count, 4);
        if (kind->data_model == RELOAD_MODEL_DICTIONARY && kind->max_count == 4)
            name_number(world, "small_dictionary", kind->id, 4);
        snprintf(name, sizeof name, "%s_%s.max_multiple", models[kind->data_model], policy);
        if (kind->max_node_multiple && kind->max_node_multiple < 255)
            name_number(world, name, kind->max_node_multiple, 1);
    }
}

/* The document with a sequence number one higher, so that its signature is wrong. */
static void name_spoiled(struct probe_world *world)
{
    struct reload_cert_bytes copy = { reload_memdup(world->document.p, world->document.n),
                                      world->document.n };
    static const char attribute[] = " sequence=\"";
    uint8_t *at = copy.p ? memmem(copy.p, copy.n, attribute, strlen(attribute)) : NULL;
    uint8_t *quote = at ? memchr(at + strlen(attribute), '"', 8) : NULL;
    if (quote && quote[-1] < '9') {
        quote[-1]++;
        probe_scope_bytes(&world->names, "spoiled_document", reload_cert_bytes_slice(&copy));
    }
    reload_cert_bytes_fini(&copy);
}

/* The document with the next sequence number, signed. It is for a peer that may be changed. */
static int name_next(struct probe_world *world, struct probe_fault *fault)
{
    struct reload_cert_reason reason = { "" };
    struct reload_cert_bytes next = { 0 };
    if (!world->options.reconfigure || !world->signer)
        return 0;
    int error = reload_cert_document_sign(reload_cert_bytes_slice(&world->document),
                                          world->config->instance_name, NULL,
                                          (uint16_t)((world->config->sequence + 1u) % 65535u),
                                          world->signer, world->signer, &next, &reason);
    if (error)
        return refuse(fault, error, &reason);
    probe_scope_bytes(&world->names, "next_document", reload_cert_bytes_slice(&next));
    reload_cert_bytes_fini(&next);
    return 0;
}

static void name_overlay(struct probe_world *world)
{
    const struct reload_config *config = world->config;
    probe_scope_bytes(&world->names, "instance_name",
                      reload_slice_of(config->instance_name, strlen(config->instance_name)));
    name_number(world, "overlay", config->overlay, 4);
    name_number(world, "sequence", config->sequence, 2);
    name_number(world, "older_sequence", (config->sequence + 65534u) % 65535u, 2);
    name_number(world, "newer_sequence", (config->sequence + 1u) % 65535u, 2);
    name_number(world, "far_sequence", (config->sequence + 32766u) % 65535u, 2);
    name_number(world, "initial_ttl", config->initial_ttl, 1);
    name_number(world, "max_message_size", config->max_message_size, 4);
    name_number(world, "overlay_link", world->options.dtls ? DTLS_UDP_SR_NO_ICE : TLS_TCP_FH_NO_ICE,
                1);
    probe_scope_bytes(&world->names, "document", reload_cert_bytes_slice(&world->document));
    name_spoiled(world);
    name_kinds(world);
}

int probe_world_open(struct probe_world *world, const struct probe_options *options,
                     struct probe_fault *fault)
{
    struct reload_cert_reason reason = { "" };
    const struct reload_cert_document_policy policy = { 0 };
    *world = (struct probe_world){ .options = *options };
    int error = reload_cert_file_read(options->config, &world->document, &reason);
    if (!error)
        error = reload_cert_document_load(reload_cert_bytes_slice(&world->document), NULL, &policy,
                                          probe_now().unix_ms, &world->config, &reason);
    if (!error)
        error = reload_cert_identity_load(options->certificate, options->key, world->config,
                                          &world->identity, &reason);
    if (error)
        return refuse(fault, error, &reason);
    if (options->authority && read_authority(world, fault))
        return -1;
    name_overlay(world);
    return name_next(world, fault);
}

void probe_world_close(struct probe_world *world)
{
    probe_scope_fini(&world->names);
    reload_cert_ca_free(world->ca);
    reload_cert_identity_free(world->signer);
    reload_cert_identity_free(world->identity);
    reload_cert_document_free(world->config);
    reload_cert_bytes_fini(&world->document);
}

uint64_t probe_world_storage_time(struct probe_world *world)
{
    uint64_t now = probe_now().unix_ms;
    world->storage_time_ms = world->storage_time_ms + 1 > now ? world->storage_time_ms + 1 : now;
    return world->storage_time_ms;
}
