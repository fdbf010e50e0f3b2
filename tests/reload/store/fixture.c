#include "tests/reload/store/fixture.h"

struct writer writer_new(struct fixture *f, uint64_t number, const char *user)
{
    struct reload_node_id id = reload_standin_node_id(number);
    struct reload_standin_certificate c = reload_standin_certificate(&f->config.config, &id, user);
    struct writer w = { .standin = reload_standin_new(&f->config.config, &c, 0) };
    assert_non_null(w.standin);
    w.crypto = reload_standin_crypto(w.standin);
    w.own = w.crypto->own;
    return w;
}

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    reload_standin_config_init(&f->config);
    f->peer = writer_new(f, 1, NULL);
    f->alice = writer_new(f, 2, "alice@overlay.example");
    f->bob = writer_new(f, 3, "bob@overlay.example");
    f->limits = (struct reload_store_limits){ 1 << 20, 1000, 30 * 86400 };
    f->now = (struct reload_time){ 5000, 1800000000000u };
    f->context.responsible = true;
    assert_int_equal(0, reload_store_new(f->peer.crypto, &f->config.config,
                                         reload_standin_resource_id, &f->limits, &f->store));
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    reload_store_free(f->store);
    reload_standin_free(f->peer.standin);
    reload_standin_free(f->alice.standin);
    reload_standin_free(f->bob.standin);
    free(f);
    return 0;
}

void advance(struct fixture *f, uint64_t ms)
{
    f->now.monotonic_ms += ms;
    f->now.unix_ms += ms;
}

/* --- places --- */

static struct id *place(const struct writer *w, struct reload_slice name)
{
    static struct id ids[8];
    static size_t next;
    struct id *id = &ids[next++ % 8];
    size_t len;
    assert_int_equal(0, reload_standin_resource_id(w->crypto, name, id->bytes, &len));
    id->slice = reload_slice_of(id->bytes, len);
    return id;
}

struct id *user_place(const struct writer *w)
{
    return place(w, w->own->user_name);
}

struct id *node_place(const struct writer *w)
{
    return place(w, reload_node_id_slice(&w->own->node_id));
}

struct id *multiple_place(const struct writer *w, uint8_t i)
{
    uint8_t name[RELOAD_NODE_ID_MAX + 1];
    memcpy(name, w->own->node_id.bytes, w->own->node_id.len);
    name[w->own->node_id.len] = i;
    return place(w, reload_slice_of(name, (size_t)w->own->node_id.len + 1));
}

/* --- items --- */

struct reload_store_item item(const struct fixture *f, uint32_t kind, const char *value)
{
    return (struct reload_store_item){
        .kind = kind,
        .exists = true,
        .value = reload_slice_of(value, strlen(value)),
        .lifetime_s = 3600,
        .storage_time = f->now.unix_ms,
    };
}

struct reload_store_item item_at(const struct fixture *f, uint32_t kind, uint32_t index,
                                 const char *value)
{
    struct reload_store_item i = item(f, kind, value);
    i.index = index;
    return i;
}

struct reload_store_item item_key(const struct fixture *f, uint32_t kind, struct reload_slice key,
                                  const char *value)
{
    struct reload_store_item i = item(f, kind, value);
    i.key = key;
    return i;
}

struct reload_store_item removed(struct reload_store_item i)
{
    i.exists = false;
    i.value.n = 0;
    return i;
}

/* --- storing --- */

struct reload_slice store_body(struct fixture *f, const struct writer *w,
                               struct reload_slice resource, const struct reload_store_item *items,
                               size_t count)
{
    struct reload_writer body = reload_writer_of(f->body_bytes, sizeof f->body_bytes);
    assert_int_equal(0, reload_store_request_encode(w->crypto, &f->config.config, resource, items,
                                                    count, &body));
    return reload_writer_slice(&body);
}

uint16_t store_bytes(struct fixture *f, const struct writer *sender, struct reload_slice body)
{
    /* Who sent it is known from the message's signature, through the same context. */
    struct reload_signer signer;
    struct reload_slice identity = sender->own->signer_identity;
    assert_int_equal(0, f->peer.crypto->ops->identify(
                            f->peer.crypto->context, sender->own->certificates, identity.p[0],
                            reload_slice_of(identity.p + 3, identity.n - 3), f->now, &signer));
    f->context.signer = &signer;
    if (!f->context.certificates.n)
        f->context.certificates = sender->own->certificates;
    f->context.now = f->now;
    f->answer = reload_writer_of(f->answer_bytes, f->answer.cap ? f->answer.cap : BUFFER);
    uint16_t code = reload_store_handle_store(f->store, body, &f->context, &f->answer, &f->changed);
    f->context.signer = NULL;
    f->context.certificates = reload_slice_of("", 0);
    return code;
}

