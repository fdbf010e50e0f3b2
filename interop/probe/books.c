#include "interop/probe/books.h"

#define BOOKS(DO)                                                                                  \
    DO(base)                                                                                       \
    DO(framing)                                                                                    \
    DO(header)                                                                                     \
    DO(routing)                                                                                    \
    DO(fragments)                                                                                  \
    DO(security)                                                                                   \
    DO(methods)                                                                                    \
    DO(store)                                                                                      \
    DO(fetch)                                                                                      \
    DO(chord)                                                                                      \
    DO(config)

#define DECLARE(name)                                                                              \
    extern const unsigned char probe_book_##name[];                                                \
    extern const size_t probe_book_##name##_len;
BOOKS(DECLARE)

int probe_books_read(struct probe_script *script, struct probe_scope *definitions,
                     struct probe_fault *fault)
{
#define READ(name)                                                                                 \
    if (probe_script_read(script, (const char *)probe_book_##name, probe_book_##name##_len,        \
                          definitions, fault))                                                     \
        return -1;
    BOOKS(READ)
    return 0;
}
