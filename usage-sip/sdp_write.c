#include <osipparser2/osip_port.h>
#include <osipparser2/sdp_message.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h> /* osip_free() is a macro of free() */
#include <string.h>
#include <sys/time.h>

#include "reload/alloc.h"
#include "usage-sip/candidate.h"

#define PROTOCOL         "UDP/TLS/RTP/SAVPF"
#define OPUS_PAYLOAD     111
#define EVENT_PAYLOAD    101
#define FINGERPRINT_TEXT (8 + 3 * RELOAD_SIP_FINGERPRINT_MAX + 1)

struct writer { /* a description under way; `failed` sticks */
    sdp_message_t *sdp;
    bool failed;
};

static char *dup(struct writer *w, const char *text)
{
    char *copy = osip_strdup(text);
    w->failed = w->failed || !copy;
    return copy;
}

static void attribute(struct writer *w, int stream, const char *name, const char *value)
{
    char *n = dup(w, name), *v = value ? dup(w, value) : NULL;
    if (w->failed || sdp_message_a_attribute_add(w->sdp, stream, n, v) != 0) {
        osip_free(n);
        osip_free(v);
        w->failed = true;
    }
}

static void attribute_number(struct writer *w, int stream, const char *name, unsigned value)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u", value);
    attribute(w, stream, name, text);
}

static void write_codecs(struct writer *w, int stream, const struct reload_sip_media *local)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%u opus/48000/2", local->opus_payload);
    attribute(w, stream, "rtpmap", text);
    (void)snprintf(text, sizeof text, "%u useinbandfec=%d;usedtx=%d", local->opus_payload,
                   local->fec, local->dtx);
    attribute(w, stream, "fmtp", text);
    if (local->event_payload) {
        (void)snprintf(text, sizeof text, "%u telephone-event/48000", local->event_payload);
        attribute(w, stream, "rtpmap", text);
        (void)snprintf(text, sizeof text, "%u 0-15", local->event_payload);
        attribute(w, stream, "fmtp", text);
    }
    if (local->ptime_ms)
        attribute_number(w, stream, "ptime", local->ptime_ms);
}

static void write_keys(struct writer *w, int stream, const struct reload_sip_media *local)
{
    static const char *const setups[] = { "actpass", "active", "passive" };
    static const char *const hashes[] = { "sha-256", "sha-384", "sha-512" };
    char text[FINGERPRINT_TEXT];
    int len = snprintf(text, sizeof text, "%s", hashes[local->hash]);
    for (size_t i = 0; i < local->fingerprint_len; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%c%02X", i ? ':' : ' ',
                        local->fingerprint[i]);
    attribute(w, stream, "fingerprint", text);
    attribute(w, stream, "setup", setups[local->setup]);
}

static void write_ice(struct writer *w, int stream, const struct reload_sip_media *local)
{
    char text[RELOAD_SIP_CANDIDATE_TEXT];
    if (!local->ice_ufrag[0])
        return;
    attribute(w, stream, "ice-ufrag", local->ice_ufrag);
    attribute(w, stream, "ice-pwd", local->ice_pwd);
    for (size_t i = 0; i < local->candidate_count; i++) {
        if (reload_sip_candidate_write(&local->candidates[i], text) != 0)
            w->failed = true;
        else
            attribute(w, stream, "candidate", text);
    }
    attribute(w, stream, "end-of-candidates", NULL);
}

static void add_stream(struct writer *w, const char *kind, unsigned port, const char *protocol)
{
    char text[8];
    (void)snprintf(text, sizeof text, "%u", port);
    char *k = dup(w, kind), *number = dup(w, text), *p = dup(w, protocol);
    if (w->failed || sdp_message_m_media_add(w->sdp, k, number, NULL, p) != 0) {
        osip_free(k);
        osip_free(number);
        osip_free(p);
        w->failed = true;
    }
}

static void add_format(struct writer *w, int stream, const char *format)
{
    char *copy = dup(w, format);
    if (w->failed || sdp_message_m_payload_add(w->sdp, stream, copy) != 0) {
        osip_free(copy);
        w->failed = true;
    }
}

