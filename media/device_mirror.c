#include "media/device.h"
#include "media/pace.h"
#include "reload/alloc.h"
#include <string.h>

/* A microphone that hears the loudspeaker and nothing else: an address that plays back what it is
 * told. Echo must not be cancelled on it. */

struct mirror {
    struct reload_media_pace pace;
};

static int mirror_check(const char *argument)
{
    return *argument ? RELOAD_E_INVALID : 0;
}

static int mirror_open(const char *argument, bool paced, void **state)
{
    int error = mirror_check(argument);
    if (error != 0)
        return error;
    struct mirror *mirror = *state = reload_calloc(1, sizeof *mirror);
    if (!mirror)
        return RELOAD_E_NOMEM;
    mirror->pace.paced = paced;
    return 0;
}

static int mirror_exchange(void *state, const int16_t *play, int16_t *captured)
{
    struct mirror *mirror = state;
    memcpy(captured, play, RELOAD_MEDIA_BLOCK * sizeof *captured);
    reload_media_pace_wait(&mirror->pace);
    return 0;
}

const struct reload_media_device_ops reload_media_mirror = {
    .name = "mirror",
    .help = "mirror: hears what it plays",
    .open = mirror_open,
    .exchange = mirror_exchange,
    .close = reload_free,
    .check = mirror_check,
};
