#include "reload/wire/fetch.h"

int reload_fetch_req_decode(struct reload_slice body, struct reload_fetch_req *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->resource = reload_rd_opaque8(&r);
    out->specifiers = reload_rd_opaque16(&r);
    struct reload_reader specifiers = reload_reader_over(out->specifiers);
    struct reload_stored_data_specifier specifier;
    while (reload_stored_data_specifier_next(&specifiers, &specifier))
        ;
    reload_rd_close(&r, &specifiers);
    return reload_reader_finish(&r);
}

int reload_fetch_req_encode(struct reload_writer *w, const struct reload_fetch_req *req)
{
    reload_wr_opaque8(w, req->resource);
    reload_wr_opaque16(w, req->specifiers);
    return reload_writer_status(w);
}

int reload_stored_data_specifier_decode(struct reload_reader *r,
                                        struct reload_stored_data_specifier *out)
{
    out->kind = reload_rd_u32(r);
    out->generation = reload_rd_u64(r);
    out->model_specifier = reload_rd_opaque16(r);
    return reload_reader_status(r);
}

int reload_stored_data_specifier_encode(struct reload_writer *w,
                                        const struct reload_stored_data_specifier *specifier)
{
    reload_wr_u32(w, specifier->kind);
    reload_wr_u64(w, specifier->generation);
    reload_wr_opaque16(w, specifier->model_specifier);
    return reload_writer_status(w);
}

bool reload_stored_data_specifier_next(struct reload_reader *list,
                                       struct reload_stored_data_specifier *out)
{
    return reload_reader_more(list) && reload_stored_data_specifier_decode(list, out) == 0;
}

static bool is_array_ranges(struct reload_reader ranges)
{
    struct reload_array_range range;
    while (reload_array_range_next(&ranges, &range))
        ;
    return !ranges.failed;
}

static bool is_dictionary_keys(struct reload_reader keys)
{
    struct reload_slice key;
    while (reload_dictionary_key_next(&keys, &key))
        ;
    return !keys.failed;
}

int reload_stored_data_specifier_open(const struct reload_stored_data_specifier *specifier,
                                      enum reload_data_model model, struct reload_reader *out)
{
    struct reload_reader r = reload_reader_over(specifier->model_specifier);
    *out = r;
    switch (model) {                 /* RFC 6940 s7.4.2.1 */
    case RELOAD_MODEL_SINGLE: break; /* empty: not even a length */
    case RELOAD_MODEL_ARRAY:
        *out = reload_reader_over(reload_rd_opaque16(&r));
        if (!is_array_ranges(*out))
            reload_rd_fail(&r);
        break;
    case RELOAD_MODEL_DICTIONARY:
        *out = reload_reader_over(reload_rd_opaque16(&r));
        if (!is_dictionary_keys(*out))
            reload_rd_fail(&r);
        break;
    }
    return reload_reader_finish(&r);
}

bool reload_array_range_next(struct reload_reader *ranges, struct reload_array_range *out)
{
    if (!reload_reader_more(ranges))
        return false;
    out->first = reload_rd_u32(ranges);
    out->last = reload_rd_u32(ranges);
    return !ranges->failed;
}

bool reload_dictionary_key_next(struct reload_reader *keys, struct reload_slice *key)
{
    if (!reload_reader_more(keys))
        return false;
    *key = reload_rd_opaque16(keys);
    return !keys->failed;
}

/* Whether `range` overlaps one of the first `count` of `ranges`. */
static bool overlaps(struct reload_reader ranges, size_t count, struct reload_array_range range)
{
    struct reload_array_range other;
    for (size_t i = 0; i < count && reload_array_range_next(&ranges, &other); i++)
        if (range.first <= other.last && other.first <= range.last)
            return true;
    return false;
}

