#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interop/probe/memory.h"
#include "interop/probe/run.h"

#define FIELD_MAX 4000

/* "name=TEMPLATE" into a scope. */
static int read_field(struct probe_run *run, struct probe_scope *scope, const char *field,
                      size_t len)
{
    char text[FIELD_MAX];
    if (len >= sizeof text)
        return probe_fault_set(&run->fault, "too long: %.40s", field);
    memcpy(text, field, len);
    text[len] = '\0';
    while (len && text[len - 1] == ' ')
        text[--len] = '\0';
    char *equals = strchr(text, '=');
    if (!equals)
        return probe_fault_set(&run->fault, "no field: %.60s", text);
    *equals = '\0';
    probe_scope_text(scope, text, equals + 1);
    return 0;
}

static void set_random(struct probe_scope *scope, const char *name)
{
    uint8_t bytes[8];
    if (getentropy(bytes, sizeof bytes))
        abort();
    probe_scope_bytes(scope, name, reload_slice_of(bytes, sizeof bytes));
}

static void set_time(struct probe_run *run)
{
    uint64_t now = probe_world_storage_time(run->world);
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(now >> (56 - 8 * i));
    probe_scope_bytes(&run->names, "now", reload_slice_of(bytes, sizeof bytes));
}

/* Remembers fields of what was sent: the checks of the answer need them. */
static int keep(struct probe_run *run, const struct probe_scope *scope, const char *name,
                const char *as)
{
    struct reload_buffer value = { 0 };
    char text[80];
    snprintf(text, sizeof text, "{%s}", name);
    int status = probe_render(scope, &run->functions, text, &value, &run->fault);
    if (status == 0)
        probe_scope_bytes(&run->names, as, probe_buffer_slice(&value));
    reload_buffer_free(&value);
    return status;
}

static int fields(struct probe_run *run, struct probe_scope *scope, const char *words)
{
    char text[100];
    size_t method = strcspn(words, " ;");
    snprintf(text, sizeof text, "{%.*s.code}", (int)method, words);
    probe_scope_text(scope, "code", text);
    snprintf(text, sizeof text, "{%.*s.body}", (int)method, words);
    probe_scope_text(scope, "body", text);
    for (const char *p = strchr(words, ';'); p; p = strchr(p, ';')) {
        p += 1 + strspn(p + 1, " ");
        if (read_field(run, scope, p, strcspn(p, ";")))
            return -1;
    }
    return 0;
}

/* Parts that others are made of are made once: an ECDSA signature differs each time. */
static int settle(struct probe_run *run, struct probe_scope *scope, const char *name)
{
    struct reload_buffer value = { 0 };
    char text[80];
    snprintf(text, sizeof text, "{%s}", name);
    int status = probe_render(scope, &run->functions, text, &value, &run->fault);
    if (status == 0)
        probe_scope_bytes(scope, name, probe_buffer_slice(&value));
    reload_buffer_free(&value);
    return status;
}

static int remember(struct probe_run *run, const struct probe_scope *scope)
{
    static const char *const kept[][2] = {
        { "contents", "sent.contents" },
        { "transaction", "sent.transaction" },
        { "code", "sent.code" },
        { "reply_dest", "sent.reply_dest" },
        { "reply_signer", "sent.reply_signer" },
    };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (keep(run, scope, kept[i][0], kept[i][1]))
            return -1;
    probe_scope_bytes(&run->names, "sent.raw", probe_buffer_slice(&run->sent));
    return 0;
}

/* Header and payload; *header gets the length of the first. */
static int make(struct probe_run *run, struct probe_scope *scope, const char *words,
                struct reload_buffer *out, size_t *header)
{
    static const char *const parts[] = { "body", "contents", "security", "payload" };
    set_random(scope, "transaction");
    set_time(run);
    int status = fields(run, scope, words);
    for (size_t i = 0; status == 0 && i < sizeof parts / sizeof *parts; i++)
        status = settle(run, scope, parts[i]);
    if (status == 0)
        status = probe_render(scope, &run->functions, "{header}", out, &run->fault);
    *header = reload_buffer_len(out);
    if (status == 0)
        status = probe_render(scope, &run->functions, "{payload}", out, &run->fault);
    return status;
}

int probe_make(struct probe_run *run, const char *words, struct reload_buffer *out)
{
    struct probe_scope scope = { .outer = &run->names };
    size_t header;
    int status = make(run, &scope, words, out, &header);
    probe_scope_fini(&scope);
    return status;
}

int probe_compose(struct probe_run *run, const char *words)
{
    struct probe_scope scope = { .outer = &run->names };
    reload_buffer_free(&run->sent);
    int status = make(run, &scope, words, &run->sent, &run->sent_header);
    if (status == 0)
        status = remember(run, &scope);
    probe_scope_fini(&scope);
    return status;
}
