#ifndef USAGE_SIP_CLOCK_H
#define USAGE_SIP_CLOCK_H

#include <stdint.h>

/* libosip2 asks osip_gettimeofday() for the time of its transaction timers. The dynamic linker
 * binds that name to the program first, so the definition in clock.c takes the library's place and
 * answers the time that the agent was given last: retransmissions run on the caller's clock, in
 * virtual time too. Time is kept for each thread. Where a library is built to keep to its own
 * functions (-Bsymbolic), timers run on the system's monotonic clock as usual. */

/* Sets what "now" is for libosip2 on this thread. */
void reload_sip_clock_set(uint64_t monotonic_ms);

#endif
