/* The node's part of storage: RFC 6940 s7.4.1, s10.4, and waiting for the disk. */
#include "tests/reload/node/rig.h"

#include "reload/wire/fetch.h"
#include "reload/wire/store.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

static void set_up(struct rig *rig, bool persist)
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

/* Where a USER-MATCH value of that party's user belongs. */
static struct reload_slice home_of(const struct party *p)
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

static struct reload_slice store_body(const struct rig *rig, const struct party *p, uint64_t time,
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
    assert_int_equal(
        reload_store_request_encode(p->crypto, &rig->config.config, home_of(p), &item, 1, &w), 0);
    body[1 + 16] = replica_number;
    return reload_writer_slice(&w);
}

static struct rig_message store_from(const struct rig *rig, size_t party, uint64_t time)
{
    return (struct rig_message){
        .signer = &rig->parties[party],
        .code = RELOAD_STORE_REQ,
        .body = store_body(rig, &rig->parties[party], time, 0, 0),
        .destination_list = rig_resource(home_of(&rig->parties[party]).p, 16),
    };
}

static size_t values(const struct rig *rig)
{
    return reload_store_value_count(reload_node_store_view(rig->node));
}

static uint16_t error_sent(const struct rig *rig, size_t n)
{
    struct reload_message m = rig_sent(rig, n, NULL);
    return rig_error_code(&m);
}

/* R6940-10.4-1 R6940-10.4-2 R6940-7.4.1.1-5 R6940-7.4.1.1-16 R6940-7.4.1.2-2: the answer names the
 * replica holders and goes out first; each holder gets the value by its Node-ID, under its own
 * number. */
static void a_store_is_answered_and_then_replicated(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    struct rig_message m = store_from(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    assert_int_equal(values(&rig), 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    struct reload_message ans = rig_sent(&rig, 0, NULL);
    assert_int_equal(ans.message_code, RELOAD_STORE_ANS);
    struct reload_store_ans body;
    assert_int_equal(reload_store_ans_decode(ans.body, 16, &body), 0);
    struct reload_reader r = reload_reader_over(body.kind_responses);
    struct reload_store_kind_response kind;
    assert_true(reload_store_kind_response_next(&r, 16, &kind));
    assert_int_equal(kind.replicas.n, 32);
    for (size_t i = 0; i < 2; i++) {
        struct reload_message copy = rig_sent(&rig, i + 1, NULL);
        struct reload_store_req req;
        assert_int_equal(copy.message_code, RELOAD_STORE_REQ);
        assert_true(reload_slice_equal(copy.header.destination_list,
                                       rig_nodes(&rig.parties[i + 1].id, NULL)));
        assert_int_equal(reload_store_req_decode(copy.body, &req), 0);
        assert_int_equal(req.replica_number, i + 1);
        struct reload_reader k = reload_reader_over(req.kind_data);
        struct reload_store_kind_data data;
        assert_true(reload_store_kind_data_next(&k, &data));
        assert_true(data.generation_counter >= 1);
        /* What verifies the value travels with it (R6940-6.3.4-8). */
        struct reload_signer signer;
        assert_int_equal(reload_message_verify(rig.parties[1].crypto, &copy, rig.now, &signer), 0);
        struct reload_reader v = reload_reader_over(data.values);
        struct reload_stored_data stored;
        assert_true(reload_stored_data_next(&v, RELOAD_MODEL_SINGLE, &stored));
        assert_int_equal(reload_value_verify(rig.parties[1].crypto, req.resource, data.kind,
                                             &stored, copy.security.certificates, rig.now, &signer),
                         0);
    }
    rig_fini(&rig);
}

/* How many values a replica Store holds, of one Kind, and with which generation counter. */
static size_t values_in(const struct reload_message *copy, uint32_t kind, uint64_t *generation)
{
    struct reload_store_req req;
    struct reload_store_kind_data data;
    struct reload_stored_data stored;
    size_t count = 0;
    assert_int_equal(reload_store_req_decode(copy->body, &req), 0);
    struct reload_reader kinds = reload_reader_over(req.kind_data);
    while (reload_store_kind_data_next(&kinds, &data)) {
        assert_int_equal(data.kind, kind);
        *generation = data.generation_counter;
        struct reload_reader r = reload_reader_over(data.values);
        while (reload_stored_data_next(&r, RELOAD_MODEL_DICTIONARY, &stored))
            count++;
    }
    return count;
}

static struct rig_message store_keys(const struct rig *rig, const char *keys, uint64_t time)
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
    assert_int_equal(
        reload_store_request_encode(p->crypto, &rig->config.config, home_of(p), items, count, &w),
        0);
    struct rig_message m = store_from(rig, 0, time);
    m.body = reload_writer_slice(&w);
    return m;
}

/* R6940-10.4-1 R6940-7.4.1.1-12: replicas get what the Store changed, under the counter of now; not
 * all that is stored there. With a disk as well, when two Stores wait for it. */
static void replicas_get_what_changed_and_no_more(void **state)
{
    (void)state;
    for (int disk = 0; disk < 2; disk++) {
        struct rig rig;
        uint64_t generation = 0;
        set_up(&rig, disk);
        struct rig_message m = store_from(&rig, 0, 1000); /* another Kind, same resource */
        rig_receive(&rig, 1, &m);
        m = store_keys(&rig, "abc", 1000);
        rig_receive(&rig, 1, &m);
        if (disk)
            reload_node_persisted(rig.node, 2, true, rig.now);
        rig_pull(&rig);
        rig_clear(&rig);
        m = store_keys(&rig, "bd", 2000);
        rig_receive(&rig, 1, &m);
        m = store_keys(&rig, "e", 3000);
        rig_receive(&rig, 1, &m);
        if (disk)
            reload_node_persisted(rig.node, 4, true, rig.now);
        rig_pull(&rig);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 6);
        for (size_t i = 0; i < 2; i++) {
            struct reload_message copy = rig_sent(&rig, 1 + i, NULL);
            assert_int_equal(values_in(&copy, RELOAD_STANDIN_DICTIONARY_USER, &generation), 2);
            assert_int_equal(generation, disk ? 3 : 2);
            copy = rig_sent(&rig, 4 + i, NULL);
            assert_int_equal(values_in(&copy, RELOAD_STANDIN_DICTIONARY_USER, &generation), 1);
            assert_int_equal(generation, 3);
        }
        rig_fini(&rig);
    }
}

