#include "certs/document_open.h"

#include <libxml/parser.h>

#include "certs/schema.h"

xmlDocPtr reload_cert_xml_parse(struct reload_slice bytes, struct reload_cert_reason *reason)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (!parser)
        return NULL;
    /* No network, no external DTD, no entity is expanded; errors are kept, not printed. */
    xmlDocPtr tree = xmlCtxtReadMemory(parser, (const char *)bytes.p, (int)bytes.n, NULL, NULL,
                                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!tree)
        reload_cert_xml_reason(reason, "the document is not well-formed XML",
                               xmlCtxtGetLastError(parser));
    xmlFreeParserCtxt(parser);
    if (tree && (tree->intSubset || tree->extSubset)) {
        reload_cert_refuse(reason, 0, "the document has a DTD: entities are not accepted");
        xmlFreeDoc(tree);
        tree = NULL;
    }
    return tree;
}

xmlNodePtr reload_cert_xml_element(xmlNodePtr node, const char *name)
{
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (!name)
            return node;
        const char *ns = node->ns ? (const char *)node->ns->href : RELOAD_CERT_NAMESPACE;
        if (strcmp((const char *)node->name, name) == 0 &&
            (strcmp(ns, RELOAD_CERT_NAMESPACE) == 0 ||
             strcmp(ns, RELOAD_CERT_NAMESPACE_CHORD) == 0))
            return node;
    }
    return NULL;
}

static char *trimmed(xmlChar *text, struct reload_cert_arena *arena)
{
    if (!text)
        return NULL;
    const char *start = (const char *)text + strspn((const char *)text, " \t\r\n");
    size_t len = strlen(start);
    while (len && strchr(" \t\r\n", start[len - 1]))
        len--;
    char *copy = reload_cert_arena_string(arena, start, len);
    xmlFree(text);
    return copy;
}

char *reload_cert_xml_text(xmlNodePtr node, struct reload_cert_arena *arena)
{
    return trimmed(xmlNodeGetContent(node), arena);
}

char *reload_cert_xml_attribute(xmlNodePtr node, const char *name, struct reload_cert_arena *arena)
{
    return trimmed(xmlGetNoNsProp(node, (const xmlChar *)name), arena);
}

bool reload_cert_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;
    text += *text == '+'; /* XML Schema allows it */
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || n > (UINT64_MAX - 9) / 10)
            return false;
        n = n * 10 + (uint64_t)(*text - '0');
    }
    *out = n;
    return n >= min && n <= max;
}

/* s11.1: the file is UTF-8. */
static int check_bytes(struct reload_slice document, struct reload_cert_reason *reason)
{
    if (document.n == 0 || document.n > RELOAD_CERT_DOCUMENT_MAX)
        return reload_cert_refuse(reason, RELOAD_E_LIMIT, "a document has 1 to %u bytes, not %zu",
                                  RELOAD_CERT_DOCUMENT_MAX, document.n);
    if (memchr(document.p, 0, document.n))
        return reload_cert_refuse(reason, RELOAD_E_DECODE,
                                  "the document holds NUL bytes: it is not UTF-8");
    int error = reload_cert_scan_count(document, RELOAD_CERT_ELEMENTS_MAX);
    if (error == RELOAD_E_LIMIT)
        return reload_cert_refuse(reason, error, "the document has more than %d elements",
                                  RELOAD_CERT_ELEMENTS_MAX);
    if (error)
        return reload_cert_refuse(reason, error,
                                  "the document is not XML, or has a DTD, which is not accepted");
    return 0;
}

static int check_encoding(xmlDocPtr tree, struct reload_cert_reason *reason)
{
    const char *encoding = (const char *)tree->encoding;
    if (encoding && strcasecmp(encoding, "UTF-8") != 0)
        return reload_cert_refuse(reason, RELOAD_E_DECODE,
                                  "the document's encoding is %s; RFC 6940 s11.1 requires UTF-8",
                                  encoding);
    return 0;
}

static bool is_named(xmlNodePtr node, const char *instance_name)
{
    struct reload_cert_arena arena = { 0 };
    char *name = reload_cert_xml_attribute(node, "instance-name", &arena);
    bool same = name && (!instance_name || strcmp(name, instance_name) == 0);
    reload_cert_arena_fini(&arena);
    return same;
}

/* Picks the same element in the tree and in the bytes: by its number among the root's children, so
 * that the two views cannot disagree. */
static int pick(struct reload_cert_opened *o, const char *instance_name,
                struct reload_cert_reason *reason)
{
    size_t at = 0;
    int error = reload_cert_scan_nth(o->document, 0, &o->overlay);
    xmlNodePtr node = reload_cert_xml_element(xmlDocGetRootElement(o->tree)->children, NULL);
    for (; node && !error; node = reload_cert_xml_element(node->next, NULL)) {
        error = reload_cert_scan_child(o->overlay.content, &at, &o->element);
        if (!error && reload_cert_xml_element(node, "configuration") == node &&
            is_named(node, instance_name)) {
            o->configuration = node;
            o->after = at;
            return 0;
        }
    }
    if (error)
        return reload_cert_refuse(reason, RELOAD_E_DECODE,
                                  "the document's elements cannot be found");
    return reload_cert_refuse(reason, RELOAD_E_DECODE,
                              "the document holds no configuration for overlay %s", instance_name);
}

int reload_cert_open(struct reload_slice document, const char *instance_name,
                     struct reload_cert_opened *out, struct reload_cert_reason *reason)
{
    *out = (struct reload_cert_opened){ .document = document };
    int error = check_bytes(document, reason);
    if (error)
        return error;
    out->tree = reload_cert_xml_parse(document, reason);
    if (!out->tree)
        return RELOAD_E_DECODE;
    error = check_encoding(out->tree, reason);
    if (!error)
        error = reload_cert_schema_check(out->tree, reason);
    if (!error)
        error = pick(out, instance_name, reason);
    if (error)
        reload_cert_opened_fini(out);
    return error;
}

void reload_cert_opened_fini(struct reload_cert_opened *opened)
{
    xmlFreeDoc(opened->tree);
    *opened = (struct reload_cert_opened){ 0 };
}
