#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"
#include "interop/probe/steps.h"

static int name_and_rest(struct probe_run *run, const char *words, char name[80], const char **rest)
{
    size_t n = strcspn(words, " ");
    if (n == 0 || n >= 80)
        return probe_step_fail(run, "a name is missing");
    memcpy(name, words, n);
    name[n] = '\0';
    *rest = words + n + strspn(words + n, " ");
    return 0;
}

static int step_define(struct probe_run *run, const char *words)
{
    char name[80];
    const char *rest;
    if (name_and_rest(run, words, name, &rest))
        return -1;
    probe_scope_text(&run->names, name, rest);
    return 0;
}

static int step_let(struct probe_run *run, const char *words)
{
    char name[80];
    const char *rest;
    struct reload_buffer bytes = { 0 };
    int status = name_and_rest(run, words, name, &rest);
    if (status == 0)
        status = probe_run_render(run, rest, &bytes);
    if (status == 0)
        probe_scope_bytes(&run->names, name, probe_buffer_slice(&bytes));
    reload_buffer_free(&bytes);
    return status;
}

/* Compares two templates: <0, 0, >0; 2 with a fault. */
static int compare(struct probe_run *run, const char *words)
{
    struct reload_buffer a = { 0 }, b = { 0 };
    const char *second = strchr(words, ';');
    char *first = probe_strdup(words);
    int order = 2;
    first[strcspn(first, ";")] = '\0';
    if (second && !probe_run_render(run, first, &a) && !probe_run_render(run, second + 1, &b)) {
        struct reload_slice x = probe_buffer_slice(&a), y = probe_buffer_slice(&b);
        int sign = x.n && x.n == y.n ? memcmp(x.p, y.p, x.n) : x.n < y.n ? -1 : x.n > y.n;
        order = sign < 0 ? -1 : sign > 0;
    }
    free(first);
    reload_buffer_free(&a);
    reload_buffer_free(&b);
    return order;
}

static int step_same(struct probe_run *run, const char *words)
{
    return compare(run, words) == 0 ? 0 : probe_fault_set(&run->fault, "not the same: %s", words);
}

static int step_differ(struct probe_run *run, const char *words)
{
    int order = compare(run, words);
    return order == 1 || order == -1 ? 0 : probe_fault_set(&run->fault, "the same: %s", words);
}

static int step_less(struct probe_run *run, const char *words)
{
    return compare(run, words) == -1 ? 0 : probe_fault_set(&run->fault, "not less: %s", words);
}

const struct probe_step probe_steps_name[] = {
    { "define", step_define }, { "differ", step_differ }, { "less", step_less },
    { "let", step_let },       { "same", step_same },     { NULL, NULL },
};