/* What a holder does not take is sent once more after a second; then the topology hears of it. */
static void a_replica_that_is_not_taken_is_sent_once_more(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig, false);
    struct rig_message m = store_from(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    for (unsigned i = 0; i < 2; i++) {
        struct reload_message copy = rig_sent(&rig, i == 0 ? 2 : 0, &link);
        struct reload_store_req req;
        assert_int_equal(link, 3);
        assert_int_equal(reload_store_req_decode(copy.body, &req), 0);
        assert_int_equal(req.replica_number, 2);
        static uint8_t body[4] = { 0, RELOAD_ERROR_FORBIDDEN };
        struct rig_message no = { .signer = &rig.parties[2],
                                  .code = RELOAD_ERROR,
                                  .body = { body, 4 },
                                  .transaction_id = copy.header.transaction_id };
        rig_receive(&rig, 3, &no);
        assert_int_equal(rig.fake.replica_failures, i);
        rig_clear(&rig);
        rig_run(&rig, 900);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
        rig_run(&rig, 200);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), i == 0);
    }
    assert_true(reload_node_id_equal(&rig.fake.last_node, &rig.parties[2].id));
    rig_fini(&rig);

    /* One that is no holder any more is left alone. */
    set_up(&rig, false);
    rig_receive(&rig, 1, &m);
    rig.fake.replica_count = 1;
    reload_node_link_down(rig.node, 3, rig.now);
    rig_run(&rig, 40000);
    assert_int_equal(rig.fake.replica_failures, 1); /* of the other, which stays silent */
    rig_fini(&rig);
}

/* R6940-7.4.1.1-6 */
static void an_original_store_is_refused_where_nobody_is_responsible(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    rig.fake.owns_everything = false;
    struct rig_message m = store_from(&rig, 0, 1000);
    m.destination_list = rig_nodes(&rig.me.id, NULL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(values(&rig), 0);
    rig_fini(&rig);
}

/* R6940-10.4-3 R6940-10.4-4 R6940-10.4-5 R6940-7.4.1.1-7 R6940-7.4.1.1-12 */
static void a_replica_is_kept_when_plausible_and_not_passed_on(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    struct rig_message hello = { .signer = &rig.parties[0],
                                 .code = RELOAD_PING_REQ,
                                 .body = rig_ping };
    rig_receive(&rig, 1, &hello); /* so that the value's certificate is known */
    rig_clear(&rig);
    struct rig_message m = store_from(&rig, 0, 1000);
    m.body = store_body(&rig, &rig.parties[0], 1000, 1, 7);
    m.destination_list = rig_nodes(&rig.me.id, NULL);
    m.signer = &rig.parties[1];
    rig_receive(&rig, 2, &m);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(values(&rig), 0);
    rig.fake.replica_plausible = true;
    rig.fake.owns_everything = false;
    rig_clear(&rig);
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_STORE_ANS);
    assert_int_equal(values(&rig), 1);
    /* R6940-10.7.3-5: but the one who owns what was handed over has replicas to make of it. */
    rig.fake.owns_everything = true;
    rig_clear(&rig);
    m.transaction_id = 77;
    m.body = store_body(&rig, &rig.parties[0], 2000, 1, 8);
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    assert_int_equal(rig_sent(&rig, 2, NULL).message_code, RELOAD_STORE_REQ);
    rig_clear(&rig);
    m.transaction_id = 78; /* nothing new: nothing to pass on */
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    rig_fini(&rig);
}

