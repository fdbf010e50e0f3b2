#include "usage-sip/clock.h"

#include <sys/time.h>
#include <time.h>

#include <osip2/osip_time.h>

/* A day: libosip2 takes -1 s for "off", and times near zero are not what it is used to. */
#define ORIGIN_S 86400

static _Thread_local uint64_t present_ms;

void reload_sip_clock_set(uint64_t monotonic_ms)
{
    present_ms = monotonic_ms;
}

int osip_gettimeofday(struct timeval *tp, void *tz)
{
    (void)tz;
    tp->tv_sec = (time_t)(present_ms / 1000) + ORIGIN_S;
    tp->tv_usec = (suseconds_t)(present_ms % 1000 * 1000);
    return 0;
}
