#ifndef INTEROP_PROBE_FUNCTIONS_H
#define INTEROP_PROBE_FUNCTIONS_H

#include "interop/probe/run.h"

/* The functions that templates may use; the context is the struct probe_run.
 *
 *     {sign ACTOR: ...}    a signature value by the key of that actor
 *     {sha1: ...} {sha256: ...} {sha384: ...} {sha512: ...}
 *     {resource: ...}      the Resource-ID of a Resource Name (s10.2)
 *     {reverse: ...}       a list of Destinations, last entry first
 *     {flip: ...}          the same bytes with the lowest bit of the last one turned
 *     {first 9: ...}       the first bytes
 *     {from 9: ...}        all but the first bytes
 *     {room: ...}          as many zeros as are left of max-message-size
 *     {len 2: ...}         how many bytes, in two bytes; {len 4+38: ...} and 38 more
 *     {upto: ...}          as many zeros as this number says
 */
int probe_call(void *run, const struct probe_scope *scope, const char *word,
               struct reload_slice input, struct reload_buffer *out, struct probe_fault *fault);

#endif
