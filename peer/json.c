#include "peer/json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

json_t *reload_json_hex(struct reload_slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * bytes.n + 1);
    if (!text)
        return NULL;
    for (size_t i = 0; i < bytes.n; i++) {
        text[2 * i] = digits[bytes.p[i] >> 4];
        text[2 * i + 1] = digits[bytes.p[i] & 15];
    }
    json_t *json = json_stringn(text, 2 * bytes.n);
    free(text);
    return json;
}

json_t *reload_json_u64(uint64_t n)
{
    if (n <= INT64_MAX)
        return json_integer((json_int_t)n);
    return json_sprintf("%llu", (unsigned long long)n);
}

json_t *reload_json_node_id(const struct reload_node_id *id)
{
    char text[RELOAD_NODE_ID_TEXT];
    return id->len ? json_string(reload_node_id_text(id, text)) : json_null();
}

/* C1 controls, which a terminal obeys as it does ESC: U+0080 to U+009F. */
static bool begins_c1(struct reload_slice bytes, size_t at)
{
    return bytes.p[at] == 0xc2 && at + 1 < bytes.n && bytes.p[at + 1] < 0xa0;
}

static bool printable(struct reload_slice bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        if ((bytes.p[i] < 0x20 && !strchr("\t\r\n", bytes.p[i])) || bytes.p[i] == 0x7f ||
            bytes.p[i] == 0 || begins_c1(bytes, i))
            return false;
    return true;
}

static json_t *text_or_null(struct reload_slice bytes)
{
    /* json_stringn() refuses what is not UTF-8 */
    return printable(bytes) ? json_stringn(bytes.n ? (const char *)bytes.p : "", bytes.n) : NULL;
}

json_t *reload_json_text(struct reload_slice bytes)
{
    json_t *text = text_or_null(bytes);
    return text ? text : json_pack("{s:o}", "hex", reload_json_hex(bytes));
}

json_t *reload_json_value(struct reload_slice bytes)
{
    json_t *value =
        json_pack("{s:I,s:o}", "length", (json_int_t)bytes.n, "hex", reload_json_hex(bytes));
    json_t *text = bytes.n ? text_or_null(bytes) : NULL;
    if (text)
        json_object_set_new(value, "text", text);
    return value;
}

static int digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = tolower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int reload_hex_read(const char *text, size_t len, uint8_t **out, size_t *out_len, size_t *at)
{
    uint8_t *bytes = malloc(len / 2 + 1);
    if (!bytes)
        return RELOAD_E_NOMEM;
    size_t n = 0, i = 0;
    while (i < len) {
        unsigned char c = (unsigned char)text[i];
        if (isspace(c) || c == ':') {
            i++;
            continue;
        }
        int high = digit(c), low = i + 1 < len ? digit((unsigned char)text[i + 1]) : -1;
        if (high < 0 || low < 0) {
            *at = high < 0 ? i : i + 1;
            free(bytes);
            return RELOAD_E_INVALID;
        }
        bytes[n++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *out = bytes;
    *out_len = n;
    return 0;
}

int reload_node_id_read(const char *text, struct reload_node_id *out)
{
    uint8_t *bytes;
    size_t len, at;
    if (reload_hex_read(text, strlen(text), &bytes, &len, &at))
        return RELOAD_E_INVALID;
    bool fits = len >= RELOAD_NODE_ID_MIN && len <= RELOAD_NODE_ID_MAX;
    if (fits)
        *out = reload_node_id_from(reload_slice_of(bytes, len));
    free(bytes);
    return fits ? 0 : RELOAD_E_INVALID;
}
