#ifndef RELOAD_TESTS_FUZZ_H
#define RELOAD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What each target defines and libFuzzer, or replay.c, calls. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
