#ifndef TESTS_INTEROP_BODIES_H
#define TESTS_INTEROP_BODIES_H

#include "reload/security/crypto.h"
#include "reload/wire/stored_data.h"

/* The bodies of the published vectors (interop/vectors): one of each form that a message of RFC
 * 6940 can have. */

struct vector_context {
    const struct reload_crypto *crypto; /* signs the values */
    struct reload_slice document;       /* the overlay's configuration */
    struct reload_slice kind_block;     /* one of its Kinds */
};

struct vector_body {
    const char *name;    /* "store_req_array" */
    const char *section; /* of RFC 6940 */
    uint16_t code;
    void (*write)(struct reload_writer *w, const struct vector_context *c);
};

extern const struct vector_body vector_bodies[];
extern const size_t vector_body_count;

/* The data model of a Kind of the vectors' document. */
enum reload_data_model vector_model(uint32_t kind);

#endif
