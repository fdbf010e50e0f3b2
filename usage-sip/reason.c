#include "usage-sip/reason.h"

#include <stdio.h>

#include "usage-sip/text.h"

/* Takes what stands before the next `end` that is not in quotes off `rest`, and the `end`. */
static struct reload_slice take_until(struct reload_slice *rest, char end)
{
    size_t n = 0;
    bool quoted = false;
    for (; n < rest->n && (quoted || rest->p[n] != (uint8_t)end); n++) {
        if (rest->p[n] == '"')
            quoted = !quoted;
        else if (quoted && rest->p[n] == '\\' && n + 1 < rest->n)
            n++;
    }
    struct reload_slice part = reload_slice_of(rest->p, n);
    n += n < rest->n;
    *rest = reload_slice_of(rest->p + n, rest->n - n);
    return part;
}

void reload_sip_reason_write(int status, char out[RELOAD_SIP_REASON_TEXT])
{
    (void)snprintf(out, RELOAD_SIP_REASON_TEXT, "SIP ;cause=%d", status % 1000);
}

int reload_sip_reason_read(struct reload_slice value)
{
    struct reload_slice protocol = take_until(&value, ';');
    if (!reload_sip_text_is(reload_sip_text_word(&protocol), "SIP"))
        return 0;
    while (value.n > 0) {
        struct reload_slice text = take_until(&value, ';'), name = take_until(&text, '=');
        uint64_t cause;
        if (reload_sip_text_is(reload_sip_text_word(&name), "cause") &&
            reload_sip_text_number(reload_sip_text_word(&text), 699, &cause) == 0)
            return cause >= 200 ? (int)cause : 0;
    }
    return 0;
}