/* R6940-6.2.1-10: with the second answer out of the cache, not Error_Data_Too_Old. */
static void a_repeated_store_is_not_stored_again(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    struct rig_message m = store_from(&rig, 0, 1000);
    m.transaction_id = 9;
    rig_receive(&rig, 1, &m);
    rig_clear(&rig);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_STORE_ANS);
    m.transaction_id = 10;
    rig_receive(&rig, 1, &m);
    assert_int_equal(error_sent(&rig, 1), RELOAD_ERROR_DATA_TOO_OLD);
    rig_fini(&rig);
}

static void a_malformed_store_is_an_invalid_message(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    static const uint16_t codes[] = { RELOAD_STORE_REQ, RELOAD_FETCH_REQ, RELOAD_STAT_REQ,
                                      RELOAD_FIND_REQ };
    for (size_t i = 0; i < 4; i++) {
        struct rig_message m = store_from(&rig, 0, 1000);
        m.code = codes[i];
        m.body = reload_slice_of("\20abc", 4);
        rig_receive(&rig, 1, &m);
        assert_int_equal(error_sent(&rig, i), RELOAD_ERROR_INVALID_MESSAGE);
    }
    rig_fini(&rig);
}

/* --- a range that may be another's --- */

static struct reload_slice fetch_body(const struct party *p)
{
    static uint8_t body[64];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_fetch_req_begin(&w, home_of(p));
    reload_specifier_end(
        &w, reload_specifier_begin(&w, RELOAD_STANDIN_SINGLE_USER, 0, RELOAD_MODEL_SINGLE),
        RELOAD_MODEL_SINGLE);
    reload_fetch_req_end(&w, mark);
    return reload_writer_slice(&w);
}

/* What is held is given out; what is not may be with the peer whose range it was, so nobody is told
 * that it does not exist, this node's own user neither. */
static void while_the_owner_may_live_nothing_is_said_not_to_exist(void **state)
{
    struct rig rig;
    uint64_t request;
    (void)state;
    set_up(&rig, false);
    struct rig_message m = store_from(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    rig_clear(&rig);
    rig.fake.uncertain = true;
    static const uint16_t codes[] = { RELOAD_FETCH_REQ, RELOAD_STAT_REQ };
    for (size_t i = 0; i < 2; i++) {
        m = (struct rig_message){ .signer = &rig.parties[0], .code = codes[i] };
        m.body = fetch_body(&rig.parties[1]);
        m.destination_list = rig_resource(home_of(&rig.parties[1]).p, 16);
        rig_receive(&rig, 1, &m);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), i);
        assert_int_equal(rig_dropped(&rig, RELOAD_DROP_STATE), i + 1);
        m.body = fetch_body(&rig.parties[0]);
        m.destination_list = rig_resource(home_of(&rig.parties[0]).p, 16);
        rig_receive(&rig, 1, &m);
        assert_int_equal(rig_sent(&rig, i, NULL).message_code, codes[i] + 1);
    }
    assert_int_equal(reload_node_fetch(rig.node, home_of(&rig.parties[1]),
                                       fetch_body(&rig.parties[1]), rig.now, &request),
                     0);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig.fake.uncertain = false;
    rig.now.monotonic_ms += 3001;
    reload_node_tick(rig.node, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 1);
    assert_int_equal(rig_action(&rig, RELOAD_ACTION_REQUEST_DONE, 0)->action.result.error, 0);
    rig_fini(&rig);
}

/* --- the disk --- */

/* DESIGN s2: StoreAns and replicas wait until the rows are written; a repetition meanwhile is
 * silent. */
static void with_a_disk_the_answer_waits_for_it(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, true);
    struct rig_message m = store_from(&rig, 0, 1000);
    m.transaction_id = 9;
    rig_receive(&rig, 1, &m);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_PERSIST), 1);
    const struct reload_action_persist *p =
        &rig_action(&rig, RELOAD_ACTION_PERSIST, 0)->action.persist;
    assert_true(p->row_count >= 1);
    reload_node_persisted(rig.node, p->token, true, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_STORE_ANS);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 4); /* from the cache */
    rig_fini(&rig);
}

static void tokens_are_acknowledged_in_bulk_and_in_order(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, true);
    rig.fake.replica_count = 0;
    uint64_t ids[3];
    for (size_t i = 0; i < 3; i++) {
        struct rig_message m = store_from(&rig, i, 1000);
        ids[i] = rig_receive(&rig, (reload_link_id)(i + 1), &m);
    }
    uint64_t second = rig_action(&rig, RELOAD_ACTION_PERSIST, 1)->action.persist.token;
    reload_node_persisted(rig.node, second, true, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 2);
    assert_int_equal(rig_sent(&rig, 0, NULL).header.transaction_id, ids[0]);
    assert_int_equal(rig_sent(&rig, 1, NULL).header.transaction_id, ids[1]);
    rig_fini(&rig);
}

/* Disk full: the writer is told, and nothing is acknowledged. */
static void what_could_not_be_written_is_not_acknowledged(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, true);
    struct rig_message m = store_from(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    reload_node_persisted(
        rig.node, rig_action(&rig, RELOAD_ACTION_PERSIST, 0)->action.persist.token, false, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_REQUEST_TIMEOUT);
    rig_fini(&rig);
}

