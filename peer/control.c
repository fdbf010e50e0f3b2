#include "peer/control_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "peer/control_output.h"

/* Sockets, clients and lines. What a line means is control_call.c's. */

#define READ_LEN     65536
#define OUT_OF_FDS_S 1 /* then accepting is tried again */

struct client {
    struct reload_control *control;
    uint64_t id;
    int fd;
    GByteArray *in;
    struct reload_control_output out;
    GSource *reading, *writing;
    unsigned calls;
    bool subscribed;
};

struct reload_control {
    struct reload_control_options options;
    char *path;
    int fd;
    GSource *accepting;
    GHashTable *clients; /* id -> struct client */
    uint64_t last_id;
    GHashTable *calls; /* set of struct reload_control_call under way */
    struct reload_control_channels *channels;
    GArray *bound;
};

/* --- clients --- */

static void drop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}

static void client_free(void *p)
{
    struct client *client = p;
    drop_source(&client->reading);
    drop_source(&client->writing);
    close(client->fd);
    g_byte_array_unref(client->in);
    reload_control_output_fini(&client->out);
    g_free(client);
}

static struct client *find(struct reload_control *control, uint64_t id)
{
    return g_hash_table_lookup(control->clients, &id);
}

static void drop(struct reload_control *control, uint64_t id)
{
    if (!g_hash_table_remove(control->clients, &id))
        return;
    reload_control_channels_client_gone(control->channels, id);
    reload_control_talk_client_gone(control, id);
}

static GSource *watch(struct reload_control *control, int fd, GIOCondition condition,
                      GUnixFDSourceFunc function, void *data)
{
    GSource *source = g_unix_fd_source_new(fd, condition);
    g_source_set_callback(source, G_SOURCE_FUNC(function), data, NULL);
    g_source_attach(source, control->options.context);
    return source;
}

static gboolean write_ready(int fd, GIOCondition condition, void *data)
{
    struct client *client = data;
    (void)condition;
    if (reload_control_output_write(&client->out, fd)) {
        drop(client->control, client->id);
        return G_SOURCE_REMOVE;
    }
    if (client->out.bytes->len)
        return G_SOURCE_CONTINUE;
    g_source_unref(client->writing);
    client->writing = NULL;
    return G_SOURCE_REMOVE;
}

void reload_control_send(struct reload_control *control, uint64_t id, json_t *line)
{
    reload_control_send_descriptor(control, id, line, -1);
}

void reload_control_send_descriptor(struct reload_control *control, uint64_t id, json_t *line,
                                    int descriptor)
{
    struct client *client = find(control, id);
    char *text = client ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    if (!text) {
        if (descriptor >= 0)
            close(descriptor);
        return;
    }
    size_t len = strlen(text);
    text[len] = '\n'; /* in place of its end */
    reload_control_output_add(&client->out, text, len + 1, descriptor);
    free(text);
    if (client->out.bytes->len > RELOAD_CONTROL_OUTPUT_MAX) {
        reload_log_write(control->options.log, RELOAD_LOG_WARNING, "control",
                         "a client does not read its answers and is dropped");
        drop(control, id);
    } else if (!client->writing) {
        client->writing = watch(control, client->fd, G_IO_OUT, write_ready, client);
    }
}

/* Runs every whole line; false when the client was dropped over it. */
static bool run_lines(struct client *client)
{
    struct reload_control *control = client->control;
    uint64_t id = client->id;
    guint done = 0; /* moved away all at once: a heap of short lines would cost its square */
    uint8_t *end;
    while (done < client->in->len &&
           (end = memchr(client->in->data + done, '\n', client->in->len - done))) {
        size_t len = (size_t)(end - client->in->data) - done;
        char *line = g_strndup((const char *)client->in->data + done, len);
        done += (guint)len + 1;
        reload_control_run(control, id, line, len);
        g_free(line);
        if (!find(control, id))
            return false;
    }
    g_byte_array_remove_range(client->in, 0, done);
    if (client->in->len <= RELOAD_CONTROL_LINE_MAX)
        return true;
    drop(control, id);
    return false;
}

