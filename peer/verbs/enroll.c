#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>

#include "certs/enroll/client.h"
#include "certs/enroll/form.h"
#include "certs/enroll/server.h"
#include "certs/enroll/users.h"
#include "certs/overlay_dir.h"
#include "peer/able.h"
#include "peer/json.h"
#include "peer/verbs/log.h"
#include "peer/verbs/verbs.h"

/* `reload enroll-server` and `reload enroll`: both ends of RFC 6940 s11.2 and s11.3. */

/* --- the server --- */

static struct {
    char *directory, *listen, *password_file, *user, *ca, *identity, *key, *overlay, *device;
    char **hosts;
    int node_ids, certificate_days;
    gboolean json, verbose, allow_unsigned, strict_name;
} o;

static gboolean stop(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

static void wait_for_end(void)
{
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, stop, loop);
    g_unix_signal_add(SIGINT, stop, loop);
    g_main_loop_run(loop);
    g_main_loop_unref(loop);
}

static void print_ready(uint16_t port)
{
    if (o.json)
        reload_verb_print_json(json_pack("{s:b,s:s,s:i,s:s}", "ok", 1, "ready", "enroll-server",
                                         "port", port, "dir", o.directory));
    else
        printf("ready: serving %s on port %u\n", o.directory, port);
    fflush(stdout);
}

/* The host of "ADDR:PORT" or "[V6]:PORT"; NULL for an address that stands for all. Free with
 * g_free(). */
static char *host_of(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    size_t len = colon ? (size_t)(colon - listen) : strlen(listen);
    bool brackets = len > 1 && listen[0] == '[' && listen[len - 1] == ']';
    char *host = brackets ? g_strndup(listen + 1, len - 2) : g_strndup(listen, len);
    if (strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0 && host[0])
        return host;
    g_free(host);
    return NULL;
}

/* Those who are told of this server find it, and its certificate, to be right: without --host they
 * are told its address. */
static int prepare_hosts(struct reload_cert_reason *reason)
{
    uint64_t now_ms = (uint64_t)(g_get_real_time() / 1000);
    char *address = o.hosts ? NULL : host_of(o.listen);
    if (address) {
        o.hosts = g_new0(char *, 2);
        o.hosts[0] = address;
    }
    for (size_t i = 0; o.hosts && o.hosts[i]; i++) {
        int error = reload_cert_overlay_serve_host(o.directory, o.hosts[i], now_ms, reason);
        if (error)
            return error;
    }
    return 0;
}

/* A document that names no enrollment server gets this one. */
static int publish_url(uint16_t port, struct reload_cert_reason *reason)
{
    uint64_t now_ms = (uint64_t)(g_get_real_time() / 1000);
    if (!o.hosts)
        return 0;
    bool v6 = strchr(o.hosts[0], ':') != NULL, changed;
    char *url = g_strdup_printf("https://%s%s%s:%u%s", v6 ? "[" : "", o.hosts[0], v6 ? "]" : "",
                                port, RELOAD_ENROLL_PATH_ENROLL);
    const struct reload_cert_document_policy policy = reload_able_policy();
    int error = reload_cert_overlay_serve_url(o.directory, &policy, url, now_ms, &changed, reason);
    if (!error && changed)
        fprintf(stderr, "overlay.xml now names %s as its enrollment server\n", url);
    g_free(url);
    return error;
}

static const GOptionEntry server_entries[] = {
    { "dir", 0, 0, G_OPTION_ARG_FILENAME, &o.directory, "The overlay's folder", "DIR" },
    { "listen", 0, 0, G_OPTION_ARG_STRING, &o.listen,
      "Where to listen; port 0: the system chooses, the ready line tells", "ADDR:PORT" },
    { "host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.hosts,
      "Name or address that users reach it by (the address it listens on); may be repeated",
      "HOST" },
    { "certificate-days", 0, 0, G_OPTION_ARG_INT, &o.certificate_days,
      "How long certificates are valid", "DAYS" },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &o.verbose, "Log more", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print the ready line as JSON", NULL },
    { 0 },
};

int reload_verb_enroll_server(int argc, char **argv)
{
    struct reload_enroll_server_options options = reload_enroll_server_options_default();
    struct reload_enroll_server *server;
    struct reload_cert_reason reason = { "" };
    int code = reload_verb_options("enroll-server", server_entries, &argc, &argv, 0, 0);
    if (code == 0 && (!o.directory || !o.listen))
        code = reload_verb_fail(RELOAD_EXIT_USAGE, "--dir DIR and --listen ADDR:PORT are needed");
    if (code)
        return code;
    struct reload_log log = reload_verb_log(o.verbose);
    const struct reload_cert_document_policy policy = reload_able_policy();
    options.directory = o.directory;
    options.listen = o.listen;
    options.log = &log;
    options.policy = &policy;
    if (o.certificate_days > 0)
        options.certificate_lifetime_s = (uint32_t)o.certificate_days * 86400u;
    int error = prepare_hosts(&reason);
    if (!error)
        error = reload_enroll_server_start(&options, &server, &reason);
    if (error)
        return reload_verb_refuse(error, "enroll-server", &reason);
    error = publish_url(reload_enroll_server_port(server), &reason);
    if (error) {
        reload_enroll_server_stop(server);
        return reload_verb_refuse(error, "enroll-server", &reason);
    }
    print_ready(reload_enroll_server_port(server));
    wait_for_end();
    reload_enroll_server_stop(server);
    return RELOAD_EXIT_OK;
}

