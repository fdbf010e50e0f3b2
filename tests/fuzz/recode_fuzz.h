#ifndef RELOAD_TESTS_FUZZ_RECODE_H
#define RELOAD_TESTS_FUZZ_RECODE_H

#include "fuzz.h"

/* Decodes the bytes as a structure of tests/reload/wire/recode.h. Aborts unless they are refused or
 * encode back to the same bytes. */
void fuzz_recode(const char *structure, const uint8_t *data, size_t size);
/* The same for bytes that start with a forwarding header, whose `length` is set right first: chance
 * would seldom find it. */
void fuzz_recode_message(const char *structure, const uint8_t *data, size_t size);

#endif