static void write_audio(struct writer *w, int stream, const struct reload_sip_media *local,
                        const char *protocol)
{
    static const char *const directions[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
    char text[8];
    /* RFC 8839 s4.2.3: without a default candidate the port is 9, discard. */
    add_stream(w, "audio", local->address.port ? local->address.port : 9, protocol);
    (void)snprintf(text, sizeof text, "%u", local->opus_payload);
    add_format(w, stream, text);
    if (local->event_payload) {
        (void)snprintf(text, sizeof text, "%u", local->event_payload);
        add_format(w, stream, text);
    }
    write_codecs(w, stream, local);
    attribute(w, stream, "rtcp-mux", NULL);
    write_keys(w, stream, local);
    write_ice(w, stream, local);
    attribute(w, stream, directions[local->direction], NULL);
}

/* RFC 3264 s6: a stream that is not wanted keeps its place and gets port 0. */
static void write_streams(struct writer *w, const struct reload_sip_media *local,
                          const struct reload_sip_sdp *remote)
{
    if (!remote) {
        write_audio(w, 0, local, PROTOCOL);
        return;
    }
    for (size_t i = 0; i < remote->stream_count && !w->failed; i++) {
        const struct reload_sip_stream *stream = &remote->streams[i];
        if (i == remote->audio) {
            write_audio(w, (int)i, local, stream->protocol);
            continue;
        }
        add_stream(w, stream->kind, 0, stream->protocol);
        add_format(w, (int)i, stream->format);
    }
}

static void write_session(struct writer *w, const struct reload_sip_media *local,
                          const struct reload_sip_origin *origin)
{
    char id[24], version[24], host[RELOAD_SIP_ADDRESS_TEXT];
    bool six = local->address.len == 16;
    (void)snprintf(id, sizeof id, "%" PRIu64, origin->session);
    (void)snprintf(version, sizeof version, "%" PRIu64, origin->version);
    if (local->address.len)
        (void)reload_sip_address_text(&local->address, host);
    else
        (void)snprintf(host, sizeof host, "0.0.0.0");
    const char *family = six ? "IP6" : "IP4";
    sdp_message_v_version_set(w->sdp, dup(w, "0"));
    sdp_message_o_origin_set(w->sdp, dup(w, "-"), dup(w, id), dup(w, version), dup(w, "IN"),
                             dup(w, family), dup(w, host));
    sdp_message_s_name_set(w->sdp, dup(w, "-"));
    sdp_message_c_connection_add(w->sdp, -1, dup(w, "IN"), dup(w, family), dup(w, host), NULL,
                                 NULL);
    sdp_message_t_time_descr_add(w->sdp, dup(w, "0"), dup(w, "0"));
}

static bool can_be_told(const struct reload_sip_media *local)
{
    bool ice = local->ice_ufrag[0] != '\0';
    return local->fingerprint_len == reload_sip_hash_len(local->hash) &&
           local->candidate_count <= RELOAD_SIP_CANDIDATES_MAX &&
           ice == (local->ice_pwd[0] != '\0') &&
           (ice || (local->address.len && local->address.port));
}

static int to_text(struct writer *w, char **out)
{
    char *text = NULL;
    if (w->failed || sdp_message_to_str(w->sdp, &text) != 0)
        return RELOAD_E_NOMEM;
    size_t len = strlen(text);
    *out = len <= RELOAD_SIP_SDP_MAX ? reload_strndup(text, len) : NULL;
    osip_free(text);
    if (len > RELOAD_SIP_SDP_MAX)
        return RELOAD_E_NOSPACE;
    return *out ? 0 : RELOAD_E_NOMEM;
}

int reload_sip_sdp_write(const struct reload_sip_media *local, const struct reload_sip_sdp *remote,
                         const struct reload_sip_origin *origin, char **out)
{
    struct reload_sip_media told = *local;
    struct writer w = { 0 };
    *out = NULL;
    if (!can_be_told(local))
        return RELOAD_E_INVALID;
    if (!told.opus_payload)
        told.opus_payload = OPUS_PAYLOAD;
    if (!remote && !told.event_payload)
        told.event_payload = EVENT_PAYLOAD;
    if (sdp_message_init(&w.sdp) != 0)
        return RELOAD_E_NOMEM;
    write_session(&w, &told, origin);
    if (told.ice_pacing_ms)
        attribute_number(&w, -1, "ice-pacing", told.ice_pacing_ms);
    write_streams(&w, &told, remote);
    int error = to_text(&w, out);
    sdp_message_free(w.sdp);
    return error;
}
