#ifndef INTEROP_PROBE_SCOPE_H
#define INTEROP_PROBE_SCOPE_H

#include "reload/wire/cursor.h"

/* Names and what they stand for: either a text of interop/probe/template.h, which is read anew each
 * time, or bytes. Scopes are nested: what an inner one does not know the outer one is asked for. */

struct probe_scope {
    const struct probe_scope *outer; /* NULL: none */
    struct probe_name *names;
    size_t count;
};

struct probe_name {
    char *name;
    char *text; /* NULL: bytes */
    uint8_t *bytes;
    size_t len;
};

/* Defines or redefines a name in this scope; everything is copied. Without memory the program ends:
 * it is a tester, with nothing to save. */
void probe_scope_text(struct probe_scope *scope, const char *name, const char *text);
void probe_scope_bytes(struct probe_scope *scope, const char *name, struct reload_slice bytes);
/* The innermost meaning of a name, or NULL. In "a.b" the part before the point may itself be a name
 * whose text is another one: with "signer" standing for "other", "signer.id" is "other.id". */
const struct probe_name *probe_scope_find(const struct probe_scope *scope, const char *name);
/* A name's text; `fallback` when it has none. */
const char *probe_scope_word(const struct probe_scope *scope, const char *name,
                             const char *fallback);
/* What an alias ends at: "signer" -> "me" -> "other". */
const char *probe_scope_alias(const struct probe_scope *scope, const char *name);
void probe_scope_fini(struct probe_scope *scope); /* leaves it empty, its outer one kept */

#endif
