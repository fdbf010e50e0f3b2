#ifndef TESTS_CERTS_PARSED_H
#define TESTS_CERTS_PARSED_H

#include "tests/certs/fixture.h"

/* Configuration documents in pieces, and what becomes of them. */

#define BASE "urn:ietf:params:xml:ns:p2p:config-base"
#define HEAD                                                                                       \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<overlay xmlns=\"" BASE "\"\n  xmlns:chord=\""    \
    "urn:ietf:params:xml:ns:p2p:config-chord\" xmlns:ext=\"urn:example:ext\" ext:a=\"b\">"
#define TAIL  "</overlay>\n"
#define OPEN  "<configuration instance-name=\"" OVERLAY "\" sequence=\"22\">"
#define SELF  "<self-signed-permitted digest=\"sha1\">true</self-signed-permitted>"
#define CLOSE "</configuration>"
#define KIND(attribute, model, access, more)                                                       \
    "<required-kinds><kind-block><kind " attribute "><data-model>" model                           \
    "</data-model><access-control>" access "</access-control>" more                                \
    "</kind></kind-block></required-kinds>"
#define LIMITS "<max-count>3</max-count><max-size>40</max-size>"

extern struct reload_cert_reason why; /* the last one was refused */

/* As reload_cert_document_parse(); name NULL: the document's only configuration. */
int parse_document(struct reload_slice document, const char *name, struct reload_config **out);
int parse_text(const char *document, struct reload_config **out);
/* A document with these elements in its configuration. */
int parse_with(const char *elements, struct reload_config **out);
/* Fails the test when it is refused, or is not refused with that error and word. */
struct reload_config *must_parse_with(const char *elements);
void must_refuse_with(const char *elements, int error, const char *word);

#endif
