#include <stdio.h>
#include <time.h>

#include <arpa/inet.h>

#include "certs/base64.h"
#include "certs/digest.h"
#include "certs/document_open.h"
#include "certs/trust.h"
#include "certs/x509.h"
#include "reload/config/registry.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What one configuration element says, as plain data (RFC 6940 s11.1). */

struct reading {
    const struct reload_cert_opened *opened;
    const struct reload_cert_document_policy *policy;
    struct reload_cert_arena *arena;
    struct reload_config *config;
    struct reload_cert_reason *reason;
};

static int no_memory(struct reading *r)
{
    return reload_cert_refuse(r->reason, RELOAD_E_NOMEM, "no memory to read the document");
}

static int invalid(struct reading *r, const char *element, const char *value, const char *rule)
{
    return reload_cert_refuse(r->reason, RELOAD_E_INVALID, "%s is \"%s\": %s", element,
                              value ? value : "", rule);
}

static xmlNodePtr first(struct reading *r, const char *name)
{
    return reload_cert_xml_element(r->opened->configuration->children, name);
}

static size_t count_of(struct reading *r, const char *name)
{
    size_t count = 0;
    for (xmlNodePtr n = first(r, name); n; n = reload_cert_xml_element(n->next, name))
        count++;
    return count;
}

/* --- single values: the default stays when the element is absent --- */

static int read_number(struct reading *r, const char *name, uint64_t min, uint64_t max,
                       uint64_t *value)
{
    xmlNodePtr node = first(r, name);
    if (!node)
        return 0;
    char *text = reload_cert_xml_text(node, r->arena);
    if (!text)
        return no_memory(r);
    char rule[80];
    snprintf(rule, sizeof rule, "%llu to %llu are possible", (unsigned long long)min,
             (unsigned long long)max);
    return reload_cert_number(text, min, max, value) ? 0 : invalid(r, name, text, rule);
}

static int parse_boolean(struct reading *r, const char *name, const char *text, bool *value)
{
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    bool no = strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
    if (!yes && !no)
        return invalid(r, name, text, "true, 1, false and 0 are possible");
    *value = yes;
    return 0;
}

static int read_boolean(struct reading *r, const char *name, bool *value)
{
    xmlNodePtr node = first(r, name);
    if (!node)
        return 0;
    char *text = reload_cert_xml_text(node, r->arena);
    return text ? parse_boolean(r, name, text, value) : no_memory(r);
}

static int read_text(struct reading *r, const char *name, const char **value)
{
    xmlNodePtr node = first(r, name);
    if (!node)
        return 0;
    char *text = reload_cert_xml_text(node, r->arena);
    if (!text)
        return no_memory(r);
    *value = text;
    return 0;
}

static int read_numbers(struct reading *r)
{
    struct reload_config *c = r->config;
    uint64_t length = c->node_id_length, density = c->turn_density, size = c->max_message_size;
    uint64_t ttl = c->initial_ttl, timer = c->overlay_reliability_timer_ms;
    uint64_t update = c->chord_update_interval_s, ping = c->chord_ping_interval_s;
    struct {
        const char *name;
        uint64_t min, max, *value;
    } numbers[] = {
        { "node-id-length", RELOAD_NODE_ID_MIN, RELOAD_NODE_ID_MAX, &length },
        { "turn-density", 0, UINT8_MAX, &density },
        { "max-message-size", 1, UINT32_MAX, &size },
        { "initial-ttl", 1, UINT8_MAX, &ttl },
        { "overlay-reliability-timer", 200, INT32_MAX, &timer }, /* s11.1: at least 200 ms */
        { "chord-update-interval", 1, INT32_MAX, &update },
        { "chord-ping-interval", 1, INT32_MAX, &ping },
    };
    for (size_t i = 0; i < COUNT(numbers); i++) {
        int error =
            read_number(r, numbers[i].name, numbers[i].min, numbers[i].max, numbers[i].value);
        if (error)
            return error;
    }
    c->node_id_length = (uint8_t)length;
    c->turn_density = (uint8_t)density;
    c->max_message_size = (uint32_t)size;
    c->initial_ttl = (uint8_t)ttl;
    c->overlay_reliability_timer_ms = (uint32_t)timer;
    c->chord_update_interval_s = (uint32_t)update;
    c->chord_ping_interval_s = (uint32_t)ping;
    return 0;
}

