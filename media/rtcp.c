#include "media/rtcp.h"
#include "media/bytes.h"
#include <string.h>

enum { SR = 200, RR = 201, SDES = 202, BYE = 203 };
enum { HEADER_LEN = 8, SENDER_INFO_LEN = 20, BLOCK_LEN = 24 }; /* HEADER_LEN: with the SSRC */

#define VERSION_2       0x80
#define PADDING         0x20
#define COUNT_MASK      0x1f
#define SDES_CNAME      1
#define NTP_UNIX_OFFSET 2208988800u /* seconds from 1900 to 1970 */

uint64_t reload_media_ntp(uint64_t unix_ms)
{
    uint64_t seconds = unix_ms / 1000 + NTP_UNIX_OFFSET;
    return seconds << 32 | ((unix_ms % 1000) << 32) / 1000;
}

static struct reload_media_report_block read_block(const uint8_t *p)
{
    uint32_t lost = reload_media_get32(p + 4);
    int32_t cumulative = (int32_t)(lost & 0xffffff);
    return (struct reload_media_report_block){
        .ssrc = reload_media_get32(p),
        .fraction_lost = (uint8_t)(lost >> 24),
        .cumulative_lost = cumulative & 0x800000 ? cumulative - 0x1000000 : cumulative,
        .highest_sequence = reload_media_get32(p + 8),
        .jitter = reload_media_get32(p + 12),
        .lsr = reload_media_get32(p + 16),
        .dlsr = reload_media_get32(p + 20),
    };
}

/* s6.4.1, s6.4.2: an SR is an RR with sender information before its blocks. */
static int read_report(const uint8_t *p, size_t len, uint32_t about, struct reload_media_rtcp *out)
{
    size_t info = p[1] == SR ? SENDER_INFO_LEN : 0, count = p[0] & COUNT_MASK;
    if (len < HEADER_LEN + info + count * BLOCK_LEN)
        return RELOAD_E_DECODE;
    out->ssrc = reload_media_get32(p + 4);
    if (p[1] == SR) {
        out->is_sender = true;
        out->ntp = (uint64_t)reload_media_get32(p + 8) << 32 | reload_media_get32(p + 12);
        out->rtp_timestamp = reload_media_get32(p + 16);
        out->packet_count = reload_media_get32(p + 20);
        out->octet_count = reload_media_get32(p + 24);
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *block = p + HEADER_LEN + info + i * BLOCK_LEN;
        if (reload_media_get32(block) == about) {
            out->has_block = true;
            out->block = read_block(block);
        }
    }
    return 0;
}

/* s6.6: a BYE lists the sources that leave; the sender of the report is the one we care about. */
static int read_bye(const uint8_t *p, size_t len, struct reload_media_rtcp *out)
{
    size_t count = p[0] & COUNT_MASK;
    if (len < 4 + 4 * count)
        return RELOAD_E_DECODE;
    for (size_t i = 0; i < count; i++)
        if (reload_media_get32(p + 4 + 4 * i) == out->ssrc)
            out->bye = true;
    return 0;
}

int reload_media_rtcp_decode(const uint8_t *bytes, size_t len, uint32_t about,
                             struct reload_media_rtcp *out)
{
    *out = (struct reload_media_rtcp){ 0 };
    if (len < HEADER_LEN || (bytes[1] != SR && bytes[1] != RR)) /* s6.1: a report comes first */
        return RELOAD_E_DECODE;
    for (size_t at = 0; at < len;) {
        const uint8_t *p = bytes + at;
        if (len - at < 4 || (p[0] & 0xc0) != VERSION_2)
            return RELOAD_E_DECODE;
        size_t packet_len = 4 * ((size_t)reload_media_get16(p + 2) + 1);
        if (packet_len > len - at)
            return RELOAD_E_DECODE;
        if (p[0] & PADDING && at + packet_len != len) /* A.2: only the last may be padded */
            return RELOAD_E_DECODE;
        int error = 0;
        if (p[1] == SR || p[1] == RR)
            error = read_report(p, packet_len, about, out);
        else if (p[1] == BYE)
            error = read_bye(p, packet_len, out);
        if (error != 0)
            return error;
        at += packet_len;
    }
    return 0;
}

static void write_header(uint8_t *p, size_t count, uint8_t type, size_t packet_len)
{
    p[0] = (uint8_t)(VERSION_2 | count);
    p[1] = type;
    reload_media_put16(p + 2, (uint16_t)(packet_len / 4 - 1));
}

static size_t write_report(const struct reload_media_rtcp *rtcp, uint8_t *p)
{
    size_t info = rtcp->is_sender ? SENDER_INFO_LEN : 0;
    size_t len = HEADER_LEN + info + (rtcp->has_block ? BLOCK_LEN : 0);
    write_header(p, rtcp->has_block, rtcp->is_sender ? SR : RR, len);
    reload_media_put32(p + 4, rtcp->ssrc);
    if (rtcp->is_sender) {
        reload_media_put32(p + 8, (uint32_t)(rtcp->ntp >> 32));
        reload_media_put32(p + 12, (uint32_t)rtcp->ntp);
        reload_media_put32(p + 16, rtcp->rtp_timestamp);
        reload_media_put32(p + 20, rtcp->packet_count);
        reload_media_put32(p + 24, rtcp->octet_count);
    }
    if (rtcp->has_block) {
        uint8_t *b = p + HEADER_LEN + info;
        uint32_t cumulative = (uint32_t)rtcp->block.cumulative_lost & 0xffffff;
        reload_media_put32(b, rtcp->block.ssrc);
        reload_media_put32(b + 4, (uint32_t)rtcp->block.fraction_lost << 24 | cumulative);
        reload_media_put32(b + 8, rtcp->block.highest_sequence);
        reload_media_put32(b + 12, rtcp->block.jitter);
        reload_media_put32(b + 16, rtcp->block.lsr);
        reload_media_put32(b + 20, rtcp->block.dlsr);
    }
    return len;
}

/* s6.5: one chunk: SSRC, the CNAME item, and zeros to the next word, at least one. */
static size_t write_sdes(uint32_t ssrc, const char *cname, size_t cname_len, uint8_t *p)
{
    size_t len = HEADER_LEN + (2 + cname_len + 4) / 4 * 4;
    memset(p, 0, len);
    write_header(p, 1, SDES, len);
    reload_media_put32(p + 4, ssrc);
    p[8] = SDES_CNAME;
    p[9] = (uint8_t)cname_len;
    memcpy(p + 10, cname, cname_len);
    return len;
}

int reload_media_rtcp_encode(const struct reload_media_rtcp *rtcp, const char *cname, uint8_t *out,
                             size_t cap, size_t *len)
{
    size_t cname_len = strlen(cname);
    if (cname_len > RELOAD_MEDIA_CNAME_MAX)
        return RELOAD_E_INVALID;
    size_t need = 2 * (size_t)HEADER_LEN + SENDER_INFO_LEN + BLOCK_LEN + cname_len + 6 + HEADER_LEN;
    if (cap < need)
        return RELOAD_E_NOSPACE;
    size_t at = write_report(rtcp, out);
    at += write_sdes(rtcp->ssrc, cname, cname_len, out + at);
    if (rtcp->bye) {
        write_header(out + at, 1, BYE, HEADER_LEN);
        reload_media_put32(out + at + 4, rtcp->ssrc);
        at += HEADER_LEN;
    }
    *len = at;
    return 0;
}
