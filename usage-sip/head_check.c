#include "usage-sip/head.h"

#include "usage-sip/text.h"

/* The fields that s20 allows once, and what a scalar may be. */
static const struct {
    const char *name;
    uint64_t max; /* of a number; 0: not one */
} single_fields[] = {
    { "From", 0 },           { "To", 0 },
    { "Call-ID", 0 },        { "CSeq", 0 },
    { "Max-Forwards", 255 }, { "Content-Length", UINT32_MAX },
    { "Content-Type", 0 },   { "Expires", UINT32_MAX },
    { "Date", 0 },
};
#define SINGLE_FIELDS (sizeof single_fields / sizeof *single_fields)

/* s25.1, token */
static bool is_token(uint8_t c)
{
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';
    return letter || digit || (c && strchr("-.!%*_+`'~", c));
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool all_tokens(struct reload_slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token(s.p[i]))
            return false;
    return s.n != 0;
}

/* Index of the first character that is in `set` and neither inside quotes nor in a URI between
 * angle brackets; s.n when there is none. A quote that does not end makes *open true. */
static size_t find_outside(struct reload_slice s, const char *set, bool *open)
{
    bool quoted = false, bracket = false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (!quoted && !bracket && c && strchr(set, c))
            return i;
        if (quoted && c == '\\' && i + 1 < s.n)
            i++;
        else if (c == '"' && !bracket)
            quoted = !quoted;
        else if (!quoted && (c == '<' || c == '>'))
            bracket = c == '<';
    }
    *open = quoted;
    return s.n;
}

/* A separator with nothing behind it, or another one (RFC 3261 s25.1, s7.3.1). */
static bool separators_fit(struct reload_slice value)
{
    bool open = false;
    struct reload_slice rest = value;
    for (;;) {
        size_t at = find_outside(rest, ";,", &open);
        if (at == rest.n)
            return !open;
        at++;
        while (at < rest.n && is_space(rest.p[at]))
            at++;
        if (at == rest.n || rest.p[at] == ';' || rest.p[at] == ',')
            return false;
        rest = (struct reload_slice){ rest.p + at, rest.n - at };
    }
}

/* name-addr: [ display-name ] "<" addr-spec ">"; display names are tokens or one quoted string. */
static bool display_name_fits(struct reload_slice name)
{
    while (name.n && is_space(name.p[name.n - 1]))
        name.n--;
    if (name.n && name.p[0] == '"')
        return name.n > 1 && name.p[name.n - 1] == '"';
    for (size_t i = 0; i < name.n; i++)
        if (!is_token(name.p[i]) && !is_space(name.p[i]))
            return false;
    return true;
}

static bool has_any(struct reload_slice s, const char *set)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] && strchr(set, s.p[i]))
            return true;
    return false;
}

static struct reload_slice until(struct reload_slice s, size_t end)
{
    return (struct reload_slice){ s.p, end };
}

/* One address of From, To or Contact. `end` is where it ends in value: at a "," or the end. */
static bool address_fits(struct reload_slice value)
{
    bool open = false;
    size_t angle = find_outside(value, "<", &open);
    if (open)
        return false;
    if (angle == value.n) { /* s20.10: without brackets no "?", "," or ";" belongs to the URI */
        struct reload_slice uri = until(value, find_outside(value, ";", &open));
        while (uri.n && is_space(uri.p[uri.n - 1]))
            uri.n--;
        return uri.n && !has_any(uri, " \t\r\n?\"");
    }
    struct reload_slice rest = { value.p + angle + 1, value.n - angle - 1 };
    size_t close = 0;
    while (close < rest.n && rest.p[close] != '>')
        close++;
    return close < rest.n && close > 0 && !has_any(until(rest, close), " \t\r\n<") &&
           display_name_fits(until(value, angle));
}

/* Splits a list at its commas, those in brackets and quotes left alone. */
static bool addresses_fit(struct reload_slice value)
{
    while (value.n) {
        bool open = false;
        size_t end = find_outside(value, ",", &open);
        if (!address_fits(until(value, end)))
            return false;
        size_t next = end < value.n ? end + 1 : end;
        while (next < value.n && is_space(value.p[next]))
            next++;
        value = (struct reload_slice){ value.p + next, value.n - next };
    }
    return true;
}

