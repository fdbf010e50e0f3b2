#include "media/device.h"
#include "reload/alloc.h"
#include <string.h>

static const struct reload_media_device_ops *const rows[] = {
    &reload_media_pulse, &reload_media_file,   &reload_media_tone,
    &reload_media_null,  &reload_media_mirror,
};
#define ROWS (sizeof rows / sizeof *rows)

struct reload_media_device {
    const struct reload_media_device_ops *ops;
    void *state;
};

const struct reload_media_device_ops *reload_media_device_row(size_t i)
{
    return i < ROWS ? rows[i] : NULL;
}

static const struct reload_media_device_ops *find(const char *name, size_t len)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strlen(rows[i]->name) == len && memcmp(rows[i]->name, name, len) == 0)
            return rows[i];
    return NULL;
}

bool reload_media_device_exists(const char *spec)
{
    return find(spec, strcspn(spec, ":")) != NULL;
}

static const char *argument_of(const char *spec)
{
    size_t len = strcspn(spec, ":");
    return spec[len] == ':' ? spec + len + 1 : "";
}

int reload_media_device_check(const char *spec)
{
    const struct reload_media_device_ops *ops = find(spec, strcspn(spec, ":"));
    if (!ops)
        return RELOAD_E_NOT_FOUND;
    return ops->check ? ops->check(argument_of(spec)) : 0;
}

int reload_media_device_open(const char *spec, bool paced, struct reload_media_device **out)
{
    *out = NULL;
    const struct reload_media_device_ops *ops = find(spec, strcspn(spec, ":"));
    if (!ops)
        return RELOAD_E_NOT_FOUND;
    struct reload_media_device *device = reload_calloc(1, sizeof *device);
    if (!device)
        return RELOAD_E_NOMEM;
    device->ops = ops;
    int error = ops->open(argument_of(spec), paced, &device->state);
    if (error != 0) {
        reload_free(device);
        return error;
    }
    *out = device;
    return 0;
}

int reload_media_device_exchange(struct reload_media_device *device, const int16_t *play,
                                 int16_t *captured)
{
    return device->ops->exchange(device->state, play, captured);
}

void reload_media_device_close(struct reload_media_device *device)
{
    if (!device)
        return;
    device->ops->close(device->state);
    reload_free(device);
}
