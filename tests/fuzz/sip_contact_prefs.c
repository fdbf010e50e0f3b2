#include "fuzz.h"

#include <ctype.h>
#include <stdlib.h>

#include "usage-sip/contact_prefs.h"

/* A feature predicate of a registration. Neither space around it nor the case of its letters means
 * anything; what it demands is still demanded in a conjunction, and no more in a negation, in an
 * alternative or beside the contrary. */

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* What the text says with these two around it. */
static enum reload_sip_scheme between(const char *before, struct reload_slice text,
                                      const char *after)
{
    size_t b = strlen(before), a = strlen(after);
    uint8_t *whole = malloc(b + text.n + a);
    memcpy(whole, before, b);
    if (text.n)
        memcpy(whole + b, text.p, text.n);
    memcpy(whole + b + text.n, after, a);
    enum reload_sip_scheme scheme =
        reload_sip_contact_prefs_scheme(reload_slice_of(whole, b + text.n + a));
    free(whole);
    return scheme;
}

static enum reload_sip_scheme in_the_other_case(struct reload_slice text)
{
    uint8_t *other = malloc(text.n + 1);
    for (size_t i = 0; i < text.n; i++)
        other[i] = (uint8_t)(islower(text.p[i]) ? toupper(text.p[i]) : tolower(text.p[i]));
    enum reload_sip_scheme scheme = reload_sip_contact_prefs_scheme(reload_slice_of(other, text.n));
    free(other);
    return scheme;
}

static size_t parentheses(struct reload_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++)
        count += text.p[i] == '(';
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct reload_slice text = { data, size };
    enum reload_sip_scheme scheme = reload_sip_contact_prefs_scheme(text);
    demand(between(" \t", text, "\r\n ") == scheme);
    demand(in_the_other_case(text) == scheme);
    if (scheme == RELOAD_SIP_SCHEME_ANY)
        return 0;
    demand(between("(!", text, ")") == RELOAD_SIP_SCHEME_ANY);
    demand(between("(|", text, "(a=b))") == RELOAD_SIP_SCHEME_ANY);
    bool sips = scheme == RELOAD_SIP_SCHEME_SIPS;
    demand(sips || scheme == RELOAD_SIP_SCHEME_SIP);
    demand(between("(&", text, sips ? "(sip.schemes=SIP))" : "(sip.schemes=SIPS))") ==
           RELOAD_SIP_SCHEME_ANY);
    enum reload_sip_scheme joined = between("(&", text, "(a=b))");
    bool too_deep = parentheses(text) >= RELOAD_SIP_PREFS_DEPTH_MAX;
    demand(joined == scheme || (too_deep && joined == RELOAD_SIP_SCHEME_ANY));
    return 0;
}
