#include "fuzz.h"
#include "media/dtmf.h"
#include "media/rtcp.h"
#include "media/rtp.h"

#include <stdlib.h>
#include <string.h>

/* What a packet says after decryption, or before it: RTP, RTCP and telephone events. What was read
 * and is written again reads the same. */

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void try_rtp(const uint8_t *data, size_t size)
{
    struct reload_media_rtp rtp, again;
    struct reload_media_dtmf_receiver receiver = { 0 };
    uint8_t out[4096];
    size_t len;
    if (reload_media_rtp_decode(data, size, &rtp) != 0)
        return;
    must(rtp.payload >= data && rtp.payload + rtp.payload_len <= data + size);
    (void)reload_media_dtmf_hear(&receiver, &rtp);
    if (reload_media_rtp_encode(&rtp, out, sizeof out, &len) != 0)
        return;
    must(reload_media_rtp_decode(out, len, &again) == 0);
    must(again.ssrc == rtp.ssrc && again.timestamp == rtp.timestamp &&
         again.sequence_number == rtp.sequence_number && again.marker == rtp.marker &&
         again.payload_len == rtp.payload_len &&
         memcmp(again.payload, rtp.payload, rtp.payload_len) == 0);
}

static void try_rtcp(const uint8_t *data, size_t size)
{
    struct reload_media_rtcp rtcp, again;
    uint8_t out[1200];
    size_t len;
    if (reload_media_rtcp_decode(data, size, 1, &rtcp) != 0)
        return;
    must(reload_media_rtcp_encode(&rtcp, "fuzz", out, sizeof out, &len) == 0);
    must(reload_media_rtcp_decode(out, len, 1, &again) == 0);
    must(again.ssrc == rtcp.ssrc && again.is_sender == rtcp.is_sender &&
         again.has_block == rtcp.has_block && again.bye == rtcp.bye);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_rtp(data, size);
    try_rtcp(data, size);
    return 0;
}
