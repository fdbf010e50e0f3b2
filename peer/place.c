#include "peer/place.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "peer/json.h"

static int refuse(struct reload_place_problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int refuse(struct reload_place_problem *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return RELOAD_E_INVALID;
}

int reload_place_bytes(const json_t *request, const char *name, uint8_t **bytes, size_t *len)
{
    char hex_name[32];
    size_t at;
    snprintf(hex_name, sizeof hex_name, "%s_hex", name);
    const json_t *text = json_object_get(request, name), *hex = json_object_get(request, hex_name);
    if (json_is_string(hex))
        return reload_hex_read(json_string_value(hex), json_string_length(hex), bytes, len, &at);
    if (!json_is_string(text))
        return text || hex ? RELOAD_E_INVALID : RELOAD_E_NOT_FOUND;
    *len = json_string_length(text);
    *bytes = malloc(*len + 1);
    if (!*bytes)
        return RELOAD_E_NOMEM;
    memcpy(*bytes, json_string_value(text), *len);
    return 0;
}

/* --- the Kind --- */

static const struct reload_kind_config *kind_named(const struct reload_config *config,
                                                   const char *name)
{
    char *end;
    unsigned long number = strtoul(name, &end, 0);
    if (*name && !*end && number <= UINT32_MAX)
        return reload_config_kind(config, (uint32_t)number);
    for (size_t i = 0; i < config->kind_count; i++)
        if (config->kinds[i].name && strcmp(config->kinds[i].name, name) == 0)
            return &config->kinds[i];
    return NULL;
}

static int read_kind(const json_t *request, const struct reload_config *config, bool needed,
                     struct reload_place *out, struct reload_place_problem *problem)
{
    const json_t *kind = json_object_get(request, "kind");
    json_int_t number = json_integer_value(kind);
    if (!kind)
        return needed ? refuse(problem, "kind is missing: a Kind-ID or name of the overlay's") : 0;
    if (json_is_string(kind))
        out->kind = kind_named(config, json_string_value(kind));
    else if (number > 0 && number <= UINT32_MAX)
        out->kind = reload_config_kind(config, (uint32_t)number);
    return out->kind ? 0
                     : refuse(problem, "the overlay has no such Kind; its configuration document "
                                       "lists them");
}

/* --- the resource --- */

static int hash_name(const struct reload_overlay *overlay, struct reload_slice name,
                     struct reload_place *out, struct reload_place_problem *problem)
{
    if (reload_overlay_resource_id(overlay, name, out->resource, &out->resource_len))
        return refuse(problem, "the Resource Name cannot be hashed");
    return 0;
}

/* The Resource Name is a Node-ID, with one more byte for NODE-MULTIPLE (RFC 6940 s7.3). */
static int hash_node(const struct reload_overlay *overlay, const struct reload_node_id *id,
                     const json_t *i, struct reload_place *out,
                     struct reload_place_problem *problem)
{
    uint8_t name[RELOAD_NODE_ID_MAX + 1];
    memcpy(name, id->bytes, id->len);
    if (!i)
        return hash_name(overlay, reload_slice_of(name, id->len), out, problem);
    if (!json_is_integer(i) || json_integer_value(i) < 0 || json_integer_value(i) > UINT8_MAX)
        return refuse(problem, "i must be a number from 0 to 255");
    name[id->len] = (uint8_t)json_integer_value(i);
    return hash_name(overlay, reload_slice_of(name, id->len + 1u), out, problem);
}

/* Nothing said: where this node may write, by the Kind's policy. */
static int own_resource(const json_t *request, const struct reload_overlay *overlay,
                        struct reload_place *out, struct reload_place_problem *problem)
{
    const struct reload_own_identity *own = reload_overlay_own(overlay);
    const char *policy = out->kind ? out->kind->access_control : "";
    const json_t *i = json_object_get(request, "i");
    if (strcmp(policy, "NODE-MATCH") == 0)
        return hash_node(overlay, &own->node_id, NULL, out, problem);
    if (strcmp(policy, "NODE-MULTIPLE") == 0 && !i)
        return refuse(problem, "i is missing: which of the node's places, from 0 to %u",
                      out->kind->max_node_multiple);
    if (strcmp(policy, "NODE-MULTIPLE") == 0)
        return hash_node(overlay, &own->node_id, i, out, problem);
    if (strcmp(policy, "USER-MATCH") == 0 || strcmp(policy, "USER-NODE-MATCH") == 0)
        return own->user_name.n ? hash_name(overlay, own->user_name, out, problem)
                                : refuse(problem, "this node's certificate has no user name; say "
                                                  "which resource");
    return refuse(problem, "say which resource: by name or by Resource-ID");
}

static int read_resource(const json_t *request, const struct reload_overlay *overlay,
                         struct reload_place *out, struct reload_place_problem *problem)
{
    const char *resource = json_string_value(json_object_get(request, "resource"));
    const json_t *name = json_object_get(request, "name");
    const char *node = json_string_value(json_object_get(request, "node"));
    struct reload_node_id id;
    uint8_t *bytes;
    size_t at;
    if (!name)
        name = json_object_get(request, "user");
    if (json_is_string(name))
        return hash_name(overlay,
                         reload_slice_of(json_string_value(name), json_string_length(name)), out,
                         problem);
    if (node && reload_node_id_read(node, &id))
        return refuse(problem, "node must be a Node-ID in hexadecimal");
    if (node)
        return hash_node(overlay, &id, json_object_get(request, "i"), out, problem);
    if (!resource)
        return own_resource(request, overlay, out, problem);
    if (reload_hex_read(resource, strlen(resource), &bytes, &out->resource_len, &at))
        return refuse(problem, "resource is no hexadecimal Resource-ID (character %zu)", at + 1);
    bool fits = out->resource_len > 0 && out->resource_len <= sizeof out->resource;
    if (fits)
        memcpy(out->resource, bytes, out->resource_len);
    free(bytes);
    return fits ? 0 : refuse(problem, "resource must be 1 to %zu bytes", sizeof out->resource);
}

/* --- index and key --- */

static int read_key(const json_t *request, struct reload_place *out,
                    struct reload_place_problem *problem)
{
    uint8_t *bytes;
    size_t len;
    int error = reload_place_bytes(request, "key", &bytes, &len);
    if (error == RELOAD_E_NOT_FOUND)
        return 0;
    if (error)
        return refuse(problem, "key must be text, or hexadecimal in key_hex");
    bool fits = len <= sizeof out->key;
    if (fits)
        memcpy(out->key, bytes, len);
    free(bytes);
    out->key_len = len;
    out->has_key = true;
    return fits ? 0 : refuse(problem, "key is longer than %zu bytes", sizeof out->key);
}

static int read_position(const json_t *request, struct reload_place *out,
                         struct reload_place_problem *problem)
{
    const json_t *index = json_object_get(request, "index");
    const json_t *generation = json_object_get(request, "generation");
    if (index && (!json_is_integer(index) || json_integer_value(index) < 0 ||
                  json_integer_value(index) > UINT32_MAX))
        return refuse(problem, "index must be a number from 0 to 4294967295");
    out->has_index = index != NULL;
    out->index = (uint32_t)json_integer_value(index);
    out->generation = (uint64_t)json_integer_value(generation);
    return read_key(request, out, problem);
}

int reload_place_read(const json_t *request, const struct reload_overlay *overlay, bool kind_needed,
                      struct reload_place *out, struct reload_place_problem *problem)
{
    *out = (struct reload_place){ 0 };
    int error = read_kind(request, reload_overlay_config(overlay), kind_needed, out, problem);
    if (!error)
        error = read_resource(request, overlay, out, problem);
    if (!error)
        error = read_position(request, out, problem);
    return error;
}
