#include "usage-sip/head.h"

#include "usage-sip/text.h"

static const struct {
    const char *name;
    char compact;
} compact_forms[] = {
    { "Call-ID", 'i' },
    { "Contact", 'm' },
    { "Content-Encoding", 'e' },
    { "Content-Length", 'l' },
    { "Content-Type", 'c' },
    { "From", 'f' },
    { "Subject", 's' },
    { "Supported", 'k' },
    { "To", 't' },
    { "Via", 'v' },
};

size_t reload_sip_head_len(struct reload_slice bytes)
{
    for (size_t i = 0; i + 4 <= bytes.n; i++)
        if (memcmp(bytes.p + i, "\r\n\r\n", 4) == 0)
            return i + 4;
    return 0;
}

static bool line_end(struct reload_slice head, size_t *at)
{
    for (size_t i = 0; i + 2 <= head.n; i++)
        if (head.p[i] == '\r' && head.p[i + 1] == '\n') {
            *at = i;
            return true;
        }
    return false;
}

static struct reload_slice behind(struct reload_slice s, size_t n)
{
    return (struct reload_slice){ s.p + n, s.n - n };
}

bool reload_sip_start_line(struct reload_slice *head, struct reload_slice *line)
{
    size_t end;
    if (!line_end(*head, &end) || end == 0)
        return false;
    *line = (struct reload_slice){ head->p, end };
    *head = behind(*head, end + 2);
    return true;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct reload_slice trim(struct reload_slice s)
{
    while (s.n && is_space(s.p[0]))
        s = behind(s, 1);
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Where the field that starts the head ends, its continuation lines included (s7.3.1). */
static bool field_end(struct reload_slice head, size_t *at)
{
    size_t end = 0, line;
    while (line_end(behind(head, end), &line)) {
        end += line + 2;
        if (end == head.n || (head.p[end] != ' ' && head.p[end] != '\t')) {
            *at = end;
            return true;
        }
    }
    return false;
}

bool reload_sip_field_next(struct reload_slice *head, struct reload_sip_field *out)
{
    size_t end, colon = 0;
    if (head->n == 2 && memcmp(head->p, "\r\n", 2) == 0)
        *head = behind(*head, 2);
    if (head->n == 0 || !field_end(*head, &end))
        return false;
    while (colon < end && head->p[colon] != ':')
        colon++;
    if (colon == end)
        return false;
    out->name = trim((struct reload_slice){ head->p, colon });
    out->value = trim((struct reload_slice){ head->p + colon + 1, end - colon - 1 });
    *head = behind(*head, end);
    return true;
}

bool reload_sip_field_is(const struct reload_sip_field *field, const char *long_name)
{
    if (reload_sip_text_is(field->name, long_name))
        return true;
    for (size_t i = 0; field->name.n == 1 && i < sizeof compact_forms / sizeof *compact_forms; i++)
        if ((field->name.p[0] | 0x20) == compact_forms[i].compact)
            return strcmp(compact_forms[i].name, long_name) == 0;
    return false;
}

int reload_sip_content_length(struct reload_slice head, size_t *out)
{
    struct reload_slice line;
    struct reload_sip_field field;
    int found = RELOAD_E_NOT_FOUND;
    if (!reload_sip_start_line(&head, &line))
        return RELOAD_E_DECODE;
    while (reload_sip_field_next(&head, &field)) {
        uint64_t number;
        if (!reload_sip_field_is(&field, "Content-Length"))
            continue;
        if (found == 0 || reload_sip_text_number(field.value, UINT32_MAX, &number) != 0)
            return RELOAD_E_DECODE;
        *out = (size_t)number;
        found = 0;
    }
    return found;
}
