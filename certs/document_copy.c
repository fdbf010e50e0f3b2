#include "certs/document_open.h"

/* A configuration made again in memory of its own. */

struct copying {
    struct reload_cert_arena *arena;
    bool failed;
};

static const char *string(struct copying *c, const char *s)
{
    const char *copy = s ? reload_cert_arena_string(c->arena, s, strlen(s)) : NULL;
    c->failed |= s && !copy;
    return copy;
}

static struct reload_slice slice(struct copying *c, struct reload_slice s)
{
    struct reload_slice copy = reload_cert_arena_slice(c->arena, s);
    c->failed |= copy.n != s.n;
    return copy;
}

/* `room` more elements than are copied. */
static void *array(struct copying *c, const void *from, size_t count, size_t room, size_t size)
{
    void *copy =
        count > SIZE_MAX - room ? NULL : reload_cert_arena_array(c->arena, count + room, size);
    c->failed |= !copy;
    if (copy && count)
        memcpy(copy, from, count * size);
    return copy;
}

static const char *const *strings(struct copying *c, const char *const *from, size_t count)
{
    const char **copy = array(c, from, count, 0, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++)
        copy[i] = string(c, from[i]);
    return copy;
}

static const struct reload_kind_parameter *parameters(struct copying *c,
                                                      const struct reload_kind_config *from)
{
    struct reload_kind_parameter *copy =
        array(c, from->parameters, from->parameter_count, 0, sizeof *copy);
    for (size_t i = 0; copy && i < from->parameter_count; i++) {
        copy[i].namespace_uri = string(c, from->parameters[i].namespace_uri);
        copy[i].name = string(c, from->parameters[i].name);
        copy[i].text = string(c, from->parameters[i].text);
    }
    return copy;
}

static const struct reload_kind_config *kinds(struct copying *c, const struct reload_config *from,
                                              size_t room)
{
    struct reload_kind_config *copy = array(c, from->kinds, from->kind_count, room, sizeof *copy);
    for (size_t i = 0; copy && i < from->kind_count; i++) {
        copy[i].name = string(c, from->kinds[i].name);
        copy[i].block = slice(c, from->kinds[i].block);
        copy[i].parameters = parameters(c, &from->kinds[i]);
    }
    return copy;
}

static const struct reload_bootstrap_node *bootstrap_nodes(struct copying *c,
                                                           const struct reload_config *from)
{
    struct reload_bootstrap_node *copy =
        array(c, from->bootstrap_nodes, from->bootstrap_node_count, 0, sizeof *copy);
    for (size_t i = 0; copy && i < from->bootstrap_node_count; i++)
        copy[i].address = string(c, from->bootstrap_nodes[i].address);
    return copy;
}

static const struct reload_slice *root_certs(struct copying *c, const struct reload_config *from)
{
    struct reload_slice *copy = array(c, from->root_certs, from->root_cert_count, 0, sizeof *copy);
    for (size_t i = 0; copy && i < from->root_cert_count; i++)
        copy[i] = slice(c, from->root_certs[i]);
    return copy;
}

static void copy_all(struct copying *c, const struct reload_config *from, size_t room,
                     struct reload_config *to)
{
    const size_t id = sizeof(struct reload_node_id);
    *to = *from;
    to->instance_name = string(c, from->instance_name);
    to->topology_plugin = string(c, from->topology_plugin);
    to->shared_secret = string(c, from->shared_secret);
    to->bootstrap_nodes = bootstrap_nodes(c, from);
    to->enrollment_servers = strings(c, from->enrollment_servers, from->enrollment_server_count);
    to->overlay_link_protocols =
        strings(c, from->overlay_link_protocols, from->overlay_link_protocol_count);
    to->mandatory_extensions =
        strings(c, from->mandatory_extensions, from->mandatory_extension_count);
    to->root_certs = root_certs(c, from);
    to->kind_signers = array(c, from->kind_signers, from->kind_signer_count, 0, id);
    to->configuration_signers =
        array(c, from->configuration_signers, from->configuration_signer_count, 0, id);
    to->bad_nodes = array(c, from->bad_nodes, from->bad_node_count, 0, id);
    to->kinds = kinds(c, from, room);
    to->document = slice(c, from->document);
}

int reload_cert_document_copy(const struct reload_config *config, size_t room,
                              struct reload_cert_parsed **out)
{
    struct reload_cert_parsed *copy = reload_calloc(1, sizeof *copy);
    *out = NULL;
    if (!copy)
        return RELOAD_E_NOMEM;
    struct copying c = { &copy->arena, false };
    copy_all(&c, config, room, &copy->config);
    if (c.failed) {
        reload_cert_document_free(&copy->config);
        return RELOAD_E_NOMEM;
    }
    *out = copy;
    return 0;
}
