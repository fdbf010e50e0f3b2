#ifndef INTEROP_PROBE_TEMPLATE_H
#define INTEROP_PROBE_TEMPLATE_H

#include "interop/probe/scope.h"
#include "reload/link/buffer.h"

/* Bytes written down as text, to be sent and to be compared with. Blanks do not count.
 *
 *     d2 454c      bytes in hexadecimal
 *     'abc'        characters
 *     <2 ...>      a vector: its length in 2 bytes (1 to 4), then what stands there
 *     <2+1 ...>    the same with a length that is 1 too large; <2-1 ...> too small
 *     {name}       what a name stands for
 *     {name+1}     the same as a big-endian number, plus or minus a decimal one
 *     {5*00}       a text five times
 *     {word: ...}  a function of the bytes that stand there (struct probe_functions)
 *
 * Only to compare with:
 *     ??           any byte
 *     {*4}         any four bytes
 *     {=name:8}    any eight bytes, which get this name; {=name} all bytes that are left
 *     {find: ...}  skips to the first place where these bytes stand, and over them
 *     ...          all that is left, of the vector it stands in or of the whole
 */

#define PROBE_FAULT_MAX 400

struct probe_fault { /* one sentence; empty when there is none */
    char text[PROBE_FAULT_MAX];
};
/* Writes the sentence, unless there is one already. Always -1. */
int probe_fault_set(struct probe_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct probe_functions {
    /* `word` with the words behind it: "sign other"; `scope` is where the template stands. 0, or -1
     * with a fault. */
    int (*call)(void *context, const struct probe_scope *scope, const char *word,
                struct reload_slice input, struct reload_buffer *out, struct probe_fault *fault);
    void *context;
};

/* Appends what a text stands for. 0, or -1 with a fault: the text is wrong. */
int probe_render(const struct probe_scope *scope, const struct probe_functions *functions,
                 const char *text, struct reload_buffer *out, struct probe_fault *fault);
/* Compares; names that the text gives are defined in `captures`. 0, or -1 with a fault that says at
 * which byte what was expected. */
int probe_match(const struct probe_scope *scope, const struct probe_functions *functions,
                const char *text, struct reload_slice bytes, struct probe_scope *captures,
                struct probe_fault *fault);
/* Hexadecimal digits, terminated; free with free(). */
char *probe_hex(struct reload_slice bytes);

#endif
