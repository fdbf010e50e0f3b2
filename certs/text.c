#include "certs/text.h"

#include <stdarg.h>
#include <stdio.h>

#include <openssl/evp.h>

static bool reserve(struct reload_cert_text *text, size_t more)
{
    if (text->failed || more > SIZE_MAX / 2 - text->len) {
        text->failed = true;
        return false;
    }
    if (text->len + more <= text->cap)
        return true;
    size_t cap = 2 * (text->len + more);
    uint8_t *p = reload_realloc(text->p, cap);
    if (!p) {
        text->failed = true;
        return false;
    }
    text->p = p;
    text->cap = cap;
    return true;
}

void reload_cert_text_add(struct reload_cert_text *text, struct reload_slice s)
{
    if (s.n == 0 || !reserve(text, s.n))
        return;
    memcpy(text->p + text->len, s.p, s.n);
    text->len += s.n;
}

void reload_cert_text_string(struct reload_cert_text *text, const char *s)
{
    reload_cert_text_add(text, reload_slice_of(s, strlen(s)));
}

void reload_cert_text_format(struct reload_cert_text *text, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof line)
        text->failed = true;
    else
        reload_cert_text_add(text, reload_slice_of(line, (size_t)len));
}

static const char *entity(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&apos;";
    default: return NULL;
    }
}

void reload_cert_text_escaped(struct reload_cert_text *text, const char *s)
{
    for (; *s; s++) {
        const char *name = entity(*s);
        if (name)
            reload_cert_text_string(text, name);
        else
            reload_cert_text_add(text, reload_slice_of(s, 1));
    }
}

void reload_cert_text_base64(struct reload_cert_text *text, struct reload_slice bytes)
{
    if (bytes.n > INT32_MAX / 2) {
        text->failed = true;
        return;
    }
    if (!reserve(text, (bytes.n + 2) / 3 * 4 + 1)) /* EVP_EncodeBlock ends with a NUL */
        return;
    text->len += (size_t)EVP_EncodeBlock(text->p + text->len, bytes.p, (int)bytes.n);
}

int reload_cert_text_take(struct reload_cert_text *text, struct reload_cert_bytes *out)
{
    bool failed = text->failed;
    *out = (struct reload_cert_bytes){ text->p, text->len };
    *text = (struct reload_cert_text){ 0 };
    if (!failed)
        return 0;
    reload_cert_bytes_fini(out);
    return RELOAD_E_NOMEM;
}

void reload_cert_text_fini(struct reload_cert_text *text)
{
    reload_free(text->p);
    *text = (struct reload_cert_text){ 0 };
}
