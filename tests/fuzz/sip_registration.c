#include <stdlib.h>

#include "fuzz.h"
#include "usage-sip/record.h"

#define LARGEST 65600

/* A record that decodes encodes back to the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[LARGEST];
    struct reload_slice in = reload_slice_of(data, size);
    struct reload_writer w = reload_writer_of(out, sizeof out);
    struct reload_sip_registration r;
    if (reload_sip_registration_decode(in, 16, &r))
        return 0;
    if (reload_sip_registration_encode(&w, &r) || !reload_slice_equal(reload_writer_slice(&w), in))
        abort();
    return 0;
}