/* R6940-6.1.2-14: by another link to the same node, or not at all. */
static void a_held_answer_takes_another_link_to_the_same_node_or_is_dropped(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig, true);
    rig.fake.replica_count = 0;
    const struct reload_node_link info = { .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE,
                                           .node_ids = &rig.parties[0].id,
                                           .node_id_count = 1 };
    struct rig_message m = store_from(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    reload_node_link_up(rig.node, 40, &info, rig.now);
    reload_node_link_down(rig.node, 1, rig.now);
    rig_pull(&rig);
    reload_node_persisted(rig.node, 1, true, rig.now);
    rig_pull(&rig);
    rig_sent(&rig, 0, &link);
    assert_int_equal(link, 40);
    m = store_from(&rig, 0, 2000);
    rig_receive(&rig, 40, &m);
    reload_node_link_down(rig.node, 40, rig.now);
    rig_pull(&rig);
    rig_clear(&rig);
    reload_node_persisted(rig.node, 2, true, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_RETURN_GONE), 1);
    rig_fini(&rig);
}

/* --- newer data elsewhere --- */

static struct rig_message refusal(const struct rig *rig, size_t party, uint64_t id, uint16_t code)
{
    static uint8_t body[4];
    body[1] = (uint8_t)code;
    return (struct rig_message){ .signer = &rig->parties[party],
                                 .code = RELOAD_ERROR,
                                 .body = { body, 4 },
                                 .transaction_id = id };
}

/* A FetchAns with one value of party 0, newer than what is here. */
static struct reload_slice newer_values(const struct rig *rig, uint64_t time)
{
    static uint8_t body[4096];
    struct reload_slice req_body = store_body(rig, &rig->parties[0], time, 0, 0);
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

/* The StoreAns that comes with Error_Generation_Counter_Too_Low. */
static struct rig_message too_low(const struct rig *rig, uint64_t id, bool damaged)
{
    static uint8_t body[64];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    reload_wr_u16(&w, RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW);
    size_t info = reload_wr_open16(&w);
    size_t mark = reload_store_ans_begin(&w);
    const struct reload_store_kind_response kind = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                                     .generation_counter = 42 };
    assert_int_equal(reload_store_kind_response_encode(&w, &kind), 0);
    reload_store_ans_end(&w, mark);
    w.len -= damaged;
    reload_wr_close16(&w, info);
    return (struct rig_message){ .signer = &rig->parties[1],
                                 .code = RELOAD_ERROR,
                                 .body = reload_writer_slice(&w),
                                 .transaction_id = id };
}

/* R6940-7.4.1.2-5: an application's Store whose generation counter was too low: the data that is
 * there is fetched and handed over with the error, and without it when it cannot be had. */
static void the_newer_data_comes_with_a_store_refused_as_too_low(void **state)
{
    (void)state;
    for (int run = 0; run < 3; run++) {
        struct rig rig;
        uint64_t request;
        set_up(&rig, false);
        rig.fake.owns_everything = false;
        rig.fake.hop = rig.parties[1].id;
        struct reload_slice resource = home_of(&rig.parties[0]);
        const struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                                .generation = 7,
                                                .exists = true,
                                                .value = reload_slice_of("mine", 4),
                                                .lifetime_s = 600 };
        assert_int_equal(reload_node_store(rig.node, resource, &item, 1, rig.now, &request), 0);
        rig_pull(&rig);
        struct rig_message m =
            too_low(&rig, rig_sent(&rig, 0, NULL).header.transaction_id, run == 2);
        rig_clear(&rig);
        rig_receive(&rig, 2, &m);
        if (run < 2) {
            assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
            struct reload_message fetch = rig_sent(&rig, 0, NULL);
            assert_int_equal(fetch.message_code, RELOAD_FETCH_REQ);
            assert_true(reload_slice_equal(fetch.header.destination_list,
                                           rig_resource(resource.p, resource.n)));
            m = run == 0
                    ? (struct rig_message){ .signer =
                                                &rig.parties[0], /* whose certificate it needs */
                                            .code = RELOAD_FETCH_ANS,
                                            .body = newer_values(&rig, 9000),
                                            .transaction_id = fetch.header.transaction_id }
                    : refusal(&rig, 1, fetch.header.transaction_id, RELOAD_ERROR_NOT_FOUND);
            rig_receive(&rig, run == 0 ? 1 : 2, &m);
        }
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 1);
        const struct reload_result *r =
            &rig_action(&rig, RELOAD_ACTION_REQUEST_DONE, 0)->action.result;
        assert_int_equal(r->request, request);
        assert_int_equal(r->code, RELOAD_STORE_REQ);
        assert_int_equal(r->error, RELOAD_E_FORBIDDEN);
        assert_int_equal(r->error_code, RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW);
        assert_int_equal(r->value_count, run == 0 ? 1 : 0);
        struct reload_store_ans info;
        if (run < 2)
            assert_int_equal(reload_store_ans_decode(r->body, 16, &info), 0);
        if (run == 0) {
            assert_int_equal(r->values[0].storage_time, 9000);
            assert_int_equal(r->values[0].generation, 42);
        }
        rig_fini(&rig);
    }
}

