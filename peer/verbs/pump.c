#include "peer/verbs/pump.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer/channel.h"
#include "peer/verbs/verbs.h"

/* One thread for each direction: waiting for one must not keep the other. */

#define LOOK_US 20000 /* how often lingering looks at the clock */

static struct {
    struct reload_pump pump;
    gint last_in_ms; /* atomic: when the last datagram came, on a clock that wraps */
} p;

static gint now_ms(void)
{
    return (gint)(g_get_monotonic_time() / 1000 & G_MAXINT);
}

/* Short of the whole: nobody takes it. */
static bool send_whole(const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(p.pump.fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void linger(void)
{
    gint linger_ms = (gint)p.pump.linger_s * 1000, start_ms = now_ms();
    g_atomic_int_compare_and_exchange(&p.last_in_ms, 0, start_ms);
    while (now_ms() - MAX(g_atomic_int_get(&p.last_in_ms), start_ms) < linger_ms)
        g_usleep(LOOK_US);
}

static gpointer pump_out(gpointer unused)
{
    static char buffer[RELOAD_CHANNEL_PIECE_MAX];
    (void)unused;
    for (;;) {
        ssize_t n = read(STDIN_FILENO, buffer, p.pump.piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || !send_whole(buffer, (size_t)n))
            break;
    }
    if (p.pump.datagrams)
        linger();
    shutdown(p.pump.fd, SHUT_WR);
    return NULL;
}

static int write_whole(const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(STDOUT_FILENO, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return reload_verb_fail(RELOAD_EXIT_FAILURE, "standard output: %s", g_strerror(errno));
        bytes += n;
        len -= (size_t)n;
    }
    return RELOAD_EXIT_OK;
}

static int pump_in(void)
{
    static char buffer[RELOAD_CHANNEL_PIECE_MAX];
    int code = RELOAD_EXIT_OK;
    while (code == 0) {
        ssize_t n = recv(p.pump.fd, buffer, sizeof buffer, 0);
        if (n < 0 && (errno == EINTR || errno == ECONNRESET)) /* reset: not all was taken from us */
            continue;
        if (n <= 0)
            break;
        g_atomic_int_set(&p.last_in_ms, now_ms());
        code = write_whole(buffer, (size_t)n);
    }
    close(STDOUT_FILENO);
    return code;
}

int reload_pump_run(const struct reload_pump *pump)
{
    p.pump = *pump;
    g_thread_unref(g_thread_new("out", pump_out, NULL));
    return pump_in();
}
