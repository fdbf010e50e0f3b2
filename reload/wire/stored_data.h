#ifndef RELOAD_WIRE_STORED_DATA_H
#define RELOAD_WIRE_STORED_DATA_H

#include "reload/wire/security_block.h"

/* StoredData and its values (RFC 6940 s7, s7.2). Which of the three forms a value has is known from
 * its Kind and is not on the wire, so who decodes says it. */

/* s7.2 */
enum reload_data_model {
    RELOAD_MODEL_SINGLE,
    RELOAD_MODEL_ARRAY,
    RELOAD_MODEL_DICTIONARY,
};

#define RELOAD_ARRAY_LAST 0xffffffffu /* the final index; in a Store: append (s7.4.1.1) */

struct reload_data_value {
    bool exists;
    struct reload_slice value;
};

struct reload_stored_data_value {
    enum reload_data_model model;
    uint32_t index;          /* ARRAY (ArrayEntry), else 0 */
    struct reload_slice key; /* DICTIONARY (DictionaryEntry), else empty */
    struct reload_data_value data;
    struct reload_slice raw; /* the structure as received; not read by encode */
};

struct reload_stored_data {
    uint64_t storage_time_ms; /* Unix time */
    uint32_t lifetime_s;
    struct reload_stored_data_value value;
    struct reload_signature signature;
    struct reload_slice raw; /* the structure as received, with its length; not read by encode */
};

/* Reads one element, its length included. Returns 0, or RELOAD_E_DECODE with *out unspecified:
 * malformed, or the length is not exactly that of the content. A value that does not exist but has
 * bytes is no error here. */
RELOAD_MUST_USE int reload_stored_data_decode(struct reload_reader *r, enum reload_data_model model,
                                              struct reload_stored_data *out);
/* Returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_stored_data_encode(struct reload_writer *w,
                                              const struct reload_stored_data *data);
/* Walks a `values` list: true with the next element, false at the end or, as these lists are not
 * validated before their Kind is known, when the reader has failed: check reload_reader_status().
 */
bool reload_stored_data_next(struct reload_reader *values, enum reload_data_model model,
                             struct reload_stored_data *out);
/* The same for a list whose data model is not known: each element whole, as *raw. It works for
 * StoredMetaData too. */
bool reload_stored_data_next_raw(struct reload_reader *values, struct reload_slice *raw);

/* StoredDataValue alone: what a data signature covers (s7.1). */
RELOAD_MUST_USE int reload_stored_data_value_decode(struct reload_reader *r,
                                                    enum reload_data_model model,
                                                    struct reload_stored_data_value *out);
RELOAD_MUST_USE int reload_stored_data_value_encode(struct reload_writer *w,
                                                    const struct reload_stored_data_value *value);

#endif