/* R6940-7.4.1.1-26: a replica refused as too old: the newer data is fetched there and replaces
 * ours. */
static void newer_data_of_a_replica_holder_is_taken_over(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    struct rig_message m = store_from(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    uint64_t id = rig_sent(&rig, 1, NULL).header.transaction_id;
    rig_clear(&rig);
    struct rig_message no = refusal(&rig, 1, id, RELOAD_ERROR_DATA_TOO_OLD);
    rig_receive(&rig, 2, &no);
    struct reload_message fetch = rig_sent(&rig, 0, NULL);
    assert_int_equal(fetch.message_code, RELOAD_FETCH_REQ);
    assert_true(
        reload_slice_equal(fetch.header.destination_list, rig_nodes(&rig.parties[1].id, NULL)));
    struct rig_message ans = { .signer = &rig.parties[1],
                               .code = RELOAD_FETCH_ANS,
                               .body = newer_values(&rig, 5000),
                               .transaction_id = fetch.header.transaction_id };
    rig_clear(&rig);
    rig_receive(&rig, 2, &ans);
    assert_int_equal(values(&rig), 1);
    assert_true(rig_count(&rig, RELOAD_ACTION_SEND) > 0); /* the other holder gets it, too */
    rig_clear(&rig);
    m = store_from(&rig, 0, 4999); /* older than what was taken over */
    rig_receive(&rig, 1, &m);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_DATA_TOO_OLD);
    rig_fini(&rig);
}

/* --- pushing a range --- */

static void push_all(struct rig *rig, uint32_t cookie)
{
    static const uint8_t zero[16];
    const struct reload_topology_push push = {
        .after = { zero, 16 },
        .up_to = { zero, 16 },
        .target = rig->parties[1].id,
        .replica_number = 1,
        .cookie = cookie,
    };
    rig->fake.host->push(rig->fake.host->context, &push);
    reload_node_tick(rig->node, rig->now);
    rig_pull(rig);
}

static void fill(struct rig *rig, size_t count)
{
    rig->fake.replica_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct rig_message m = store_from(rig, i, 1000);
        rig_receive(rig, 1, &m);
    }
    assert_int_equal(values(rig), count);
    rig_clear(rig);
}

/* R6940-7.4.1.1-24: a range goes out a few requests at a time, with the lifetimes that are left,
 * and its end is told. */
static void a_push_hands_over_every_resource_a_few_at_a_time(void **state)
{
    struct rig rig;
    size_t answered = 0;
    (void)state;
    set_up(&rig, false);
    fill(&rig, 7);
    rig_wait(&rig, 100000);
    push_all(&rig, 5);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 4);
    for (; answered < rig_count(&rig, RELOAD_ACTION_SEND); answered++) {
        assert_int_equal(rig.fake.pushed, 0);
        struct reload_message req = rig_sent(&rig, answered, NULL);
        struct reload_store_req store;
        assert_int_equal(reload_store_req_decode(req.body, &store), 0);
        assert_int_equal(store.replica_number, 1);
        struct reload_reader k = reload_reader_over(store.kind_data);
        struct reload_store_kind_data data;
        assert_true(reload_store_kind_data_next(&k, &data));
        struct reload_reader v = reload_reader_over(data.values);
        struct reload_stored_data stored;
        assert_true(reload_stored_data_next(&v, RELOAD_MODEL_SINGLE, &stored));
        assert_int_equal(stored.lifetime_s, 500);
        static const uint8_t empty[2];
        struct rig_message ans = { .signer = &rig.parties[1],
                                   .code = RELOAD_STORE_ANS,
                                   .body = { empty, 2 },
                                   .transaction_id = req.header.transaction_id };
        rig_receive(&rig, 2, &ans);
    }
    assert_int_equal(answered, 7);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, 0);
    rig_fini(&rig);
}

static void a_push_to_a_dead_node_ends_with_an_error(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    fill(&rig, 6);
    push_all(&rig, 5);
    rig_run(&rig, 20000);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, RELOAD_E_TIMEOUT);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 4 * 5); /* the rest was not tried */
    rig_fini(&rig);
}

static void an_empty_push_ends_at_once(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    push_all(&rig, 5);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, 0);
    rig_fini(&rig);
}

static void the_cap_on_pushes_holds(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.fake.owns_everything = true;
    rig.node_config.limits.max_pushes = 2;
    rig_start(&rig);
    for (size_t i = 0; i < 3; i++)
        rig_link(&rig, i);
    fill(&rig, 2);
    for (uint32_t i = 1; i <= 3; i++)
        push_all(&rig, i);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, RELOAD_E_LIMIT);
    rig_fini(&rig);
}

