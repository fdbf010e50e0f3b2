#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"
#include "interop/probe/steps.h"

#define RECORD_MAX 16000 /* bytes of a message that fits a record of DTLS with its frame */
#define PIECE_LEN  1000

int probe_step_transmit(struct probe_run *run, struct reload_slice message)
{
    struct probe_link *link = probe_run_link(run);
    if (!link)
        return -1;
    probe_run_note(run, ">", message);
    probe_link_send(link, message);
    return 0;
}

static int step_make(struct probe_run *run, const char *words)
{
    return probe_compose(run, words);
}

/* A fragment of what was made: up to `len` bytes of its payload from `offset` on. */
static int send_piece(struct probe_run *run, size_t offset, size_t len, bool last)
{
    size_t header = run->sent_header;
    struct reload_slice whole = probe_buffer_slice(&run->sent);
    if (header + offset > whole.n)
        return probe_step_fail(run, "piece: there is no such part");
    if (len > whole.n - header - offset)
        len = whole.n - header - offset;
    uint8_t *raw = probe_memdup(whole.p, header + len);
    memcpy(raw + header, whole.p + header + offset, len);
    raw[12] = last ? 0xc0 : 0x80;
    for (size_t i = 0; i < 3; i++)
        raw[13 + i] = (uint8_t)(offset >> (16 - 8 * i));
    for (size_t i = 0; i < 4; i++)
        raw[16 + i] = (uint8_t)((header + len) >> (24 - 8 * i));
    int status = probe_step_transmit(run, reload_slice_of(raw, header + len));
    free(raw);
    return status;
}

static int step_piece(struct probe_run *run, const char *words)
{
    char *rest;
    size_t offset = strtoul(words, &rest, 10);
    size_t len = strtoul(rest, &rest, 10);
    return send_piece(run, offset, len, strcmp(rest, " last") == 0);
}

/* What no record of DTLS can hold goes in fragments (s6.7). */
static int step_again(struct probe_run *run, const char *unused)
{
    size_t payload = reload_buffer_len(&run->sent) - run->sent_header;
    int status = 0;
    (void)unused;
    if (!run->world->options.dtls || reload_buffer_len(&run->sent) <= RECORD_MAX)
        return probe_step_transmit(run, probe_buffer_slice(&run->sent));
    for (size_t at = 0; at < payload && status == 0; at += PIECE_LEN)
        status = send_piece(run, at, PIECE_LEN, at + PIECE_LEN >= payload);
    return status;
}

static int step_send(struct probe_run *run, const char *words)
{
    return probe_compose(run, words) || step_again(run, "") ? -1 : 0;
}

static int step_raw(struct probe_run *run, const char *text)
{
    struct reload_buffer bytes = { 0 };
    int status = probe_run_render(run, text, &bytes);
    if (status == 0)
        status = probe_step_transmit(run, probe_buffer_slice(&bytes));
    reload_buffer_free(&bytes);
    return status;
}

static int step_bytes(struct probe_run *run, const char *text)
{
    struct reload_buffer bytes = { 0 };
    struct probe_link *link = probe_run_link(run);
    int status = link ? probe_run_render(run, text, &bytes) : -1;
    if (status == 0) {
        probe_run_note(run, ">>", probe_buffer_slice(&bytes));
        probe_link_write(link, probe_buffer_slice(&bytes));
    }
    reload_buffer_free(&bytes);
    return status;
}

/* --- frames --- */

static int step_ack(struct probe_run *run, const char *pattern)
{
    struct probe_link *link = probe_run_link(run);
    struct probe_fault why = { "" };
    uint64_t end = probe_now().monotonic_ms + PROBE_ANSWER_MS;
    while (link && link->acks_taken == link->ack_count && !probe_step_past(end))
        probe_run_poll(run, 20);
    if (!link || link->acks_taken == link->ack_count)
        return probe_step_fail(run, "no ack");
    struct reload_slice ack = reload_slice_of(link->acks[link->acks_taken++].bytes, 8);
    if (!probe_match(&run->names, &run->functions, pattern, ack, &run->names, &why))
        return 0;
    return probe_fault_set(&run->fault, "the ack: %s", why.text);
}

/* At least so many data frames came on this link, numbered from 0 on. */
static int step_frames(struct probe_run *run, const char *words)
{
    const struct probe_link *link = probe_run_link(run);
    size_t count = link ? link->received_count : 0;
    if (count < strtoul(words, NULL, 10) || count > PROBE_RECEIVED_MAX)
        return probe_fault_set(&run->fault, "%zu data frames came", count);
    for (size_t i = 0; i < count; i++)
        if (link->received[i] != i)
            return probe_fault_set(&run->fault, "data frame %zu has the number %u", i,
                                   (unsigned)link->received[i]);
    return 0;
}

const struct probe_step probe_steps_send[] = {
    { "ack", step_ack },       { "again", step_again }, { "bytes", step_bytes },
    { "frames", step_frames }, { "make", step_make },   { "piece", step_piece },
    { "raw", step_raw },       { "send", step_send },   { NULL, NULL },
};
