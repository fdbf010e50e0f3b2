#ifndef INTEROP_PROBE_BOOKS_H
#define INTEROP_PROBE_BOOKS_H

#include "interop/probe/script.h"

/* The texts of interop/probe/cases, which the build puts into the program. 0, or -1 with a fault.
 */
int probe_books_read(struct probe_script *script, struct probe_scope *definitions,
                     struct probe_fault *fault);

#endif