/* R6940-7.4.1.1-26 in a push: newer data over there counts as handed over, and is taken over here.
 */
static void a_push_goes_on_past_newer_data(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    fill(&rig, 1);
    push_all(&rig, 5);
    uint64_t id = rig_sent(&rig, 0, NULL).header.transaction_id;
    struct rig_message no = refusal(&rig, 1, id, RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW);
    rig_receive(&rig, 2, &no);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, 0);
    assert_int_equal(rig_sent(&rig, 1, NULL).message_code, RELOAD_FETCH_REQ);
    rig_fini(&rig);
}

static void push_routed(struct rig *rig)
{
    static const uint8_t zero[16];
    const struct reload_topology_push push = {
        .after = { zero, 16 }, .up_to = { zero, 16 }, .replica_number = 1, .cookie = 5
    };
    rig->fake.hop = rig->parties[1].id;
    rig->fake.host->push(rig->fake.host->context, &push);
    reload_node_tick(rig->node, rig->now);
    rig_pull(rig);
}

/* R6940-6.4.2.3-2: to the responsible peer of each resource, whoever that is; what this node is
 * responsible for stays. One that does not answer does not keep the others from theirs. */
static void a_push_without_a_target_goes_to_the_owner_of_each_resource(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    fill(&rig, 6);
    push_routed(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, 0);
    rig.fake.owns_everything = false;
    rig.fake.owns_resource = true;
    memcpy(rig.fake.owned_resource, home_of(&rig.parties[2]).p, 16);
    push_routed(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 4);
    for (size_t i = 0; i < 4; i++) {
        struct reload_message m = rig_sent(&rig, i, NULL);
        struct reload_store_req req;
        assert_int_equal(reload_store_req_decode(m.body, &req), 0);
        assert_true(reload_slice_equal(m.header.destination_list,
                                       rig_resource(req.resource.p, req.resource.n)));
        assert_memory_not_equal(req.resource.p, rig.fake.owned_resource, 16);
    }
    rig_run(&rig, 40000);
    assert_int_equal(rig.fake.pushed, 2);
    assert_int_equal(rig.fake.pushed_error, RELOAD_E_TIMEOUT);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 5 * 5); /* each was tried */
    rig_fini(&rig);
}

/* Two entries of one dictionary. */
static void fill_dictionary(struct rig *rig)
{
    static uint8_t body[4096];
    const struct party *p = &rig->parties[0];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    struct reload_store_item items[2];
    for (size_t i = 0; i < 2; i++)
        items[i] = (struct reload_store_item){ .kind = RELOAD_STANDIN_DICTIONARY_USER,
                                               .key = reload_slice_of(i ? "b" : "a", 1),
                                               .exists = true,
                                               .value = reload_slice_of("hello", 5),
                                               .lifetime_s = 600,
                                               .storage_time = 1000 };
    assert_int_equal(
        reload_store_request_encode(p->crypto, &rig->config.config, home_of(p), items, 2, &w), 0);
    struct rig_message m = { .signer = p,
                             .code = RELOAD_STORE_REQ,
                             .body = reload_writer_slice(&w),
                             .destination_list = rig_resource(home_of(p).p, 16) };
    rig->fake.replica_count = 0;
    rig_receive(rig, 1, &m);
    assert_int_equal(values(rig), 2);
    rig_clear(rig);
}

/* R6940-7.4.1.1-26 R6940-7.4.1.1-27: one of two values is old news over there, the other is not. A
 * Store fails as a whole, so each goes once more by itself. */
static void values_refused_together_are_pushed_one_by_one(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    fill_dictionary(&rig);
    push_all(&rig, 5);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    uint64_t id = rig_sent(&rig, 0, NULL).header.transaction_id;
    struct rig_message no = refusal(&rig, 1, id, RELOAD_ERROR_DATA_TOO_OLD);
    rig_clear(&rig);
    rig_receive(&rig, 2, &no);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_FETCH_REQ);
    assert_int_equal(rig.fake.pushed, 0);
    for (size_t i = 1; i < 3; i++) {
        struct reload_message m = rig_sent(&rig, i, NULL);
        struct reload_store_req req;
        struct reload_store_kind_data data;
        struct reload_stored_data stored;
        assert_int_equal(reload_store_req_decode(m.body, &req), 0);
        struct reload_reader k = reload_reader_over(req.kind_data);
        assert_true(reload_store_kind_data_next(&k, &data));
        struct reload_reader v = reload_reader_over(data.values);
        assert_true(reload_stored_data_next(&v, RELOAD_MODEL_DICTIONARY, &stored));
        assert_false(reload_reader_more(&v));
    }
    for (size_t i = 1; i < 3; i++) { /* refused again: then that is that */
        no = refusal(&rig, 1, rig_sent(&rig, i, NULL).header.transaction_id,
                     RELOAD_ERROR_DATA_TOO_OLD);
        rig_receive(&rig, 2, &no);
    }
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, 0);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    rig_fini(&rig);
}

/* --- own stores and fetches --- */

