#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "reload/alloc.h"
#include "usage-sip/sdp.h"

/* What is read can be written again, and reads as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reload_sip_sdp sdp, again;
    const struct reload_sip_origin origin = { 1, 1 };
    char *text = NULL;
    if (reload_sip_sdp_read((const char *)data, size, &sdp) != 0)
        return 0;
    if (reload_sip_sdp_write(&sdp.media, &sdp, &origin, &text) == 0 &&
        (reload_sip_sdp_read(text, strlen(text), &again) != 0 ||
         again.stream_count != sdp.stream_count ||
         again.media.opus_payload != sdp.media.opus_payload ||
         again.media.candidate_count != sdp.media.candidate_count))
        abort();
    reload_free(text);
    return 0;
}
