#include "peer/pipe.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

struct reload_pipe {
    struct reload_channel *channel; /* NULL: closed */
    GMainContext *context;
    reload_pipe_done *done;
    void *done_context;
    int fd;
    bool datagrams;
    /* from the program */
    GSource *reading; /* NULL: a piece is held, or the program has ended */
    GBytes *held;     /* the channel had no room for it */
    bool program_ended;
    /* to the program */
    GByteArray *out;  /* the socket had no room for it; the channel is paused meanwhile */
    GSource *writing; /* while there is some */
    bool far_ended;
    /* the program has closed its end */
    GSource *hanging_up, *lingering;
    bool gone;

    struct reload_channel_end how; /* once the channel is closed */
    char *reason;
    struct reload_pipe_end end;
};

/* --- sources --- */

static void drop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}

static GSource *watch(struct reload_pipe *pipe, GIOCondition condition, GUnixFDSourceFunc function)
{
    GSource *source = g_unix_fd_source_new(pipe->fd, condition);
    g_source_set_callback(source, G_SOURCE_FUNC(function), pipe, NULL);
    g_source_attach(source, pipe->context);
    return source;
}

/* --- the end --- */

static void pipe_free(struct reload_pipe *pipe)
{
    drop_source(&pipe->reading);
    drop_source(&pipe->writing);
    drop_source(&pipe->hanging_up);
    drop_source(&pipe->lingering);
    g_clear_pointer(&pipe->held, g_bytes_unref);
    g_byte_array_unref(pipe->out);
    g_free(pipe->reason);
    close(pipe->fd);
    g_free(pipe);
}

/* True when it was, and the pipe is gone. */
static bool end_if_over(struct reload_pipe *pipe)
{
    if (pipe->channel || pipe->out->len)
        return false;
    shutdown(pipe->fd, SHUT_RDWR); /* before it is told */
    pipe->end.channel = &pipe->how;
    pipe->done(pipe->done_context, pipe, &pipe->end);
    pipe_free(pipe);
    return true;
}

static void channel_is_over(struct reload_pipe *pipe, const struct reload_channel_end *how)
{
    pipe->channel = NULL;
    pipe->reason = g_strdup(how->reason);
    pipe->how = *how;
    pipe->how.reason = pipe->reason;
    drop_source(&pipe->reading);
}

static gboolean linger_over(gpointer data)
{
    static const struct reload_channel_end how = { RELOAD_E_CLOSED, 0,
                                                   "the program closed its end" };
    struct reload_pipe *pipe = data;
    reload_channel_close(pipe->channel);
    channel_is_over(pipe, &how);
    end_if_over(pipe);
    return G_SOURCE_REMOVE;
}

/* Nobody reads any more; what was written is still to arrive. */
static void program_gone(struct reload_pipe *pipe)
{
    if (pipe->gone)
        return;
    pipe->gone = true;
    drop_source(&pipe->hanging_up);
    drop_source(&pipe->writing);
    g_byte_array_set_size(pipe->out, 0);
    if (!pipe->channel)
        return;
    reload_channel_pause(pipe->channel, false); /* to hear of its end */
    pipe->lingering = g_timeout_source_new(RELOAD_PIPE_LINGER_MS);
    g_source_set_callback(pipe->lingering, linger_over, pipe, NULL);
    g_source_attach(pipe->lingering, pipe->context);
}

static gboolean hung_up(int fd, GIOCondition condition, void *data)
{
    struct reload_pipe *pipe = data;
    (void)fd;
    (void)condition;
    program_gone(pipe);
    end_if_over(pipe);
    return G_SOURCE_REMOVE;
}

/* --- from the program --- */

static gboolean program_ready(int fd, GIOCondition condition, void *data);

static void read_on(struct reload_pipe *pipe)
{
    if (!pipe->reading && !pipe->program_ended)
        pipe->reading = watch(pipe, G_IO_IN, program_ready);
}

static void program_ended(struct reload_pipe *pipe)
{
    pipe->program_ended = true;
    drop_source(&pipe->reading);
    reload_channel_end(pipe->channel);
    if (!pipe->gone)
        pipe->hanging_up = watch(pipe, G_IO_HUP | G_IO_ERR, hung_up);
}

/* False when there is no room for it. */
static bool pass_on(struct reload_pipe *pipe, const void *bytes, size_t len)
{
    int error = reload_channel_send(pipe->channel, reload_slice_of(bytes, len));
    if (error == RELOAD_E_LIMIT)
        return false;
    if (error == 0)
        pipe->end.bytes_out += len;
    else if (pipe->datagrams)
        pipe->end.dropped_datagrams++;
    return true; /* a byte channel that takes no more is about to be told closed */
}

static void take(struct reload_pipe *pipe, const guint8 *bytes, size_t len)
{
    size_t longest = pipe->datagrams ? RELOAD_CHANNEL_DATAGRAM_MAX : RELOAD_CHANNEL_PIECE_MAX;
    if (len > longest) {
        pipe->end.dropped_datagrams++;
        return;
    }
    if (pass_on(pipe, bytes, len))
        return;
    pipe->held = g_bytes_new(bytes, len);
    drop_source(&pipe->reading);
}