static uint64_t store_own(struct rig *rig)
{
    uint64_t request;
    const struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                            .exists = true,
                                            .value = reload_slice_of("mine", 4),
                                            .lifetime_s = 600 };
    assert_int_equal(reload_node_store(rig->node, home_of(&rig->me), &item, 1, rig->now, &request),
                     0);
    rig_pull(rig);
    return request;
}

static const struct reload_result *last_result(const struct rig *rig)
{
    size_t n = rig_count(rig, RELOAD_ACTION_REQUEST_DONE);
    assert_true(n > 0);
    return &rig_action(rig, RELOAD_ACTION_REQUEST_DONE, n - 1)->action.result;
}

/* R6940-7.4.1.1-17 at the writer: the clock goes back an hour, and the next store is newer all the
 * same. */
static void own_stores_are_always_newer_than_the_last(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, false);
    store_own(&rig);
    assert_int_equal(last_result(&rig)->error, 0);
    rig.now.unix_ms -= 3600000;
    rig.now.monotonic_ms += 10;
    store_own(&rig);
    assert_int_equal(last_result(&rig)->error, 0);
    store_own(&rig);
    assert_int_equal(last_result(&rig)->error, 0);
    assert_int_equal(values(&rig), 1);
    rig_fini(&rig);
}

/* Asks for the USER-MATCH value there. */
static void ask_for(struct rig *rig, struct reload_slice resource)
{
    uint8_t body[256];
    uint64_t request;
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_fetch_req_begin(&w, resource);
    struct reload_specifier_mark s =
        reload_specifier_begin(&w, RELOAD_STANDIN_SINGLE_USER, 0, RELOAD_MODEL_SINGLE);
    reload_specifier_end(&w, s, RELOAD_MODEL_SINGLE);
    reload_fetch_req_end(&w, mark);
    assert_int_equal(
        reload_node_fetch(rig->node, resource, reload_writer_slice(&w), rig->now, &request), 0);
}

static struct reload_fetched_value fetch_own(struct rig *rig)
{
    struct reload_action action;
    struct reload_fetched_value value = { 0 };
    ask_for(rig, home_of(&rig->me));
    while (reload_node_next(rig->node, &action))
        if (action.type == RELOAD_ACTION_REQUEST_DONE && action.result.value_count == 1)
            value = action.result.values[0];
    return value;
}

/* R6940-7-2 R6940-7-5: by the clock of day, whatever the monotonic one says. R6940-7-6: the clock
 * is behind what is stored, so that is fetched and its time plus one taken. */
static void storage_time_is_the_time_of_day_and_one_more_than_a_newer_value_has(void **state)
{
    struct rig rig;
    uint64_t request;
    (void)state;
    set_up(&rig, false);
    struct reload_slice resource = home_of(&rig.me);
    rig.now.unix_ms = 1394000000123; /* in 2014 */
    store_own(&rig);
    assert_int_equal(last_result(&rig)->error, 0);
    assert_true(fetch_own(&rig).storage_time == 1394000000123);
    struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                      .exists = true,
                                      .value = reload_slice_of("late", 4),
                                      .lifetime_s = 600,
                                      .storage_time = 1394000000123 };
    for (uint64_t more = 0; more <= 1; more++) {
        item.storage_time = fetch_own(&rig).storage_time + more;
        assert_int_equal(reload_node_store(rig.node, resource, &item, 1, rig.now, &request), 0);
        rig_pull(&rig);
        assert_int_equal(last_result(&rig)->error_code, more ? 0 : RELOAD_ERROR_DATA_TOO_OLD);
    }
    assert_true(fetch_own(&rig).storage_time == 1394000000124);
    rig_fini(&rig);
}

/* R6940-4.2.2-1: what a client does needs no topology plug-in but for its Resource-IDs; none is
 * linked into this program. */
static void a_client_stores_and_fetches_through_its_peer(void **state)
{
    struct rig rig;
    reload_link_id link;
    struct reload_signer signer;
    struct reload_store_req req;
    (void)state;
    rig_init(&rig);
    rig.node_config.role = RELOAD_ROLE_CLIENT;
    rig.fake.hop = rig.parties[0].id;
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_clear(&rig);
    store_own(&rig);
    struct reload_message store = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 1);
    assert_int_equal(store.message_code, RELOAD_STORE_REQ);
    assert_int_equal(reload_store_req_decode(store.body, &req), 0);
    assert_true(reload_slice_equal(req.resource, home_of(&rig.me)));
    assert_int_equal(reload_message_verify(rig.parties[0].crypto, &store, rig.now, &signer), 0);
    assert_true(reload_node_id_equal(&signer.node_id, &rig.me.id));
    rig_clear(&rig);
    ask_for(&rig, home_of(&rig.parties[0]));
    rig_pull(&rig);
    struct reload_message fetch = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 1);
    assert_int_equal(fetch.message_code, RELOAD_FETCH_REQ);
    struct rig_message ans = { .signer = &rig.parties[0],
                               .code = RELOAD_FETCH_ANS,
                               .body = newer_values(&rig, 5000),
                               .transaction_id = fetch.header.transaction_id };
    rig_receive(&rig, 1, &ans);
    assert_int_equal(last_result(&rig)->error, 0);
    assert_int_equal(last_result(&rig)->value_count, 1);
    rig_fini(&rig);
}

