#include <openssl/crypto.h>

#include <arpa/inet.h>

#include "certs/base64.h"
#include "certs/document_read.h"
#include "certs/trust.h"
#include "certs/x509.h"
#include "reload/config/registry.h"

/* What a configuration may hold many times (RFC 6940 s11.1): addresses, certificates, Node-IDs,
 * Kinds. */

static size_t count_of(struct reload_cert_reading *r, const char *name)
{
    size_t count = 0;
    for (xmlNodePtr n = reload_cert_reading_first(r, name); n;
         n = reload_cert_xml_element(n->next, name))
        count++;
    return count;
}

static int read_strings(struct reload_cert_reading *r, const char *name, const char *const **out,
                        size_t *count)
{
    size_t total = count_of(r, name), i = 0;
    const char **list = reload_cert_arena_array(r->arena, total, sizeof *list);
    if (!list)
        return reload_cert_reading_no_memory(r);
    for (xmlNodePtr n = reload_cert_reading_first(r, name); n;
         n = reload_cert_xml_element(n->next, name))
        if (!(list[i++] = reload_cert_xml_text(n, r->arena)))
            return reload_cert_reading_no_memory(r);
    *out = list;
    *count = total;
    return 0;
}

static int read_enrollment_servers(struct reload_cert_reading *r)
{
    int error = read_strings(r, "enrollment-server", &r->config->enrollment_servers,
                             &r->config->enrollment_server_count);
    for (size_t i = 0; i < r->config->enrollment_server_count && !error; i++)
        if (strncasecmp(r->config->enrollment_servers[i], "https:", 6) != 0) /* s11.1 */
            error = reload_cert_reading_invalid(r, "enrollment-server",
                                                r->config->enrollment_servers[i],
                                                "an https URL is required");
    return error;
}

static int read_link_protocols(struct reload_cert_reading *r)
{
    if (!reload_cert_reading_first(r, "overlay-link-protocol"))
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

static int read_extensions(struct reload_cert_reading *r)
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

static int read_bootstrap_nodes(struct reload_cert_reading *r)
{
    size_t total = count_of(r, "bootstrap-node"), i = 0;
    struct reload_bootstrap_node *list = reload_cert_arena_array(r->arena, total, sizeof *list);
    if (!list)
        return reload_cert_reading_no_memory(r);
    for (xmlNodePtr n = reload_cert_reading_first(r, "bootstrap-node"); n;
         n = reload_cert_xml_element(n->next, "bootstrap-node"), i++) {
        char *address = reload_cert_xml_attribute(n, "address", r->arena);
        char *port = reload_cert_xml_attribute(n, "port", r->arena);
        uint64_t number = 6084; /* s11.1 */
        uint8_t bytes[16];
        if (!address)
            return reload_cert_reading_no_memory(r);
        if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
            return reload_cert_reading_invalid(r, "bootstrap-node's address", address,
                                               "an IP address is needed");
        if (port && !reload_cert_number(port, 1, UINT16_MAX, &number))
            return reload_cert_reading_invalid(r, "bootstrap-node's port", port,
                                               "1 to 65535 are possible");
        list[i] = (struct reload_bootstrap_node){ address, (uint16_t)number };
    }
    r->config->bootstrap_nodes = list;
    r->config->bootstrap_node_count = total;
    return 0;
}

static int read_root_cert(struct reload_cert_reading *r, xmlNodePtr node, size_t number,
                          struct reload_slice *out)
{
    struct reload_cert_bytes der;
    char *text = reload_cert_xml_text(node, r->arena);
    if (!text)
        return reload_cert_reading_no_memory(r);
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
    return out->p ? 0 : reload_cert_reading_no_memory(r);
}

static int read_root_certs(struct reload_cert_reading *r)
{
    size_t total = count_of(r, "root-cert"), i = 0;
    if (total > RELOAD_CERT_ROOTS_MAX)
        return reload_cert_refuse(r->reason, RELOAD_E_LIMIT, "more than %d root-certs",
                                  RELOAD_CERT_ROOTS_MAX);
    struct reload_slice *list = reload_cert_arena_array(r->arena, total, sizeof *list);
    int error = list ? 0 : reload_cert_reading_no_memory(r);
    for (xmlNodePtr n = reload_cert_reading_first(r, "root-cert"); n && !error;
         n = reload_cert_xml_element(n->next, "root-cert"), i++)
        error = read_root_cert(r, n, i + 1, &list[i]);
    r->config->root_certs = list;
    r->config->root_cert_count = error ? 0 : total;
    return error;
}

static bool parse_node_id(const char *text, size_t len, struct reload_node_id *out)
{
    uint8_t bytes[RELOAD_NODE_ID_MAX];
    size_t n;
    if (strlen(text) != 2 * len ||
        OPENSSL_hexstr2buf_ex(bytes, sizeof bytes, &n, text, '\0') != 1 || n != len)
        return false;
    *out = reload_node_id_from(reload_slice_of(bytes, len));
    return true;
}

static int read_node_ids(struct reload_cert_reading *r, const char *name,
                         const struct reload_node_id **out, size_t *count)
{
    size_t total = count_of(r, name), i = 0;
    struct reload_node_id *list = reload_cert_arena_array(r->arena, total, sizeof *list);
    if (!list)
        return reload_cert_reading_no_memory(r);
    for (xmlNodePtr n = reload_cert_reading_first(r, name); n;
         n = reload_cert_xml_element(n->next, name)) {
        char *text = reload_cert_xml_text(n, r->arena);
        if (!text)
            return reload_cert_reading_no_memory(r);
        if (!parse_node_id(text, r->config->node_id_length, &list[i++])) /* s11.1 */
            return reload_cert_reading_invalid(
                r, name, text, "a Node-ID of node-id-length bytes in hexadecimal is needed");
    }
    *out = list;
    *count = total;
    return 0;
}

int reload_cert_read_lists(struct reload_cert_reading *r)
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
static int block_bytes(struct reload_cert_reading *r, xmlNodePtr kinds, size_t number,
                       struct reload_slice *out)
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
    return out->p ? 0 : reload_cert_reading_no_memory(r);
}

static int read_block(struct reload_cert_reading *r, xmlNodePtr block, size_t number,
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

int reload_cert_read_kinds(struct reload_cert_reading *r)
{
    size_t base, total = 0, count = 0, place = 0;
    const struct reload_kind_config *known = reload_config_registered_kinds(&base);
    xmlNodePtr kinds = reload_cert_reading_first(r, "required-kinds");
    xmlNodePtr child = kinds ? reload_cert_xml_element(kinds->children, NULL) : NULL;
    for (xmlNodePtr n = child; n; n = reload_cert_xml_element(n->next, NULL))
        total++;
    struct reload_kind_config *list = reload_cert_arena_array(r->arena, total + base, sizeof *list);
    int error = list ? 0 : reload_cert_reading_no_memory(r);
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
