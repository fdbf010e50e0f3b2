#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "certs/file.h"
#include "peer/address.h"
#include "peer/control.h"
#include "peer/json.h"
#include "peer/phone_call.h"
#include "peer/verbs/log.h"
#include "peer/verbs/refetch.h"
#include "peer/verbs/verbs.h"

/* `reload peer`: a node of an overlay, until a signal or `reload leave` ends it. */

#define RELOAD_PORT   6084
#define TURN_PORT     3478
#define LISTEN_MAX    8
#define BOOTSTRAP_MAX 64
#define WITHDRAW_MS   600  /* for the registration to be removed, before the links go */
#define LEAVE_MS      1800 /* after this the process ends, told everybody or not */

static struct {
    char *identity, *config, *certificate, *key, *control, *store, *pcap, *client;
    char *config_server, *ca, *turn, *turn_secret, *answer;
    char **listen, **bootstrap;
    gint ring_s;
    gboolean first, json, verbose, allow_unsigned, bare_uri, raw_resource_ids, dtls;
} o;

static struct {
    GMainLoop *loop;
    struct reload_overlay *overlay;
    struct reload_control *control;
    struct reload_sip_node *sip;
    struct reload_phone *phone;
    struct reload_refetch *refetch;
    struct reload_log log;
    struct reload_link_address listen[LISTEN_MAX], bootstrap[BOOTSTRAP_MAX], turn;
    struct reload_cert_bytes turn_secret;
    bool was_ready, leaving, left;
} p;

/* --client, --client=any: G_OPTION_FLAG_OPTIONAL_ARG gives NULL for the first. */
static gboolean client_option(const char *name, const char *value, gpointer data, GError **error)
{
    (void)name;
    (void)data;
    if (value && strcmp(value, "any") != 0 && strcmp(value, "responsible") != 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--client=%s: must be responsible or any", value);
        return FALSE;
    }
    o.client = g_strdup(value ? value : "responsible");
    return TRUE;
}

static int read_addresses(char **texts, const char *option, struct reload_link_address *out,
                          size_t max, size_t *count)
{
    for (*count = 0; texts && *texts; texts++, (*count)++)
        if (*count == max || reload_address_read(*texts, RELOAD_PORT, &out[*count]))
            return reload_verb_fail(RELOAD_EXIT_USAGE,
                                    "%s %s: not an IP address and port, as in 192.0.2.1:6084",
                                    option, *texts);
    return 0;
}

/* --turn and --turn-secret-file: the secret is the file's first line. */
static int read_turn(struct reload_overlay_options *options)
{
    struct reload_cert_reason reason = { "" };
    if (!o.turn && !o.turn_secret)
        return 0;
    if (!o.turn || !o.turn_secret)
        return reload_verb_fail(RELOAD_EXIT_USAGE, "--turn and --turn-secret-file belong together");
    if (reload_address_read(o.turn, TURN_PORT, &p.turn))
        return reload_verb_fail(RELOAD_EXIT_USAGE,
                                "--turn %s: not an IP address and port, as in 192.0.2.1:3478",
                                o.turn);
    int error = reload_cert_file_read_secret(o.turn_secret, &p.turn_secret, &reason);
    if (error)
        return reload_verb_refuse(error, "--turn-secret-file", &reason);
    struct reload_slice secret = reload_cert_bytes_slice(&p.turn_secret);
    for (size_t i = 0; i < secret.n; i++)
        if (secret.p[i] == '\n' || secret.p[i] == '\r')
            secret.n = i;
    options->turn = &p.turn;
    options->turn_secret = secret;
    return 0;
}

