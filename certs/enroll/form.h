#ifndef RELOAD_CERTS_ENROLL_FORM_H
#define RELOAD_CERTS_ENROLL_FORM_H

#include "certs/csr.h"
#include "certs/enroll/password.h"
#include "certs/enroll/username.h"

#include <stdbool.h>

/* The multipart/form-data body of an enrollment request (RFC 6940 s11.3): fields username,
 * password, nodeids and csr; and device, which is ours: the name of one of the account's devices,
 * so that each has Node-IDs of its own. libmicrohttpd's post processor reads it; unknown fields are
 * passed over. */

#define RELOAD_ENROLL_DEVICE_MAX 32 /* bytes of a device's name: letters, digits, "-", "_", "." */

struct reload_enroll_field {
    size_t len;
    bool present;
    bool too_long; /* the bytes past the field's cap were dropped */
};

struct reload_enroll_form {
    struct reload_enroll_field username, password, nodeids, csr, device;
    uint8_t username_bytes[RELOAD_ENROLL_USERNAME_MAX];
    uint8_t password_bytes[RELOAD_ENROLL_PASSWORD_MAX];
    uint8_t nodeids_bytes[10];
    uint8_t device_bytes[RELOAD_ENROLL_DEVICE_MAX];
    uint8_t csr_bytes[RELOAD_CERT_CSR_MAX];
    bool csr_is_pkcs10; /* Content-Type application/pkcs10, in a plain transfer encoding */
    bool repeated;      /* a field came twice */
};

/* Takes one piece of a field: `at` is its offset in the field; type and encoding may be NULL. */
void reload_enroll_form_take(struct reload_enroll_form *form, const char *key, const char *type,
                             const char *encoding, const char *data, uint64_t at, size_t len);

/* The count in nodeids: 0 when the field is absent. RELOAD_E_INVALID: not a decimal number from 1.
 */
RELOAD_MUST_USE int reload_enroll_form_node_ids(const struct reload_enroll_form *form,
                                                uint32_t *out);
/* The device's name, terminated; "" when the field is absent or empty. RELOAD_E_INVALID: too long,
 * or other characters. */
RELOAD_MUST_USE int reload_enroll_form_device(const struct reload_enroll_form *form,
                                              char out[RELOAD_ENROLL_DEVICE_MAX + 1]);
/* Whether a name may be a device's. */
bool reload_enroll_is_device(const char *name);
void reload_enroll_form_wipe(struct reload_enroll_form *form); /* the password must not linger */

#endif
