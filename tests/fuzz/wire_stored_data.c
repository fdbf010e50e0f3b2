#include "recode_fuzz.h"

/* One byte that chooses the data model and whether values or their metadata follow. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const structures[] = {
        "StoredData SINGLE",     "StoredData ARRAY",     "StoredData DICTIONARY",
        "StoredMetaData SINGLE", "StoredMetaData ARRAY", "StoredMetaData DICTIONARY",
    };
    if (size > 0)
        fuzz_recode(structures[data[0] % 6], data + 1, size - 1);
    return 0;
}
