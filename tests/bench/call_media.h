#ifndef RELOAD_TESTS_BENCH_CALL_MEDIA_H
#define RELOAD_TESTS_BENCH_CALL_MEDIA_H

#include <stdint.h>

/* What media contributes to a call's times, measured on sessions with threads, virtual devices and
 * UDP on the loopback. */

/* From both ends having a path and the other's parameters to the first decoded sound of the far
 * end: DTLS-SRTP, one frame, playout. Median of several calls, both ends, ms. */
double call_media_setup_ms(void);

/* From a sound at one microphone to the same at the other loudspeaker, everything on; median of 3
 * calls, ms. Speech goes to a far end that mirrors it; the recording of the near end has both on
 * one clock. */
double call_mouth_to_ear_ms(unsigned frame_ms);

/* The same in virtual time over a network that delays by up to jitter_ms and loses packets. */
double call_mouth_to_ear_rough_ms(unsigned frame_ms, unsigned jitter_ms, double loss);

struct call_load {
    uint64_t late;           /* blocks that took longer than they last, or began so late */
    double load;             /* share of the core that was used */
    double longest_stall_ms; /* for so long the core served nobody, not even the first in line */
};

/* `ends` full-duplex ends of calls at once, all on one core, for 5 s. */
struct call_load call_load(unsigned ends);

#endif
