#ifndef RELOAD_TESTS_BENCH_VOICE_COST_H
#define RELOAD_TESTS_BENCH_VOICE_COST_H

/* CPU time of one call, both directions, per 20 ms: our stream against the bare library calls that
 * any such stream makes (Opus, echo canceller, suppressor, SRTP), in one run, on the same sound.
 * The bare canceller is speexdsp's at 16 kHz with a tail of 200 ms, 20 ms at a time. */
struct voice_cost {
    double call_us, bare_us; /* medians of several rounds */
};
struct voice_cost voice_cost(void);

#endif