/* R6940-7.4.2.2-7 R6940-7.4.2.2-9: what does not verify is left out and counted. */
static void forged_values_in_a_fetch_are_left_out_and_counted(void **state)
{
    struct rig rig;
    uint64_t request;
    uint8_t body[256], forged[4096];
    (void)state;
    set_up(&rig, false);
    rig.fake.owns_everything = false;
    rig.fake.hop = rig.parties[1].id;
    struct reload_slice resource = home_of(&rig.parties[0]);
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_fetch_req_begin(&w, resource);
    struct reload_specifier_mark s =
        reload_specifier_begin(&w, RELOAD_STANDIN_SINGLE_USER, 0, RELOAD_MODEL_SINGLE);
    reload_specifier_end(&w, s, RELOAD_MODEL_SINGLE);
    reload_fetch_req_end(&w, mark);
    struct rig_message hello = { .signer = &rig.parties[0],
                                 .code = RELOAD_PING_REQ,
                                 .body = rig_ping };
    rig_receive(&rig, 1, &hello); /* whose certificate is then known */
    for (int forge = 0; forge < 2; forge++) {
        rig_clear(&rig);
        assert_int_equal(
            reload_node_fetch(rig.node, resource, reload_writer_slice(&w), rig.now, &request), 0);
        rig_pull(&rig);
        struct reload_slice values_body = newer_values(&rig, 5000);
        memcpy(forged, values_body.p, values_body.n);
        if (forge)
            forged[4 + 12 + 4 + 4 + 8 + 4 + 1 + 4] ^= 1; /* the value's first byte */
        struct rig_message ans = { .signer = &rig.parties[1],
                                   .code = RELOAD_FETCH_ANS,
                                   .body = { forged, values_body.n },
                                   .transaction_id =
                                       rig_sent(&rig, 0, NULL).header.transaction_id };
        rig_receive(&rig, 2, &ans);
        assert_int_equal(last_result(&rig)->error, 0);
        assert_int_equal(last_result(&rig)->value_count, forge ? 0 : 1);
        assert_int_equal(last_result(&rig)->rejected, forge ? 1 : 0);
    }
    rig_fini(&rig);
}

static void the_topology_can_have_a_range_forgotten(void **state)
{
    struct rig rig;
    static const uint8_t zero[16];
    (void)state;
    set_up(&rig, false);
    fill(&rig, 3);
    struct reload_slice everything = { zero, 16 };
    rig.fake.host->forget(rig.fake.host->context, everything, everything);
    assert_int_equal(values(&rig), 0);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_is_answered_and_then_replicated),
        cmocka_unit_test(replicas_get_what_changed_and_no_more),
        cmocka_unit_test(a_replica_that_is_not_taken_is_sent_once_more),
        cmocka_unit_test(an_original_store_is_refused_where_nobody_is_responsible),
        cmocka_unit_test(a_replica_is_kept_when_plausible_and_not_passed_on),
        cmocka_unit_test(a_repeated_store_is_not_stored_again),
        cmocka_unit_test(while_the_owner_may_live_nothing_is_said_not_to_exist),
        cmocka_unit_test(a_malformed_store_is_an_invalid_message),
        cmocka_unit_test(with_a_disk_the_answer_waits_for_it),
        cmocka_unit_test(tokens_are_acknowledged_in_bulk_and_in_order),
        cmocka_unit_test(what_could_not_be_written_is_not_acknowledged),
        cmocka_unit_test(a_held_answer_takes_another_link_to_the_same_node_or_is_dropped),
        cmocka_unit_test(the_newer_data_comes_with_a_store_refused_as_too_low),
        cmocka_unit_test(newer_data_of_a_replica_holder_is_taken_over),
        cmocka_unit_test(a_push_hands_over_every_resource_a_few_at_a_time),
        cmocka_unit_test(a_push_to_a_dead_node_ends_with_an_error),
        cmocka_unit_test(an_empty_push_ends_at_once),
        cmocka_unit_test(the_cap_on_pushes_holds),
        cmocka_unit_test(a_push_goes_on_past_newer_data),
        cmocka_unit_test(a_push_without_a_target_goes_to_the_owner_of_each_resource),
        cmocka_unit_test(values_refused_together_are_pushed_one_by_one),
        cmocka_unit_test(own_stores_are_always_newer_than_the_last),
        cmocka_unit_test(storage_time_is_the_time_of_day_and_one_more_than_a_newer_value_has),
        cmocka_unit_test(a_client_stores_and_fetches_through_its_peer),
        cmocka_unit_test(forged_values_in_a_fetch_are_left_out_and_counted),
        cmocka_unit_test(the_topology_can_have_a_range_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
