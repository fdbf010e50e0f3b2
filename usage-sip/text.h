#ifndef USAGE_SIP_TEXT_H
#define USAGE_SIP_TEXT_H

#include "reload/wire/cursor.h"

/* Words and numbers of header and attribute values. */

/* Takes the next run of characters other than spaces and tabs off `rest`; empty at the end. */
struct reload_slice reload_sip_text_word(struct reload_slice *rest);
/* Compares without regard to case (ASCII). */
bool reload_sip_text_is(struct reload_slice text, const char *word);
/* Decimal digits and nothing else, at most `max`. RELOAD_E_DECODE otherwise. */
RELOAD_MUST_USE int reload_sip_text_number(struct reload_slice text, uint64_t max, uint64_t *out);

#endif
