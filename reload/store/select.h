#ifndef RELOAD_STORE_SELECT_H
#define RELOAD_STORE_SELECT_H

#include "reload/store/held.h"
#include "reload/wire/fetch.h"

/* What a FetchReq or StatReq asks for (RFC 6940 s7.4.2.1), and writing the answer around it: a
 * FetchAns and a StatAns differ in their values only. */

struct reload_select { /* how values are written; `context` is for the two functions */
    void (*value)(void *context, const struct reload_held_value *value, struct reload_time now,
                  struct reload_writer *answer);
    /* A nonexistent value that nobody signed: index or key, whichever the model has. */
    void (*nonexistent)(void *context, enum reload_data_model model, uint32_t index,
                        struct reload_slice key, struct reload_writer *answer);
    void *context;
};

/* Writes the whole answer. Returns 0 or an RFC error code with its error_info. */
uint16_t reload_select_answer(struct reload_store *store, struct reload_slice body,
                              const struct reload_select *select, struct reload_time now,
                              struct reload_writer *answer);

#endif