static int read_switches(struct reading *r)
{
    int error = read_boolean(r, "clients-permitted", &r->config->clients_permitted);
    if (!error)
        error = read_boolean(r, "no-ice", &r->config->no_ice);
    if (!error)
        error = read_boolean(r, "chord-reactive", &r->config->chord_reactive);
    if (!error)
        error = read_text(r, "shared-secret", &r->config->shared_secret);
    if (!error)
        error = read_text(r, "topology-plug-in", &r->config->topology_plugin); /* as in the prose */
    if (!error)
        error = read_text(r, "topology-plugin", &r->config->topology_plugin);
    return error;
}

static int read_self_signed(struct reading *r)
{
    xmlNodePtr node = first(r, "self-signed-permitted");
    if (!node)
        return 0;
    char *text = reload_cert_xml_text(node, r->arena);
    if (!text)
        return no_memory(r);
    int error = parse_boolean(r, "self-signed-permitted", text, &r->config->self_signed_permitted);
    if (error || !r->config->self_signed_permitted)
        return error;
    char *digest = reload_cert_xml_attribute(node, "digest", r->arena);
    if (digest && strcmp(digest, "sha1") == 0)
        r->config->self_signed_digest = RELOAD_HASH_SHA1;
    else if (digest && strcmp(digest, "sha256") == 0)
        r->config->self_signed_digest = RELOAD_HASH_SHA256;
    else
        return reload_cert_refuse(r->reason, RELOAD_E_UNSUPPORTED,
                                  "the digest of self-signed-permitted is \"%s\": sha1 and sha256 "
                                  "are known",
                                  digest ? digest : "");
    return 0;
}

/* --- the attributes of configuration --- */

/* RFC 3339, in UTC (s11.1). */
static bool parse_time(const char *text, uint64_t *unix_ms)
{
    struct tm tm = { 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest)
        return false;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (strcmp(rest, "Z") != 0 && strcmp(rest, "z") != 0 && strcmp(rest, "+00:00") != 0 &&
        strcmp(rest, "-00:00") != 0)
        return false;
    time_t seconds = timegm(&tm);
    *unix_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0;
    return true;
}

static int overlay_of(struct reading *r)
{
    /* s6.3.2: the low-order 32 bits of the SHA-1 of the name, as it is written. */
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    const char *name = r->config->instance_name;
    if (EVP_Digest(name, strlen(name), hash, &len, EVP_sha1(), NULL) != 1)
        return no_memory(r);
    r->config->overlay =
        (uint32_t)hash[16] << 24 | (uint32_t)hash[17] << 16 | (uint32_t)hash[18] << 8 | hash[19];
    return 0;
}

static int read_attributes(struct reading *r)
{
    xmlNodePtr node = r->opened->configuration;
    char *sequence = reload_cert_xml_attribute(node, "sequence", r->arena);
    char *expiration = reload_cert_xml_attribute(node, "expiration", r->arena);
    uint64_t n = 0;
    r->config->instance_name = reload_cert_xml_attribute(node, "instance-name", r->arena);
    if (!r->config->instance_name)
        return no_memory(r);
    if (!*r->config->instance_name || strlen(r->config->instance_name) > 255)
        return invalid(r, "instance-name", r->config->instance_name, "1 to 255 bytes are possible");
    if (sequence && !reload_cert_number(sequence, 0, RELOAD_SEQUENCE_ANY - 1, &n))
        return invalid(r, "sequence", sequence, "0 to 65534 are possible");
    r->config->sequence = (uint16_t)n;
    if (expiration && !parse_time(expiration, &r->config->expiration_ms))
        return invalid(r, "expiration", expiration,
                       "a time in UTC is needed, as 2030-01-31T12:00:00Z");
    return overlay_of(r);
}

/* --- lists --- */

