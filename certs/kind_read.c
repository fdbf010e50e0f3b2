#include <stdio.h>

#include "certs/document_open.h"
#include "reload/config/registry.h"
#include "reload/store/access.h"

/* One <kind> of a kind-block (RFC 6940 s11.1). */

static const struct reload_kind_config *registered(const struct reload_cert_document_policy *policy,
                                                   uint32_t id, const char *name)
{
    for (size_t i = 0; i < policy->kind_count; i++) {
        const struct reload_kind_config *kind = &policy->kinds[i];
        if (name ? kind->name && strcmp(kind->name, name) == 0 : kind->id == id)
            return kind;
    }
    return name ? reload_config_registered_kind_named(name) : reload_config_registered_kind(id);
}

static int read_id(xmlNodePtr node, struct reload_cert_arena *arena,
                   const struct reload_cert_document_policy *policy,
                   const struct reload_kind_config **known, uint32_t *id,
                   struct reload_cert_reason *reason)
{
    uint64_t n = 0;
    char *name = reload_cert_xml_attribute(node, "name", arena);
    char *number = reload_cert_xml_attribute(node, "id", arena);
    *known = NULL;
    if (name) {
        *known = registered(policy, 0, name);
        if (!*known) /* s11.1: every required Kind is supported */
            return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED,
                                      "the overlay requires Kind %s, which is not known here",
                                      name);
        *id = (*known)->id;
        return 0;
    }
    /* s14.6: 0, 0x7fffffff and 0xfffffffe are reserved. */
    if (!number || !reload_cert_number(number, 1, RELOAD_KIND_PRIVATE_MAX, &n) || n == 0x7fffffff)
        return reload_cert_refuse(reason, RELOAD_E_INVALID, "a Kind-ID of %s is not possible",
                                  number ? number : "nothing");
    *id = (uint32_t)n;
    *known = registered(policy, *id, NULL);
    return 0;
}

static int read_model(const char *text, enum reload_data_model *out, uint32_t id,
                      struct reload_cert_reason *reason)
{
    static const char *const models[] = { [RELOAD_MODEL_SINGLE] = "SINGLE",
                                          [RELOAD_MODEL_ARRAY] = "ARRAY",
                                          [RELOAD_MODEL_DICTIONARY] = "DICTIONARY" };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (strcmp(text, models[i]) == 0) {
            *out = (enum reload_data_model)i;
            return 0;
        }
    return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED, "Kind 0x%x: data-model %s is not known",
                              id, text);
}

static bool is_supported(const struct reload_cert_document_policy *policy, const char *access)
{
    static const char *const base[] = { "USER-MATCH", "NODE-MATCH", "USER-NODE-MATCH",
                                        "NODE-MULTIPLE" };
    for (size_t i = 0; i < sizeof base / sizeof *base; i++)
        if (strcmp(access, base[i]) == 0)
            return true;
    for (size_t i = 0; i < policy->access_control_count; i++)
        if (strcmp(access, policy->access_controls[i]) == 0)
            return true;
    return false;
}

static char *child(xmlNodePtr kind, const char *name, struct reload_cert_arena *arena)
{
    xmlNodePtr node = reload_cert_xml_element(kind->children, name);
    return node ? reload_cert_xml_text(node, arena) : NULL;
}

static int read_limits(xmlNodePtr node, struct reload_cert_arena *arena,
                       struct reload_kind_config *out, struct reload_cert_reason *reason)
{
    char *count = child(node, "max-count", arena), *size = child(node, "max-size", arena);
    char *multiple = child(node, "max-node-multiple", arena);
    uint64_t n;
    if (!count || !reload_cert_number(count, 1, INT32_MAX, &n))
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "Kind 0x%x: max-count is missing or not positive", out->id);
    out->max_count = (uint32_t)n;
    if (!size || !reload_cert_number(size, 1, INT32_MAX, &n))
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "Kind 0x%x: max-size is missing or not positive", out->id);
    out->max_size = (uint32_t)n;
    bool needed = strcmp(out->access_control, "NODE-MULTIPLE") == 0;
    if (!needed)
        return 0;
    if (!multiple || !reload_cert_number(multiple, 1, INT32_MAX, &n)) /* s11.1 */
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "Kind 0x%x: NODE-MULTIPLE needs a max-node-multiple above 0",
                                  out->id);
    out->max_node_multiple = (uint32_t)n;
    return 0;
}

static int read_access(xmlNodePtr node, struct reload_cert_arena *arena,
                       const struct reload_cert_document_policy *policy,
                       struct reload_kind_config *out, struct reload_cert_reason *reason)
{
    char *model = child(node, "data-model", arena), *access = child(node, "access-control", arena);
    if (!model || !access)
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "Kind 0x%x: data-model or access-control is missing", out->id);
    if (!is_supported(policy, access) || strlen(access) >= sizeof out->access_control)
        return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED,
                                  "Kind 0x%x: access-control %s is not known here", out->id,
                                  access);
    memcpy(out->access_control, access, strlen(access) + 1);
    return read_model(model, &out->data_model, out->id, reason);
}

/* What the parameters mean is for the usage that owns the Kind to say. */
static int ask_usage(const struct reload_cert_document_policy *policy,
                     struct reload_kind_config *out, struct reload_cert_reason *reason)
{
    for (size_t i = 0; i < policy->kind_ops_count; i++)
        if (policy->kind_ops[i]->kind == out->id)
            out->ops = policy->kind_ops[i];
    const char *wrong = out->ops ? out->ops->refuses(out) : NULL;
    return wrong ? reload_cert_refuse(reason, RELOAD_E_INVALID, "Kind 0x%x: %s", out->id, wrong)
                 : 0;
}

int reload_cert_kind_read(xmlNodePtr node, struct reload_cert_arena *arena,
                          const struct reload_cert_document_policy *policy,
                          struct reload_kind_config *out, struct reload_cert_reason *reason)
{
    const struct reload_kind_config *known;
    *out = (struct reload_kind_config){ 0 };
    int error = read_id(node, arena, policy, &known, &out->id, reason);
    if (error)
        return error;
    if (known) { /* s11.1: the registered model and policy count, whatever the document says */
        out->name =
            known->name ? reload_cert_arena_string(arena, known->name, strlen(known->name)) : NULL;
        out->data_model = known->data_model;
        memcpy(out->access_control, known->access_control, sizeof out->access_control);
        out->max_node_multiple = known->max_node_multiple;
    } else {
        error = read_access(node, arena, policy, out, reason);
    }
    if (!error)
        error = read_limits(node, arena, out, reason);
    if (!error)
        error = reload_cert_kind_parameters(node, arena, out, reason);
    return error ? error : ask_usage(policy, out, reason);
}
