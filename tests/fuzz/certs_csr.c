#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "certs/csr.h"

/* A PKCS#10 request as the enrollment server gets it. What is accepted names nobody by a NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reload_cert_csr csr;
    struct reload_cert_reason reason = { "" };
    if (reload_cert_csr_parse(reload_slice_of(data, size), &csr, &reason) != 0)
        return 0;
    if (csr.public_key.n == 0 || strlen(csr.user_name) > RELOAD_CERT_USER_NAME_MAX)
        abort();
    reload_cert_csr_fini(&csr);
    return 0;
}
