#include "certs/uri.h"

#include <stdio.h>
#include <strings.h>

#include "reload/wire/destination.h"

#define SCHEME "reload://"

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; /* s14.15: HEXDIG is of either case */
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 1*HEXDIG that stands for whole bytes. */
static int hex_decode(struct reload_slice text, uint8_t *out, size_t cap, size_t *len)
{
    if (text.n == 0 || text.n % 2)
        return RELOAD_E_DECODE;
    if (text.n / 2 > cap)
        return RELOAD_E_LIMIT;
    for (size_t i = 0; i < text.n; i += 2) {
        int high = hex_value(text.p[i]), low = hex_value(text.p[i + 1]);
        if (high < 0 || low < 0)
            return RELOAD_E_DECODE;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    *len = text.n / 2;
    return 0;
}

/* RFC 3986 reg-name: unreserved, sub-delims and percent-encodings; an IDN is in its ASCII form. */
static bool is_reg_name_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-._~%!$&'()*+,;=", c));
}

static bool is_reg_name(struct reload_slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!is_reg_name_char(name.p[i]))
            return false;
    return name.n > 0;
}

/* The part before the first `mark`, and what follows it; false when there is no mark. */
static bool split(struct reload_slice text, uint8_t mark, struct reload_slice *before,
                  struct reload_slice *after)
{
    const uint8_t *at = text.n ? memchr(text.p, mark, text.n) : NULL;
    size_t len = at ? (size_t)(at - text.p) : text.n;
    *before = reload_slice_of(text.p, len);
    *after = at ? reload_slice_of(at + 1, text.n - len - 1) : (struct reload_slice){ 0 };
    return at != NULL;
}

int reload_cert_uri_parse(struct reload_slice text, struct reload_cert_uri *out)
{
    const size_t scheme_len = sizeof SCHEME - 1;
    struct reload_slice list, rest, overlay, specifier;

    memset(out, 0, sizeof *out);
    if (text.n <= scheme_len || strncasecmp((const char *)text.p, SCHEME, scheme_len) != 0)
        return RELOAD_E_DECODE;
    text = reload_slice_of(text.p + scheme_len, text.n - scheme_len);
    if (!split(text, '@', &list, &rest))
        return RELOAD_E_DECODE;
    split(rest, '/', &overlay,
          &specifier); /* the slash may be missing: older programs leave it out */
    if (!is_reg_name(overlay))
        return RELOAD_E_DECODE;
    if (overlay.n > RELOAD_CERT_URI_OVERLAY_MAX)
        return RELOAD_E_LIMIT;
    memcpy(out->overlay, overlay.p, overlay.n);
    int error = hex_decode(list, out->destination_list, sizeof out->destination_list,
                           &out->destination_list_len);
    if (!error && specifier.n)
        error = hex_decode(specifier, out->specifier, sizeof out->specifier, &out->specifier_len);
    return error;
}

static bool is_valid_node_id(const struct reload_node_id *id)
{
    uint8_t any = 0;
    for (size_t i = 0; i < id->len; i++)
        any |= id->bytes[i];
    return id->len >= RELOAD_NODE_ID_MIN && any && !reload_node_id_is_wildcard(id); /* s3 */
}

int reload_cert_uri_node_id(const struct reload_cert_uri *uri, bool bare,
                            struct reload_node_id *out)
{
    struct reload_slice list = reload_slice_of(uri->destination_list, uri->destination_list_len);
    struct reload_slice id = { 0 };

    if (list.n >= 2 && list.p[0] == RELOAD_DEST_NODE && list.p[1] == list.n - 2)
        id = reload_slice_of(list.p + 2, list.n - 2);
    else if (bare)
        id = list;
    *out = reload_node_id_from(id);
    return is_valid_node_id(out) ? 0 : RELOAD_E_DECODE;
}

static size_t hex_encode(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
    return 2 * len;
}

int reload_cert_uri_print(const struct reload_cert_uri *uri, char *out, size_t cap)
{
    char list[2 * RELOAD_CERT_URI_LIST_MAX + 1], specifier[2 * RELOAD_CERT_URI_SPECIFIER_MAX + 1];
    hex_encode(uri->destination_list, uri->destination_list_len, list);
    hex_encode(uri->specifier, uri->specifier_len, specifier);
    /* s14.15: the slash is there with or without a specifier. */
    int len = snprintf(out, cap, SCHEME "%s@%s/%s", list, uri->overlay, specifier);
    return len < 0 || (size_t)len >= cap ? RELOAD_E_NOSPACE : 0;
}

int reload_cert_uri_print_node(const struct reload_node_id *id, const char *overlay, char *out,
                               size_t cap)
{
    size_t len = strlen(overlay);
    if (len > RELOAD_CERT_URI_OVERLAY_MAX || !is_reg_name(reload_slice_of(overlay, len)))
        return RELOAD_E_INVALID;
    struct reload_cert_uri uri = { .destination_list = { RELOAD_DEST_NODE, id->len },
                                   .destination_list_len = 2u + id->len };
    memcpy(uri.destination_list + 2, id->bytes, id->len);
    memcpy(uri.overlay, overlay, len);
    return reload_cert_uri_print(&uri, out, cap);
}

bool reload_cert_overlay_name_equal(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}