static int read_strings(struct reading *r, const char *name, const char *const **out, size_t *count)
{
    size_t total = count_of(r, name), i = 0;
    const char **list = reload_cert_arena_array(r->arena, total, sizeof *list);
    if (!list)
        return no_memory(r);
    for (xmlNodePtr n = first(r, name); n; n = reload_cert_xml_element(n->next, name))
        if (!(list[i++] = reload_cert_xml_text(n, r->arena)))
            return no_memory(r);
    *out = list;
    *count = total;
    return 0;
}

static int read_enrollment_servers(struct reading *r)
{
    int error = read_strings(r, "enrollment-server", &r->config->enrollment_servers,
                             &r->config->enrollment_server_count);
    for (size_t i = 0; i < r->config->enrollment_server_count && !error; i++)
        if (strncasecmp(r->config->enrollment_servers[i], "https:", 6) != 0) /* s11.1 */
            error = invalid(r, "enrollment-server", r->config->enrollment_servers[i],
                            "an https URL is required");
    return error;
}

static int read_link_protocols(struct reading *r)
{
    if (!first(r, "overlay-link-protocol"))
        return 0; /* the default stays; s11.1: if there is one, it does not apply */
    return read_strings(r, "overlay-link-protocol", &r->config->overlay_link_protocols,
                        &r->config->overlay_link_protocol_count);
}

static bool is_supported_extension(const struct reload_cert_document_policy *policy, const char *ns)
{
    for (size_t i = 0; i < policy->extension_count; i++)
        if (strcmp(policy->extensions[i], ns) == 0) /* case-sensitive, s11.1 */
            return true;
    return strcmp(ns, RELOAD_CERT_NAMESPACE) == 0 || strcmp(ns, RELOAD_CERT_NAMESPACE_CHORD) == 0;
}

static int read_extensions(struct reading *r)
{
    int error = read_strings(r, "mandatory-extension", &r->config->mandatory_extensions,
                             &r->config->mandatory_extension_count);
    for (size_t i = 0; i < r->config->mandatory_extension_count && !error; i++)
        if (!is_supported_extension(r->policy, r->config->mandatory_extensions[i]))
            error = reload_cert_refuse(r->reason, RELOAD_E_UNSUPPORTED,
                                       "the overlay requires extension %s, which is not known here",
                                       r->config->mandatory_extensions[i]);
    return error;
}

static int read_bootstrap_nodes(struct reading *r)
{
    size_t total = count_of(r, "bootstrap-node"), i = 0;
    struct reload_bootstrap_node *list = reload_cert_arena_array(r->arena, total, sizeof *list);
    if (!list)
        return no_memory(r);
    for (xmlNodePtr n = first(r, "bootstrap-node"); n;
         n = reload_cert_xml_element(n->next, "bootstrap-node"), i++) {
        char *address = reload_cert_xml_attribute(n, "address", r->arena);
        char *port = reload_cert_xml_attribute(n, "port", r->arena);
        uint64_t number = 6084; /* s11.1 */
        uint8_t bytes[16];
        if (!address)
            return no_memory(r);
        if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
            return invalid(r, "bootstrap-node's address", address, "an IP address is needed");
        if (port && !reload_cert_number(port, 1, UINT16_MAX, &number))
            return invalid(r, "bootstrap-node's port", port, "1 to 65535 are possible");
        list[i] = (struct reload_bootstrap_node){ address, (uint16_t)number };
    }
    r->config->bootstrap_nodes = list;
    r->config->bootstrap_node_count = total;
    return 0;
}

static int read_root_cert(struct reading *r, xmlNodePtr node, size_t number,
                          struct reload_slice *out)
{
    struct reload_cert_bytes der;
    char *text = reload_cert_xml_text(node, r->arena);
    if (!text)
        return no_memory(r);
    int error = reload_cert_base64_decode(reload_slice_of(text, strlen(text)), &der);
    if (error)
        return reload_cert_refuse(r->reason, error == RELOAD_E_NOMEM ? error : RELOAD_E_INVALID,
                                  "root-cert %zu is not base64", number);
    X509 *x509 = reload_cert_x509(reload_cert_bytes_slice(&der));
    *out = reload_cert_arena_slice(r->arena, reload_cert_bytes_slice(&der));
    reload_cert_bytes_fini(&der);
    X509_free(x509);
    if (!x509)
        return reload_cert_refuse(r->reason, RELOAD_E_INVALID,
                                  "root-cert %zu is not an X.509 certificate", number);
    return out->p ? 0 : no_memory(r);
}

