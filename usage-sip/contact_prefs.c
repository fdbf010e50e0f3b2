#include "usage-sip/contact_prefs.h"

#include <strings.h>

/* RFC 2533 s4.1 as corrected by RFC 2738, as far as its form goes:
 *
 *   filter = "(" ( ("&" | "|") 1*filter | "!" filter | tag ("=" | "<=" | ">=") value ) ")"
 *   value  = "[" ... "]" | quoted string | token, number or range
 */

struct parse {
    struct reload_reader in;
    bool sip, sips; /* demanded */
};

static void skip_space(struct parse *p)
{
    while (p->in.p != p->in.end && *p->in.p && strchr(" \t\r\n", *p->in.p))
        p->in.p++;
}

static bool take(struct parse *p, char c)
{
    skip_space(p);
    if (!reload_reader_more(&p->in) || *p->in.p != (uint8_t)c)
        return false;
    p->in.p++;
    return true;
}

static bool is_tag(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(".-_/:+%", c));
}

static struct reload_slice read_word(struct parse *p)
{
    skip_space(p);
    const uint8_t *start = p->in.p;
    while (p->in.p != p->in.end && is_tag(*p->in.p))
        p->in.p++;
    return reload_rd_since(&p->in, start);
}

/* Up to a closing character, which is passed; no parenthesis may stand between. */
static void read_until(struct parse *p, char end)
{
    while (reload_reader_more(&p->in)) {
        uint8_t c = reload_rd_u8(&p->in);
        if (c == (uint8_t)end)
            return;
        if (end == ']' && (c == '(' || c == ')'))
            break;
    }
    reload_rd_fail(&p->in);
}

static struct reload_slice read_value(struct parse *p)
{
    if (take(p, '[')) {
        read_until(p, ']');
        return (struct reload_slice){ 0 };
    }
    if (take(p, '"')) {
        const uint8_t *start = p->in.p;
        read_until(p, '"');
        struct reload_slice quoted = reload_rd_since(&p->in, start);
        return quoted.n ? reload_slice_of(quoted.p, quoted.n - 1) : quoted;
    }
    struct reload_slice word = read_word(p);
    if (word.n == 0)
        reload_rd_fail(&p->in);
    return word;
}

static bool is_word(struct reload_slice s, const char *word)
{
    return s.n == strlen(word) && strncasecmp((const char *)s.p, word, s.n) == 0;
}

static void read_comparison(struct parse *p, bool demanded)
{
    struct reload_slice tag = read_word(p);
    bool equal = !take(p, '<') && !take(p, '>');
    if (tag.n == 0 || !take(p, '=')) {
        reload_rd_fail(&p->in);
        return;
    }
    struct reload_slice value = read_value(p);
    if (!demanded || !equal || !is_word(tag, "sip.schemes"))
        return;
    p->sip |= is_word(value, "sip");
    p->sips |= is_word(value, "sips");
}

static void read_filter(struct parse *p, bool demanded, unsigned depth)
{
    if (depth > RELOAD_SIP_PREFS_DEPTH_MAX || !take(p, '(')) {
        reload_rd_fail(&p->in);
        return;
    }
    if (take(p, '!')) {
        read_filter(p, false, depth + 1);
    } else {
        bool all = take(p, '&');
        if (all || take(p, '|')) {
            do
                read_filter(p, demanded && all, depth + 1);
            while (!p->in.failed && p->in.p != p->in.end && *p->in.p == '(');
        } else {
            read_comparison(p, demanded);
        }
    }
    if (!take(p, ')'))
        reload_rd_fail(&p->in);
    skip_space(p);
}

enum reload_sip_scheme reload_sip_contact_prefs_scheme(struct reload_slice text)
{
    struct parse p = { .in = reload_reader_over(text) };
    read_filter(&p, true, 1);
    if (reload_reader_finish(&p.in) || p.sip == p.sips)
        return RELOAD_SIP_SCHEME_ANY;
    return p.sips ? RELOAD_SIP_SCHEME_SIPS : RELOAD_SIP_SCHEME_SIP;
}

const char *reload_sip_contact_prefs_text(enum reload_sip_scheme scheme)
{
    switch (scheme) {
    case RELOAD_SIP_SCHEME_ANY: break;
    case RELOAD_SIP_SCHEME_SIP: return "(sip.schemes=SIP)";
    case RELOAD_SIP_SCHEME_SIPS: return "(sip.schemes=SIPS)";
    }
    return "";
}
