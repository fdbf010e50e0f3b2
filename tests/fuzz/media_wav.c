#include "fuzz.h"
#include "media/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* A sound file of anything as the microphone. */

#define BLOCKS 30

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int16_t silence[RELOAD_MEDIA_BLOCK];
    int16_t captured[RELOAD_MEDIA_BLOCK];
    struct reload_media_device *device;
    char spec[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(spec, sizeof spec, "file:/proc/self/fd/%d", fd);
    if (reload_media_device_open(spec, false, &device) == 0) {
        for (int i = 0; i < BLOCKS; i++)
            if (reload_media_device_exchange(device, silence, captured) != 0)
                break;
        reload_media_device_close(device);
    }
    close(fd);
    return 0;
}
