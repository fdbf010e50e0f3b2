#include "tests/sim/events.h"

#include <stdlib.h>

static int is_before(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void events_add(struct events *events, struct event event)
{
    if (events->count == events->cap) {
        events->cap = events->cap ? 2 * events->cap : 1024;
        events->heap = realloc(events->heap, events->cap * sizeof *events->heap);
        if (!events->heap)
            abort();
    }
    event.order = events->order++;
    size_t place = events->count++;
    while (place > 0 && is_before(&event, &events->heap[(place - 1) / 2])) {
        events->heap[place] = events->heap[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    events->heap[place] = event;
}

struct event events_take(struct events *events)
{
    struct event first = events->heap[0];
    struct event last = events->heap[--events->count];
    size_t place = 0;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= events->count)
            break;
        if (child + 1 < events->count && is_before(&events->heap[child + 1], &events->heap[child]))
            child++;
        if (!is_before(&events->heap[child], &last))
            break;
        events->heap[place] = events->heap[child];
        place = child;
    }
    events->heap[place] = last;
    return first;
}

void events_fini(struct events *events)
{
    for (size_t i = 0; i < events->count; i++)
        free(events->heap[i].bytes);
    free(events->heap);
    *events = (struct events){ 0 };
}
