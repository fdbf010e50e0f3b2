#include "certs/schema.h"

#include <pthread.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/relaxng.h>

extern const unsigned char reload_cert_overlay_rng[];
extern const size_t reload_cert_overlay_rng_len;

static xmlRelaxNGPtr schema; /* made once, read-only from then on */
static pthread_once_t schema_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t validation = PTHREAD_MUTEX_INITIALIZER; /* libxml2's data types are shared */

static void silent(void *context, const char *message, ...)
{
    (void)context, (void)message;
}

static void make_schema(void)
{
    xmlInitParser();
    xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewMemParserCtxt(
        (const char *)reload_cert_overlay_rng, (int)reload_cert_overlay_rng_len);
    if (!parser)
        return;
    xmlRelaxNGSetParserErrors(parser, silent, silent, NULL);
    schema = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
}

void reload_cert_xml_reason(struct reload_cert_reason *reason, const char *prefix,
                            const xmlError *error)
{
    if (!error || !error->message) {
        reload_cert_refuse(reason, 0, "%s", prefix);
        return;
    }
    const xmlNode *node = error->node;
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->parent;
    size_t len = strcspn(error->message, "\n");
    reload_cert_refuse(reason, 0, "%s: line %d%s%.40s: %.*s", prefix, error->line,
                       node ? ", in " : "", node ? (const char *)node->name : "",
                       (int)(len < 160 ? len : 160), error->message);
}

struct first_fault {
    struct reload_cert_reason *reason;
    bool seen;
};

static void fault(void *context, xmlErrorPtr error)
{
    struct first_fault *first = context;
    if (!first->seen)
        reload_cert_xml_reason(first->reason, "the document breaks the schema of RFC 6940 s11.1.1",
                               error);
    first->seen = true;
}

int reload_cert_schema_check(xmlDocPtr document, struct reload_cert_reason *reason)
{
    struct first_fault first = { reason, false };
    pthread_once(&schema_once, make_schema);
    pthread_mutex_lock(&validation);
    xmlRelaxNGValidCtxtPtr valid = schema ? xmlRelaxNGNewValidCtxt(schema) : NULL;
    int result = -1;
    if (valid) {
        xmlRelaxNGSetValidStructuredErrors(valid, fault, &first);
        result = xmlRelaxNGValidateDoc(valid, document);
        xmlRelaxNGFreeValidCtxt(valid);
    }
    pthread_mutex_unlock(&validation);
    if (result == 0)
        return 0;
    if (!first.seen)
        reload_cert_refuse(reason, 0, "the document cannot be checked by the schema");
    return result < 0 ? RELOAD_E_NOMEM : RELOAD_E_INVALID;
}
