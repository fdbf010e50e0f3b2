#include "recode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_recode("ForwardingHeader", data, size);
    fuzz_recode_message("ForwardingHeader", data, size);
    return 0;
}
