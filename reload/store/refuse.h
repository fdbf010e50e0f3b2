#ifndef RELOAD_STORE_REFUSE_H
#define RELOAD_STORE_REFUSE_H

#include "reload/wire/cursor.h"

#define RELOAD_WHY_NO_ROOM "the answer does not fit"

/* Replaces what was written of an answer since w->len was `start` by a phrase for people: the
 * error_info of `code`, which it returns. A phrase that does not fit is left out. */
static inline uint16_t reload_refuse(struct reload_writer *w, size_t start, uint16_t code,
                                     const char *why)
{
    size_t n = strlen(why);
    w->len = start;
    w->failed = false;
    if (n <= w->cap - start)
        reload_wr_bytes(w, reload_slice_of(why, n));
    return code;
}

#endif
