#include "peer/ring_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS    19 /* of the circle; a character is twice as high as wide */
#define COLUMNS 41

double reload_ring_place(const struct reload_node_id *id)
{
    double place = 0, weight = 1.0 / 256;
    for (size_t i = 0; i < id->len && i < 8; i++) {
        place += id->bytes[i] * weight;
        weight /= 256;
    }
    return place;
}

static int by_id(const void *a, const void *b)
{
    const struct reload_ring_member *x = a, *y = b;
    return memcmp(x->id.bytes, y->id.bytes, RELOAD_NODE_ID_MAX);
}

void reload_ring_sort(struct reload_ring_member *members, size_t count)
{
    qsort(members, count, sizeof *members, by_id);
    for (size_t i = 0; i < count; i++) {
        double before = reload_ring_place(&members[(i + count - 1) % count].id);
        double share = reload_ring_place(&members[i].id) - before;
        members[i].share = count == 1 ? 1 : share < 0 ? share + 1 : share;
    }
}

static char mark(size_t i)
{
    static const char marks[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz123456789";
    return i < RELOAD_RING_MARKS ? marks[i] : '*';
}

static char *cell(char grid[ROWS][COLUMNS + 1], double place)
{
    double angle = 2 * 3.14159265358979 * place;
    int row = (int)lround((ROWS - 1) / 2.0 * (1 - cos(angle)));
    int column = (int)lround((COLUMNS - 1) / 2.0 * (1 + sin(angle)));
    return &grid[row][column];
}

static void draw_circle(FILE *out, const struct reload_ring_member *members, size_t count)
{
    char grid[ROWS][COLUMNS + 1];
    for (int row = 0; row < ROWS; row++) {
        memset(grid[row], ' ', COLUMNS);
        grid[row][COLUMNS] = '\0';
    }
    for (int i = 0; i < 240; i++)
        *cell(grid, i / 240.0) = '.';
    for (size_t i = 0; i < count; i++) {
        char *at = cell(grid, reload_ring_place(&members[i].id));
        *at = *at == '.' ? mark(i) : '+'; /* two members in one place: the list tells */
    }
    for (int row = 0; row < ROWS; row++)
        fprintf(out, "    %s\n", grid[row]);
}

static void list(FILE *out, const struct reload_ring_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char id[RELOAD_NODE_ID_TEXT];
        int bar = (int)lround(members[i].share * 20);
        fprintf(out, "  %c  %s  %5.1f %%  %.*s%s%s\n", mark(i),
                reload_node_id_text(&members[i].id, id), 100 * members[i].share, bar,
                "####################", members[i].note ? "  " : "",
                members[i].note ? members[i].note : "");
    }
}

char *reload_ring_draw(const struct reload_ring_member *members, size_t count)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    draw_circle(out, members, count);
    list(out, members, count);
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}
