#include "usage-sip/candidate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "usage-sip/text.h"

static const char *const type_names[] = {
    [RELOAD_SIP_HOST] = "host",
    [RELOAD_SIP_SRFLX] = "srflx",
    [RELOAD_SIP_PRFLX] = "prflx",
    [RELOAD_SIP_RELAY] = "relay",
};

int reload_sip_address_read(const char *text, struct reload_sip_address *out)
{
    if (inet_pton(AF_INET, text, out->bytes) == 1)
        out->len = 4;
    else if (inet_pton(AF_INET6, text, out->bytes) == 1)
        out->len = 16;
    else
        return RELOAD_E_INVALID;
    return 0;
}

const char *reload_sip_address_text(const struct reload_sip_address *address,
                                    char text[RELOAD_SIP_ADDRESS_TEXT])
{
    text[0] = '\0';
    if (address->len)
        (void)inet_ntop(address->len == 4 ? AF_INET : AF_INET6, address->bytes, text,
                        RELOAD_SIP_ADDRESS_TEXT);
    return text;
}

static int read_type(struct reload_slice word, enum reload_sip_candidate_type *out)
{
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++)
        if (reload_sip_text_is(word, type_names[i])) {
            *out = (enum reload_sip_candidate_type)i;
            return 0;
        }
    return RELOAD_E_UNSUPPORTED;
}

static int read_address(struct reload_slice host, struct reload_slice port,
                        struct reload_sip_address *out)
{
    char text[RELOAD_SIP_ADDRESS_TEXT];
    uint64_t number;
    if (reload_sip_text_number(port, UINT16_MAX, &number) != 0)
        return RELOAD_E_DECODE;
    if (host.n >= sizeof text)
        return RELOAD_E_UNSUPPORTED;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    out->port = (uint16_t)number;
    return reload_sip_address_read(text, out) == 0 ? 0 : RELOAD_E_UNSUPPORTED;
}

/* "raddr" and "rport" and whatever extensions follow, in pairs. */
static void read_related(struct reload_slice *rest, struct reload_sip_candidate *out)
{
    struct reload_slice host = { 0 }, port = { 0 };
    while (rest->n) {
        struct reload_slice name = reload_sip_text_word(rest), value = reload_sip_text_word(rest);
        if (reload_sip_text_is(name, "raddr"))
            host = value;
        else if (reload_sip_text_is(name, "rport"))
            port = value;
    }
    if (read_address(host, port, &out->related) != 0)
        out->related = (struct reload_sip_address){ 0 };
}

int reload_sip_candidate_read(const char *value, struct reload_sip_candidate *out)
{
    struct reload_slice rest = reload_slice_of(value, strlen(value)), words[8];
    uint64_t component, priority;
    *out = (struct reload_sip_candidate){ 0 };
    for (size_t i = 0; i < 8; i++)
        words[i] = reload_sip_text_word(&rest);
    if (words[0].n == 0 || words[0].n > RELOAD_SIP_FOUNDATION_MAX ||
        reload_sip_text_number(words[1], 256, &component) != 0 || component == 0 ||
        reload_sip_text_number(words[3], INT32_MAX, &priority) != 0 || priority == 0 ||
        !reload_sip_text_is(words[6], "typ"))
        return RELOAD_E_DECODE;
    if (component != 1 || !reload_sip_text_is(words[2], "UDP"))
        return RELOAD_E_UNSUPPORTED;
    memcpy(out->foundation, words[0].p, words[0].n);
    out->priority = (uint32_t)priority;
    int error = read_type(words[7], &out->type);
    if (error == 0)
        error = read_address(words[4], words[5], &out->address);
    if (error == 0 && out->address.port == 0)
        error = RELOAD_E_DECODE;
    if (error == 0 && out->type != RELOAD_SIP_HOST)
        read_related(&rest, out);
    return error;
}

int reload_sip_candidate_write(const struct reload_sip_candidate *candidate,
                               char text[RELOAD_SIP_CANDIDATE_TEXT])
{
    char host[RELOAD_SIP_ADDRESS_TEXT], related[RELOAD_SIP_ADDRESS_TEXT];
    if (candidate->address.len == 0 || candidate->foundation[0] == '\0')
        return RELOAD_E_INVALID;
    int len =
        snprintf(text, RELOAD_SIP_CANDIDATE_TEXT, "%s 1 UDP %u %s %u typ %s", candidate->foundation,
                 candidate->priority, reload_sip_address_text(&candidate->address, host),
                 candidate->address.port, type_names[candidate->type]);
    /* RFC 8839 s5.1: raddr and rport must be there for all types but host. */
    if (candidate->type != RELOAD_SIP_HOST)
        (void)snprintf(text + len, RELOAD_SIP_CANDIDATE_TEXT - (size_t)len, " raddr %s rport %u",
                       candidate->related.len
                           ? reload_sip_address_text(&candidate->related, related)
                           : "0.0.0.0",
                       candidate->related.len ? candidate->related.port : 9u);
    return 0;
}