/* --- the client --- */

static int read_options(struct reload_enroll_client_options *options, const char *source,
                        char password[RELOAD_ENROLL_PASSWORD_MAX + 1])
{
    struct reload_cert_reason reason = { "" };
    *options = (struct reload_enroll_client_options){
        .source = source,
        .overlay = o.overlay,
        .user = o.user,
        .ca_file = o.ca,
        .identity_dir = o.identity,
        .device = o.device,
        .node_ids = (uint32_t)MAX(o.node_ids, 0),
        .allow_unsigned = o.allow_unsigned,
        .strict_name = o.strict_name,
    };
    if (!o.identity)
        return reload_verb_fail(RELOAD_EXIT_USAGE, "--identity DIR is missing: the folder to make");
    if (o.device && !reload_enroll_is_device(o.device))
        return reload_verb_fail(RELOAD_EXIT_USAGE,
                                "--device %s: at most %d letters, digits and -_. are possible",
                                o.device, RELOAD_ENROLL_DEVICE_MAX);
    if (o.key && reload_cert_key_type_parse(o.key, &options->key))
        return reload_verb_fail(RELOAD_EXIT_USAGE, "--key %s: must be ec or rsa", o.key);
    options->key_given = o.key != NULL;
    if (!o.user && !o.password_file)
        return 0; /* self-signed */
    int error = reload_verb_password(o.password_file, password, &reason);
    if (error)
        return reload_verb_refuse(error, "password", &reason);
    options->password = password;
    return 0;
}

static void print_outcome(const struct reload_enroll_outcome *outcome)
{
    if (!o.json) {
        printf("%s\n", outcome->text);
        return;
    }
    json_t *ids = json_array();
    for (size_t i = 0; i < outcome->node_id_count; i++)
        json_array_append_new(ids, reload_json_node_id(&outcome->node_ids[i]));
    reload_verb_print_json(json_pack(
        "{s:b,s:s,s:s,s:s,s:o,s:I,s:b,s:s}", "ok", outcome->result == RELOAD_ENROLL_OK, "result",
        reload_enroll_result_text(outcome->result), "overlay", outcome->overlay, "user",
        outcome->user, "node_ids", ids, "not_after_ms", (json_int_t)outcome->not_after_ms,
        "self_signed", outcome->self_signed, "text", outcome->text));
}

static const GOptionEntry client_entries[] = {
    { "user", 0, 0, G_OPTION_ARG_STRING, &o.user, "Account name, as in alice@example.org", "NAME" },
    { "password-file", 0, 0, G_OPTION_ARG_FILENAME, &o.password_file,
      "Read the password from this file's first line (-: standard input)", "FILE" },
    { "ca", 0, 0, G_OPTION_ARG_FILENAME, &o.ca,
      "CA of the HTTPS server, when the system does not know it", "FILE" },
    { "identity", 0, 0, G_OPTION_ARG_FILENAME, &o.identity, "Folder to make", "DIR" },
    { "overlay", 0, 0, G_OPTION_ARG_STRING, &o.overlay,
      "The overlay that is meant, when a document describes several", "NAME" },
    { "key", 0, 0, G_OPTION_ARG_STRING, &o.key, "Key of this node (default: as the overlay's)",
      "ec|rsa" },
    { "device", 0, 0, G_OPTION_ARG_STRING, &o.device,
      "Name of this device, when several of the account's join: each has its own Node-ID", "NAME" },
    { "node-ids", 0, 0, G_OPTION_ARG_INT, &o.node_ids, "How many Node-IDs to ask for", "N" },
    { "unsigned", 0, 0, G_OPTION_ARG_NONE, &o.allow_unsigned,
      "Take a configuration without a valid signature", NULL },
    { "strict-name", 0, 0, G_OPTION_ARG_NONE, &o.strict_name,
      "The enrollment server's certificate must bear the overlay's name", NULL },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &o.verbose, "Log more", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print JSON", NULL },
    { 0 },
};

int reload_verb_enroll(int argc, char **argv)
{
    struct reload_enroll_client_options options;
    struct reload_enroll_outcome outcome;
    char password[RELOAD_ENROLL_PASSWORD_MAX + 1] = "";
    int code = reload_verb_options("enroll", client_entries, &argc, &argv, 1, 1);
    if (code == 0)
        code = read_options(&options, argv[1], password);
    if (code)
        return code;
    struct reload_log log = reload_verb_log(o.verbose);
    const struct reload_cert_document_policy policy = reload_able_policy();
    options.log = &log;
    options.policy = &policy;
    enum reload_enroll_result result = reload_enroll_run(&options, &outcome);
    explicit_bzero(password, sizeof password);
    code = reload_enroll_exit_code(result);
    if (code)
        reload_verb_fail(code, "%s", outcome.text);
    if (code == 0 || o.json)
        print_outcome(&outcome);
    return code;
}
