#include "usage-sip/uri.h"

#include <strings.h>

static bool is_text(struct reload_slice s, const char *text)
{
    return s.n == strlen(text) && strncasecmp((const char *)s.p, text, s.n) == 0;
}

/* Where one of `stops` is first; the end when none is. */
static size_t span_to(struct reload_slice s, const char *stops)
{
    size_t at = 0;
    while (at < s.n && (s.p[at] == '\0' || !strchr(stops, s.p[at])))
        at++;
    return at;
}

/* The text before `at`; *rest is what follows the character there. */
static struct reload_slice cut(struct reload_slice s, size_t at, struct reload_slice *rest)
{
    *rest = at < s.n ? reload_slice_of(s.p + at + 1, s.n - at - 1) : (struct reload_slice){ 0 };
    return reload_slice_of(s.p, at);
}

static struct reload_slice trim(struct reload_slice s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = reload_slice_of(s.p + 1, s.n - 1);
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* A scheme ends before the first "@": what follows the first colon after it is a port. */
static struct reload_slice split_scheme(struct reload_slice *text)
{
    size_t colon = span_to(*text, ":@;?");
    struct reload_slice rest;
    if (colon == text->n || text->p[colon] != ':' || colon == 0)
        return (struct reload_slice){ 0 };
    struct reload_slice scheme = cut(*text, colon, &rest);
    *text = rest;
    return scheme;
}

static bool is_port(struct reload_slice s)
{
    if (s.n == 0 || s.n > 5)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

int reload_sip_uri_split(struct reload_slice text, struct reload_sip_uri *out)
{
    struct reload_slice rest, tail, port;
    *out = (struct reload_sip_uri){ 0 };
    text = trim(text);
    out->scheme = split_scheme(&text);
    if (out->scheme.n && !is_text(out->scheme, "sip") && !is_text(out->scheme, "sips"))
        return RELOAD_E_UNSUPPORTED;
    size_t at = span_to(text, "@"); /* never raw in a user part, RFC 3261 s25.1 */
    if (at == 0 || at == text.n)
        return RELOAD_E_INVALID;
    out->user = cut(text, at, &rest);
    if (memchr(out->user.p, ':', out->user.n))
        return RELOAD_E_INVALID;
    struct reload_slice place = cut(rest, span_to(rest, ";?"), &tail);
    if (place.n < rest.n && rest.p[place.n] == ';')
        out->parameters = cut(tail, span_to(tail, "?"), &rest);
    size_t colon = span_to(place, ":");
    out->host = cut(place, colon, &port);
    return out->host.n == 0 || (colon < place.n && !is_port(port)) ? RELOAD_E_INVALID : 0;
}

bool reload_sip_uri_is_secure(const struct reload_sip_uri *uri)
{
    return is_text(uri->scheme, "sips");
}

bool reload_sip_uri_parameter(const struct reload_sip_uri *uri, const char *name,
                              struct reload_slice *value)
{
    struct reload_slice rest = uri->parameters;
    while (rest.n > 0) {
        struct reload_slice one = cut(rest, span_to(rest, ";"), &rest);
        if (is_text(cut(one, span_to(one, "="), value), name))
            return true;
    }
    return false;
}
