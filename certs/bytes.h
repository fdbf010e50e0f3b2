#ifndef CERTS_BYTES_H
#define CERTS_BYTES_H

#include "reload/alloc.h"
#include "reload/wire/cursor.h"

/* Bytes on the heap, owned by whoever holds the struct. {0} is empty and valid. */
struct reload_cert_bytes {
    uint8_t *p;
    size_t n;
};

static inline struct reload_slice reload_cert_bytes_slice(const struct reload_cert_bytes *bytes)
{
    return (struct reload_slice){ bytes->p, bytes->n };
}

static inline void reload_cert_bytes_fini(struct reload_cert_bytes *bytes)
{
    reload_free(bytes->p);
    *bytes = (struct reload_cert_bytes){ 0 };
}

/* Overwrites the bytes before it frees them: for keys and passwords. */
void reload_cert_bytes_wipe(struct reload_cert_bytes *bytes);

#endif
