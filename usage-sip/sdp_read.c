#include <osipparser2/sdp_message.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "reload/alloc.h"
#include "usage-sip/candidate.h"
#include "usage-sip/text.h"

/* Zeros behind the text: libosip2 looks one byte beyond its end when the last line is that of a
 * stream. */
#define PARSER_OVERRUN    8
#define PACING_DEFAULT_MS 50 /* RFC 8445 s14.2 */

static struct reload_slice text_of(const char *text)
{
    return reload_slice_of(text, text ? strlen(text) : 0);
}

/* The n-th value of an attribute of a stream, or NULL. */
static const char *nth(const osip_list_t *attributes, const char *name, int n)
{
    for (int i = 0; !osip_list_eol(attributes, i); i++) {
        const sdp_attribute_t *a = osip_list_get(attributes, i);
        if (a->a_att_field && strcasecmp(a->a_att_field, name) == 0 && n-- == 0)
            return a->a_att_value ? a->a_att_value : "";
    }
    return NULL;
}

/* What a stream says, else what the session says for all (RFC 8866 s5.13, RFC 8122 s5). */
static const char *either(const sdp_message_t *sdp, const sdp_media_t *stream, const char *name,
                          int n)
{
    bool own = nth(&stream->a_attributes, name, 0) != NULL;
    return nth(own ? &stream->a_attributes : &sdp->a_attributes, name, n);
}

/* --- fingerprint, RFC 8122 s5 --- */

static const struct {
    const char *name;
    enum reload_sip_hash hash;
    size_t len;
} hashes[] = {
    { "sha-256", RELOAD_SIP_SHA256, 32 },
    { "sha-384", RELOAD_SIP_SHA384, 48 },
    { "sha-512", RELOAD_SIP_SHA512, 64 },
};

size_t reload_sip_hash_len(enum reload_sip_hash hash)
{
    return hashes[hash].len;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_octets(struct reload_slice hex, uint8_t *out, size_t len)
{
    if (hex.n != 3 * len - 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(hex.p[3 * i]), low = hex_digit(hex.p[3 * i + 1]);
        if (high < 0 || low < 0 || (i + 1 < len && hex.p[3 * i + 2] != ':'))
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* The first one of a hash that we know; weaker hashes are as good as none. */
static int read_fingerprint(const sdp_message_t *sdp, const sdp_media_t *stream,
                            struct reload_sip_media *out)
{
    const char *value;
    for (int n = 0; (value = either(sdp, stream, "fingerprint", n)); n++) {
        struct reload_slice rest = text_of(value), name = reload_sip_text_word(&rest),
                            hex = reload_sip_text_word(&rest);
        for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
            if (reload_sip_text_is(name, hashes[i].name)) {
                if (!read_octets(hex, out->fingerprint, hashes[i].len))
                    return RELOAD_E_DECODE;
                out->hash = hashes[i].hash;
                out->fingerprint_len = hashes[i].len;
                return 0;
            }
    }
    return RELOAD_E_UNSUPPORTED;
}

/* --- codecs --- */

static bool payload_offered(const sdp_media_t *stream, unsigned payload)
{
    for (int i = 0; !osip_list_eol(&stream->m_payloads, i); i++) {
        uint64_t number;
        if (reload_sip_text_number(text_of(osip_list_get(&stream->m_payloads, i)), 127, &number) ==
                0 &&
            number == payload)
            return true;
    }
    return false;
}

/* The payload type of the first rtpmap with that encoding; 0 for none. */
static uint8_t payload_of(const sdp_media_t *stream, const char *encoding)
{
    const char *value;
    for (int n = 0; (value = nth(&stream->a_attributes, "rtpmap", n)); n++) {
        struct reload_slice rest = text_of(value), type = reload_sip_text_word(&rest),
                            name = reload_sip_text_word(&rest);
        uint64_t number;
        if (reload_sip_text_number(type, 127, &number) == 0 && reload_sip_text_is(name, encoding) &&
            payload_offered(stream, (unsigned)number))
            return (uint8_t)number;
    }
    return 0;
}

static bool format_says(const char *parameters, const char *wanted)
{
    struct reload_slice rest = text_of(parameters);
    size_t len = strlen(wanted);
    for (size_t i = 0; i + len <= rest.n; i++) {
        bool starts = i == 0 || rest.p[i - 1] == ';' || rest.p[i - 1] == ' ';
        bool ends = i + len == rest.n || rest.p[i + len] == ';' || rest.p[i + len] == ' ';
        if (starts && ends && strncasecmp((const char *)rest.p + i, wanted, len) == 0)
            return true;
    }
    return false;
}

static void read_opus_format(const sdp_media_t *stream, struct reload_sip_media *out)
{
    const char *value;
    for (int n = 0; (value = nth(&stream->a_attributes, "fmtp", n)); n++) {
        struct reload_slice rest = text_of(value), type = reload_sip_text_word(&rest);
        uint64_t number;
        if (reload_sip_text_number(type, 127, &number) != 0 || number != out->opus_payload)
            continue;
        out->fec = format_says((const char *)rest.p, "useinbandfec=1");
        out->dtx = format_says((const char *)rest.p, "usedtx=1");
    }
    uint64_t ptime;
    const char *text = nth(&stream->a_attributes, "ptime", 0);
    if (text && reload_sip_text_number(text_of(text), 120, &ptime) == 0)
        out->ptime_ms = (unsigned)ptime;
}

static int read_codecs(const sdp_media_t *stream, struct reload_sip_media *out)
{
    out->opus_payload = payload_of(stream, "opus/48000/2"); /* RFC 7587 s7: always so */
    out->event_payload = payload_of(stream, "telephone-event/48000");
    if (!out->opus_payload)
        return RELOAD_E_UNSUPPORTED;
    read_opus_format(stream, out);
    return 0;
}

/* --- ICE --- */

static bool is_ice_text(const char *text, size_t min)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && c != '+' && c != '/')
            return false;
    }
    return len >= min && len <= RELOAD_SIP_ICE_TEXT_MAX;
}

