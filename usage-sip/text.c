#include "usage-sip/text.h"

#include <strings.h>

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

struct reload_slice reload_sip_text_word(struct reload_slice *rest)
{
    size_t start = 0;
    while (start < rest->n && is_blank(rest->p[start]))
        start++;
    size_t end = start;
    while (end < rest->n && !is_blank(rest->p[end]))
        end++;
    struct reload_slice word = { rest->p + start, end - start };
    *rest = (struct reload_slice){ rest->p + end, rest->n - end };
    return word;
}

bool reload_sip_text_is(struct reload_slice text, const char *word)
{
    return text.n == strlen(word) && strncasecmp((const char *)text.p, word, text.n) == 0;
}

int reload_sip_text_number(struct reload_slice text, uint64_t max, uint64_t *out)
{
    uint64_t number = 0;
    if (text.n == 0)
        return RELOAD_E_DECODE;
    for (size_t i = 0; i < text.n; i++) {
        unsigned digit = (unsigned)text.p[i] - '0';
        if (digit > 9 || number > (max - digit) / 10)
            return RELOAD_E_DECODE;
        number = number * 10 + digit;
    }
    *out = number;
    return 0;
}
