#include "certs/document_open.h"

/* Elements of other namespaces in a <kind> (RFC 6940 s11.1), as plain data. */

struct collecting {
    struct reload_cert_arena *arena;
    struct reload_kind_parameter *list; /* NULL: only counting */
    size_t count;
};

static bool is_foreign(xmlNodePtr node)
{
    const char *uri = node->ns ? (const char *)node->ns->href : "";
    return *uri && strcmp(uri, RELOAD_CERT_NAMESPACE) != 0 &&
           strcmp(uri, RELOAD_CERT_NAMESPACE_CHORD) != 0;
}

static char *copy(struct collecting *c, const xmlChar *text)
{
    return reload_cert_arena_string(c->arena, (const char *)text, strlen((const char *)text));
}

static void add(struct collecting *c, enum reload_kind_parameter_part part, xmlNodePtr element,
                const xmlChar *name, char *text)
{
    c->arena->failed |= !text;
    c->list[c->count++] = (struct reload_kind_parameter){
        .part = part,
        .namespace_uri = copy(c, element->ns->href),
        .name = copy(c, name),
        .text = text,
    };
}

static void add_attributes(struct collecting *c, xmlNodePtr element)
{
    for (xmlAttrPtr a = element->properties; a; a = a->next) {
        if (a->ns) /* another namespace's business */
            continue;
        if (c->list)
            add(c, RELOAD_PARAMETER_ATTRIBUTE, element, a->name,
                reload_cert_xml_attribute(element, (const char *)a->name, c->arena));
        else
            c->count++;
    }
}

static void add_element(struct collecting *c, enum reload_kind_parameter_part part,
                        xmlNodePtr element)
{
    bool parent = reload_cert_xml_element(element->children, NULL);
    if (c->list) /* the text of one with children is theirs */
        add(c, part, element, element->name,
            parent ? copy(c, (const xmlChar *)"") : reload_cert_xml_text(element, c->arena));
    else
        c->count++;
}

static void walk(struct collecting *c, xmlNodePtr kind)
{
    for (xmlNodePtr n = reload_cert_xml_element(kind->children, NULL); n;
         n = reload_cert_xml_element(n->next, NULL)) {
        if (!is_foreign(n))
            continue;
        add_element(c, RELOAD_PARAMETER_ELEMENT, n);
        add_attributes(c, n);
        for (xmlNodePtr child = reload_cert_xml_element(n->children, NULL); child;
             child = reload_cert_xml_element(child->next, NULL))
            if (is_foreign(child))
                add_element(c, RELOAD_PARAMETER_CHILD, child);
    }
}

int reload_cert_kind_parameters(xmlNodePtr kind, struct reload_cert_arena *arena,
                                struct reload_kind_config *out, struct reload_cert_reason *reason)
{
    struct collecting c = { .arena = arena };
    walk(&c, kind);
    if (c.count > RELOAD_KIND_PARAMETERS_MAX)
        return reload_cert_refuse(reason, RELOAD_E_LIMIT,
                                  "Kind 0x%x: more than %d extension elements and attributes",
                                  out->id, RELOAD_KIND_PARAMETERS_MAX);
    if (c.count == 0)
        return 0;
    c.list = reload_cert_arena_array(arena, c.count, sizeof *c.list);
    if (!c.list)
        return RELOAD_E_NOMEM;
    c.count = 0;
    walk(&c, kind);
    out->parameters = c.list;
    out->parameter_count = c.count;
    return arena->failed ? RELOAD_E_NOMEM : 0;
}