static int read_options(struct reload_overlay_options *options)
{
    bool loose = o.config || o.certificate || o.key;
    *options = (struct reload_overlay_options){
        .identity = o.identity,
        .config = o.config,
        .certificate = o.certificate,
        .key = o.key,
        .allow_unsigned = o.allow_unsigned,
        .bare_node_id_uri = o.bare_uri,
        .raw_resource_ids = o.raw_resource_ids,
        .listen = p.listen,
        .dtls = o.dtls,
        .bootstrap = p.bootstrap,
        .role = RELOAD_ROLE_PEER,
        .store_file = o.store,
        .pcap_file = o.pcap,
        .log = &p.log,
    };
    if (!o.identity && !(o.config && o.certificate && o.key))
        return reload_verb_fail(RELOAD_EXIT_USAGE,
                                loose ? "--config, --cert and --key belong together"
                                      : "--identity DIR is missing (reload enroll makes one), or "
                                        "--config, --cert and --key");
    if (o.client)
        options->role = strcmp(o.client, "any") == 0 ? RELOAD_ROLE_CLIENT_ANY : RELOAD_ROLE_CLIENT;
    if (o.client && o.first)
        return reload_verb_fail(RELOAD_EXIT_USAGE, "a client cannot found an overlay");
    int code = read_addresses(o.listen, "--listen", p.listen, LISTEN_MAX, &options->listen_count);
    if (code == 0)
        code = read_addresses(o.bootstrap, "--bootstrap", p.bootstrap, BOOTSTRAP_MAX,
                              &options->bootstrap_count);
    if (code == 0 && !o.listen && !o.client) { /* a peer must be reachable */
        code = reload_address_read("0.0.0.0", RELOAD_PORT, &p.listen[0]);
        options->listen_count = 1;
    }
    if (code == 0 && (o.ring_s < 0 || o.ring_s > RELOAD_SIP_RING_MAX_S))
        code = reload_verb_fail(RELOAD_EXIT_USAGE, "--ring %d: from 1 to %d seconds", o.ring_s,
                                RELOAD_SIP_RING_MAX_S);
    return code == 0 ? read_turn(options) : code;
}

/* --- what happens --- */

static void print_ready(void)
{
    char id[RELOAD_NODE_ID_TEXT], address[RELOAD_LINK_ADDRESS_TEXT];
    size_t count;
    const struct reload_link_address *listen = reload_overlay_listening(p.overlay, &count);
    const char *where = count ? reload_link_address_text(&listen[0], address) : NULL;
    const char *role = reload_role_name(reload_overlay_role(p.overlay));
    reload_node_id_text(&reload_overlay_own(p.overlay)->node_id, id);
    if (o.json)
        reload_verb_print_json(json_pack("{s:b,s:s,s:s,s:s,s:s?,s:s?}", "ok", 1, "ready", "peer",
                                         "node_id", id, "role", role, "listen", where, "control",
                                         o.control));
    else
        printf("ready: %s %s joined %s%s%s\n", role, id,
               reload_overlay_config(p.overlay)->instance_name, where ? ", listening on " : "",
               where ? where : "");
    fflush(stdout);
}

static void state_changed(void *unused, enum reload_topology_state state, const char *text)
{
    (void)unused;
    reload_log_write(&p.log, RELOAD_LOG_INFO, "state", "%s: %s", reload_state_name(state), text);
    if (p.control)
        reload_control_state(p.control, state, text);
    if (state == RELOAD_TOPOLOGY_JOINED && p.sip)
        reload_sip_node_joined(p.sip);
    if (state == RELOAD_TOPOLOGY_JOINED && !p.was_ready) {
        p.was_ready = true;
        print_ready();
    }
    if (state == RELOAD_TOPOLOGY_LEFT && p.leaving)
        g_main_loop_quit(p.loop);
}

static void config_changed(void *unused, const struct reload_config *config)
{
    (void)unused;
    if (p.control)
        reload_control_config(p.control, config);
    if (p.refetch)
        reload_refetch_configured(p.refetch);
}

static gboolean give_up(gpointer unused)
{
    (void)unused;
    p.left = true;
    reload_log_write(&p.log, RELOAD_LOG_WARNING, "state", "not everybody heard of the leave");
    g_main_loop_quit(p.loop);
    return G_SOURCE_REMOVE;
}

