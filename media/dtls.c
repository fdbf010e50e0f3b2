#include "media/dtls.h"
#include "reload/alloc.h"
#include <string.h>

_Static_assert(RELOAD_MEDIA_DTLS_WANT == RELOAD_ENGINE_WANT, "passed on as it is");

struct reload_media_dtls {
    struct reload_engine *engine;
    enum reload_media_dtls_role role;
    const struct reload_media_transport_ops *ops;
    void *context;
    int status; /* of the handshake */
};

static void flush(struct reload_media_dtls *dtls)
{
    struct reload_slice datagram;
    while (reload_engine_datagram_next(dtls->engine, &datagram, 1) == 1) {
        (void)dtls->ops->send(dtls->context, datagram.p, datagram.n); /* or lost: repeated */
        reload_engine_datagram_sent(dtls->engine, 1);
    }
}

/* The handshake is done only when there are keys: without use_srtp it was in vain. */
static int check_keys(struct reload_media_dtls *dtls)
{
    uint8_t material[RELOAD_MEDIA_SRTP_MATERIAL_MAX];
    struct reload_media_keying keying;
    int error = reload_media_dtls_keying(dtls, material, &keying);
    explicit_bzero(material, sizeof material);
    return error;
}

static int go_on(struct reload_media_dtls *dtls, struct reload_time now)
{
    if (dtls->status == RELOAD_MEDIA_DTLS_WANT) {
        dtls->status = reload_engine_handshake(dtls->engine, now);
        if (dtls->status == 0)
            dtls->status = check_keys(dtls);
    }
    flush(dtls);
    return dtls->status;
}

int reload_media_dtls_new(struct reload_engine_srtp *certificate, enum reload_media_dtls_role role,
                          const uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN],
                          const struct reload_media_transport_ops *ops, void *context,
                          struct reload_time now, struct reload_media_dtls **out)
{
    *out = NULL;
    struct reload_media_dtls *dtls = reload_calloc(1, sizeof *dtls);
    if (!dtls)
        return RELOAD_E_NOMEM;
    *dtls = (struct reload_media_dtls){
        .role = role, .ops = ops, .context = context, .status = RELOAD_MEDIA_DTLS_WANT
    };
    int error = reload_engine_srtp_open(
        certificate, role == RELOAD_MEDIA_DTLS_CLIENT ? RELOAD_LINK_CLIENT : RELOAD_LINK_SERVER,
        fingerprint, RELOAD_MEDIA_PACKET_MAX, &dtls->engine);
    if (error == 0 && go_on(dtls, now) < 0)
        error = dtls->status;
    if (error != 0) {
        reload_media_dtls_free(dtls);
        return error;
    }
    *out = dtls;
    return 0;
}

void reload_media_dtls_free(struct reload_media_dtls *dtls)
{
    if (!dtls)
        return;
    if (dtls->engine && dtls->status == 0) {
        reload_engine_close(dtls->engine);
        flush(dtls);
    }
    reload_engine_free(dtls->engine);
    reload_free(dtls);
}

/* What comes after the handshake: the far end's last flight again, which is answered in kind, or
 * its farewell. Application data there is none (RFC 5764 s4): it is thrown away. */
static int take_later(struct reload_media_dtls *dtls, struct reload_time now)
{
    uint8_t ignored[RELOAD_MEDIA_PACKET_MAX];
    size_t len;
    int status;
    do
        status = reload_engine_read(dtls->engine, ignored, sizeof ignored, &len, now);
    while (status == 0);
    flush(dtls);
    if (status != RELOAD_ENGINE_WANT)
        dtls->status = status;
    return dtls->status;
}

int reload_media_dtls_receive(struct reload_media_dtls *dtls, const uint8_t *bytes, size_t len,
                              struct reload_time now)
{
    if (dtls->status < 0)
        return dtls->status;
    reload_engine_input(dtls->engine, reload_slice_of(bytes, len));
    return dtls->status == 0 ? take_later(dtls, now) : go_on(dtls, now);
}

uint64_t reload_media_dtls_deadline(const struct reload_media_dtls *dtls, uint64_t now_ms)
{
    return dtls->status == RELOAD_MEDIA_DTLS_WANT
               ? reload_engine_datagram_deadline(dtls->engine, now_ms)
               : RELOAD_NEVER;
}

int reload_media_dtls_tick(struct reload_media_dtls *dtls, struct reload_time now)
{
    if (dtls->status != RELOAD_MEDIA_DTLS_WANT)
        return dtls->status;
    dtls->status = reload_engine_datagram_tick(dtls->engine, now);
    flush(dtls);
    return dtls->status;
}

int reload_media_dtls_keying(const struct reload_media_dtls *dtls,
                             uint8_t material[RELOAD_MEDIA_SRTP_MATERIAL_MAX],
                             struct reload_media_keying *out)
{
    uint16_t profile;
    size_t len;
    int error = reload_engine_srtp_keys(dtls->engine, &profile, material, &len);
    if (error != 0)
        return error;
    *out = (struct reload_media_keying){ profile, dtls->role, material, len };
    return 0;
}

const char *reload_media_dtls_reason(const struct reload_media_dtls *dtls)
{
    const char *reason = reload_engine_reason(dtls->engine);
    return *reason || dtls->status != RELOAD_E_UNSUPPORTED
               ? reason
               : "the far end does not speak DTLS-SRTP (use_srtp)";
}
