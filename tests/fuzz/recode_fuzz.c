#include "recode_fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "recode.h"
#include "reload/wire/header.h"

#define LARGEST 65536 /* more teaches nothing: it is what the longest 16-bit list holds */

void fuzz_recode(const char *structure, const uint8_t *data, size_t size)
{
    static uint8_t out[LARGEST];
    if (size > LARGEST)
        return;
    struct reload_slice in = reload_slice_of(data, size);
    struct reload_writer w = reload_writer_of(out, size); /* the same bytes need no more room */
    int error = recoder_named(structure)(in, &w);
    if (error == RELOAD_E_DECODE || (error == 0 && reload_slice_equal(reload_writer_slice(&w), in)))
        return;
    fprintf(stderr, "%s decodes, then gives %d or other bytes\n", structure, error);
    abort();
}

void fuzz_recode_message(const char *structure, const uint8_t *data, size_t size)
{
    if (size < RELOAD_HEADER_FIXED) {
        fuzz_recode(structure, data, size);
        return;
    }
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    struct reload_writer length = reload_writer_of(copy + RELOAD_HEADER_LENGTH_AT, 4);
    reload_wr_u32(&length, (uint32_t)size);
    fuzz_recode(structure, copy, size);
    free(copy);
}
