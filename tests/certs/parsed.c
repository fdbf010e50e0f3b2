#include "tests/certs/parsed.h"

#include <stdio.h>
#include <string.h>

struct reload_cert_reason why;

int parse_document(struct reload_slice document, const char *name, struct reload_config **out)
{
    why.text[0] = '\0';
    return reload_cert_document_parse(document, name, NULL, out, &why);
}

int parse_text(const char *document, struct reload_config **out)
{
    return parse_document(text(document), NULL, out);
}

int parse_with(const char *elements, struct reload_config **out)
{
    char document[8192];
    snprintf(document, sizeof document, HEAD OPEN SELF "%s" CLOSE TAIL, elements);
    return parse_text(document, out);
}

struct reload_config *must_parse_with(const char *elements)
{
    struct reload_config *c;
    if (parse_with(elements, &c))
        fail_msg("%s: %s", elements, why.text);
    return c;
}

void must_refuse_with(const char *elements, int error, const char *word)
{
    struct reload_config *c;
    int got = parse_with(elements, &c);
    if (got != error || !strstr(why.text, word))
        fail_msg("%s: %d \"%s\", wanted %d \"%s\"", elements, got, why.text, error, word);
    assert_null(c);
}
