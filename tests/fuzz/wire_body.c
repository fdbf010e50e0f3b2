#include "recode.h"
#include "recode_fuzz.h"

/* Two bytes of message code, then the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *structure = recoder_of_body((uint16_t)(data[0] << 8 | data[1]));
    if (structure != NULL)
        fuzz_recode(structure, data + 2, size - 2);
    return 0;
}