static gboolean read_ready(int fd, GIOCondition condition, void *data)
{
    struct client *client = data;
    guint8 buffer[READ_LEN];
    (void)condition;
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n <= 0) {
        drop(client->control, client->id);
        return G_SOURCE_REMOVE;
    }
    g_byte_array_append(client->in, buffer, (guint)n);
    return run_lines(client) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* The socket's mode keeps others out; this does too where a file system ignores modes. */
static bool may_use(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == getuid() || peer.uid == 0);
}

static gboolean accept_ready(int fd, GIOCondition condition, void *data);

static gboolean accept_again(void *data)
{
    struct reload_control *control = data;
    drop_source(&control->accepting);
    control->accepting = watch(control, control->fd, G_IO_IN, accept_ready, control);
    return G_SOURCE_REMOVE;
}

/* Without descriptors whoever waits would keep the socket readable and us spinning. */
static void pause_accepting(struct reload_control *control)
{
    drop_source(&control->accepting);
    control->accepting = g_timeout_source_new_seconds(OUT_OF_FDS_S);
    g_source_set_callback(control->accepting, accept_again, control, NULL);
    g_source_attach(control->accepting, control->options.context);
}

static gboolean accept_ready(int fd, GIOCondition condition, void *data)
{
    struct reload_control *control = data;
    (void)condition;
    int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client_fd < 0 && (errno == EMFILE || errno == ENFILE)) {
        pause_accepting(control);
        return G_SOURCE_REMOVE;
    }
    if (client_fd < 0)
        return G_SOURCE_CONTINUE;
    if (!may_use(client_fd) || g_hash_table_size(control->clients) >= RELOAD_CONTROL_CLIENTS_MAX) {
        reload_log_write(control->options.log, RELOAD_LOG_WARNING, "control",
                         "a client was turned away: another user's, or too many");
        close(client_fd);
        return G_SOURCE_CONTINUE;
    }
    struct client *client = g_new0(struct client, 1);
    client->control = control;
    client->id = ++control->last_id;
    client->fd = client_fd;
    client->in = g_byte_array_new();
    reload_control_output_init(&client->out);
    client->reading = watch(control, client_fd, G_IO_IN | G_IO_HUP, read_ready, client);
    g_hash_table_insert(control->clients, &client->id, client);
    return G_SOURCE_CONTINUE;
}

/* --- the socket --- */

static int make_address(const char *path, struct sockaddr_un *address,
                        struct reload_cert_reason *reason)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address->sun_path)
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "%s: longer than the %zu bytes that a socket's path can have",
                                  path, sizeof address->sun_path - 1);
    memcpy(address->sun_path, path, strlen(path) + 1);
    return 0;
}

/* A socket file stays behind when a peer is killed; one that answers belongs to a running peer. */
static int remove_stale(const struct sockaddr_un *address, struct reload_cert_reason *reason)
{
    struct stat status;
    if (lstat(address->sun_path, &status))
        return 0;
    if (!S_ISSOCK(status.st_mode))
        return reload_cert_refuse(reason, RELOAD_E_STATE, "%s: exists and is no socket",
                                  address->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    close(fd);
    if (answers)
        return reload_cert_refuse(reason, RELOAD_E_STATE,
                                  "%s: a running peer has this control socket", address->sun_path);
    unlink(address->sun_path);
    return 0;
}

static int listen_on(struct reload_control *control, struct reload_cert_reason *reason)
{
    struct sockaddr_un address;
    int error = make_address(control->path, &address, reason);
    if (!error)
        error = remove_stale(&address, reason);
    if (error)
        return error;
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177); /* the file is 0600 from its first moment */
    bool bound = bind(control->fd, (struct sockaddr *)&address, sizeof address) == 0;
    int bind_errno = errno;
    umask(mask);
    if (!bound || listen(control->fd, 2 * RELOAD_CONTROL_CLIENTS_MAX))
        return reload_cert_refuse(reason, RELOAD_E_IO, "%s: %s", control->path,
                                  g_strerror(bound ? errno : bind_errno));
    return 0;
}

