#include "media/rtp.h"
#include "media/bytes.h"
#include <string.h>

#define VERSION 2

bool reload_media_is_rtcp(const uint8_t *bytes, size_t len)
{
    return len >= 2 && bytes[1] >= 192 && bytes[1] <= 223;
}

/* RFC 3550 s5.3.1: one extension, its length in 32-bit words behind 16 bits of the profile. */
static int step_over_extension(const uint8_t *bytes, size_t len, size_t *at)
{
    if (len - *at < 4)
        return RELOAD_E_DECODE;
    size_t extension_len = 4 + 4 * (size_t)reload_media_get16(bytes + *at + 2);
    if (len - *at < extension_len)
        return RELOAD_E_DECODE;
    *at += extension_len;
    return 0;
}

int reload_media_rtp_decode(const uint8_t *bytes, size_t len, struct reload_media_rtp *out)
{
    if (len < RELOAD_MEDIA_RTP_HEADER_LEN || bytes[0] >> 6 != VERSION)
        return RELOAD_E_DECODE;
    size_t at = RELOAD_MEDIA_RTP_HEADER_LEN + 4 * (size_t)(bytes[0] & 0x0f);
    if (at > len)
        return RELOAD_E_DECODE;
    if (bytes[0] & 0x10 && step_over_extension(bytes, len, &at) != 0)
        return RELOAD_E_DECODE;
    size_t padding = 0;
    if (bytes[0] & 0x20) { /* s5.1: the last byte counts the padding, itself included */
        padding = bytes[len - 1];
        if (padding == 0 || padding > len - at)
            return RELOAD_E_DECODE;
    }
    *out = (struct reload_media_rtp){
        .ssrc = reload_media_get32(bytes + 8),
        .timestamp = reload_media_get32(bytes + 4),
        .sequence_number = reload_media_get16(bytes + 2),
        .payload_type = bytes[1] & 0x7f,
        .marker = bytes[1] >> 7,
        .payload = bytes + at,
        .payload_len = len - at - padding,
    };
    return 0;
}

int reload_media_rtp_encode(const struct reload_media_rtp *rtp, uint8_t *out, size_t cap,
                            size_t *len)
{
    if (cap < RELOAD_MEDIA_RTP_HEADER_LEN || cap - RELOAD_MEDIA_RTP_HEADER_LEN < rtp->payload_len)
        return RELOAD_E_NOSPACE;
    memmove(out + RELOAD_MEDIA_RTP_HEADER_LEN, rtp->payload, rtp->payload_len);
    out[0] = VERSION << 6;
    out[1] = (uint8_t)((rtp->marker ? 0x80 : 0) | (rtp->payload_type & 0x7f));
    reload_media_put16(out + 2, rtp->sequence_number);
    reload_media_put32(out + 4, rtp->timestamp);
    reload_media_put32(out + 8, rtp->ssrc);
    *len = RELOAD_MEDIA_RTP_HEADER_LEN + rtp->payload_len;
    return 0;
}
