#ifndef RELOAD_TIME_H
#define RELOAD_TIME_H

#include <stdint.h>

/* The present, as the host sees it. It enters the core as an argument and nowhere else. */
struct reload_time {
    uint64_t monotonic_ms; /* timers run on this one */
    uint64_t unix_ms;      /* storage_time, validity and expiration are compared with this one */
};

#define RELOAD_NEVER UINT64_MAX /* a deadline that does not come */

#endif
