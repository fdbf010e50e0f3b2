#ifndef PEER_VERBS_VERBS_H
#define PEER_VERBS_VERBS_H

#include <glib.h>
#include <jansson.h>

#include "certs/reason.h"
#include "reload/wire/cursor.h"

/* The verbs of the program `reload`. Each has one GOption table and returns an exit code. */

enum reload_exit {
    RELOAD_EXIT_OK = 0,
    RELOAD_EXIT_FAILURE = 1,
    RELOAD_EXIT_USAGE = 2,
    RELOAD_EXIT_NOT_JOINED = 3,
    RELOAD_EXIT_REFUSED = 4, /* authentication or permission */
    RELOAD_EXIT_EXPIRED = 5,
};

struct reload_verb {
    const char *name;     /* "overlay create" */
    const char *operands; /* "NAME", for the usage line */
    const char *summary;  /* one line */
    int (*run)(int argc, char **argv);
};

extern const struct reload_verb reload_verbs[];
extern const size_t reload_verb_count;

/* Parses a verb's options; `operand_min`..`operand_max` operands stay in argv[1..]. --help prints
 * and ends the process. 0, or RELOAD_EXIT_USAGE after an error was printed with the usage line. */
int reload_verb_options(const char *name, const GOptionEntry *entries, int *argc, char ***argv,
                        int operand_min, int operand_max);

/* "reload: TEXT" on standard error; returns `code`, so that a verb can say `return ..._fail(...)`.
 */
int reload_verb_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a RELOAD_E_* with its reason: the exit code follows from the error. */
int reload_verb_refuse(int error, const char *what, const struct reload_cert_reason *reason);
int reload_verb_exit_code(int error); /* RELOAD_E_* to exit code */

/* Puts '?' in place of what a terminal would obey, in UTF-8 text of others; whether there was any.
 */
bool reload_verb_tame(char *text);

/* Prints one JSON object on a line of its own, and releases it. */
void reload_verb_print_json(json_t *json);

uint64_t reload_verb_unix_ms(void);

/* A password: the first line of a file ("-": standard input), or with path NULL asked for on the
 * terminal, unseen, or read from standard input when that is none. out holds
 * RELOAD_ENROLL_PASSWORD_MAX + 1 bytes. Errors of reload_enroll_user_password(). */
RELOAD_MUST_USE int reload_verb_password(const char *path, char *out,
                                         struct reload_cert_reason *reason);

int reload_verb_overlay_create(int argc, char **argv);
int reload_verb_overlay_sign(int argc, char **argv);
int reload_verb_user_add(int argc, char **argv);
int reload_verb_user_list(int argc, char **argv);
int reload_verb_user_passwd(int argc, char **argv);
int reload_verb_user_remove(int argc, char **argv);
int reload_verb_enroll_server(int argc, char **argv);
int reload_verb_enroll(int argc, char **argv);
int reload_verb_peer(int argc, char **argv);
int reload_verb_status(int argc, char **argv);
int reload_verb_ring(int argc, char **argv);
int reload_verb_links(int argc, char **argv);
int reload_verb_doctor(int argc, char **argv);
int reload_verb_ping(int argc, char **argv);
int reload_verb_attach(int argc, char **argv);
int reload_verb_trace(int argc, char **argv);
int reload_verb_store(int argc, char **argv);
int reload_verb_remove(int argc, char **argv);
int reload_verb_fetch(int argc, char **argv);
int reload_verb_stat(int argc, char **argv);
int reload_verb_find(int argc, char **argv);
int reload_verb_sip_register(int argc, char **argv);
int reload_verb_sip_unregister(int argc, char **argv);
int reload_verb_sip_forward(int argc, char **argv);
int reload_verb_sip_lookup(int argc, char **argv);
int reload_verb_sip_gruu(int argc, char **argv);
int reload_verb_sip_message(int argc, char **argv);
int reload_verb_connect(int argc, char **argv);
int reload_verb_listen(int argc, char **argv);
int reload_verb_sip_call(int argc, char **argv);
int reload_verb_sip_answer(int argc, char **argv);
int reload_verb_sip_decline(int argc, char **argv);
int reload_verb_sip_hangup(int argc, char **argv);
int reload_verb_sip_hold(int argc, char **argv);
int reload_verb_sip_resume(int argc, char **argv);
int reload_verb_sip_move(int argc, char **argv);
int reload_verb_sip_press(int argc, char **argv);
int reload_verb_sip_calls(int argc, char **argv);
int reload_verb_leave(int argc, char **argv);
int reload_verb_audio_devices(int argc, char **argv);
int reload_verb_audio_loopback(int argc, char **argv);
int reload_verb_audio_tone(int argc, char **argv);
int reload_verb_decode(int argc, char **argv);
int reload_verb_demo(int argc, char **argv);

#endif
