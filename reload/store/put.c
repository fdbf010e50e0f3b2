#include "reload/store/put.h"
#include "reload/store/refuse.h"

/* Store (RFC 6940 s7.4.1). */

#define REPLICAS_MAX 16 /* Node-IDs named in an answer */

static uint16_t check(struct reload_put *put, struct reload_slice body,
                      struct reload_writer *answer)
{
    uint16_t code = reload_put_read(put, body, answer);
    if (!code)
        code = reload_put_check_request(put);
    if (!code)
        code = reload_put_check_values(put);
    if (!code)
        code = reload_put_check_generations(put, answer);
    return code;
}

/* The counter that commit is going to leave. */
static uint64_t generation_to_be(const struct reload_put *put, const struct reload_put_kind *kind)
{
    if (!kind->held) /* no value in the request, so nothing was opened */
        return reload_put_generation(put, kind);
    if (reload_put_is_replica(put))
        return kind->data.generation_counter;
    uint64_t now = kind->held->generation;
    return !kind->changed ? now : now == UINT64_MAX ? 1 : now + 1;
}

/* s7.4.1.2: the counters, and where the replicas are going to be. */
static int write_answer(const struct reload_put *put, struct reload_writer *answer)
{
    uint8_t bytes[REPLICAS_MAX * RELOAD_NODE_ID_MAX];
    struct reload_writer replicas = reload_writer_of(bytes, sizeof bytes);
    for (size_t i = 0; i < put->context->replica_count && i < REPLICAS_MAX; i++)
        reload_wr_node_id(&replicas, &put->context->replicas[i]);

    size_t mark = reload_store_ans_begin(answer);
    for (size_t i = 0; i < put->kind_count; i++) {
        const struct reload_store_kind_response response = {
            .kind = put->kinds[i].config->id,
            .generation_counter = generation_to_be(put, &put->kinds[i]),
            .replicas = reload_writer_slice(&replicas),
        };
        if (reload_store_kind_response_encode(answer, &response))
            return RELOAD_E_NOSPACE;
    }
    reload_store_ans_end(answer, mark);
    return reload_writer_status(answer);
}

static bool anything_changed(const struct reload_put *put)
{
    for (size_t i = 0; i < put->kind_count; i++)
        if (put->kinds[i].changed)
            return true;
    return false;
}

uint16_t reload_store_handle_store(struct reload_store *store, struct reload_slice body,
                                   const struct reload_store_context *context,
                                   struct reload_writer *answer, bool *changed)
{
    struct reload_put put = { .store = store, .context = context };
    size_t start = answer->len;
    *changed = false;
    reload_store_tick(store, context->now); /* what has expired stands in nobody's way */
    uint16_t code = check(&put, body, answer);
    if (!code)
        code = reload_put_apply(&put);
    if (!code && write_answer(&put, answer)) {
        code = RELOAD_ERROR_RESPONSE_TOO_LARGE;
        put.why = RELOAD_WHY_NO_ROOM;
    }
    if (code) {
        reload_put_undo(&put); /* s7.4.1.1: as it was before */
        return put.why ? reload_refuse(answer, start, code, put.why) : code;
    }
    *changed = anything_changed(&put);
    reload_put_commit(&put);
    return 0;
}