static void leave_overlay(void)
{
    if (!p.left)
        reload_overlay_leave(p.overlay);
    p.left = true;
}

static void withdrawn(void *unused, const struct reload_result *result)
{
    (void)unused, (void)result;
    leave_overlay();
}

static gboolean withdraw_no_longer(gpointer unused)
{
    (void)unused;
    leave_overlay();
    return G_SOURCE_REMOVE;
}

/* Calls are hung up, and nobody is sent here any more, while there are links for that. */
static void leave(void *unused)
{
    (void)unused;
    if (p.leaving)
        return;
    p.leaving = true;
    if (p.phone)
        reload_phone_hangup_all(p.phone);
    g_timeout_add(LEAVE_MS, give_up, NULL);
    if (reload_sip_node_withdraw(p.sip, withdrawn, NULL) != 0)
        leave_overlay();
    else
        g_timeout_add(WITHDRAW_MS, withdraw_no_longer, NULL);
}

/* The first signal leaves in order, the second one ends at once. */
static gboolean on_signal(gpointer unused)
{
    (void)unused;
    if (p.leaving)
        g_main_loop_quit(p.loop);
    leave(NULL);
    return G_SOURCE_CONTINUE;
}

/* A user name that is no SIP address is no hindrance to being a node. */
static int open_phone(void)
{
    int error = reload_phone_new(p.overlay, p.sip, NULL, &p.log, &p.phone);
    if (error && error != RELOAD_E_UNSUPPORTED)
        return reload_verb_fail(RELOAD_EXIT_FAILURE, "SIP: %s", reload_error_text(error));
    if (o.answer && error)
        return reload_verb_fail(RELOAD_EXIT_USAGE,
                                "--answer: the user name of this node's certificate is no SIP "
                                "address of record, so that nobody can call it");
    if (o.ring_s && error == 0)
        reload_phone_set_ring(p.phone, (unsigned)o.ring_s);
    if (o.answer && reload_phone_answer_all(p.phone, o.answer) != 0)
        return reload_verb_fail(RELOAD_EXIT_USAGE,
                                "--answer %s: there is no such device, or no such sound file; "
                                "reload audio devices lists the devices",
                                o.answer);
    return 0;
}

static int open_control(void)
{
    struct reload_control_options options = {
        .path = o.control,
        .overlay = p.overlay,
        .sip = p.sip,
        .phone = p.phone,
        .log = &p.log,
        .leave = leave,
    };
    struct reload_cert_reason reason = { "" };
    int error = o.control ? reload_control_new(&options, &p.control, &reason) : 0;
    return error ? reload_verb_refuse(error, "--control", &reason) : 0;
}

static void start_refetch(void)
{
    const struct reload_refetch_options options = {
        .overlay = p.overlay, .source = o.config_server, .ca_file = o.ca, .log = &p.log
    };
    p.refetch = reload_refetch_new(&options);
}

