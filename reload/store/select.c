#include "reload/store/select.h"

#include "reload/store/refuse.h"
#include "reload/wire/error.h"

struct answering {
    struct reload_store *store;
    const struct reload_select *select;
    const struct reload_held_kind *held; /* NULL: nothing is stored */
    enum reload_data_model model;
    struct reload_time now;
    struct reload_writer *answer;
};

static void write_entry(const struct answering *a, uint32_t index, struct reload_slice key)
{
    const struct reload_held_value *value = a->held ? reload_held_find(a->held, index, key) : NULL;
    if (value && reload_held_is_live(value, a->now))
        a->select->value(a->select->context, value, a->now, a->answer);
    else
        a->select->nonexistent(a->select->context, a->model, index, key, a->answer);
}

/* --- the three models --- */

/* The last index that is stored; false when there is none. */
static bool last_index(const struct answering *a, uint32_t *last)
{
    for (size_t i = a->held ? a->held->count : 0; i > 0; i--) {
        *last = a->held->entries[i - 1]->index;
        if (reload_held_is_live(a->held->entries[i - 1], a->now))
            return true;
    }
    return false;
}

/* Ranges end with the array, however far they reach: what lies beyond is not made up. */
static void write_ranges(const struct answering *a, struct reload_reader *ranges)
{
    struct reload_array_range range;
    uint32_t last;
    if (!last_index(a, &last))
        return;
    while (reload_array_range_next(ranges, &range)) {
        if (range.first == RELOAD_ARRAY_LAST) /* s7.4.2.1: the final element */
            range.first = last;
        uint32_t end = range.last < last ? range.last : last;
        for (uint32_t i = range.first; i <= end && !a->answer->failed; i++)
            write_entry(a, i, reload_slice_of("", 0));
    }
}

static void write_keys(const struct answering *a, struct reload_reader *keys)
{
    struct reload_slice key;
    if (!reload_reader_more(keys)) { /* s7.4.2.1: no key is every key */
        for (size_t i = 0; a->held && i < a->held->count; i++)
            if (reload_held_is_live(a->held->entries[i], a->now))
                a->select->value(a->select->context, a->held->entries[i], a->now, a->answer);
        return;
    }
    while (reload_dictionary_key_next(keys, &key) && !a->answer->failed)
        write_entry(a, 0, key);
}

static void write_values(const struct answering *a, struct reload_reader *wanted)
{
    switch (a->model) {
    case RELOAD_MODEL_SINGLE: write_entry(a, 0, reload_slice_of("", 0)); break;
    case RELOAD_MODEL_ARRAY: write_ranges(a, wanted); break;
    case RELOAD_MODEL_DICTIONARY: write_keys(a, wanted); break;
    }
}

/* --- the request --- */

/* Unknown Kinds fail any request (s7.4.1.2); a Kind named twice would need two responses
 * (s7.4.2.2). */
static uint16_t check_kinds(struct reload_store *store, struct reload_slice specifiers,
                            struct reload_writer *answer)
{
    uint32_t unknown[RELOAD_UNKNOWN_KINDS_MAX];
    size_t unknown_count = 0, known = 0;
    size_t start = answer->len;
    struct reload_reader list = reload_reader_over(specifiers);
    struct reload_stored_data_specifier s, earlier;
    while (reload_stored_data_specifier_next(&list, &s)) {
        if (!reload_config_kind(store->config, s.kind)) {
            if (unknown_count < RELOAD_UNKNOWN_KINDS_MAX)
                unknown[unknown_count++] = s.kind;
            continue;
        }
        known++;
        struct reload_reader again = reload_reader_over(specifiers);
        size_t same = 0;
        /* No more distinct known Kinds than configured: beyond that one has come twice already. */
        if (known <= store->config->kind_count)
            while (reload_stored_data_specifier_next(&again, &earlier) && again.p <= list.p)
                same += earlier.kind == s.kind;
        if (same != 1)
            return reload_refuse(answer, start, RELOAD_ERROR_INVALID_MESSAGE,
                                 "a Kind appears twice");
    }
    if (unknown_count == 0)
        return 0;
    store->counters.refused_kind++;
    if (reload_unknown_kinds_encode(answer, unknown, unknown_count))
        return reload_refuse(answer, start, RELOAD_ERROR_RESPONSE_TOO_LARGE, RELOAD_WHY_NO_ROOM);
    return RELOAD_ERROR_UNKNOWN_KIND;
}

static uint16_t write_kind(struct answering *a, struct reload_slice resource,
                           const struct reload_stored_data_specifier *s)
{
    const struct reload_kind_config *config = reload_config_kind(a->store->config, s->kind);
    struct reload_reader wanted;
    a->model = config->data_model;
    if (reload_stored_data_specifier_open(s, a->model, &wanted))
        return RELOAD_ERROR_INVALID_MESSAGE;
    if (a->model == RELOAD_MODEL_ARRAY && reload_array_ranges_validate(wanted))
        return RELOAD_ERROR_INVALID_MESSAGE; /* s7.4.2.1: in order, and not overlapping */
    a->held = reload_held_kind_find(a->store, resource, s->kind);
    uint64_t generation = a->held ? a->held->generation : 0;
    size_t mark = reload_fetch_kind_begin(a->answer, s->kind, generation);
    /* s7.4.2.1: who has this generation gets no values; 0 is nobody's. */
    if (generation == 0 || s->generation != generation)
        write_values(a, &wanted);
    reload_fetch_kind_end(a->answer, mark);
    return 0;
}

uint16_t reload_select_answer(struct reload_store *store, struct reload_slice body,
                              const struct reload_select *select, struct reload_time now,
                              struct reload_writer *answer)
{
    struct reload_fetch_req req;
    size_t start = answer->len;
    if (reload_fetch_req_decode(body, &req))
        return reload_refuse(answer, start, RELOAD_ERROR_INVALID_MESSAGE, "malformed request");
    uint16_t code = check_kinds(store, req.specifiers, answer);
    if (code)
        return code;
    struct answering a = { .store = store, .select = select, .now = now, .answer = answer };
    struct reload_reader list = reload_reader_over(req.specifiers);
    struct reload_stored_data_specifier s;
    size_t mark = reload_fetch_ans_begin(answer);
    while (!code && reload_stored_data_specifier_next(&list, &s))
        code = write_kind(&a, req.resource, &s);
    reload_fetch_ans_end(answer, mark);
    if (code)
        return reload_refuse(answer, start, code, "bad specifier for the Kind's data model");
    if (reload_writer_status(answer))
        return reload_refuse(answer, start, RELOAD_ERROR_RESPONSE_TOO_LARGE, RELOAD_WHY_NO_ROOM);
    return 0;
}