int reload_control_new(const struct reload_control_options *options, struct reload_control **out,
                       struct reload_cert_reason *reason)
{
    struct reload_control *control = g_new0(struct reload_control, 1);
    control->options = *options;
    control->fd = -1;
    control->path = g_strdup(options->path);
    control->clients = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, client_free);
    control->calls = g_hash_table_new(NULL, NULL);
    control->channels = reload_control_channels_new(control);
    control->bound = g_array_new(FALSE, FALSE, sizeof(struct reload_control_bound));
    int error = listen_on(control, reason);
    if (error) {
        g_clear_pointer(&control->path, g_free); /* not ours to remove */
        reload_control_free(control);
        return error;
    }
    reload_control_listen(control);
    control->accepting = watch(control, control->fd, G_IO_IN, accept_ready, control);
    *out = control;
    return 0;
}

static gboolean write_out(gpointer id, gpointer client, gpointer unused)
{
    struct client *c = client;
    (void)id;
    (void)unused;
    (void)!reload_control_output_write(&c->out, c->fd); /* the last answers */
    return TRUE;
}

void reload_control_free(struct reload_control *control)
{
    if (!control)
        return;
    if (control->options.phone)
        reload_phone_set_events(control->options.phone, NULL, NULL);
    drop_source(&control->accepting);
    reload_control_channels_free(control->channels);
    g_array_unref(control->bound);
    g_hash_table_foreach_remove(control->clients, write_out, NULL);
    g_hash_table_unref(control->clients);
    GHashTableIter iter;
    gpointer call;
    g_hash_table_iter_init(&iter, control->calls);
    while (g_hash_table_iter_next(&iter, &call, NULL)) /* their answers find nobody */
        ((struct reload_control_call *)call)->control = NULL;
    g_hash_table_unref(control->calls);
    if (control->fd >= 0)
        close(control->fd);
    if (control->path)
        unlink(control->path);
    g_free(control->path);
    g_free(control);
}

/* --- for the verbs --- */

struct reload_overlay *reload_control_overlay(const struct reload_control *control)
{
    return control->options.overlay;
}

const struct reload_config *reload_control_overlay_config(const struct reload_control *control)
{
    return reload_overlay_config(control->options.overlay);
}

GMainContext *reload_control_context(const struct reload_control *control)
{
    return control->options.context;
}

GArray *reload_control_bound(const struct reload_control *control)
{
    return control->bound;
}

struct reload_control_channels *reload_control_channels(const struct reload_control *control)
{
    return control->channels;
}

struct reload_sip_node *reload_control_sip(const struct reload_control *control)
{
    return control->options.sip;
}

struct reload_phone *reload_control_phone(const struct reload_control *control)
{
    return control->options.phone;
}

bool reload_control_begin_call(struct reload_control *control, struct reload_control_call *call)
{
    struct client *client = find(control, call->client);
    if (!client || client->calls >= RELOAD_CONTROL_REQUESTS_MAX)
        return false;
    client->calls++;
    g_hash_table_add(control->calls, call);
    return true;
}

void reload_control_end_call(struct reload_control *control, struct reload_control_call *call)
{
    struct client *client = find(control, call->client);
    if (g_hash_table_remove(control->calls, call) && client)
        client->calls--;
}

void reload_control_leave(struct reload_control *control)
{
    if (control->options.leave)
        control->options.leave(control->options.leave_context);
}

void reload_control_subscribe(struct reload_control *control, uint64_t id)
{
    struct client *client = find(control, id);
    if (client)
        client->subscribed = true;
}

/* --- events --- */

void reload_control_publish(struct reload_control *control, json_t *event)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(uint64_t)); /* sending may drop a client */
    GHashTableIter iter;
    gpointer client;
    g_hash_table_iter_init(&iter, control->clients);
    while (g_hash_table_iter_next(&iter, NULL, &client))
        if (((struct client *)client)->subscribed)
            g_array_append_val(ids, ((struct client *)client)->id);
    for (guint i = 0; i < ids->len; i++)
        reload_control_send(control, g_array_index(ids, uint64_t, i), json_incref(event));
    g_array_unref(ids);
    json_decref(event);
}

void reload_control_state(struct reload_control *control, enum reload_topology_state state,
                          const char *text)
{
    reload_control_publish(control, json_pack("{s:s,s:s,s:s}", "event", "state", "state",
                                              reload_state_name(state), "text", text));
}

void reload_control_config(struct reload_control *control, const struct reload_config *config)
{
    reload_control_publish(control,
                           json_pack("{s:s,s:i}", "event", "config", "sequence", config->sequence));
}