int reload_array_ranges_validate(struct reload_reader ranges)
{
    const struct reload_reader all = ranges;
    struct reload_array_range range;
    uint64_t above = 0; /* one more than any index so far */
    for (size_t count = 0; reload_array_range_next(&ranges, &range); count++) {
        if (range.first > range.last) /* s7.4.2.1 */
            return RELOAD_E_INVALID;
        if (range.first < above) {
            if (count >= RELOAD_UNORDERED_RANGES_MAX)
                return RELOAD_E_LIMIT;
            if (overlaps(all, count, range))
                return RELOAD_E_INVALID;
        }
        if (range.last >= above)
            above = (uint64_t)range.last + 1;
    }
    return 0;
}

size_t reload_fetch_req_begin(struct reload_writer *w, struct reload_slice resource)
{
    reload_wr_opaque8(w, resource);
    return reload_wr_open16(w);
}

void reload_fetch_req_end(struct reload_writer *w, size_t mark)
{
    reload_wr_close16(w, mark);
}

struct reload_specifier_mark reload_specifier_begin(struct reload_writer *w, uint32_t kind,
                                                    uint64_t generation,
                                                    enum reload_data_model model)
{
    struct reload_specifier_mark mark = { 0 };
    reload_wr_u32(w, kind);
    reload_wr_u64(w, generation);
    mark.length = reload_wr_open16(w);
    if (model != RELOAD_MODEL_SINGLE)
        mark.elements = reload_wr_open16(w);
    return mark;
}

void reload_wr_array_range(struct reload_writer *w, struct reload_array_range range)
{
    reload_wr_u32(w, range.first);
    reload_wr_u32(w, range.last);
}

void reload_wr_dictionary_key(struct reload_writer *w, struct reload_slice key)
{
    reload_wr_opaque16(w, key);
}

void reload_specifier_end(struct reload_writer *w, struct reload_specifier_mark mark,
                          enum reload_data_model model)
{
    if (model != RELOAD_MODEL_SINGLE)
        reload_wr_close16(w, mark.elements);
    reload_wr_close16(w, mark.length);
}

int reload_fetch_ans_decode(struct reload_slice body, struct reload_fetch_ans *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->kind_responses = reload_rd_opaque32(&r);
    struct reload_reader responses = reload_reader_over(out->kind_responses);
    struct reload_fetch_kind_response response;
    while (reload_fetch_kind_response_next(&responses, &response))
        ;
    reload_rd_close(&r, &responses);
    return reload_reader_finish(&r);
}

int reload_fetch_ans_encode(struct reload_writer *w, const struct reload_fetch_ans *ans)
{
    reload_wr_opaque32(w, ans->kind_responses);
    return reload_writer_status(w);
}

int reload_fetch_kind_response_decode(struct reload_reader *r,
                                      struct reload_fetch_kind_response *out)
{
    out->kind = reload_rd_u32(r);
    out->generation = reload_rd_u64(r);
    out->values = reload_rd_opaque32(r);
    return reload_reader_status(r);
}

int reload_fetch_kind_response_encode(struct reload_writer *w,
                                      const struct reload_fetch_kind_response *response)
{
    size_t mark = reload_fetch_kind_begin(w, response->kind, response->generation);
    reload_wr_bytes(w, response->values);
    reload_fetch_kind_end(w, mark);
    return reload_writer_status(w);
}

bool reload_fetch_kind_response_next(struct reload_reader *list,
                                     struct reload_fetch_kind_response *out)
{
    return reload_reader_more(list) && reload_fetch_kind_response_decode(list, out) == 0;
}

size_t reload_fetch_ans_begin(struct reload_writer *w)
{
    return reload_wr_open32(w);
}

void reload_fetch_ans_end(struct reload_writer *w, size_t mark)
{
    reload_wr_close32(w, mark);
}

size_t reload_fetch_kind_begin(struct reload_writer *w, uint32_t kind, uint64_t generation)
{
    reload_wr_u32(w, kind);
    reload_wr_u64(w, generation);
    return reload_wr_open32(w);
}

void reload_fetch_kind_end(struct reload_writer *w, size_t mark)
{
    reload_wr_close32(w, mark);
}