static int read_root_certs(struct reading *r)
{
    size_t total = count_of(r, "root-cert"), i = 0;
    if (total > RELOAD_CERT_ROOTS_MAX)
        return reload_cert_refuse(r->reason, RELOAD_E_LIMIT, "more than %d root-certs",
                                  RELOAD_CERT_ROOTS_MAX);
    struct reload_slice *list = reload_cert_arena_array(r->arena, total, sizeof *list);
    int error = list ? 0 : no_memory(r);
    for (xmlNodePtr n = first(r, "root-cert"); n && !error;
         n = reload_cert_xml_element(n->next, "root-cert"), i++)
        error = read_root_cert(r, n, i + 1, &list[i]);
    r->config->root_certs = list;
    r->config->root_cert_count = error ? 0 : total;
    return error;
}

static bool parse_node_id(const char *text, size_t len, struct reload_node_id *out)
{
    uint8_t bytes[RELOAD_NODE_ID_MAX];
    if (strlen(text) != 2 * len || len > sizeof bytes)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned int byte;
        if (strspn(text + 2 * i, "0123456789abcdefABCDEF") < 2 ||
            sscanf(text + 2 * i, "%2x", &byte) != 1)
            return false;
        bytes[i] = (uint8_t)byte;
    }
    *out = reload_node_id_from(reload_slice_of(bytes, len));
    return true;
}

static int read_node_ids(struct reading *r, const char *name, const struct reload_node_id **out,
                         size_t *count)
{
    size_t total = count_of(r, name), i = 0;
    struct reload_node_id *list = reload_cert_arena_array(r->arena, total, sizeof *list);
    if (!list)
        return no_memory(r);
    for (xmlNodePtr n = first(r, name); n; n = reload_cert_xml_element(n->next, name)) {
        char *text = reload_cert_xml_text(n, r->arena);
        if (!text)
            return no_memory(r);
        if (!parse_node_id(text, r->config->node_id_length, &list[i++])) /* s11.1 */
            return invalid(r, name, text,
                           "a Node-ID of node-id-length bytes in hexadecimal is needed");
    }
    *out = list;
    *count = total;
    return 0;
}

static int read_lists(struct reading *r)
{
    struct reload_config *c = r->config;
    int error = read_extensions(r);
    if (!error)
        error = read_enrollment_servers(r);
    if (!error)
        error = read_link_protocols(r);
    if (!error)
        error = read_bootstrap_nodes(r);
    if (!error)
        error = read_root_certs(r);
    if (!error)
        error = read_node_ids(r, "kind-signer", &c->kind_signers, &c->kind_signer_count);
    if (!error)
        error = read_node_ids(r, "configuration-signer", &c->configuration_signers,
                              &c->configuration_signer_count);
    if (!error)
        error = read_node_ids(r, "bad-node", &c->bad_nodes, &c->bad_node_count);
    return error;
}

/* --- Kinds --- */

/* The bytes of the kind-block at the same place as `block`. */
static int block_bytes(struct reading *r, xmlNodePtr kinds, size_t number, struct reload_slice *out)
{
    struct reload_cert_element element;
    size_t place = 0;
    for (xmlNodePtr n = reload_cert_xml_element(kinds->parent->children, NULL); n != kinds;
         n = reload_cert_xml_element(n->next, NULL))
        place++;
    int error = reload_cert_scan_nth(r->opened->element.content, place, &element);
    if (!error)
        error = reload_cert_scan_nth(element.content, number, &element);
    if (error)
        return reload_cert_refuse(r->reason, RELOAD_E_DECODE, "a kind-block cannot be found");
    *out = reload_cert_arena_slice(r->arena, element.whole);
    return out->p ? 0 : no_memory(r);
}

