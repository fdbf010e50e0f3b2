#include <string.h>

#include "peer/demo/demo.h"

/* Which values: the same number in each sensible cell of data model and access control policy
 * (RFC 6940 s7.2, s7.3), owners at random. USER-NODE-MATCH is for dictionaries only. */

#define FIRST_KIND   0xF0000100u /* private Kinds, s14.6 */
#define PER_CELL     (DEMO_VALUES / DEMO_CELLS)
#define MAX_COUNT    64
#define MAX_SIZE     256
#define MAX_MULTIPLE 15

/* Where an owner has a single place for each Kind, 4 Kinds give 40 places for the 30 values. */
const struct demo_cell demo_cells[DEMO_CELLS] = {
    { "single", "USER-MATCH", 4, FIRST_KIND },
    { "single", "NODE-MATCH", 4, FIRST_KIND + 4 },
    { "single", "NODE-MULTIPLE", 1, FIRST_KIND + 8 },
    { "array", "USER-MATCH", 1, FIRST_KIND + 9 },
    { "array", "NODE-MATCH", 1, FIRST_KIND + 10 },
    { "array", "NODE-MULTIPLE", 1, FIRST_KIND + 11 },
    { "dictionary", "USER-MATCH", 1, FIRST_KIND + 12 },
    { "dictionary", "NODE-MATCH", 1, FIRST_KIND + 13 },
    { "dictionary", "NODE-MULTIPLE", 1, FIRST_KIND + 14 },
    { "dictionary", "USER-NODE-MATCH", 4, FIRST_KIND + 15 },
};

char **demo_kind_options(void)
{
    GPtrArray *options = g_ptr_array_new();
    for (unsigned c = 0; c < DEMO_CELLS; c++)
        for (unsigned k = 0; k < demo_cells[c].kinds; k++) {
            const struct demo_cell *cell = &demo_cells[c];
            bool multiple = strcmp(cell->policy, "NODE-MULTIPLE") == 0;
            char *end = multiple ? g_strdup_printf(":%d", MAX_MULTIPLE) : g_strdup("");
            /* a single value has no count of its own, s7.2.1 */
            g_ptr_array_add(options,
                            g_strdup_printf("--kind=%u:%s:%s:%d:%d%s", cell->first_kind + k,
                                            cell->model, cell->policy,
                                            strcmp(cell->model, "single") ? MAX_COUNT : 1, MAX_SIZE,
                                            end));
            g_free(end);
        }
    g_ptr_array_add(options, NULL);
    return (char **)g_ptr_array_free(options, FALSE);
}

static void place_resource(const struct demo *demo, struct demo_value *value, unsigned nth)
{
    const struct demo_cell *cell = &demo_cells[value->cell];
    const struct demo_node *owner = &demo->nodes[value->owner];
    if (strncmp(cell->policy, "USER-", 5) == 0)
        json_object_set_new(value->place, "user", json_string(owner->user));
    else
        json_object_set_new(value->place, "node", json_string(owner->id));
    if (strcmp(cell->policy, "NODE-MULTIPLE") == 0)
        json_object_set_new(value->place, "i", json_integer(nth % (MAX_MULTIPLE + 1)));
}

/* nth: how many of this owner's came before in this cell. */
static void place_value(const struct demo *demo, struct demo_value *value, unsigned nth)
{
    const struct demo_cell *cell = &demo_cells[value->cell];
    const struct demo_node *owner = &demo->nodes[value->owner];
    value->place = json_pack("{s:I}", "kind", (json_int_t)cell->first_kind + nth % cell->kinds);
    place_resource(demo, value, nth);
    if (strcmp(cell->model, "array") == 0)
        json_object_set_new(value->place, "index", json_integer(nth));
    if (strcmp(cell->policy, "USER-NODE-MATCH") == 0)
        json_object_set_new(value->place, "key_hex", json_string(owner->id));
    else if (strcmp(cell->model, "dictionary") == 0)
        json_object_set_new(value->place, "key", json_sprintf("key-%u", nth));
}

/* How many values of a cell one owner can have. */
static unsigned room(const struct demo_cell *cell)
{
    bool once = cell->kinds > 1;
    return once ? cell->kinds : strcmp(cell->model, "single") == 0 ? MAX_MULTIPLE + 1 : MAX_COUNT;
}

void demo_plan(struct demo *demo)
{
    unsigned v = 0;
    for (unsigned c = 0; c < DEMO_CELLS; c++) {
        unsigned owned[DEMO_NODES] = { 0 };
        for (unsigned i = 0; i < PER_CELL; i++, v++) {
            struct demo_value *value = &demo->values[v];
            unsigned owner;
            do
                owner = (unsigned)g_rand_int_range(demo->random, 0, DEMO_NODES);
            while (owned[owner] >= room(&demo_cells[c]));
            value->cell = c;
            value->owner = owner;
            g_snprintf(value->text, sizeof value->text, "value %u of %s, %08x", v,
                       demo->nodes[owner].name, g_rand_int(demo->random));
            place_value(demo, value, owned[owner]++);
        }
    }
}
