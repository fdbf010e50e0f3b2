#include "usage-sip/internal.h"

#include <osipparser2/osip_port.h>

#include "usage-sip/text.h"

/* One whole message from a channel: parsed, and judged before anything acts on it (RFC 3261 s8.2,
 * s16.3, s17.1.3, s18.3; RFC 4475 collects what goes wrong). */

static void judge(struct reload_sip_reading *reading, int status, enum reload_sip_refusal refusal)
{
    if (reading->status == 0) {
        reading->status = status;
        reading->refusal = refusal;
    }
}

/* s18.3: bytes beyond Content-Length are ignored in a datagram; missing ones make it 400. */
static bool body_fits(struct reload_slice *bytes, size_t head)
{
    size_t body;
    int found = reload_sip_content_length((struct reload_slice){ bytes->p, head }, &body);
    if (found == RELOAD_E_NOT_FOUND)
        return true;
    if (found != 0 || body > bytes->n - head)
        return false;
    bytes->n = head + body;
    return true;
}

static osip_message_t *parse(struct reload_slice bytes)
{
    osip_message_t *message = NULL;
    if (osip_message_init(&message) != 0)
        return NULL;
    if (osip_message_parse(message, (const char *)bytes.p, bytes.n) == 0)
        return message;
    osip_message_free(message);
    return NULL;
}

/* What every message has, s8.1.1. Without it there is not even an answer. */
static bool can_be_answered(const osip_message_t *message)
{
    return message->call_id && message->call_id->number && message->cseq && message->cseq->number &&
           message->cseq->method && message->from && message->from->url && message->to &&
           message->to->url && osip_list_size(&message->vias) > 0;
}

/* s8.1.1.5: below 2^31, and of the same method. */
static bool cseq_fits(const osip_message_t *message)
{
    uint64_t number;
    const char *text = message->cseq->number;
    return reload_sip_text_number(reload_slice_of(text, strlen(text)), INT32_MAX, &number) == 0 &&
           (MSG_IS_RESPONSE(message) || strcmp(message->cseq->method, message->sip_method) == 0);
}

/* s8.1.1.7: with the cookie there has to be something that tells transactions apart. */
static bool branch_fits(const osip_message_t *message)
{
    return strcmp(reload_sip_branch(message), "z9hG4bK") != 0;
}

static bool is_sip(const osip_uri_t *uri)
{
    return uri && uri->scheme &&
           (osip_strcasecmp(uri->scheme, "sip") == 0 || osip_strcasecmp(uri->scheme, "sips") == 0);
}

static void judge_request(struct reload_sip_reading *reading)
{
    osip_message_t *message = reading->message;
    osip_header_t *require = NULL;
    if (!message->req_uri)
        judge(reading, 400, RELOAD_SIP_REFUSED_INVALID);
    else if (!is_sip(message->req_uri))
        judge(reading, 416, RELOAD_SIP_REFUSED_SCHEME);
    else if (osip_list_size(&message->req_uri->url_headers) > 0) /* s19.1.1, table 1 */
        judge(reading, 400, RELOAD_SIP_REFUSED_INVALID);
    if (reload_sip_tag(message->from)[0] == '\0' && reload_sip_branch(message)[0] != '\0')
        judge(reading, 400, RELOAD_SIP_REFUSED_INVALID); /* s8.1.1.3 */
    osip_message_header_get_byname(message, "require", 0, &require);
    /* s8.2.2.3: none is known; not looked at in ACK and CANCEL. */
    if (require && !MSG_IS_ACK(message) && !MSG_IS_CANCEL(message))
        judge(reading, 420, RELOAD_SIP_REFUSED_EXTENSION);
}

void reload_sip_read(struct reload_slice bytes, struct reload_sip_reading *out)
{
    *out = (struct reload_sip_reading){ .refusal = RELOAD_SIP_REFUSED_MALFORMED };
    size_t head = reload_sip_head_len(bytes);
    if (head == 0 || head > RELOAD_SIP_HEAD_MAX || bytes.n > RELOAD_SIP_MESSAGE_MAX)
        return;
    int lexical = reload_sip_head_check((struct reload_slice){ bytes.p, head });
    bool whole = body_fits(&bytes, head);
    out->message = memchr(bytes.p, '\0', head) ? NULL : parse(bytes);
    if (!out->message)
        return;
    if (!can_be_answered(out->message)) {
        osip_message_free(out->message);
        out->message = NULL;
        return;
    }
    if (lexical == RELOAD_E_UNSUPPORTED)
        judge(out, 505, RELOAD_SIP_REFUSED_VERSION);
    if (lexical != 0 || !whole || !cseq_fits(out->message) || !branch_fits(out->message))
        judge(out, 400, RELOAD_SIP_REFUSED_INVALID);
    if (MSG_IS_REQUEST(out->message))
        judge_request(out);
}
