#ifndef RELOAD_MEDIA_BYTES_H
#define RELOAD_MEDIA_BYTES_H

#include <stdint.h>

/* Big-endian numbers of RTP and RTCP. The caller has checked that the bytes are there. */

static inline uint16_t reload_media_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t reload_media_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void reload_media_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void reload_media_put32(uint8_t *p, uint32_t v)
{
    reload_media_put16(p, (uint16_t)(v >> 16));
    reload_media_put16(p + 2, (uint16_t)v);
}

#endif
