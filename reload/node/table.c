#include "reload/node/table.h"

#include "reload/alloc.h"

#define FIRST_CAPACITY 16

static void put(struct reload_table *table, uint64_t hash, void *value)
{
    size_t i = hash & (table->capacity - 1);
    while (table->slots[i].value)
        i = (i + 1) & (table->capacity - 1);
    table->slots[i] = (struct reload_table_slot){ hash, value };
}

static int grow(struct reload_table *table)
{
    struct reload_table bigger = { NULL, table->capacity ? table->capacity * 2 : FIRST_CAPACITY,
                                   table->count };
    bigger.slots = reload_calloc(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots)
        return RELOAD_E_NOMEM;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i].value)
            put(&bigger, table->slots[i].hash, table->slots[i].value);
    reload_free(table->slots);
    *table = bigger;
    return 0;
}

int reload_table_insert(struct reload_table *table, uint64_t hash, void *value)
{
    if ((table->count + 1) * 4 > table->capacity * 3 && grow(table) != 0)
        return RELOAD_E_NOMEM;
    put(table, hash, value);
    table->count++;
    return 0;
}

void *reload_table_next(const struct reload_table *table, uint64_t hash, size_t *place)
{
    while (*place < table->capacity) {
        const struct reload_table_slot *slot =
            &table->slots[(hash + *place) & (table->capacity - 1)];
        if (!slot->value)
            return NULL;
        ++*place;
        if (slot->hash == hash)
            return slot->value;
    }
    return NULL;
}

void *reload_table_each(const struct reload_table *table, size_t *place)
{
    while (*place < table->capacity) {
        void *value = table->slots[(*place)++].value;
        if (value)
            return value;
    }
    return NULL;
}

/* Closes the gap at `hole`: what was pushed past it by probing moves back. */
static void close_gap(struct reload_table *table, size_t hole)
{
    size_t mask = table->capacity - 1;
    for (size_t i = (hole + 1) & mask; table->slots[i].value; i = (i + 1) & mask) {
        size_t home = table->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* its home lies behind the hole: it must stay */
        table->slots[hole] = table->slots[i];
        hole = i;
    }
    table->slots[hole].value = NULL;
}

void reload_table_remove(struct reload_table *table, uint64_t hash, const void *value)
{
    for (size_t n = 0; n < table->capacity; n++) {
        size_t i = (hash + n) & (table->capacity - 1);
        if (!table->slots[i].value)
            return;
        if (table->slots[i].value != value)
            continue;
        table->count--;
        close_gap(table, i);
        return;
    }
}

void reload_table_fini(struct reload_table *table)
{
    reload_free(table->slots);
    *table = (struct reload_table){ 0 };
}
