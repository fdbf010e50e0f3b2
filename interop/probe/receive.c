#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"
#include "interop/probe/run.h"

#define LAST        0x40000000u
#define OFFSET_MASK 0x00ffffffu

void probe_message_free(struct probe_message *m)
{
    if (m)
        free((void *)m->raw.p);
    free(m);
}

static struct probe_actor *owner_of(struct probe_run *run, const struct probe_link *link)
{
    for (size_t i = 0; i < run->actor_count; i++)
        for (size_t k = 0; k < run->actors[i]->link_count; k++)
            if (run->actors[i]->links[k] == link)
                return run->actors[i];
    return NULL;
}

static void whole(struct probe_run *run, struct probe_message *m)
{
    if (run->message_count == PROBE_MESSAGES_MAX)
        probe_fault_set(&run->fault, "more than %d messages came", PROBE_MESSAGES_MAX);
    if (run->message_count == PROBE_MESSAGES_MAX || probe_message_payload(m, &run->fault)) {
        probe_message_free(m);
        return;
    }
    run->messages =
        probe_realloc(run->messages, (run->message_count + 1) * sizeof(struct probe_message *));
    run->messages[run->message_count++] = m;
    uint64_t code = probe_number(m->code);
    if (code % 2 == 1 && code != 0xffff)
        probe_serve(run, m);
}

/* The bytes of the pieces of one transaction, when they are all there: where each piece must begin
 * is where the one before ended. */
static bool assemble(const struct probe_run *run, struct reload_slice transaction,
                     struct reload_buffer *out)
{
    bool ended = false;
    for (size_t turn = 0; turn < run->piece_count && !ended; turn++)
        for (size_t i = 0; i < run->piece_count && !ended; i++) {
            const struct probe_message *m = run->pieces[i];
            uint64_t fragment = probe_number(m->fragment);
            if (!reload_slice_equal(m->transaction, transaction) ||
                (fragment & OFFSET_MASK) != reload_buffer_len(out))
                continue;
            probe_append(out, m->payload);
            ended = fragment & LAST;
        }
    return ended;
}

static void forget_pieces(struct probe_run *run, struct reload_slice transaction)
{
    size_t kept = 0;
    for (size_t i = 0; i < run->piece_count; i++) {
        struct probe_message *piece = run->pieces[i];
        if (reload_slice_equal(piece->transaction, transaction))
            probe_message_free(piece);
        else
            run->pieces[kept++] = piece;
    }
    run->piece_count = kept;
}

static void put_together(struct probe_run *run, const struct probe_message *last)
{
    struct reload_buffer payload = { 0 };
    if (assemble(run, last->transaction, &payload)) {
        struct probe_message *m = probe_calloc(1, sizeof *m);
        *m = *last;
        size_t header = last->raw.n - last->payload.n;
        uint8_t *raw = probe_calloc(1, header + reload_buffer_len(&payload));
        memcpy(raw, last->raw.p, header);
        memcpy(raw + header, payload.p + payload.start, reload_buffer_len(&payload));
        size_t len = header + reload_buffer_len(&payload);
        for (size_t i = 0; i < 4; i++)
            raw[16 + i] = (uint8_t)(len >> (24 - 8 * i));
        raw[12] = 0xc0;
        memset(raw + 13, 0, 3);
        m->raw = reload_slice_of(raw, len);
        if (probe_message_header(m, &run->fault)) {
            probe_message_free(m);
        } else {
            forget_pieces(run, m->transaction);
            whole(run, m);
        }
    }
    reload_buffer_free(&payload);
}

void probe_run_message(void *context, struct probe_link *link, struct reload_slice bytes)
{
    struct probe_run *run = context;
    struct probe_message *m = probe_calloc(1, sizeof *m);
    *m = (struct probe_message){ .link = link, .actor = owner_of(run, link) };
    m->raw = reload_slice_of(probe_memdup(bytes.p, bytes.n), bytes.n);
    probe_run_note(run, "<", bytes);
    if (probe_message_header(m, &run->fault)) {
        probe_message_free(m);
        return;
    }
    if (probe_number(m->fragment) == 0xc0000000u) {
        whole(run, m);
        return;
    }
    if (run->piece_count == PROBE_PIECES_MAX) {
        probe_fault_set(&run->fault, "more than %d fragments that nothing follows came",
                        PROBE_PIECES_MAX);
        probe_message_free(m);
        return;
    }
    run->pieces[run->piece_count++] = m;
    put_together(run, m);
}
