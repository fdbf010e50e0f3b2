#ifndef INTEROP_PROBE_SCRIPT_H
#define INTEROP_PROBE_SCRIPT_H

#include "interop/probe/template.h"

/* The cases, as interop/probe/cases/NAME.probe has them: lines of a word and what belongs to it.
 *
 *     define NAME TEMPLATE     for all cases (before the first case) or for this one
 *     case NAME                begins a case
 *     section 6.3.2            of RFC 6940
 *     ids R6940-6.3.2-2 ...    the requirements it looks at
 *     needs WORD ...           without which it is not applicable: authority, tls, dtls, alone, or
 * a name that must be defined
 *
 * Every other line is a step; interop/probe/step.h has the list. A line that begins with "|" goes
 * on with the one before; "#" begins a comment line. */

struct probe_case {
    char *name, *section, *ids, *needs;
    char **steps;
    size_t step_count;
};

struct probe_script {
    struct probe_case *cases;
    size_t count;
};

/* Adds the cases of a text; its definitions go to `names`. 0, or -1 with a fault. */
int probe_script_read(struct probe_script *script, const char *text, size_t len,
                      struct probe_scope *names, struct probe_fault *fault);
void probe_script_free(struct probe_script *script);

#endif
