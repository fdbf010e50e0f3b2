#ifndef CERTS_DOCUMENT_OPEN_H
#define CERTS_DOCUMENT_OPEN_H

#include <libxml/tree.h>

#include "certs/arena.h"
#include "certs/document.h"
#include "certs/scan.h"

/* A document that is well-formed and follows the schema, with one configuration of it picked: what
 * it means (libxml2's tree) and where its bytes lie, side by side. */
struct reload_cert_opened {
    struct reload_slice document; /* borrowed */
    xmlDocPtr tree;
    xmlNodePtr configuration;
    struct reload_cert_element overlay, element; /* the root and the picked configuration */
    size_t after; /* offset in overlay.content behind the configuration: its signatures follow */
};

/* instance_name NULL picks the first. Errors of reload_cert_document_parse(). */
RELOAD_MUST_USE int reload_cert_open(struct reload_slice document, const char *instance_name,
                                     struct reload_cert_opened *out,
                                     struct reload_cert_reason *reason);
void reload_cert_opened_fini(struct reload_cert_opened *opened);

/* Parses bytes as a document without DTD; NULL with a reason. */
xmlDocPtr reload_cert_xml_parse(struct reload_slice bytes, struct reload_cert_reason *reason);

/* A configuration and the memory of its parts. */
struct reload_cert_parsed {
    struct reload_config config; /* first: what callers hold */
    struct reload_cert_arena arena;
};

/* Reads the picked configuration. Errors of reload_cert_document_parse(). */
RELOAD_MUST_USE int reload_cert_document_read(const struct reload_cert_opened *opened,
                                              const struct reload_cert_document_policy *policy,
                                              struct reload_config **out,
                                              struct reload_cert_reason *reason);

/* Its sequence number alone. RELOAD_E_INVALID, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_document_sequence(const struct reload_cert_opened *opened,
                                                  uint16_t *sequence,
                                                  struct reload_cert_reason *reason);

/* Reads what extensions say in a <kind> into out->parameters. RELOAD_E_LIMIT above
 * RELOAD_KIND_PARAMETERS_MAX, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_kind_parameters(xmlNodePtr kind, struct reload_cert_arena *arena,
                                                struct reload_kind_config *out,
                                                struct reload_cert_reason *reason);

/* Reads one <kind> into *out; strings come from the arena. `block` stays empty. */
RELOAD_MUST_USE int reload_cert_kind_read(xmlNodePtr kind, struct reload_cert_arena *arena,
                                          const struct reload_cert_document_policy *policy,
                                          struct reload_kind_config *out,
                                          struct reload_cert_reason *reason);

/* A deep copy. RELOAD_E_NOMEM. `room` Kinds are left free behind the last one. */
RELOAD_MUST_USE int reload_cert_document_copy(const struct reload_config *config, size_t room,
                                              struct reload_cert_parsed **out);

/* --- small readers of the tree --- */

/* Next sibling element (from `node` itself on), or NULL; with `name` only of that name in our two
 * namespaces. */
xmlNodePtr reload_cert_xml_element(xmlNodePtr node, const char *name);
/* The element's text, or the attribute's (NULL when it has none), without white space around it.
 * NULL without memory too. */
char *reload_cert_xml_text(xmlNodePtr node, struct reload_cert_arena *arena);
char *reload_cert_xml_attribute(xmlNodePtr node, const char *name, struct reload_cert_arena *arena);
/* A decimal number within bounds; false for anything else. */
bool reload_cert_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#endif
