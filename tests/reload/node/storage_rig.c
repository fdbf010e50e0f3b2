#include "tests/reload/node/storage_rig.h"

#include "reload/wire/fetch.h"
#include "reload/wire/store.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <string.h>

void storage_set_up(struct rig *rig, bool persist)
{
    rig_init(rig);
    rig->fake.owns_everything = true;
    rig->fake.replicas[0] = rig->parties[1].id;
    rig->fake.replicas[1] = rig->parties[2].id;
    rig->fake.replica_count = 2;
    rig->node_config.persist = persist;
    rig_start(rig);
    for (size_t i = 0; i < 3; i++)
        rig_link(rig, i);
    rig_clear(rig);
}

struct reload_slice storage_home_of(const struct party *p)
{
    static uint8_t ids[4][16];
    static unsigned next;
    uint8_t out[RELOAD_RESOURCE_ID_MAX];
    size_t len;
    assert_int_equal(reload_standin_resource_id(p->crypto, p->crypto->own->user_name, out, &len),
                     0);
    memcpy(ids[++next % 4], out, 16);
    return reload_slice_of(ids[next % 4], 16);
}

struct reload_slice storage_body(const struct rig *rig, const struct party *p, uint64_t time,
                                 uint8_t replica_number, uint64_t generation)
{
    static uint8_t body[4096];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    const struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                            .generation = generation,
                                            .exists = true,
                                            .value = reload_slice_of("hello", 5),
                                            .lifetime_s = 600,
                                            .storage_time = time };
    assert_int_equal(reload_store_request_encode(p->crypto, &rig->config.config, storage_home_of(p),
                                                 &item, 1, &w),
                     0);
    body[1 + 16] = replica_number;
    return reload_writer_slice(&w);
}

struct rig_message storage_message(const struct rig *rig, size_t party, uint64_t time)
{
    return (struct rig_message){
        .signer = &rig->parties[party],
        .code = RELOAD_STORE_REQ,
        .body = storage_body(rig, &rig->parties[party], time, 0, 0),
        .destination_list = rig_resource(storage_home_of(&rig->parties[party]).p, 16),
    };
}

struct rig_message storage_keys(const struct rig *rig, const char *keys, uint64_t time)
{
    static uint8_t body[4096];
    const struct party *p = &rig->parties[0];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    struct reload_store_item items[8];
    size_t count = 0;
    for (; keys[count]; count++)
        items[count] = (struct reload_store_item){ .kind = RELOAD_STANDIN_DICTIONARY_USER,
                                                   .key = reload_slice_of(&keys[count], 1),
                                                   .exists = true,
                                                   .value = reload_slice_of("hello", 5),
                                                   .lifetime_s = 600,
                                                   .storage_time = time };
    assert_int_equal(reload_store_request_encode(p->crypto, &rig->config.config, storage_home_of(p),
                                                 items, count, &w),
                     0);
    struct rig_message m = storage_message(rig, 0, time);
    m.body = reload_writer_slice(&w);
    return m;
}

size_t storage_values(const struct rig *rig)
{
    return reload_store_value_count(reload_node_store_view(rig->node));
}

uint16_t storage_error_sent(const struct rig *rig, size_t n)
{
    struct reload_message m = rig_sent(rig, n, NULL);
    return rig_error_code(&m);
}

void storage_fill(struct rig *rig, size_t count)
{
    rig->fake.replica_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct rig_message m = storage_message(rig, i, 1000);
        rig_receive(rig, 1, &m);
    }
    assert_int_equal(storage_values(rig), count);
    rig_clear(rig);
}

struct rig_message storage_refusal(const struct rig *rig, size_t party, uint64_t id, uint16_t code)
{
    static uint8_t body[4];
    body[1] = (uint8_t)code;
    return (struct rig_message){ .signer = &rig->parties[party],
                                 .code = RELOAD_ERROR,
                                 .body = { body, 4 },
                                 .transaction_id = id };
}

struct reload_slice storage_newer_values(const struct rig *rig, uint64_t time)
{
    static uint8_t body[4096];
    struct reload_slice req_body = storage_body(rig, &rig->parties[0], time, 0, 0);
    struct reload_store_req req;
    assert_int_equal(reload_store_req_decode(req_body, &req), 0);
    struct reload_reader r = reload_reader_over(req.kind_data);
    struct reload_store_kind_data data;
    assert_true(reload_store_kind_data_next(&r, &data));
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t all = reload_fetch_ans_begin(&w);
    size_t kind = reload_fetch_kind_begin(&w, data.kind, 42);
    reload_wr_bytes(&w, data.values);
    reload_fetch_kind_end(&w, kind);
    reload_fetch_ans_end(&w, all);
    assert_false(w.failed);
    return reload_writer_slice(&w);
}

const struct reload_result *storage_last_result(const struct rig *rig)
{
    size_t n = rig_count(rig, RELOAD_ACTION_REQUEST_DONE);
    assert_true(n > 0);
    return &rig_action(rig, RELOAD_ACTION_REQUEST_DONE, n - 1)->action.result;
}
