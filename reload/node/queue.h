#ifndef RELOAD_NODE_QUEUE_H
#define RELOAD_NODE_QUEUE_H

#include "reload/node/action.h"

/* The actions that wait for the host, and an arena for the bytes they point to. Once the host has
 * pulled everything the arena starts over in the memory it has: in steady state nothing is
 * allocated. */

struct reload_arena_chunk {
    struct reload_arena_chunk *next;
    size_t capacity, used;
};

struct reload_arena {
    struct reload_arena_chunk *first, *last; /* `last` is written to */
};

/* Valid until the arena is reset. NULL when there is no memory. */
void *reload_arena_alloc(struct reload_arena *arena, size_t size);
void *reload_arena_copy(struct reload_arena *arena, const void *bytes, size_t size);
/* A writer over `capacity` fresh bytes; failed from the start when there is no memory. */
struct reload_writer reload_arena_writer(struct reload_arena *arena, size_t capacity);
/* Gives back what the writer did not use, when nothing was allocated after it. */
void reload_arena_trim(struct reload_arena *arena, const struct reload_writer *w);
void reload_arena_reset(struct reload_arena *arena);
void reload_arena_fini(struct reload_arena *arena);

struct reload_queue {
    struct reload_arena arena;
    struct reload_action *actions;
    size_t head, count, capacity; /* head: the next to hand out */
};

/* A zeroed action at the end of the queue, to be filled in; NULL when there is no memory. The
 * pointer is good until the next push. */
struct reload_action *reload_queue_push(struct reload_queue *queue, enum reload_action_type type);
bool reload_queue_pull(struct reload_queue *queue, struct reload_action *action);
bool reload_queue_is_empty(const struct reload_queue *queue);
void reload_queue_fini(struct reload_queue *queue);

#endif
