#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"
#include "interop/probe/run.h"

/* What the peer asks is answered from the definitions serve.CODE (interop/probe/cases/base.probe or
 * the case's own): a template of the answer's body, with the fields of the request as request.body
 * and so on; "none" for no answer, "error TEMPLATE" for an error. */

static void name_request(struct probe_run *run, const struct probe_message *m)
{
    static const char *const fields[] = { "transaction", "via", "body", "code", "dest" };
    char name[40];
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        snprintf(name, sizeof name, "request.%s", fields[i]);
        probe_scope_bytes(&run->names, name, *probe_message_field(m, fields[i]));
    }
    probe_scope_bytes(&run->names, "request.from", probe_link_far_id(m->link));
}

static void answer(struct probe_run *run, const struct probe_message *m, const char *words)
{
    struct reload_buffer made = { 0 };
    if (!probe_make(run, words, &made) && !m->link->closed) {
        probe_run_note(run, ">", probe_buffer_slice(&made));
        probe_link_send(m->link, probe_buffer_slice(&made));
    }
    reload_buffer_free(&made);
}

void probe_serve(struct probe_run *run, struct probe_message *m)
{
    char name[40], words[600];
    const char *text;
    snprintf(name, sizeof name, "serve.%02x%02x", m->code.p[0], m->code.p[1]);
    text = probe_scope_word(&run->names, name, "none");
    if (strcmp(text, "none") == 0)
        return;
    name_request(run, m);
    bool error = strncmp(text, "error ", 6) == 0;
    snprintf(words, sizeof words,
             "reply ; transaction={request.transaction} ; dest={reply_way} ; signer=%s ; code=%s ; "
             "body=%s",
             m->actor->name, error ? "ffff" : "{request.code+1}", error ? text + 6 : text);
    answer(run, m, words);
}