/* Each link by ICE has sockets of its own: what the system grants on demand is asked for. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)!setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(void)
{
    p.loop = g_main_loop_new(NULL, FALSE);
    p.sip = reload_sip_node_new(p.overlay, NULL, &p.log);
    int code = open_phone();
    if (code == 0)
        code = open_control();
    if (code == 0) {
        signal(SIGPIPE, SIG_IGN);
        g_unix_signal_add(SIGTERM, on_signal, NULL);
        g_unix_signal_add(SIGINT, on_signal, NULL);
        start_refetch();
        reload_overlay_join(p.overlay, o.first);
        g_main_loop_run(p.loop);
    }
    reload_refetch_free(p.refetch);
    reload_control_free(p.control);
    reload_phone_free(p.phone);
    reload_sip_node_free(p.sip);
    reload_overlay_free(p.overlay);
    g_main_loop_unref(p.loop);
    return code;
}

static const GOptionEntry entries[] = {
    { "identity", 0, 0, G_OPTION_ARG_FILENAME, &o.identity,
      "Who this node is: the folder that reload enroll made", "DIR" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &o.config, "Or: the configuration document",
      "overlay.xml" },
    { "cert", 0, 0, G_OPTION_ARG_FILENAME, &o.certificate, "... the certificate chain, PEM",
      "node.pem" },
    { "key", 0, 0, G_OPTION_ARG_FILENAME, &o.key, "... and its private key, PEM", "node.key" },
    { "unsigned", 0, 0, G_OPTION_ARG_NONE, &o.allow_unsigned,
      "Take a configuration without a valid signature", NULL },
    { "bare-uris", 0, 0, G_OPTION_ARG_NONE, &o.bare_uri,
      "Accept certificates whose URI holds a bare Node-ID, as older programs make them", NULL },
    { "raw-resource-ids", 0, 0, G_OPTION_ARG_NONE, &o.raw_resource_ids,
      "Accept values whose signature leaves the Resource-ID's length out, as older programs "
      "sign them",
      NULL },
    { "listen", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.listen,
      "Where to accept links (a peer: 0.0.0.0:6084; a client: nowhere); may be repeated",
      "ADDR:PORT" },
    { "dtls", 0, 0, G_OPTION_ARG_NONE, &o.dtls,
      "Link over DTLS and UDP where the far end can, to bootstrap nodes always", NULL },
    { "turn", 0, 0, G_OPTION_ARG_STRING, &o.turn,
      "Offer the TURN server that runs at this public address (coturn, use-auth-secret)",
      "ADDR:PORT" },
    { "turn-secret-file", 0, 0, G_OPTION_ARG_FILENAME, &o.turn_secret,
      "... and the secret that it shares with this peer (mode 0600)", "FILE" },
    { "bootstrap", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.bootstrap,
      "A node to join by, besides the configuration's; may be repeated", "ADDR:PORT" },
    { "client", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK,
      (gpointer)(guintptr)client_option,
      "Use the overlay without serving it: linked to the responsible peer, or with =any to any",
      "any" },
    { "first", 0, 0, G_OPTION_ARG_NONE, &o.first, "Found the overlay: be its first peer", NULL },
    { "config-server", 0, 0, G_OPTION_ARG_STRING, &o.config_server,
      "Where a document that is about to expire is fetched anew (default: by DNS)", "URL" },
    { "ca", 0, 0, G_OPTION_ARG_FILENAME, &o.ca,
      "CA of that server, when the system does not know it", "FILE" },
    { "control", 0, 0, G_OPTION_ARG_FILENAME, &o.control,
      "Control socket to make, for the other verbs", "SOCKET" },
    { "store", 0, 0, G_OPTION_ARG_FILENAME, &o.store,
      "Keep stored values in this file (default: in memory)", "FILE" },
    { "pcap", 0, 0, G_OPTION_ARG_FILENAME, &o.pcap, "Write decrypted link frames for Wireshark",
      "FILE" },
    { "answer", 0, 0, G_OPTION_ARG_STRING, &o.answer,
      "Answer every SIP call with this device: mirror says back what it hears", "DEVICE" },
    { "ring", 0, 0, G_OPTION_ARG_INT, &o.ring_s,
      "How long a call rings, here or at the far end, until nobody answered (default 60)",
      "SECONDS" },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &o.verbose, "Log every message", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print the ready line as JSON", NULL },
    { 0 },
};

int reload_verb_peer(int argc, char **argv)
{
    static const struct reload_overlay_events events = { .state = state_changed,
                                                         .config = config_changed };
    struct reload_overlay_options options;
    struct reload_cert_reason reason = { "" };
    int code = reload_verb_options("peer", entries, &argc, &argv, 0, 0);
    if (code == 0)
        code = read_options(&options);
    if (code)
        return code;
    p.log = reload_verb_log(o.verbose);
    raise_descriptors();
    options.events = &events;
    int error = reload_overlay_new(&options, &p.overlay, &reason);
    reload_cert_bytes_fini(&p.turn_secret);
    return error ? reload_verb_refuse(error, "peer", &reason) : run();
}
