#include "reload/node/queue.h"

#include "reload/alloc.h"

#include <stdalign.h>

#define CHUNK_SIZE  (32 * 1024)
#define KEPT_CHUNKS 4 /* of that size, over a reset */

static size_t aligned(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static uint8_t *chunk_bytes(struct reload_arena_chunk *chunk)
{
    return (uint8_t *)chunk + aligned(sizeof *chunk);
}

static bool fits(const struct reload_arena_chunk *chunk, size_t size)
{
    return chunk && chunk->capacity - chunk->used >= size;
}

/* The next kept chunk, or a new one behind the present. */
static struct reload_arena_chunk *next_chunk(struct reload_arena *arena, size_t size)
{
    if (arena->last && fits(arena->last->next, size))
        return arena->last = arena->last->next;
    size_t capacity = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    struct reload_arena_chunk *chunk = reload_alloc(aligned(sizeof *chunk) + capacity);
    if (!chunk)
        return NULL;
    chunk->capacity = capacity;
    chunk->used = 0;
    chunk->next = arena->last ? arena->last->next : NULL;
    if (arena->last)
        arena->last->next = chunk;
    else
        arena->first = chunk;
    return arena->last = chunk;
}

void *reload_arena_alloc(struct reload_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = aligned(size ? size : 1);
    struct reload_arena_chunk *chunk =
        fits(arena->last, size) ? arena->last : next_chunk(arena, size);
    if (!chunk)
        return NULL;
    void *p = chunk_bytes(chunk) + chunk->used;
    chunk->used += size;
    return p;
}

void *reload_arena_copy(struct reload_arena *arena, const void *bytes, size_t size)
{
    void *p = reload_arena_alloc(arena, size);
    if (p && size)
        memcpy(p, bytes, size);
    return p;
}

struct reload_writer reload_arena_writer(struct reload_arena *arena, size_t capacity)
{
    uint8_t *p = reload_arena_alloc(arena, capacity);
    struct reload_writer w = reload_writer_of(p, p ? capacity : 0);
    w.failed = !p;
    return w;
}

void reload_arena_trim(struct reload_arena *arena, const struct reload_writer *w)
{
    struct reload_arena_chunk *chunk = arena->last;
    if (!w->buf || !chunk)
        return;
    size_t taken = aligned(w->cap ? w->cap : 1);
    if (taken <= chunk->used && chunk_bytes(chunk) + chunk->used - taken == w->buf)
        chunk->used = chunk->used - taken + aligned(w->len ? w->len : 1);
}

void reload_arena_reset(struct reload_arena *arena)
{
    struct reload_arena_chunk **link = &arena->first;
    size_t kept = 0;
    while (*link) {
        struct reload_arena_chunk *chunk = *link;
        if (chunk->capacity == CHUNK_SIZE && kept < KEPT_CHUNKS) {
            chunk->used = 0;
            kept++;
            link = &chunk->next;
            continue;
        }
        *link = chunk->next;
        reload_free(chunk);
    }
    arena->last = arena->first;
}

void reload_arena_fini(struct reload_arena *arena)
{
    while (arena->first) {
        struct reload_arena_chunk *chunk = arena->first;
        arena->first = chunk->next;
        reload_free(chunk);
    }
    arena->last = NULL;
}

static int make_room(struct reload_queue *queue)
{
    if (queue->count < queue->capacity)
        return 0;
    size_t capacity = queue->capacity ? queue->capacity * 2 : 16;
    struct reload_action *actions =
        reload_realloc(queue->actions, capacity * sizeof *queue->actions);
    if (!actions)
        return RELOAD_E_NOMEM;
    queue->actions = actions;
    queue->capacity = capacity;
    return 0;
}

struct reload_action *reload_queue_push(struct reload_queue *queue, enum reload_action_type type)
{
    if (make_room(queue) != 0)
        return NULL;
    struct reload_action *action = &queue->actions[queue->count++];
    memset(action, 0, sizeof *action);
    action->type = type;
    return action;
}

bool reload_queue_pull(struct reload_queue *queue, struct reload_action *action)
{
    if (queue->head == queue->count) {
        queue->head = queue->count = 0;
        return false;
    }
    *action = queue->actions[queue->head++];
    return true;
}

bool reload_queue_is_empty(const struct reload_queue *queue)
{
    return queue->head == queue->count;
}

void reload_queue_fini(struct reload_queue *queue)
{
    reload_arena_fini(&queue->arena);
    reload_free(queue->actions);
    *queue = (struct reload_queue){ 0 };
}
