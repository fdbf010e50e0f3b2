#include "peer/verbs/child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define STEP_US       5000 /* between looks at a process that shall end */

static void become(const char *log, int out, pid_t parent, char *const *arguments)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);           /* an interrupt from the terminal is the parent's to deal with */
    if (getppid() != parent) /* it ended before that took effect */
        _exit(127);
    int err = open(log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err >= 0 ? err : null, STDERR_FILENO);
    execv("/proc/self/exe", arguments);
    _exit(127);
}

int reload_child_start(struct reload_child *process, const char *log, const char *const *arguments)
{
    char *copy[ARGUMENTS_MAX + 2] = { (char *)"reload" };
    int pipe_fds[2];
    size_t n = 0;
    for (; n < ARGUMENTS_MAX && arguments[n]; n++)
        copy[n + 1] = (char *)arguments[n];
    if (pipe2(pipe_fds, O_CLOEXEC))
        return errno;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become(log, pipe_fds[1], parent, copy);
    close(pipe_fds[1]);
    if (pid < 0) {
        close(pipe_fds[0]);
        return errno;
    }
    process->pid = pid;
    process->out = pipe_fds[0];
    process->text = g_string_new(NULL);
    return 0;
}

static char *take_line(GString *text)
{
    char *end = strchr(text->str, '\n');
    if (!end)
        return NULL;
    char *line = g_strndup(text->str, (gsize)(end - text->str));
    g_string_erase(text, 0, end - text->str + 1);
    return line;
}

char *reload_child_line(struct reload_child *process, int timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    char *line, buffer[4096];
    while (!(line = take_line(process->text))) {
        gint64 left = (deadline - g_get_monotonic_time()) / 1000;
        struct pollfd fd = { .fd = process->out, .events = POLLIN };
        if (left <= 0 || poll(&fd, 1, (int)left) <= 0)
            return NULL;
        ssize_t n = read(process->out, buffer, sizeof buffer);
        if (n <= 0)
            return NULL;
        g_string_append_len(process->text, buffer, n);
    }
    return line;
}

int reload_child_wait(struct reload_child *process, int timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    int status;
    while (process->pid > 0) {
        pid_t pid = waitpid(process->pid, &status, WNOHANG);
        if (pid == process->pid) {
            process->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        if (g_get_monotonic_time() >= deadline)
            return -1;
        g_usleep(STEP_US);
    }
    return -1;
}

void reload_child_signal(struct reload_child *process, int signal_number)
{
    if (process->pid > 0)
        kill(process->pid, signal_number);
}

void reload_child_end(struct reload_child *process)
{
    reload_child_signal(process, SIGKILL);
    if (process->pid > 0)
        waitpid(process->pid, NULL, 0);
    if (process->text) {
        close(process->out);
        g_string_free(process->text, TRUE);
    }
    *process = (struct reload_child){ .out = -1 };
}

int reload_child_reserve_port(uint16_t *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Linux lets two sockets share a port when both say SO_REUSEADDR and neither listens yet */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(fd, (struct sockaddr *)&address, sizeof address) ||
        getsockname(fd, (struct sockaddr *)&address, &len)) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}
