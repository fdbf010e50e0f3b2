#include "media/srtp.h"
#include "reload/alloc.h"
#include <pthread.h>
#include <srtp2/srtp.h>
#include <string.h>

/* RFC 3711 s3.3.2 asks for at least 64; a burst of reordering at 10 ms frames fits in this. */
#define REPLAY_WINDOW 256

struct reload_media_srtp {
    srtp_t out, in;
};

static const struct profile {
    enum reload_media_srtp_profile id;
    size_t key_len, salt_len;
    void (*set)(srtp_crypto_policy_t *policy);
} profiles[] = {
    { RELOAD_MEDIA_AEAD_AES_256_GCM, 32, 12, srtp_crypto_policy_set_aes_gcm_256_16_auth },
    { RELOAD_MEDIA_AEAD_AES_128_GCM, 16, 12, srtp_crypto_policy_set_aes_gcm_128_16_auth },
    { RELOAD_MEDIA_AES128_CM_HMAC_SHA1_80, 16, 14, srtp_crypto_policy_set_rtp_default },
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static bool library_ready;

static void start_library(void)
{
    library_ready = srtp_init() == srtp_err_status_ok;
}

static const struct profile *find(enum reload_media_srtp_profile id)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (profiles[i].id == id)
            return &profiles[i];
    return NULL;
}

size_t reload_media_srtp_material_len(enum reload_media_srtp_profile id)
{
    const struct profile *profile = find(id);
    return profile ? 2 * (profile->key_len + profile->salt_len) : 0;
}

/* RFC 5764 s4.2: the client writes with the first key and salt, the server with the second. */
static int create(srtp_t *out, const struct profile *profile, const uint8_t *material, bool client,
                  srtp_ssrc_type_t direction)
{
    uint8_t key[RELOAD_MEDIA_SRTP_MATERIAL_MAX / 2];
    size_t side = client ? 0 : 1;
    memcpy(key, material + side * profile->key_len, profile->key_len);
    memcpy(key + profile->key_len, material + 2 * profile->key_len + side * profile->salt_len,
           profile->salt_len);
    srtp_policy_t policy = { .ssrc = { .type = direction },
                             .key = key,
                             .window_size = REPLAY_WINDOW };
    profile->set(&policy.rtp);
    profile->set(&policy.rtcp);
    srtp_err_status_t status = srtp_create(out, &policy);
    explicit_bzero(key, sizeof key);
    if (status == srtp_err_status_ok)
        return 0;
    *out = NULL;
    return status == srtp_err_status_alloc_fail ? RELOAD_E_NOMEM : RELOAD_E_UNSUPPORTED;
}

int reload_media_srtp_new(const struct reload_media_keying *keying, struct reload_media_srtp **out)
{
    const struct profile *profile = find(keying->profile);
    *out = NULL;
    if (!profile || keying->material_len != reload_media_srtp_material_len(keying->profile))
        return RELOAD_E_INVALID;
    pthread_once(&library_once, start_library);
    if (!library_ready)
        return RELOAD_E_UNSUPPORTED;
    struct reload_media_srtp *srtp = reload_calloc(1, sizeof *srtp);
    if (!srtp)
        return RELOAD_E_NOMEM;
    bool client = keying->role == RELOAD_MEDIA_DTLS_CLIENT;
    int error = create(&srtp->out, profile, keying->material, client, ssrc_any_outbound);
    if (error == 0)
        error = create(&srtp->in, profile, keying->material, !client, ssrc_any_inbound);
    if (error != 0) {
        reload_media_srtp_free(srtp);
        return error;
    }
    *out = srtp;
    return 0;
}

void reload_media_srtp_free(struct reload_media_srtp *srtp)
{
    if (!srtp)
        return;
    if (srtp->out)
        srtp_dealloc(srtp->out);
    if (srtp->in)
        srtp_dealloc(srtp->in);
    reload_free(srtp);
}

int reload_media_srtp_protect(struct reload_media_srtp *srtp, bool rtcp, uint8_t *bytes,
                              size_t *len, size_t cap)
{
    if (cap < *len || cap - *len < RELOAD_MEDIA_SRTP_OVERHEAD_MAX)
        return RELOAD_E_NOSPACE;
    int n = (int)*len;
    srtp_err_status_t status =
        rtcp ? srtp_protect_rtcp(srtp->out, bytes, &n) : srtp_protect(srtp->out, bytes, &n);
    if (status != srtp_err_status_ok)
        return RELOAD_E_INVALID;
    *len = (size_t)n;
    return 0;
}

int reload_media_srtp_unprotect(struct reload_media_srtp *srtp, bool rtcp, uint8_t *bytes,
                                size_t *len)
{
    int n = (int)*len;
    switch (rtcp ? srtp_unprotect_rtcp(srtp->in, bytes, &n) : srtp_unprotect(srtp->in, bytes, &n)) {
    case srtp_err_status_ok: *len = (size_t)n; return 0;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old: return RELOAD_E_TOO_OLD;
    case srtp_err_status_auth_fail:
    case srtp_err_status_cipher_fail: return RELOAD_E_SIGNATURE;
    default: return RELOAD_E_DECODE;
    }
}
