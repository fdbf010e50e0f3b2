#include "usage-sip/aor.h"

#include "usage-sip/uri.h"

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool add(struct reload_sip_aor *out, uint8_t c)
{
    if (out->len >= RELOAD_SIP_AOR_MAX)
        return false;
    out->text[out->len++] = (char)c;
    return true;
}

/* RFC 7904 s7: escapes are decoded before the name is matched. A decoded "@" or control character
 * would make one name look like another; with a decoded "%" or ":" a name would change or be none
 * when it is read again. */
static int read_user(struct reload_slice user, struct reload_sip_aor *out)
{
    for (size_t i = 0; i < user.n; i++) {
        uint8_t c = user.p[i];
        if (c == '%') {
            int high = i + 2 < user.n ? hex_digit(user.p[i + 1]) : -1;
            int low = i + 2 < user.n ? hex_digit(user.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return RELOAD_E_INVALID;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c <= ' ' || c == 0x7f || strchr("@%:", c))
            return RELOAD_E_INVALID;
        if (!add(out, c))
            return RELOAD_E_LIMIT;
    }
    return 0;
}

/* Letters, digits, hyphens and dots; no empty label (RFC 3261 s25.1, hostname). */
static int read_domain(struct reload_slice host, struct reload_sip_aor *out)
{
    uint8_t before = '.';
    for (size_t i = 0; i < host.n; i++) {
        uint8_t c = host.p[i];
        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (!plain && (c != '.' || before == '.'))
            return RELOAD_E_INVALID;
        if (!add(out, c))
            return RELOAD_E_LIMIT;
        before = c;
    }
    return before == '.' ? RELOAD_E_INVALID : 0;
}

int reload_sip_aor_read(struct reload_slice text, struct reload_sip_aor *out)
{
    struct reload_sip_uri uri;
    *out = (struct reload_sip_aor){ 0 };
    int error = reload_sip_uri_split(text, &uri);
    if (!error)
        error = read_user(uri.user, out);
    if (!error && !add(out, '@'))
        error = RELOAD_E_LIMIT;
    out->domain_at = out->len;
    return error ? error : read_domain(uri.host, out);
}
