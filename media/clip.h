#ifndef RELOAD_MEDIA_CLIP_H
#define RELOAD_MEDIA_CLIP_H

#include <math.h>
#include <stdint.h>

/* A sample rounded into 16 bits. */
static inline int16_t reload_media_clip(float x)
{
    if (x >= INT16_MAX)
        return INT16_MAX;
    if (x <= INT16_MIN)
        return INT16_MIN;
    return (int16_t)lrintf(x);
}

#endif
