#include "interop/probe/script.h"

#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"

struct reading {
    struct probe_script *script;
    struct probe_scope *names;
    struct probe_fault *fault;
    struct probe_case *now; /* NULL before the first */
};

/* The rest of a line if it begins with this word. */
static const char *after(const char *line, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(line, word, n) != 0 || (line[n] != ' ' && line[n] != '\0'))
        return NULL;
    return line + n + strspn(line + n, " ");
}

static int define(struct reading *r, const char *rest)
{
    char name[80];
    size_t n = strcspn(rest, " ");
    if (n == 0 || n >= sizeof name)
        return probe_fault_set(r->fault, "define without a name: %.60s", rest);
    memcpy(name, rest, n);
    name[n] = '\0';
    probe_scope_text(r->names, name, rest + n + strspn(rest + n, " "));
    return 0;
}

static int begin(struct reading *r, const char *name)
{
    struct probe_script *script = r->script;
    for (size_t i = 0; i < script->count; i++)
        if (strcmp(script->cases[i].name, name) == 0)
            return probe_fault_set(r->fault, "two cases are called %s", name);
    script->cases = probe_realloc(script->cases, (script->count + 1) * sizeof *script->cases);
    r->now = &script->cases[script->count++];
    *r->now = (struct probe_case){ .name = probe_strdup(name),
                                   .section = probe_strdup(""),
                                   .ids = probe_strdup(""),
                                   .needs = probe_strdup("") };
    return 0;
}

static void replace(char **field, const char *text)
{
    free(*field);
    *field = probe_strdup(text);
}

static int take_line(struct reading *r, const char *line)
{
    const char *rest;
    if ((rest = after(line, "case")))
        return begin(r, rest);
    if (!r->now)
        return (rest = after(line, "define"))
                   ? define(r, rest)
                   : probe_fault_set(r->fault, "before the first case: %.60s", line);
    if ((rest = after(line, "section")))
        replace(&r->now->section, rest);
    else if ((rest = after(line, "ids")))
        replace(&r->now->ids, rest);
    else if ((rest = after(line, "needs")))
        replace(&r->now->needs, rest);
    else {
        r->now->steps =
            probe_realloc(r->now->steps, (r->now->step_count + 1) * sizeof *r->now->steps);
        r->now->steps[r->now->step_count++] = probe_strdup(line);
    }
    return 0;
}

/* The next line without its indentation, continuation lines put behind it; NULL at the end. */
static char *next_line(const char **p, const char *end)
{
    struct reload_buffer line = { 0 };
    bool any = false;
    while (*p < end) {
        const char *start = *p + strspn(*p, " "), *stop = memchr(*p, '\n', (size_t)(end - *p));
        stop = stop ? stop : end;
        bool skipped = start >= stop || *start == '#', more = start < stop && *start == '|';
        if (any && !more && !skipped)
            break;
        *p = stop < end ? stop + 1 : end;
        if (skipped)
            continue;
        if (any)
            probe_append_byte(&line, ' ');
        start += more;
        probe_append(&line, reload_slice_of(start, (size_t)(stop - start)));
        any = true;
    }
    probe_append_byte(&line, '\0');
    char *copy = any ? probe_strdup((char *)line.p + line.start) : NULL;
    reload_buffer_free(&line);
    return copy;
}

int probe_script_read(struct probe_script *script, const char *text, size_t len,
                      struct probe_scope *names, struct probe_fault *fault)
{
    struct reading r = { script, names, fault, NULL };
    char *copy = probe_calloc(len + 1, 1), *line;
    const char *p = copy;
    int status = 0;
    memcpy(copy, text, len);
    while (status == 0 && (line = next_line(&p, copy + len))) {
        status = take_line(&r, line);
        free(line);
    }
    free(copy);
    return status;
}

void probe_script_free(struct probe_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        struct probe_case *c = &script->cases[i];
        for (size_t k = 0; k < c->step_count; k++)
            free(c->steps[k]);
        free(c->steps);
        free(c->name);
        free(c->section);
        free(c->ids);
        free(c->needs);
    }
    free(script->cases);
    *script = (struct probe_script){ 0 };
}
