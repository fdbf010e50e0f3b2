#ifndef RELOAD_TESTS_BENCH_SLOW_PATH_H
#define RELOAD_TESTS_BENCH_SLOW_PATH_H

#include <stdbool.h>

/* A path with a delay, of which the kernel's TCP and UDP know no more than of a real one: packets
 * to BENCH_SLOW_FAR leave through a TUN device, wait in user space, and come back with their
 * addresses exchanged, so that whoever listens on BENCH_SLOW_NEAR gets them. */

#define BENCH_SLOW_NEAR "10.7.0.1"
#define BENCH_SLOW_FAR  "10.7.0.2"

/* Moves the process into a network of its own, with a loopback and this path. To be called before
 * any socket or thread is made. False without the right to do so: there is no such path then. */
bool bench_slow_path_start(void);
/* From now on packets take this long one way. */
void bench_slow_path_delay(unsigned one_way_ms);
void bench_slow_path_stop(void);

#endif
