#include "reload/store/expiry.h"

#include "reload/alloc.h"

static void put(struct reload_expiry *heap, size_t place, struct reload_expiry_item *item)
{
    heap->items[place] = item;
    item->place = place;
}

static void sift_up(struct reload_expiry *heap, size_t place, struct reload_expiry_item *item)
{
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (heap->items[parent]->at_ms <= item->at_ms)
            break;
        put(heap, place, heap->items[parent]);
        place = parent;
    }
    put(heap, place, item);
}

static void sift_down(struct reload_expiry *heap, size_t place, struct reload_expiry_item *item)
{
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->items[child + 1]->at_ms < heap->items[child]->at_ms)
            child++;
        if (heap->items[child]->at_ms >= item->at_ms)
            break;
        put(heap, place, heap->items[child]);
        place = child;
    }
    put(heap, place, item);
}

int reload_expiry_add(struct reload_expiry *heap, struct reload_expiry_item *item)
{
    if (heap->count == heap->cap) {
        size_t cap = heap->cap ? 2 * heap->cap : 16;
        struct reload_expiry_item **items = reload_realloc(heap->items, cap * sizeof *items);
        if (!items)
            return RELOAD_E_NOMEM;
        heap->items = items;
        heap->cap = cap;
    }
    sift_up(heap, heap->count++, item);
    return 0;
}

void reload_expiry_remove(struct reload_expiry *heap, struct reload_expiry_item *item)
{
    size_t place = item->place;
    struct reload_expiry_item *last = heap->items[--heap->count];
    if (last == item)
        return;
    if (place > 0 && heap->items[(place - 1) / 2]->at_ms > last->at_ms)
        sift_up(heap, place, last);
    else
        sift_down(heap, place, last);
}

void reload_expiry_fini(struct reload_expiry *heap)
{
    reload_free(heap->items);
    *heap = (struct reload_expiry){ 0 };
}
