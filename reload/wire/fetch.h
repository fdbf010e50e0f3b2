#ifndef RELOAD_WIRE_FETCH_H
#define RELOAD_WIRE_FETCH_H

#include "reload/wire/stored_data.h"

/* Fetch (RFC 6940 s7.4.2). StatReq (s7.4.3.1) has the form of FetchReq. */

struct reload_fetch_req {
    struct reload_slice resource;
    struct reload_slice specifiers; /* for reload_stored_data_specifier_next() */
};

struct reload_stored_data_specifier {
    uint32_t kind;
    uint64_t generation;
    struct reload_slice model_specifier; /* as received; opened once the Kind's model is known */
};

struct reload_array_range {
    uint32_t first, last; /* int32 in the RFC, but 0xffffffff is an index: unsigned */
};

/* FetchAns; StatAns has the same form, with StoredMetaData as values (stat.h). */
struct reload_fetch_ans {
    struct reload_slice kind_responses; /* for reload_fetch_kind_response_next() */
};

struct reload_fetch_kind_response {
    uint32_t kind;
    uint64_t generation;
    struct reload_slice
        values; /* for reload_stored_data_next() or reload_stored_meta_data_next() */
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified; encode returns 0, or
 * RELOAD_E_NOSPACE. Lists have been walked to their exact end; what depends on a Kind's model
 * (`model_specifier`, `values`) has been stepped over. */
RELOAD_MUST_USE int reload_fetch_req_decode(struct reload_slice body, struct reload_fetch_req *out);
RELOAD_MUST_USE int reload_fetch_req_encode(struct reload_writer *w,
                                            const struct reload_fetch_req *req);
RELOAD_MUST_USE int reload_stored_data_specifier_decode(struct reload_reader *r,
                                                        struct reload_stored_data_specifier *out);
RELOAD_MUST_USE int
reload_stored_data_specifier_encode(struct reload_writer *w,
                                    const struct reload_stored_data_specifier *specifier);
bool reload_stored_data_specifier_next(struct reload_reader *list,
                                       struct reload_stored_data_specifier *out);

/* Reads a model_specifier by its Kind's model and gives a reader over the ranges (ARRAY) or keys
 * (DICTIONARY); it has nothing to read for SINGLE. The elements have been walked to the exact end.
 * Returns 0, or RELOAD_E_DECODE. */
RELOAD_MUST_USE int
reload_stored_data_specifier_open(const struct reload_stored_data_specifier *specifier,
                                  enum reload_data_model model, struct reload_reader *out);
bool reload_array_range_next(struct reload_reader *ranges, struct reload_array_range *out);
bool reload_dictionary_key_next(struct reload_reader *keys, struct reload_slice *key);
/* Ranges may come in any order, but only this many when they do not ascend: comparing each with
 * each must not cost the receiver more than the sender. */
#define RELOAD_UNORDERED_RANGES_MAX 256
/* s7.4.2.1: first is not above last, and no two ranges overlap. `ranges` comes from
 * reload_stored_data_specifier_open(). Returns 0, RELOAD_E_INVALID, or RELOAD_E_LIMIT. */
RELOAD_MUST_USE int reload_array_ranges_validate(struct reload_reader ranges);

/* To write a FetchReq in place: begin; for each Kind specifier_begin, its ranges or keys,
 * specifier_end (with the same model); end. Errors show in the writer's status. */
struct reload_specifier_mark {
    size_t length, elements;
};
size_t reload_fetch_req_begin(struct reload_writer *w, struct reload_slice resource);
void reload_fetch_req_end(struct reload_writer *w, size_t mark);
struct reload_specifier_mark reload_specifier_begin(struct reload_writer *w, uint32_t kind,
                                                    uint64_t generation,
                                                    enum reload_data_model model);
void reload_wr_array_range(struct reload_writer *w, struct reload_array_range range);
void reload_wr_dictionary_key(struct reload_writer *w, struct reload_slice key);
void reload_specifier_end(struct reload_writer *w, struct reload_specifier_mark mark,
                          enum reload_data_model model);

RELOAD_MUST_USE int reload_fetch_ans_decode(struct reload_slice body, struct reload_fetch_ans *out);
RELOAD_MUST_USE int reload_fetch_ans_encode(struct reload_writer *w,
                                            const struct reload_fetch_ans *ans);
RELOAD_MUST_USE int reload_fetch_kind_response_decode(struct reload_reader *r,
                                                      struct reload_fetch_kind_response *out);
RELOAD_MUST_USE int
reload_fetch_kind_response_encode(struct reload_writer *w,
                                  const struct reload_fetch_kind_response *response);
bool reload_fetch_kind_response_next(struct reload_reader *list,
                                     struct reload_fetch_kind_response *out);
/* To write a FetchAns or StatAns in place: begin; for each Kind begin, its values, end; end. */
size_t reload_fetch_ans_begin(struct reload_writer *w);
void reload_fetch_ans_end(struct reload_writer *w, size_t mark);
size_t reload_fetch_kind_begin(struct reload_writer *w, uint32_t kind, uint64_t generation);
void reload_fetch_kind_end(struct reload_writer *w, size_t mark);

#endif
