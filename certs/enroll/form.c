#include "certs/enroll/form.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

static void append(struct reload_enroll_field *field, uint8_t *bytes, size_t cap, const char *data,
                   size_t len)
{
    field->present = true;
    if (len > cap - field->len) {
        field->too_long = true;
        len = cap - field->len;
    }
    if (len)
        memcpy(bytes + field->len, data, len);
    field->len += len;
}

static bool is_plain(const char *encoding)
{
    return !encoding || strcasecmp(encoding, "binary") == 0 || strcasecmp(encoding, "8bit") == 0 ||
           strcasecmp(encoding, "7bit") == 0;
}

static bool is_pkcs10(const char *type)
{
    static const char want[] = "application/pkcs10";
    size_t n = sizeof want - 1;
    return type && strncasecmp(type, want, n) == 0 &&
           (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

void reload_enroll_form_take(struct reload_enroll_form *form, const char *key, const char *type,
                             const char *encoding, const char *data, uint64_t at, size_t len)
{
    struct {
        const char *key;
        struct reload_enroll_field *field;
        uint8_t *bytes;
        size_t cap;
    } fields[] = {
        { "username", &form->username, form->username_bytes, sizeof form->username_bytes },
        { "password", &form->password, form->password_bytes, sizeof form->password_bytes },
        { "nodeids", &form->nodeids, form->nodeids_bytes, sizeof form->nodeids_bytes },
        { "csr", &form->csr, form->csr_bytes, sizeof form->csr_bytes },
        { "device", &form->device, form->device_bytes, sizeof form->device_bytes },
    };
    for (size_t i = 0; key && i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(key, fields[i].key) != 0)
            continue;
        if (at == 0 && fields[i].field->len > 0)
            form->repeated = true;
        if (fields[i].field == &form->csr)
            form->csr_is_pkcs10 = is_pkcs10(type) && is_plain(encoding);
        append(fields[i].field, fields[i].bytes, fields[i].cap, data, len);
    }
}

int reload_enroll_form_node_ids(const struct reload_enroll_form *form, uint32_t *out)
{
    *out = 0;
    if (!form->nodeids.present)
        return 0;
    uint64_t n = 0;
    for (size_t i = 0; i < form->nodeids.len; i++) {
        if (form->nodeids_bytes[i] < '0' || form->nodeids_bytes[i] > '9')
            return RELOAD_E_INVALID;
        n = n * 10 + (uint64_t)(form->nodeids_bytes[i] - '0');
    }
    if (n == 0 || n > UINT32_MAX || form->nodeids.too_long)
        return RELOAD_E_INVALID;
    *out = (uint32_t)n;
    return 0;
}

bool reload_enroll_is_device(const char *name)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = strlen(name);
    return len <= RELOAD_ENROLL_DEVICE_MAX && strspn(name, legal) == len;
}

int reload_enroll_form_device(const struct reload_enroll_form *form,
                              char out[RELOAD_ENROLL_DEVICE_MAX + 1])
{
    memcpy(out, form->device_bytes, form->device.len);
    out[form->device.len] = '\0';
    bool whole = !form->device.too_long && strlen(out) == form->device.len;
    return whole && reload_enroll_is_device(out) ? 0 : RELOAD_E_INVALID;
}

void reload_enroll_form_wipe(struct reload_enroll_form *form)
{
    OPENSSL_cleanse(form, sizeof *form);
}
