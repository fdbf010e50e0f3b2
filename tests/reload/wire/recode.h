#ifndef RELOAD_TESTS_WIRE_RECODE_H
#define RELOAD_TESTS_WIRE_RECODE_H

#include "reload/wire/cursor.h"

/* Decoders paired with their encoders, for tests that know only bytes: the property is that
 * whatever decodes, encodes back to the same bytes. */

#define RECODE_NODE_ID_LEN 16

/* Decodes all of `in` as one structure, down to the elements of every list inside, and writes it
 * anew from the fields. Returns 0, or the error of the decoder or encoder. */
typedef int recode_function(struct reload_slice in, struct reload_writer *out);

struct recoder {
    const char *name; /* the RFC's name of the structure */
    recode_function *recode;
};

extern const struct recoder recoders[];
extern const size_t recoder_count;

recode_function *recoder_named(const char *name); /* NULL when there is none */
/* The name of the structure that a message code's body is; NULL when there is none. */
const char *recoder_of_body(uint16_t code);

#endif
