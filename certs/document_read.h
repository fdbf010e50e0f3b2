#ifndef CERTS_DOCUMENT_READ_H
#define CERTS_DOCUMENT_READ_H

#include "certs/document_open.h"

/* The parts of reading one configuration (RFC 6940 s11.1): document_read.c has the single values,
 * document_lists.c what may appear many times. */

struct reload_cert_reading {
    const struct reload_cert_opened *opened;
    const struct reload_cert_document_policy *policy;
    struct reload_cert_arena *arena;
    struct reload_config *config;
    struct reload_cert_reason *reason;
};

/* RELOAD_E_NOMEM and RELOAD_E_INVALID with their sentences. */
int reload_cert_reading_no_memory(struct reload_cert_reading *r);
int reload_cert_reading_invalid(struct reload_cert_reading *r, const char *element,
                                const char *value, const char *rule);
/* The first child of the configuration of that name, or NULL. */
xmlNodePtr reload_cert_reading_first(struct reload_cert_reading *r, const char *name);

/* Fill the lists, and the Kinds; node_id_length and self_signed_permitted are read before.
 * Errors of reload_cert_document_parse(). */
RELOAD_MUST_USE int reload_cert_read_lists(struct reload_cert_reading *r);
RELOAD_MUST_USE int reload_cert_read_kinds(struct reload_cert_reading *r);

#endif
