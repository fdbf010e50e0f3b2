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

#define TEXT_MAX 65535 /* a longer one is looked at as it stands alone */

/* What the text says with these two around it. */
static enum reload_sip_scheme between(const char *before, struct reload_slice text,
                                      const char *after)
{
    static uint8_t whole[TEXT_MAX + 100];
    struct reload_writer w = reload_writer_of(whole, sizeof whole);
    reload_wr_bytes(&w, reload_slice_of(before, strlen(before)));
    reload_wr_bytes(&w, text);
    reload_wr_bytes(&w, reload_slice_of(after, strlen(after)));
    return reload_sip_contact_prefs_scheme(reload_writer_slice(&w));
}

static enum reload_sip_scheme in_the_other_case(struct reload_slice text)
{
    static uint8_t other[TEXT_MAX];
    for (size_t i = 0; i < text.n; i++)
        other[i] = (uint8_t)(islower(text.p[i]) ? toupper(text.p[i]) : tolower(text.p[i]));
    return reload_sip_contact_prefs_scheme(reload_slice_of(other, text.n));
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
    if (size > TEXT_MAX)
        return 0;
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
