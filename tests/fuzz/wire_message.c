#include "recode_fuzz.h"

/* A whole message with its body, whatever its code. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_recode_message("Message", data, size);
    return 0;
}
