#include "usage-sip/framing.h"

#include "reload/alloc.h"

void reload_sip_framing_fini(struct reload_sip_framing *framing)
{
    reload_free(framing->held);
    *framing = (struct reload_sip_framing){ 0 };
}

static int reserve(struct reload_sip_framing *framing, size_t len)
{
    if (len <= framing->cap)
        return 0;
    size_t cap = framing->cap ? framing->cap : 1024;
    while (cap < len)
        cap *= 2;
    uint8_t *held = reload_realloc(framing->held, cap);
    if (!held)
        return RELOAD_E_NOMEM;
    framing->held = held;
    framing->cap = cap;
    return 0;
}

static int take(struct reload_sip_framing *framing, struct reload_slice *input, size_t n)
{
    if (n > input->n)
        n = input->n;
    if (n == 0)
        return 0;
    int error = reserve(framing, framing->len + n);
    if (error != 0)
        return error;
    memcpy(framing->held + framing->len, input->p, n);
    framing->len += n;
    *input = (struct reload_slice){ input->p + n, input->n - n };
    return 0;
}

static void skip_empty_lines(struct reload_slice *input)
{
    while (input->n && (input->p[0] == '\r' || input->p[0] == '\n'))
        *input = (struct reload_slice){ input->p + 1, input->n - 1 };
}

/* Where the head ends in what is held, or 0. */
static size_t held_head(struct reload_sip_framing *framing)
{
    if (!framing->held)
        return 0;
    struct reload_slice unsearched = { framing->held + framing->searched,
                                       framing->len - framing->searched };
    size_t end = reload_sip_head_len(unsearched);
    if (end != 0)
        return framing->searched + end;
    framing->searched = framing->len > 3 ? framing->len - 3 : 0;
    return 0;
}

/* Takes bytes of the head, at most to its greatest length. More than the head may come along: it is
 * given back. Returns its length, 0 when it is not whole, or an error. */
static int take_head(struct reload_sip_framing *framing, struct reload_slice *input)
{
    size_t before = framing->len;
    const struct reload_slice all = *input;
    if (framing->len < RELOAD_SIP_HEAD_MAX) {
        int error = take(framing, input, RELOAD_SIP_HEAD_MAX - framing->len);
        if (error != 0)
            return error;
    }
    size_t head = held_head(framing);
    if (head == 0)
        return framing->len == RELOAD_SIP_HEAD_MAX ? RELOAD_E_LIMIT : 0;
    framing->len = head; /* what follows it may be another message */
    *input = (struct reload_slice){ all.p + (head - before), all.n - (head - before) };
    framing->searched = head - 4;
    return (int)head;
}

int reload_sip_framing_next(struct reload_sip_framing *framing, struct reload_slice *input,
                            struct reload_slice *message)
{
    size_t head = 0, body;
    if (framing->len == 0)
        skip_empty_lines(input);
    if (framing->len)
        head = held_head(framing);
    if (head == 0) {
        int taken = take_head(framing, input);
        if (taken <= 0)
            return taken;
        head = (size_t)taken;
    } else {
        framing->searched = head - 4;
    }
    if (reload_sip_content_length((struct reload_slice){ framing->held, head }, &body) != 0)
        return RELOAD_E_DECODE;
    if (body > RELOAD_SIP_MESSAGE_MAX - head)
        return RELOAD_E_LIMIT;
    int error = take(framing, input, head + body - framing->len);
    if (error != 0 || framing->len < head + body)
        return error;
    *message = (struct reload_slice){ framing->held, framing->len };
    framing->len = 0;
    framing->searched = 0;
    return 1;
}
