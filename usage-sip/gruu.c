#include "usage-sip/gruu.h"

#include "reload/wire/destination.h"
#include "usage-sip/uri.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* --- base64 with "~" --- */

static int sextet(uint8_t c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Whole groups of four, "~" only where the last one ends; bits that no byte takes are zero, so that
 * a list has one form. -1 when it is not so. */
static int decode_group(const uint8_t *p, bool last, uint8_t out[3])
{
    int padding = !last || p[3] != '~' ? 0 : p[2] != '~' ? 1 : 2;
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++) {
        int value = i < 4 - padding ? sextet(p[i]) : 0;
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
    }
    for (int i = 0; i < 3; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    for (int i = 3 - padding; i < 3; i++)
        if (out[i])
            return -1;
    return 3 - padding;
}

static bool decode(struct reload_slice text, uint8_t *out, size_t cap, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < text.n; i += 4) {
        uint8_t group[3];
        int n = text.n - i < 4 ? -1 : decode_group(text.p + i, i + 4 == text.n, group);
        if (n < 0 || *len + (size_t)n > cap)
            return false;
        memcpy(out + *len, group, (size_t)n);
        *len += (size_t)n;
    }
    return true;
}

static size_t encode(struct reload_slice bytes, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (j < n ? bytes.p[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            out[len++] = j > n ? '~' : alphabet[bits >> (18 - 6 * j) & 63];
    }
    return len;
}

/* --- the list --- */

static bool is_list(struct reload_slice list, size_t node_id_len)
{
    struct reload_reader r = reload_reader_over(list);
    struct reload_destination entry;
    while (reload_destination_next(&r, node_id_len, &entry))
        ;
    return list.n > 0 && reload_reader_status(&r) == 0;
}

/* Drops a leading length. */
static void strip_length(struct reload_sip_gruu *gruu)
{
    if (gruu->list_len < 2 || ((size_t)gruu->list[0] << 8 | gruu->list[1]) != gruu->list_len - 2)
        return;
    gruu->list_len -= 2;
    memmove(gruu->list, gruu->list + 2, gruu->list_len);
}

int reload_sip_gruu_read(struct reload_slice text, size_t node_id_len, struct reload_sip_gruu *out)
{
    struct reload_sip_uri uri;
    struct reload_slice value;
    out->list_len = 0;
    int error = reload_sip_aor_read(text, &out->aor);
    if (!error)
        error = reload_sip_uri_split(text, &uri);
    if (error)
        return error;
    if (!reload_sip_uri_parameter(&uri, "gr", &value) ||
        !decode(value, out->list, sizeof out->list, &out->list_len))
        return RELOAD_E_NOT_FOUND;
    if (out->list[0] == 0) /* no Destination has type 0 */
        strip_length(out);
    return is_list(reload_slice_of(out->list, out->list_len), node_id_len) ? 0 : RELOAD_E_NOT_FOUND;
}

int reload_sip_gruu_write(const struct reload_sip_aor *aor, struct reload_slice list, char *out)
{
    static const char parameter[] = ";gr=";
    if (list.n == 0 || list.n > RELOAD_SIP_GRUU_LIST_MAX)
        return RELOAD_E_LIMIT;
    memcpy(out, aor->text, aor->len);
    memcpy(out + aor->len, parameter, sizeof parameter - 1);
    size_t len = aor->len + sizeof parameter - 1;
    len += encode(list, out + len);
    out[len] = '\0';
    return 0;
}
