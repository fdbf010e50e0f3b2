#include <stdlib.h>

#include "fuzz.h"
#include "usage-sip/gruu.h"

/* A GRUU that is read is written so that it reads the same; a name read again is the same name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[RELOAD_SIP_GRUU_MAX + 1];
    struct reload_sip_gruu gruu, again;
    int error = reload_sip_gruu_read(reload_slice_of(data, size), 16, &gruu);
    if (error != 0 && error != RELOAD_E_NOT_FOUND)
        return 0;
    if (reload_sip_aor_read(reload_sip_aor_name(&gruu.aor), &again.aor) ||
        !reload_sip_aor_equal(&gruu.aor, &again.aor))
        abort();
    if (error)
        return 0;
    if (reload_sip_gruu_write(&gruu.aor, reload_slice_of(gruu.list, gruu.list_len), out) ||
        reload_sip_gruu_read(reload_slice_of(out, strlen(out)), 16, &again) ||
        !reload_slice_equal(reload_slice_of(gruu.list, gruu.list_len),
                            reload_slice_of(again.list, again.list_len)))
        abort();
    return 0;
}
