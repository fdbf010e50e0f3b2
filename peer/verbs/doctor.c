#include <stdio.h>
#include <string.h>

#include "peer/overlay.h"
#include "peer/verbs/query.h"

/* doctor: why a node is not reachable. A running peer is asked; what keeps one from starting at all
 * is seen in its identity folder. */

static char *identity;

static void print_report(const json_t *report)
{
    size_t i;
    const json_t *finding;
    json_array_foreach(json_object_get(report, "findings"), i, finding)
    {
        const char *cure = reload_query_text(finding, "cure");
        printf("%-8s %-13s %s\n", reload_query_text(finding, "verdict"),
               reload_query_text(finding, "check"), reload_query_text(finding, "finding"));
        if (*cure)
            printf("%22s -> %s\n", "", cure);
    }
}

static int exit_code_of(const json_t *report)
{
    if (json_is_true(json_object_get(report, "expired")))
        return RELOAD_EXIT_EXPIRED;
    if (!json_is_true(json_object_get(report, "joined")))
        return RELOAD_EXIT_NOT_JOINED;
    return strcmp(reload_query_text(report, "verdict"), "bad") == 0 ? RELOAD_EXIT_FAILURE
                                                                    : RELOAD_EXIT_OK;
}

static void show(json_t *report)
{
    if (reload_query.json) {
        reload_verb_print_json(report);
        return;
    }
    print_report(report);
    json_decref(report);
}

static const char *cure_of(int error, const char *reason)
{
    if (strstr(reason, "not valid yet"))
        return "set this machine's clock, best by NTP (timedatectl set-ntp true)";
    switch (error) {
    case RELOAD_E_EXPIRED: return "run reload enroll again";
    case RELOAD_E_FORBIDDEN: return "chmod 600 the key, if nobody else may have read it";
    case RELOAD_E_NOT_FOUND: return "run reload enroll, with --identity for this folder";
    default: return "fetch the configuration and a certificate anew with reload enroll";
    }
}

static const char *check_of(int error, const char *reason)
{
    if (strstr(reason, "not valid yet"))
        return "clock";
    return error == RELOAD_E_SIGNATURE || error == RELOAD_E_DECODE ? "configuration"
                                                                   : "certificate";
}

/* What a peer of this folder would say at its start. 0, or an exit code after it was shown. */
static int examine_files(void)
{
    const struct reload_overlay_options options = { .identity = identity,
                                                    .role = RELOAD_ROLE_CLIENT };
    struct reload_cert_reason reason = { "" };
    struct reload_overlay *overlay;
    int error = reload_overlay_new(&options, &overlay, &reason);
    if (!error) {
        reload_overlay_free(overlay);
        return RELOAD_EXIT_OK;
    }
    const char *text = reason.text[0] ? reason.text : reload_error_text(error);
    show(json_pack("{s:b,s:s,s:b,s:b,s:[{s:s,s:s,s:s,s:s}]}", "ok", 1, "verdict", "bad", "joined",
                   0, "expired", error == RELOAD_E_EXPIRED, "findings", "check",
                   check_of(error, text), "verdict", "bad", "finding", text, "cure",
                   cure_of(error, text)));
    return reload_verb_exit_code(error);
}

int reload_verb_doctor(int argc, char **argv)
{
    static const GOptionEntry entries[] = {
        RELOAD_QUERY_ENTRIES,
        { "identity", 0, 0, G_OPTION_ARG_FILENAME, &identity,
          "Folder of a node that may not even start", "DIR" },
        { 0 },
    };
    json_t *report;
    int code = reload_verb_options("doctor", entries, &argc, &argv, 0, 0);
    if (code == 0 && identity)
        code = examine_files();
    if (code == 0 && identity && !reload_query.control) {
        show(json_pack("{s:b,s:s,s:[{s:s,s:s,s:s,s:s}]}", "ok", 1, "verdict", "ok", "findings",
                       "check", "certificate", "verdict", "ok", "finding",
                       "a node can start with this folder", "cure",
                       "once it runs, ask it with --control"));
        return RELOAD_EXIT_OK;
    }
    if (code == 0)
        code = reload_query_call(reload_query_request("doctor"), &report);
    if (code)
        return code;
    code = exit_code_of(report);
    show(report);
    return code;
}
