#include "media/pace.h"
#include "media/audio.h"
#include <time.h>

#define BLOCK_NS    (RELOAD_MEDIA_BLOCK_MS * UINT64_C(1000000))
#define LATE_BLOCKS 10

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void reload_media_pace_wait(struct reload_media_pace *pace)
{
    if (!pace->paced)
        return;
    uint64_t now = now_ns();
    if (pace->due_ns == 0 || now > pace->due_ns + LATE_BLOCKS * BLOCK_NS)
        pace->due_ns = now;
    pace->due_ns += BLOCK_NS;
    struct timespec due = { (time_t)(pace->due_ns / 1000000000u),
                            (long)(pace->due_ns % 1000000000u) };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0)
        ;
}