static int read_block(struct reading *r, xmlNodePtr block, size_t number,
                      struct reload_kind_config *list, size_t *count)
{
    xmlNodePtr kind = reload_cert_xml_element(block->children, "kind");
    struct reload_kind_config *out = &list[*count];
    int error = kind ? reload_cert_kind_read(kind, r->arena, r->policy, out, r->reason)
                     : reload_cert_refuse(r->reason, RELOAD_E_INVALID, "a kind-block without kind");
    for (size_t i = 0; i < *count && !error; i++)
        if (list[i].id == out->id)
            error = reload_cert_refuse(r->reason, RELOAD_E_INVALID, "Kind 0x%x is listed twice",
                                       out->id);
    if (!error)
        error = block_bytes(r, block->parent, number, &out->block);
    ++*count;
    return error;
}

static bool is_listed(const struct reload_kind_config *list, size_t count, uint32_t id)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].id == id)
            return true;
    return false;
}

static int read_kinds(struct reading *r)
{
    size_t base, total = 0, count = 0, place = 0;
    const struct reload_kind_config *known = reload_config_registered_kinds(&base);
    xmlNodePtr kinds = first(r, "required-kinds");
    xmlNodePtr child = kinds ? reload_cert_xml_element(kinds->children, NULL) : NULL;
    for (xmlNodePtr n = child; n; n = reload_cert_xml_element(n->next, NULL))
        total++;
    struct reload_kind_config *list = reload_cert_arena_array(r->arena, total + base, sizeof *list);
    int error = list ? 0 : no_memory(r);
    for (; child && !error; child = reload_cert_xml_element(child->next, NULL), place++)
        if (reload_cert_xml_element(child, "kind-block") == child)
            error = read_block(r, child, place, list, &count);
    if (error)
        return error;
    /* The RFC's own Kinds exist in every overlay, listed or not (s8, s9). */
    for (size_t i = 0; i < base; i++)
        if (reload_config_kind_is_base(known[i].id) && !is_listed(list, count, known[i].id))
            list[count++] = known[i];
    r->config->kinds = list;
    r->config->kind_count = count;
    return 0;
}

/* --- all of it --- */

/* Rules that span several elements. */
static int check_whole(struct reading *r)
{
    const struct reload_config *c = r->config;
    /* s10.2: CHORD-RELOAD's Resource-IDs and Node-IDs have 128 bits. */
    if (strcmp(c->topology_plugin, "CHORD-RELOAD") == 0 && c->node_id_length != 16)
        return reload_cert_refuse(r->reason, RELOAD_E_INVALID,
                                  "node-id-length is %u, but CHORD-RELOAD is defined for 16",
                                  c->node_id_length);
    /* s11.1: they may be absent only when certificates can be self-signed. */
    if (!c->self_signed_permitted && c->root_cert_count == 0)
        return reload_cert_refuse(r->reason, RELOAD_E_INVALID,
                                  "there is neither a root-cert nor self-signed-permitted true: "
                                  "no certificate could be valid");
    return 0;
}

static int read_all(struct reading *r)
{
    int error = read_attributes(r);
    if (!error)
        error = read_numbers(r);
    if (!error)
        error = read_switches(r);
    if (!error)
        error = read_self_signed(r);
    if (!error)
        error = read_lists(r);
    if (!error)
        error = read_kinds(r);
    return error ? error : check_whole(r);
}

int reload_cert_document_read(const struct reload_cert_opened *opened,
                              const struct reload_cert_document_policy *policy,
                              struct reload_config **out, struct reload_cert_reason *reason)
{
    static const struct reload_cert_document_policy strict;
    *out = NULL;
    struct reload_cert_parsed *parsed = reload_calloc(1, sizeof *parsed);
    if (!parsed)
        return reload_cert_refuse(reason, RELOAD_E_NOMEM, "no memory to read the document");
    parsed->config = reload_config_defaults();
    struct reading r = { opened, policy ? policy : &strict, &parsed->arena, &parsed->config,
                         reason };
    int error = read_all(&r);
    parsed->config.document = reload_cert_arena_slice(&parsed->arena, opened->document);
    if (!error && !parsed->config.document.p)
        error = no_memory(&r);
    if (parsed->arena.failed) /* a text that is missing may have been taken for an absent one */
        error = no_memory(&r);
    if (error) {
        reload_cert_document_free(&parsed->config);
        return error;
    }
    *out = &parsed->config;
    return 0;
}
