#include "recode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_recode("SecurityBlock", data, size);
    return 0;
}