static bool value_fits(const struct reload_sip_field *field)
{
    bool address = reload_sip_field_is(field, "From") || reload_sip_field_is(field, "To");
    bool contact = reload_sip_field_is(field, "Contact");
    if (address)
        return separators_fit(field->value) && address_fits(field->value);
    if (contact)
        return reload_sip_text_is(field->value, "*") ||
               (separators_fit(field->value) && addresses_fit(field->value));
    if (reload_sip_field_is(field, "Via"))
        return separators_fit(field->value);
    if (reload_sip_field_is(field, "Date")) /* s20.17: GMT only */
        return field->value.n > 4 && memcmp(field->value.p + field->value.n - 4, " GMT", 4) == 0;
    return true;
}

static bool number_fits(struct reload_slice value, uint64_t max)
{
    uint64_t number;
    return max == 0 || reload_sip_text_number(value, max, &number) == 0;
}

static bool counts_fit(const struct reload_sip_field *field, unsigned *seen)
{
    for (unsigned i = 0; i < SINGLE_FIELDS; i++) {
        if (!reload_sip_field_is(field, single_fields[i].name))
            continue;
        if (*seen & 1u << i || !number_fits(field->value, single_fields[i].max))
            return false;
        *seen |= 1u << i;
    }
    return true;
}

static bool no_nul(struct reload_slice head)
{
    return head.n == 0 || !memchr(head.p, '\0', head.n);
}

/* Method SP Request-URI SP SIP-Version, one space each and none at the end (s7.1). */
static int request_line_check(struct reload_slice line)
{
    struct reload_slice part[3] = { 0 };
    size_t count = 0, start = 0;
    for (size_t i = 0; i <= line.n; i++) {
        if (i < line.n && line.p[i] != ' ')
            continue;
        if (count == 3 || i == start)
            return RELOAD_E_INVALID;
        part[count++] = (struct reload_slice){ line.p + start, i - start };
        start = i + 1;
    }
    if (count != 3 || !all_tokens(part[0]) || has_any(part[1], "<>\"\t") || part[2].n < 5 ||
        !reload_sip_text_is(until(part[2], 4), "SIP/")) /* in any case */
        return RELOAD_E_INVALID;
    return reload_sip_text_is(part[2], "SIP/2.0") ? 0 : RELOAD_E_UNSUPPORTED;
}

/* SIP-Version SP Status-Code SP Reason-Phrase; the phrase may be empty, the space not (s7.2). */
static int status_line_check(struct reload_slice line)
{
    if (line.n < 12 || memcmp(line.p, "SIP/2.0 ", 8) != 0)
        return RELOAD_E_UNSUPPORTED;
    for (size_t i = 8; i < 11; i++)
        if (line.p[i] < '0' || line.p[i] > '9')
            return RELOAD_E_INVALID;
    return line.p[8] >= '1' && line.p[8] <= '6' && line.p[11] == ' ' ? 0 : RELOAD_E_INVALID;
}

int reload_sip_head_check(struct reload_slice head)
{
    struct reload_slice line;
    struct reload_sip_field field;
    unsigned seen = 0;
    size_t count = 0;
    if (!no_nul(head) || !reload_sip_start_line(&head, &line))
        return RELOAD_E_INVALID;
    bool status = line.n > 4 && memcmp(line.p, "SIP/", 4) == 0;
    int error = status ? status_line_check(line) : request_line_check(line);
    while (error == 0 && reload_sip_field_next(&head, &field)) {
        if (++count > RELOAD_SIP_HEADERS_MAX)
            error = RELOAD_E_LIMIT;
        else if (!all_tokens(field.name) || !counts_fit(&field, &seen) || !value_fits(&field))
            error = RELOAD_E_INVALID;
    }
    return error == 0 && head.n != 0 ? RELOAD_E_INVALID : error;
}
