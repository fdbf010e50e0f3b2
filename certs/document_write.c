#include <time.h>

#include "certs/document.h"
#include "certs/text.h"

/* A configuration as XML (RFC 6940 s11.1), for people to read and edit. */

static void element(struct reload_cert_text *t, const char *name, const char *value)
{
    reload_cert_text_format(t, "    <%s>", name);
    reload_cert_text_escaped(t, value);
    reload_cert_text_format(t, "</%s>\n", name);
}

static void number(struct reload_cert_text *t, const char *name, uint64_t value)
{
    reload_cert_text_format(t, "    <%s>%llu</%s>\n", name, (unsigned long long)value, name);
}

static void boolean(struct reload_cert_text *t, const char *name, bool value)
{
    element(t, name, value ? "true" : "false");
}

static void strings(struct reload_cert_text *t, const char *name, const char *const *list,
                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        element(t, name, list[i]);
}

static void node_ids(struct reload_cert_text *t, const char *name,
                     const struct reload_node_id *list, size_t count)
{
    char text[RELOAD_NODE_ID_TEXT];
    for (size_t i = 0; i < count; i++)
        element(t, name, reload_node_id_text(&list[i], text));
}

static void head(struct reload_cert_text *t, const struct reload_config *c)
{
    reload_cert_text_string(t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                               "<overlay xmlns=\"" RELOAD_CERT_NAMESPACE "\"\n"
                               "    xmlns:chord=\"" RELOAD_CERT_NAMESPACE_CHORD "\">\n"
                               "  <configuration instance-name=\"");
    reload_cert_text_escaped(t, c->instance_name);
    reload_cert_text_format(t, "\" sequence=\"%u\"", c->sequence);
    time_t seconds = (time_t)(c->expiration_ms / 1000);
    struct tm tm;
    char text[32];
    if (c->expiration_ms != RELOAD_NEVER && gmtime_r(&seconds, &tm) &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        reload_cert_text_format(t, " expiration=\"%s\"", text);
    reload_cert_text_string(t, ">\n");
}

static void certificates(struct reload_cert_text *t, const struct reload_config *c)
{
    for (size_t i = 0; i < c->root_cert_count; i++) {
        reload_cert_text_string(t, "    <root-cert>");
        reload_cert_text_base64(t, c->root_certs[i]);
        reload_cert_text_string(t, "</root-cert>\n");
    }
    strings(t, "enrollment-server", c->enrollment_servers, c->enrollment_server_count);
    if (!c->self_signed_permitted)
        return; /* s11.1: then it should be absent */
    reload_cert_text_format(
        t, "    <self-signed-permitted digest=\"%s\">true</self-signed-permitted>\n",
        c->self_signed_digest == RELOAD_HASH_SHA256 ? "sha256" : "sha1");
}

static void nodes(struct reload_cert_text *t, const struct reload_config *c)
{
    for (size_t i = 0; i < c->bootstrap_node_count; i++) {
        reload_cert_text_string(t, "    <bootstrap-node address=\"");
        reload_cert_text_escaped(t, c->bootstrap_nodes[i].address);
        reload_cert_text_format(t, "\" port=\"%u\"/>\n", c->bootstrap_nodes[i].port);
    }
    number(t, "turn-density", c->turn_density);
    boolean(t, "clients-permitted", c->clients_permitted);
    boolean(t, "no-ice", c->no_ice);
    number(t, "chord:chord-update-interval", c->chord_update_interval_s);
    number(t, "chord:chord-ping-interval", c->chord_ping_interval_s);
    boolean(t, "chord:chord-reactive", c->chord_reactive);
    if (c->shared_secret)
        element(t, "shared-secret", c->shared_secret);
    number(t, "max-message-size", c->max_message_size);
    number(t, "initial-ttl", c->initial_ttl);
    number(t, "overlay-reliability-timer", c->overlay_reliability_timer_ms);
    strings(t, "overlay-link-protocol", c->overlay_link_protocols, c->overlay_link_protocol_count);
    node_ids(t, "configuration-signer", c->configuration_signers, c->configuration_signer_count);
    node_ids(t, "kind-signer", c->kind_signers, c->kind_signer_count);
    node_ids(t, "bad-node", c->bad_nodes, c->bad_node_count);
    strings(t, "mandatory-extension", c->mandatory_extensions, c->mandatory_extension_count);
}

/* An element declares its namespace itself: a kind-block also travels alone (s6.5.4). */
static size_t extension(struct reload_cert_text *t, const struct reload_kind_parameter *p,
                        size_t left)
{
    size_t n = 1;
    reload_cert_text_format(t, "<x:%s xmlns:x=\"", p->name);
    reload_cert_text_escaped(t, p->namespace_uri);
    for (; n < left && p[n].part == RELOAD_PARAMETER_ATTRIBUTE; n++) {
        reload_cert_text_format(t, "\" %s=\"", p[n].name);
        reload_cert_text_escaped(t, p[n].text);
    }
    reload_cert_text_string(t, "\">");
    reload_cert_text_escaped(t, p->text);
    for (; n < left && p[n].part == RELOAD_PARAMETER_CHILD; n++) {
        reload_cert_text_format(t, "<x:%s>", p[n].name);
        reload_cert_text_escaped(t, p[n].text);
        reload_cert_text_format(t, "</x:%s>", p[n].name);
    }
    reload_cert_text_format(t, "</x:%s>", p->name);
    return n;
}

static void kind(struct reload_cert_text *t, const struct reload_kind_config *k)
{
    static const char *const models[] = { [RELOAD_MODEL_SINGLE] = "SINGLE",
                                          [RELOAD_MODEL_ARRAY] = "ARRAY",
                                          [RELOAD_MODEL_DICTIONARY] = "DICTIONARY" };
    reload_cert_text_string(t, "<kind ");
    if (k->name) {
        reload_cert_text_string(t, "name=\"");
        reload_cert_text_escaped(t, k->name);
        reload_cert_text_string(t, "\">");
    } else {
        reload_cert_text_format(t, "id=\"%u\">", k->id);
    }
    reload_cert_text_format(t, "<data-model>%s</data-model>", models[k->data_model]);
    reload_cert_text_string(t, "<access-control>");
    reload_cert_text_escaped(t, k->access_control);
    reload_cert_text_string(t, "</access-control>");
    if (k->max_node_multiple)
        reload_cert_text_format(t, "<max-node-multiple>%u</max-node-multiple>",
                                k->max_node_multiple);
    reload_cert_text_format(t, "<max-count>%u</max-count><max-size>%u</max-size>", k->max_count,
                            k->max_size);
    for (size_t i = 0; i < k->parameter_count;)
        i += extension(t, &k->parameters[i], k->parameter_count - i);
    reload_cert_text_string(t, "</kind>");
}

int reload_cert_kind_write(const struct reload_kind_config *k, struct reload_cert_bytes *out)
{
    struct reload_cert_text t = { 0 };
    kind(&t, k);
    return reload_cert_text_take(&t, out);
}

static void kinds(struct reload_cert_text *t, const struct reload_config *c)
{
    if (!c->kind_count)
        return;
    reload_cert_text_string(t, "    <required-kinds>\n");
    for (size_t i = 0; i < c->kind_count; i++) {
        reload_cert_text_string(t, "      <kind-block>");
        kind(t, &c->kinds[i]);
        reload_cert_text_string(t, "</kind-block>\n");
    }
    reload_cert_text_string(t, "    </required-kinds>\n");
}

int reload_cert_document_write(const struct reload_config *config, struct reload_cert_bytes *out)
{
    struct reload_cert_text t = { 0 };
    head(&t, config);
    element(&t, "topology-plugin", config->topology_plugin);
    number(&t, "node-id-length", config->node_id_length);
    certificates(&t, config);
    nodes(&t, config);
    kinds(&t, config);
    reload_cert_text_string(&t, "  </configuration>\n</overlay>\n");
    return reload_cert_text_take(&t, out);
}