/* RFC 8445 s10: whoever follows it says "ice2". */
static bool says_ice2(const sdp_message_t *sdp, const sdp_media_t *stream)
{
    struct reload_slice rest = text_of(either(sdp, stream, "ice-options", 0));
    while (rest.n > 0)
        if (reload_sip_text_is(reload_sip_text_word(&rest), "ice2"))
            return true;
    return false;
}

/* RFC 8839 s5.5: at session level, up to ten digits. */
static unsigned read_pacing(const sdp_message_t *sdp, const sdp_media_t *stream)
{
    uint64_t ms;
    const char *told = nth(&sdp->a_attributes, "ice-pacing", 0);
    if (told && reload_sip_text_number(text_of(told), UINT64_C(9999999999), &ms) == 0)
        return ms < RELOAD_SIP_ICE_PACING_MAX ? (unsigned)ms : RELOAD_SIP_ICE_PACING_MAX;
    return says_ice2(sdp, stream) ? PACING_DEFAULT_MS : 0;
}

static void read_candidates(const sdp_media_t *stream, struct reload_sip_media *out)
{
    const char *value;
    for (int n = 0; (value = nth(&stream->a_attributes, "candidate", n)) &&
                    out->candidate_count < RELOAD_SIP_CANDIDATES_MAX;
         n++)
        if (reload_sip_candidate_read(value, &out->candidates[out->candidate_count]) == 0)
            out->candidate_count++;
}

static int read_ice(const sdp_message_t *sdp, const sdp_media_t *stream,
                    struct reload_sip_media *out)
{
    const char *ufrag = either(sdp, stream, "ice-ufrag", 0);
    const char *pwd = either(sdp, stream, "ice-pwd", 0);
    if (!ufrag && !pwd)
        return 0;
    /* RFC 8839 s5.4: at least 4 and 22 characters, at most 256. */
    if (!ufrag || !pwd || !is_ice_text(ufrag, 4) || !is_ice_text(pwd, 22))
        return RELOAD_E_DECODE;
    memcpy(out->ice_ufrag, ufrag, strlen(ufrag) + 1);
    memcpy(out->ice_pwd, pwd, strlen(pwd) + 1);
    out->ice_lite = nth(&sdp->a_attributes, "ice-lite", 0) != NULL;
    out->ice_pacing_ms = read_pacing(sdp, stream);
    read_candidates(stream, out);
    return 0;
}

/* --- the stream --- */

