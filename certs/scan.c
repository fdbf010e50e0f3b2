#include "certs/scan.h"

enum tag_kind { TAG_OPEN, TAG_CLOSE, TAG_EMPTY };

struct tag {
    enum tag_kind kind;
    size_t start, end; /* "<" and behind ">" */
};

static bool at_string(struct reload_slice s, size_t at, const char *text)
{
    size_t len = strlen(text);
    return s.n - at >= len && memcmp(s.p + at, text, len) == 0;
}

/* Behind the next `text`; false when there is none. */
static bool skip_past(struct reload_slice s, size_t *at, const char *text)
{
    size_t len = strlen(text);
    const uint8_t *found = memmem(s.p + *at, s.n - *at, text, len);
    if (!found)
        return false;
    *at = (size_t)(found - s.p) + len;
    return true;
}

/* Behind the ">" that ends the tag at *at; attribute values may hold a ">". */
static bool skip_tag(struct reload_slice s, size_t *at)
{
    uint8_t quote = 0;
    for (size_t i = *at + 1; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '<')
            return false;
        else if (c == '>') {
            *at = i + 1;
            return true;
        }
    }
    return false;
}

/* The next tag, behind all that is none. */
static int next_tag(struct reload_slice s, size_t *at, struct tag *out)
{
    for (;;) {
        const uint8_t *open = *at < s.n ? memchr(s.p + *at, '<', s.n - *at) : NULL;
        if (!open)
            return RELOAD_E_NOT_FOUND;
        *at = (size_t)(open - s.p);
        if (at_string(s, *at, "<!--")) {
            *at += 4;
            if (!skip_past(s, at, "-->"))
                return RELOAD_E_DECODE;
        } else if (at_string(s, *at, "<![CDATA[")) {
            if (!skip_past(s, at, "]]>"))
                return RELOAD_E_DECODE;
        } else if (at_string(s, *at, "<?")) {
            if (!skip_past(s, at, "?>"))
                return RELOAD_E_DECODE;
        } else {
            break;
        }
    }
    if (at_string(s, *at, "<!")) /* a DTD */
        return RELOAD_E_DECODE;
    out->start = *at;
    if (!skip_tag(s, at))
        return RELOAD_E_DECODE;
    out->end = *at;
    out->kind = s.p[out->start + 1] == '/' ? TAG_CLOSE
                : s.p[out->end - 2] == '/' ? TAG_EMPTY
                                           : TAG_OPEN;
    return 0;
}

static struct reload_slice part(struct reload_slice s, size_t start, size_t end)
{
    return reload_slice_of(s.p + start, end - start);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct reload_slice name_of(struct reload_slice tag)
{
    size_t end = 1;
    while (end < tag.n && !is_space(tag.p[end]) && tag.p[end] != '/' && tag.p[end] != '>')
        end++;
    return part(tag, 1, end);
}

int reload_cert_scan_child(struct reload_slice content, size_t *at, struct reload_cert_element *out)
{
    struct tag first, last;
    int error = next_tag(content, at, &first);
    if (error)
        return error;
    if (first.kind == TAG_CLOSE)
        return RELOAD_E_DECODE;
    last = first;
    for (size_t depth = first.kind == TAG_OPEN; depth > 0;) {
        error = next_tag(content, at, &last);
        if (error)
            return RELOAD_E_DECODE;
        depth += last.kind == TAG_OPEN;
        depth -= last.kind == TAG_CLOSE;
    }
    out->whole = part(content, first.start, last.end);
    out->tag = part(content, first.start, first.end);
    out->name = name_of(out->tag);
    out->content = reload_slice_of(NULL, 0);
    if (first.kind != TAG_EMPTY)
        out->content = part(content, first.end, last.start);
    return 0;
}

int reload_cert_scan_nth(struct reload_slice content, size_t n, struct reload_cert_element *out)
{
    size_t at = 0;
    int error = reload_cert_scan_child(content, &at, out);
    while (!error && n-- > 0)
        error = reload_cert_scan_child(content, &at, out);
    return error;
}

bool reload_cert_scan_is(const struct reload_cert_element *element, const char *local_name)
{
    const uint8_t *colon = element->name.n ? memchr(element->name.p, ':', element->name.n) : NULL;
    size_t start = colon ? (size_t)(colon + 1 - element->name.p) : 0;
    return reload_slice_equal(part(element->name, start, element->name.n),
                              reload_slice_of(local_name, strlen(local_name)));
}

int reload_cert_scan_attribute(const struct reload_cert_element *element, const char *name,
                               struct reload_slice *value)
{
    struct reload_slice tag = element->tag;
    size_t at = 1 + element->name.n;
    while (at < tag.n) {
        while (at < tag.n && is_space(tag.p[at]))
            at++;
        size_t start = at;
        while (at < tag.n && tag.p[at] != '=' && !is_space(tag.p[at]))
            at++;
        struct reload_slice found = part(tag, start, at);
        while (at < tag.n && tag.p[at] != '"' && tag.p[at] != '\'')
            at++;
        const uint8_t *end =
            at + 1 < tag.n ? memchr(tag.p + at + 1, tag.p[at], tag.n - at - 1) : NULL;
        if (!end)
            break;
        *value = part(tag, at + 1, (size_t)(end - tag.p));
        if (reload_slice_equal(found, reload_slice_of(name, strlen(name))))
            return 0;
        at = (size_t)(end - tag.p) + 1;
    }
    return RELOAD_E_NOT_FOUND;
}

int reload_cert_scan_count(struct reload_slice document, size_t max)
{
    struct tag tag;
    size_t at = 0, count = 0;
    int error = 0;
    while (!error && count <= max) {
        error = next_tag(document, &at, &tag);
        if (!error && tag.kind != TAG_CLOSE)
            count++;
    }
    if (!error || count > max)
        return RELOAD_E_LIMIT;
    return error == RELOAD_E_NOT_FOUND ? 0 : error;
}
