#include "certs/base64.h"

static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Digits into bytes; the padding must make whole quanta and the spare bits be zero. */
static int decode(struct reload_slice text, struct reload_cert_bytes *out)
{
    uint32_t bits = 0;
    size_t digits = 0, padding = 0;
    for (size_t i = 0; i < text.n; i++) {
        int value = value_of(text.p[i]);
        if (is_space(text.p[i]))
            continue;
        if (text.p[i] == '=') {
            padding++;
            continue;
        }
        if (value < 0 || padding)
            return RELOAD_E_DECODE;
        bits = bits << 6 | (uint32_t)value;
        if (++digits % 4 != 1)
            out->p[out->n++] = (uint8_t)(bits >> (6 - 2 * ((digits - 1) % 4)));
    }
    static const uint32_t spare[4] = { 0, 0, 0x0f, 0x03 };
    if (digits == 0 || digits % 4 == 1 || padding != (4 - digits % 4) % 4 ||
        (bits & spare[digits % 4]))
        return RELOAD_E_DECODE;
    return 0;
}

int reload_cert_base64_decode(struct reload_slice text, struct reload_cert_bytes *out)
{
    *out = (struct reload_cert_bytes){ reload_alloc(text.n / 4 * 3 + 3), 0 };
    if (!out->p)
        return RELOAD_E_NOMEM;
    int error = decode(text, out);
    if (error)
        reload_cert_bytes_fini(out);
    return error;
}
