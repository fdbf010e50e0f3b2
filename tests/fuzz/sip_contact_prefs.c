#include "fuzz.h"
#include "usage-sip/contact_prefs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)reload_sip_contact_prefs_scheme(reload_slice_of(data, size));
    return 0;
}