static gboolean program_ready(int fd, GIOCondition condition, void *data)
{
    static guint8 buffer[RELOAD_CHANNEL_PIECE_MAX];
    struct reload_pipe *pipe = data;
    (void)condition;
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT | (pipe->datagrams ? MSG_TRUNC : 0));
    if (n > 0)
        take(pipe, buffer, (size_t)n);
    else if (n == 0)
        program_ended(pipe);
    else if (errno != EAGAIN && errno != EINTR)
        program_gone(pipe); /* it left unread bytes; its own are read next */
    return G_SOURCE_CONTINUE;
}

static void channel_writable(void *context, struct reload_channel *channel)
{
    struct reload_pipe *pipe = context;
    (void)channel;
    GBytes *held = g_steal_pointer(&pipe->held);
    gsize len = 0;
    const void *bytes = held ? g_bytes_get_data(held, &len) : NULL;
    if (held && !pass_on(pipe, bytes, len))
        pipe->held = g_bytes_ref(held);
    else
        read_on(pipe);
    g_bytes_unref(held);
}

/* --- to the program --- */

static gboolean program_writable(int fd, GIOCondition condition, void *data);

static ssize_t write_some(struct reload_pipe *pipe, const guint8 *bytes, size_t len)
{
    ssize_t n = send(pipe->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        program_gone(pipe);
    if (n > 0)
        pipe->end.bytes_in += (uint64_t)n;
    return n < 0 ? 0 : n;
}

static gboolean program_writable(int fd, GIOCondition condition, void *data)
{
    struct reload_pipe *pipe = data;
    (void)fd;
    (void)condition;
    ssize_t n = write_some(pipe, pipe->out->data, pipe->out->len);
    if (!pipe->gone)
        g_byte_array_remove_range(pipe->out, 0, (guint)n);
    if (pipe->out->len)
        return G_SOURCE_CONTINUE;
    drop_source(&pipe->writing);
    if (end_if_over(pipe))
        return G_SOURCE_REMOVE;
    if (pipe->far_ended)
        shutdown(pipe->fd, SHUT_WR);
    else
        reload_channel_pause(pipe->channel, false);
    return G_SOURCE_REMOVE;
}

static void keep(struct reload_pipe *pipe, const guint8 *bytes, size_t len)
{
    g_byte_array_append(pipe->out, bytes, (guint)len);
    if (pipe->writing)
        return;
    pipe->writing = watch(pipe, G_IO_OUT, program_writable);
    reload_channel_pause(pipe->channel, true);
}

static void channel_received(void *context, struct reload_channel *channel,
                             struct reload_slice bytes)
{
    struct reload_pipe *pipe = context;
    (void)channel;
    size_t done = 0;
    if (!pipe->gone && !pipe->out->len)
        done = (size_t)write_some(pipe, bytes.p, bytes.n);
    if (pipe->datagrams)
        pipe->end.dropped_datagrams += done < bytes.n;
    else if (!pipe->gone && done < bytes.n)
        keep(pipe, bytes.p + done, bytes.n - done);
}

static void channel_ended(void *context, struct reload_channel *channel)
{
    struct reload_pipe *pipe = context;
    (void)channel;
    pipe->far_ended = true;
    if (!pipe->out->len)
        shutdown(pipe->fd, SHUT_WR);
}

static void channel_closed(void *context, struct reload_channel *channel,
                           const struct reload_channel_end *end)
{
    struct reload_pipe *pipe = context;
    (void)channel;
    channel_is_over(pipe, end);
    end_if_over(pipe);
}

/* --- life --- */

int reload_pipe_new(struct reload_channel *channel, GMainContext *context, reload_pipe_done *done,
                    void *done_context, struct reload_pipe **out, int *descriptor)
{
    static const struct reload_channel_events events = { .received = channel_received,
                                                         .writable = channel_writable,
                                                         .ended = channel_ended,
                                                         .closed = channel_closed };
    bool datagrams = reload_channel_info(channel)->datagrams;
    int pair[2];
    if (socketpair(AF_UNIX, (datagrams ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC, 0, pair))
        return RELOAD_E_IO;
    struct reload_pipe *pipe = g_new0(struct reload_pipe, 1);
    pipe->channel = channel;
    pipe->context = context;
    pipe->done = done;
    pipe->done_context = done_context;
    pipe->fd = pair[0];
    pipe->datagrams = datagrams;
    pipe->out = g_byte_array_new();
    reload_channel_set_events(channel, &events, pipe);
    read_on(pipe);
    *out = pipe;
    *descriptor = pair[1];
    return 0;
}

void reload_pipe_free(struct reload_pipe *pipe)
{
    reload_channel_close(pipe->channel);
    pipe_free(pipe);
}
