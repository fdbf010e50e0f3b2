#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "certs/enroll/users.h"
#include "peer/verbs/verbs.h"

static int ask(char *out, struct reload_cert_reason *reason)
{
    struct termios shown, hidden;
    fputs("Password: ", stderr);
    if (tcgetattr(STDIN_FILENO, &shown))
        return reload_cert_refuse(reason, RELOAD_E_IO, "the terminal cannot be set up");
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    int error = reload_enroll_user_password("-", out, reason);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return error;
}

int reload_verb_password(const char *path, char *out, struct reload_cert_reason *reason)
{
    if (!path && isatty(STDIN_FILENO))
        return ask(out, reason);
    return reload_enroll_user_password(path ? path : "-", out, reason);
}