uint16_t store(struct fixture *f, const struct writer *w, struct reload_slice resource,
               const struct reload_store_item *items, size_t count)
{
    return store_bytes(f, w, store_body(f, w, resource, items, count));
}

uint16_t store_one(struct fixture *f, const struct writer *w, struct reload_slice resource,
                   struct reload_store_item i)
{
    return store(f, w, resource, &i, 1);
}

struct reload_slice as_replica(struct fixture *f, struct reload_slice body, uint8_t number,
                               uint64_t generation)
{
    assert_ptr_equal(body.p, f->body_bytes);
    size_t at = 1 + (size_t)body.p[0]; /* behind the resource */
    f->body_bytes[at] = number;
    struct reload_writer w = reload_writer_of(f->body_bytes + at + 1 + 4 + 4, 8);
    reload_wr_u64(&w, generation);
    return body;
}

uint64_t generation_of(const struct fixture *f, uint32_t kind)
{
    struct reload_store_ans ans;
    struct reload_store_kind_response response;
    assert_int_equal(0, reload_store_ans_decode(reload_writer_slice(&f->answer), 16, &ans));
    struct reload_reader list = reload_reader_over(ans.kind_responses);
    while (reload_store_kind_response_next(&list, 16, &response))
        if (response.kind == kind)
            return response.generation_counter;
    fail();
    return 0;
}

/* --- fetching --- */

struct reload_slice fetch_body(struct fixture *f, struct reload_slice resource, uint32_t kind,
                               uint64_t generation)
{
    struct reload_writer w = reload_writer_of(f->body_bytes, sizeof f->body_bytes);
    const struct reload_kind_config *config = reload_config_kind(&f->config.config, kind);
    enum reload_data_model model = config ? config->data_model : RELOAD_MODEL_SINGLE;
    size_t mark = reload_fetch_req_begin(&w, resource);
    struct reload_specifier_mark s = reload_specifier_begin(&w, kind, generation, model);
    if (model == RELOAD_MODEL_ARRAY)
        reload_wr_array_range(&w, (struct reload_array_range){ 0, RELOAD_ARRAY_LAST });
    reload_specifier_end(&w, s, model);
    reload_fetch_req_end(&w, mark);
    assert_int_equal(0, reload_writer_status(&w));
    return reload_writer_slice(&w);
}

struct got fetch_bytes(struct fixture *f, struct reload_slice resource, struct reload_slice body)
{
    struct got got = { 0 };
    f->answer = reload_writer_of(f->answer_bytes, sizeof f->answer_bytes);
    f->certificates = reload_writer_of(f->certificate_bytes, sizeof f->certificate_bytes);
    got.code = reload_store_handle_fetch(f->store, body, f->now, &f->answer, &f->certificates);
    if (got.code)
        return got;
    struct reload_fetched walk = {
        .config = &f->config.config,
        .crypto = f->bob.crypto,
        .resource_id = reload_standin_resource_id,
        .resource = resource,
        .certificates = reload_writer_slice(&f->certificates),
        .now = f->now,
    };
    assert_int_equal(0, reload_fetched_begin(&walk, reload_writer_slice(&f->answer)));
    int more;
    while ((more = reload_fetched_next(&walk, &got.values[got.count])) == 1) {
        got.values[got.count].user_name.n = 0; /* not valid beyond this call */
        got.count++;
        assert_true(got.count < 64);
    }
    assert_int_equal(0, more);
    got.rejected = walk.rejected;
    got.generation = walk.generation;
    return got;
}

struct got fetch(struct fixture *f, struct reload_slice resource, uint32_t kind)
{
    return fetch_bytes(f, resource, fetch_body(f, resource, kind, 0));
}

bool value_is(const struct reload_fetched_value *v, const char *text)
{
    return v->exists && reload_slice_equal(v->value, reload_slice_of(text, strlen(text)));
}
