#include "tests/topology/overlay_internal.h"

#include <stdlib.h>

/* Chance, time, and the events to come. */

uint64_t overlay_next_random(struct overlay *o)
{
    uint64_t z = (o->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void overlay_fill(void *context, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)overlay_next_random(context);
}

struct reload_time overlay_clock_of(const struct overlay *o)
{
    return (struct reload_time){ o->now, UINT64_C(1700000000000) + o->now };
}

uint64_t overlay_delay(struct overlay *o)
{
    return 5 + overlay_next_random(o) % 20;
}

/* --- the queue --- */

static bool before(const struct event *a, const struct event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

void overlay_post(struct overlay *o, struct event e)
{
    if (o->heap_count == o->heap_capacity) {
        o->heap_capacity = o->heap_capacity ? 2 * o->heap_capacity : 1024;
        o->heap = realloc(o->heap, o->heap_capacity * sizeof *o->heap);
    }
    e.order = o->order++;
    size_t i = o->heap_count++;
    for (; i > 0 && before(&e, &o->heap[(i - 1) / 2]); i = (i - 1) / 2)
        o->heap[i] = o->heap[(i - 1) / 2];
    o->heap[i] = e;
    if (e.message)
        e.message->references++;
}

struct event overlay_take(struct overlay *o)
{
    struct event top = o->heap[0], last = o->heap[--o->heap_count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= o->heap_count)
            break;
        if (child + 1 < o->heap_count && before(&o->heap[child + 1], &o->heap[child]))
            child++;
        if (!before(&o->heap[child], &last))
            break;
        o->heap[i] = o->heap[child];
        i = child;
    }
    o->heap[i] = last;
    return top;
}

void overlay_release(struct message *m)
{
    if (!m || --m->references > 0)
        return;
    free(m->body);
    free(m->answer);
    free(m);
}
