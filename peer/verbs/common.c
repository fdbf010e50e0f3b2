#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "peer/verbs/verbs.h"

/* Bytes at p that a terminal would obey: a C0 control but for tabs and line ends, DEL, or a C1
 * control in UTF-8. */
static size_t command_len(const char *p)
{
    unsigned char c = (unsigned char)p[0], next = c ? (unsigned char)p[1] : 0;
    if (c == 0xc2 && next >= 0x80 && next < 0xa0)
        return 2;
    return (c > 0 && c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
}

bool reload_verb_tame(char *text)
{
    bool changed = false;
    for (size_t n; *text; text += n ? n : 1) {
        n = command_len(text);
        memset(text, '?', n);
        changed |= n > 0;
    }
    return changed;
}

int reload_verb_fail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    reload_verb_tame(text); /* it may hold what another node said */
    fprintf(stderr, "reload: %s\n", text);
    g_free(text);
    return code;
}

int reload_verb_exit_code(int error)
{
    switch (error) {
    case 0: return RELOAD_EXIT_OK;
    case RELOAD_E_FORBIDDEN:
    case RELOAD_E_SIGNATURE:
    case RELOAD_E_CERTIFICATE: return RELOAD_EXIT_REFUSED;
    case RELOAD_E_EXPIRED: return RELOAD_EXIT_EXPIRED;
    default: return RELOAD_EXIT_FAILURE;
    }
}

int reload_verb_refuse(int error, const char *what, const struct reload_cert_reason *reason)
{
    const char *why = reason && reason->text[0] ? reason->text : reload_error_text(error);
    return reload_verb_fail(reload_verb_exit_code(error), "%s: %s", what, why);
}

static const struct reload_verb *verb_of(const char *name)
{
    for (size_t i = 0; i < reload_verb_count; i++)
        if (strcmp(reload_verbs[i].name, name) == 0)
            return &reload_verbs[i];
    return NULL;
}

int reload_verb_options(const char *name, const GOptionEntry *entries, int *argc, char ***argv,
                        int operand_min, int operand_max)
{
    const struct reload_verb *verb = verb_of(name);
    assert(verb);
    char *program = g_strdup_printf("reload %s", name);
    g_set_prgname(program);
    GOptionContext *context = g_option_context_new(verb->operands);
    g_option_context_set_summary(context, verb->summary);
    g_option_context_add_main_entries(context, entries, NULL);
    GError *error = NULL;
    int result = RELOAD_EXIT_OK;
    if (!g_option_context_parse(context, argc, argv, &error)) {
        result = reload_verb_fail(RELOAD_EXIT_USAGE, "%s (see %s --help)", error->message, program);
        g_error_free(error);
    } else {
        if (*argc > 1 && strcmp((*argv)[1], "--") == 0) { /* GOption leaves it in */
            (*argv)[1] = (*argv)[0];
            (*argv)++;
            (*argc)--;
        }
        int operands = *argc - 1;
        if (operands < operand_min || operands > operand_max)
            result = reload_verb_fail(RELOAD_EXIT_USAGE, "%s %s (see %s --help)", program,
                                      operands < operand_min ? "needs another word"
                                                             : "was given too many words",
                                      program);
    }
    g_option_context_free(context);
    g_free(program);
    return result;
}

void reload_verb_print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT | JSON_ENSURE_ASCII); /* a terminal obeys C1 controls */
    putchar('\n');
    fflush(stdout);
    json_decref(json);
}

uint64_t reload_verb_unix_ms(void)
{
    return (uint64_t)(g_get_real_time() / 1000);
}