static enum reload_sip_direction read_direction(const sdp_message_t *sdp, const sdp_media_t *stream)
{
    static const char *const names[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
    const osip_list_t *levels[] = { &stream->a_attributes, &sdp->a_attributes };
    for (size_t level = 0; level < 2; level++)
        for (size_t i = 0; i < 4; i++)
            if (nth(levels[level], names[i], 0))
                return (enum reload_sip_direction)i;
    return RELOAD_SIP_SENDRECV; /* RFC 8866 s6.7 */
}

/* RFC 5763 s5: an offer without it could not say who starts; taken as actpass. */
static int read_setup(const sdp_message_t *sdp, const sdp_media_t *stream,
                      enum reload_sip_setup *out)
{
    static const char *const names[] = { "actpass", "active", "passive" };
    const char *value = either(sdp, stream, "setup", 0);
    *out = RELOAD_SIP_ACTPASS;
    if (!value)
        return 0;
    for (size_t i = 0; i < 3; i++)
        if (strcasecmp(value, names[i]) == 0) {
            *out = (enum reload_sip_setup)i;
            return 0;
        }
    return RELOAD_E_UNSUPPORTED; /* holdconn: nothing to wait for */
}

static void read_address(const sdp_message_t *sdp, const sdp_media_t *stream,
                         struct reload_sip_media *out)
{
    const sdp_connection_t *c = osip_list_get(&stream->c_connections, 0);
    uint64_t port = 0;
    if (!c)
        c = sdp->c_connection;
    if (reload_sip_text_number(text_of(stream->m_port), UINT16_MAX, &port) != 0 || !c ||
        !c->c_addr || reload_sip_address_read(c->c_addr, &out->address) != 0)
        return;
    out->address.port = (uint16_t)port;
}

static int read_stream(const sdp_message_t *sdp, const sdp_media_t *stream,
                       struct reload_sip_media *out)
{
    *out = (struct reload_sip_media){ 0 };
    int error = read_codecs(stream, out);
    if (error == 0)
        error = read_fingerprint(sdp, stream, out);
    if (error == 0)
        error = read_ice(sdp, stream, out);
    if (error == 0)
        error = read_setup(sdp, stream, &out->setup);
    /* RFC 5761 s5.1.1: we have one port and no other. */
    if (error == 0 && !nth(&stream->a_attributes, "rtcp-mux", 0))
        error = RELOAD_E_UNSUPPORTED;
    if (error != 0)
        return error;
    read_address(sdp, stream, out);
    out->direction = read_direction(sdp, stream);
    bool reachable = out->address.len && out->address.port;
    return reachable || out->candidate_count || out->ice_ufrag[0] ? 0 : RELOAD_E_UNSUPPORTED;
}

static bool is_protected(const char *protocol)
{
    return strcmp(protocol, "UDP/TLS/RTP/SAVP") == 0 || strcmp(protocol, "UDP/TLS/RTP/SAVPF") == 0;
}

static int keep_stream(const sdp_media_t *stream, struct reload_sip_stream *out)
{
    const char *format = osip_list_get(&stream->m_payloads, 0);
    if (!stream->m_media || !stream->m_port || !stream->m_proto || !format)
        return RELOAD_E_DECODE;
    if (strlen(stream->m_media) >= sizeof out->kind ||
        strlen(stream->m_proto) >= sizeof out->protocol || strlen(format) >= sizeof out->format)
        return RELOAD_E_LIMIT;
    memcpy(out->kind, stream->m_media, strlen(stream->m_media) + 1);
    memcpy(out->protocol, stream->m_proto, strlen(stream->m_proto) + 1);
    memcpy(out->format, format, strlen(format) + 1);
    return 0;
}

/* Every stream is kept in its place; the first audio that we can speak is the call's. */
static int read_streams(const sdp_message_t *sdp, struct reload_sip_sdp *out)
{
    int found = RELOAD_E_UNSUPPORTED;
    for (int i = 0; !osip_list_eol(&sdp->m_medias, i); i++) {
        const sdp_media_t *stream = osip_list_get(&sdp->m_medias, i);
        struct reload_sip_media media;
        if (i == RELOAD_SIP_STREAMS_MAX ||
            osip_list_size(&stream->a_attributes) > RELOAD_SIP_ATTRIBUTES_MAX)
            return RELOAD_E_LIMIT;
        struct reload_sip_stream *kept = &out->streams[out->stream_count];
        int error = keep_stream(stream, kept);
        if (error != 0)
            return error;
        if (found != 0 && strcmp(kept->kind, "audio") == 0 && is_protected(kept->protocol) &&
            strcmp(stream->m_port, "0") != 0) {
            error = read_stream(sdp, stream, &media);
            if (error == 0 || found == RELOAD_E_UNSUPPORTED)
                found = error;
            if (error == 0) {
                out->media = media;
                out->audio = out->stream_count;
            }
        }
        out->stream_count++;
    }
    return found;
}

/* RFC 8866 s5: v=, o= and s= are there, the version is 0. */
static int read_session(const sdp_message_t *sdp, struct reload_sip_sdp *out)
{
    if (!sdp->v_version || strcmp(sdp->v_version, "0") != 0 || !sdp->o_sess_id || !sdp->o_addr)
        return RELOAD_E_DECODE;
    if (osip_list_size(&sdp->a_attributes) > RELOAD_SIP_ATTRIBUTES_MAX)
        return RELOAD_E_LIMIT;
    return read_streams(sdp, out);
}

int reload_sip_sdp_read(const char *text, size_t len, struct reload_sip_sdp *out)
{
    *out = (struct reload_sip_sdp){ 0 };
    if (len > RELOAD_SIP_SDP_MAX)
        return RELOAD_E_LIMIT;
    if (len == 0 || memchr(text, '\0', len))
        return RELOAD_E_DECODE;
    char *copy = reload_calloc(1, len + PARSER_OVERRUN);
    sdp_message_t *sdp = NULL;
    int error = RELOAD_E_NOMEM;
    if (copy)
        memcpy(copy, text, len);
    if (copy && sdp_message_init(&sdp) == 0)
        error = sdp_message_parse(sdp, copy) == 0 ? read_session(sdp, out) : RELOAD_E_DECODE;
    sdp_message_free(sdp);
    reload_free(copy);
    return error;
}
