#include "interop/probe/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"

#define ALIASES_MAX  8 /* an alias of an alias ... */
#define NAME_MAX_LEN 120

static struct probe_name *place(struct probe_scope *scope, const char *name)
{
    for (size_t i = 0; i < scope->count; i++)
        if (strcmp(scope->names[i].name, name) == 0) {
            free(scope->names[i].text);
            free(scope->names[i].bytes);
            scope->names[i].text = NULL;
            scope->names[i].bytes = NULL;
            return &scope->names[i];
        }
    scope->names = probe_realloc(scope->names, (scope->count + 1) * sizeof *scope->names);
    struct probe_name *made = &scope->names[scope->count++];
    *made = (struct probe_name){ .name = probe_strdup(name) };
    return made;
}

void probe_scope_text(struct probe_scope *scope, const char *name, const char *text)
{
    char *copy = probe_strdup(text); /* it may be the old one's */
    place(scope, name)->text = copy;
}

void probe_scope_bytes(struct probe_scope *scope, const char *name, struct reload_slice bytes)
{
    uint8_t *copy = probe_memdup(bytes.p, bytes.n);
    struct probe_name *at = place(scope, name);
    at->bytes = copy;
    at->len = bytes.n;
}

static const struct probe_name *look_up(const struct probe_scope *scope, const char *name)
{
    for (; scope; scope = scope->outer)
        for (size_t i = 0; i < scope->count; i++)
            if (strcmp(scope->names[i].name, name) == 0)
                return &scope->names[i];
    return NULL;
}

const char *probe_scope_alias(const struct probe_scope *scope, const char *name)
{
    for (int i = 0; i < ALIASES_MAX; i++) {
        const struct probe_name *found = look_up(scope, name);
        if (!found || !found->text)
            break;
        name = found->text;
    }
    return name;
}

const struct probe_name *probe_scope_find(const struct probe_scope *scope, const char *name)
{
    char before[NAME_MAX_LEN], whole[2 * NAME_MAX_LEN];
    const char *point = strchr(name, '.');
    const struct probe_name *found = look_up(scope, name);
    if (found || !point || (size_t)(point - name) >= sizeof before)
        return found;
    memcpy(before, name, (size_t)(point - name));
    before[point - name] = '\0';
    snprintf(whole, sizeof whole, "%s%s", probe_scope_alias(scope, before), point);
    return look_up(scope, whole);
}

const char *probe_scope_word(const struct probe_scope *scope, const char *name,
                             const char *fallback)
{
    const struct probe_name *found = probe_scope_find(scope, name);
    return found && found->text ? found->text : fallback;
}

void probe_scope_fini(struct probe_scope *scope)
{
    for (size_t i = 0; i < scope->count; i++) {
        free(scope->names[i].name);
        free(scope->names[i].text);
        free(scope->names[i].bytes);
    }
    free(scope->names);
    *scope = (struct probe_scope){ .outer = scope->outer };
}
