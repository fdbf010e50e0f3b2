#include "reload/node/timers.h"

#include "reload/alloc.h"
#include "reload/time.h"

#include <assert.h>

static void place(struct reload_timers *timers, size_t at, struct reload_timer *timer)
{
    timers->heap[at - 1] = timer;
    timer->place = at;
}

static void sift_up(struct reload_timers *timers, struct reload_timer *timer, size_t at)
{
    while (at > 1 && timers->heap[at / 2 - 1]->at_ms > timer->at_ms) {
        place(timers, at, timers->heap[at / 2 - 1]);
        at /= 2;
    }
    place(timers, at, timer);
}

static void sift_down(struct reload_timers *timers, struct reload_timer *timer, size_t at)
{
    for (size_t child = 2 * at; child <= timers->count; child = 2 * at) {
        if (child < timers->count && timers->heap[child]->at_ms < timers->heap[child - 1]->at_ms)
            child++;
        if (timers->heap[child - 1]->at_ms >= timer->at_ms)
            break;
        place(timers, at, timers->heap[child - 1]);
        at = child;
    }
    place(timers, at, timer);
}

static int make_room(struct reload_timers *timers)
{
    if (timers->count < timers->capacity)
        return 0;
    size_t capacity = timers->capacity ? timers->capacity * 2 : 16;
    struct reload_timer **heap = reload_realloc(timers->heap, capacity * sizeof(*heap));
    if (!heap)
        return RELOAD_E_NOMEM;
    timers->heap = heap;
    timers->capacity = capacity;
    return 0;
}

int reload_timer_set(struct reload_timers *timers, struct reload_timer *timer, uint64_t at_ms)
{
    if (timer->place) {
        reload_timer_move(timers, timer, at_ms);
        return 0;
    }
    if (make_room(timers) != 0)
        return RELOAD_E_NOMEM;
    timer->at_ms = at_ms;
    timers->count++;
    sift_up(timers, timer, timers->count);
    return 0;
}

void reload_timer_move(struct reload_timers *timers, struct reload_timer *timer, uint64_t at_ms)
{
    assert(timer->place);
    timer->at_ms = at_ms;
    sift_up(timers, timer, timer->place);
    sift_down(timers, timer, timer->place);
}

void reload_timer_clear(struct reload_timers *timers, struct reload_timer *timer)
{
    if (!timer->place)
        return;
    size_t at = timer->place;
    struct reload_timer *last = timers->heap[timers->count - 1];
    timers->count--;
    timer->place = 0;
    if (last == timer)
        return;
    sift_up(timers, last, at);
    sift_down(timers, last, last->place);
}

uint64_t reload_timers_next(const struct reload_timers *timers)
{
    return timers->count ? timers->heap[0]->at_ms : RELOAD_NEVER;
}

struct reload_timer *reload_timers_due(struct reload_timers *timers, uint64_t now_ms)
{
    if (timers->count == 0 || timers->heap[0]->at_ms > now_ms)
        return NULL;
    struct reload_timer *timer = timers->heap[0];
    reload_timer_clear(timers, timer);
    return timer;
}

void reload_timers_fini(struct reload_timers *timers)
{
    reload_free(timers->heap);
    *timers = (struct reload_timers){ 0 };
}
