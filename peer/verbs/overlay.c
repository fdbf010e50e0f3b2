#include <stdio.h>

#include "certs/enroll/server.h"
#include "certs/overlay_dir.h"
#include "peer/able.h"
#include "peer/address.h"
#include "peer/verbs/verbs.h"
#include "reload/config/registry.h"
#include "usage-sip/domain.h"

/* `reload overlay ...`: an overlay's folder, for its operator. */

#define BOOTSTRAP_MAX 64
#define KINDS_MAX     256
#define HOSTS_MAX     16
#define RELOAD_PORT   6084 /* s14.2 */

/* A ConfigUpdate carries the whole document in one message (s6.5.4), so max-message-size must
 * exceed it: each Kind takes its block, with signature and signer's certificate, and so does the
 * rest. */
#define DOCUMENT_SIZE 8192
#define KIND_SIZE     2048

static struct {
    char *directory, *key;
    char **bootstrap, **kinds, **hosts, **domains;
    gboolean no_ice, self_signed, json;
} o;

/* What the options point to; it outlives reload_cert_overlay_create(). */
static struct {
    struct reload_bootstrap_node bootstrap[BOOTSTRAP_MAX];
    struct reload_kind_config kinds[KINDS_MAX + 1];
    struct reload_kind_parameter domains[RELOAD_KIND_PARAMETERS_MAX];
    const char *names[HOSTS_MAX], *urls[HOSTS_MAX];
} parsed;

static int read_bootstrap(struct reload_config *config)
{
    for (char **text = o.bootstrap; text && *text; text++) {
        struct reload_link_address address;
        struct reload_bootstrap_node *node = &parsed.bootstrap[config->bootstrap_node_count];
        char *host = NULL; /* the option's text, cut in place once it is known to be good */
        if (config->bootstrap_node_count == BOOTSTRAP_MAX ||
            reload_address_read(*text, RELOAD_PORT, &address) ||
            reload_address_split(*text, RELOAD_PORT, &host, &node->port))
            return reload_verb_fail(RELOAD_EXIT_USAGE,
                                    "--bootstrap %s: not an IP address and port, as in "
                                    "192.0.2.1:6084",
                                    *text);
        node->address = host;
        config->bootstrap_node_count++;
    }
    config->bootstrap_nodes = parsed.bootstrap;
    return 0;
}

/* --domain-restriction PATTERN: the element that RFC 7904 s3.4 puts into the Kind. */
static int read_domains(struct reload_kind_config *sip)
{
    static const struct reload_kind_parameter head[] = {
        { RELOAD_PARAMETER_ELEMENT, RELOAD_SIP_NAMESPACE, "domain-restriction", "" },
        { RELOAD_PARAMETER_ATTRIBUTE, RELOAD_SIP_NAMESPACE, "enable", "true" },
    };
    size_t n = sizeof head / sizeof head[0];
    memcpy(parsed.domains, head, sizeof head);
    for (char **text = o.domains; *text; text++) {
        const char *wrong = reload_sip_pattern_refusal(*text);
        if (wrong || n == RELOAD_KIND_PARAMETERS_MAX)
            return reload_verb_fail(RELOAD_EXIT_USAGE, "--domain-restriction %s: %s", *text,
                                    wrong ? wrong : "too many patterns");
        parsed.domains[n++] =
            (struct reload_kind_parameter){ RELOAD_PARAMETER_CHILD, RELOAD_SIP_NAMESPACE, "pattern",
                                            *text };
    }
    sip->parameters = parsed.domains;
    sip->parameter_count = n;
    return 0;
}

/* Every overlay made here can be called in; --kind may set other limits. */
static int add_sip(struct reload_config *config)
{
    struct reload_kind_config *sip = NULL;
    for (size_t i = 0; i < config->kind_count; i++)
        if (parsed.kinds[i].id == RELOAD_KIND_SIP_REGISTRATION)
            sip = &parsed.kinds[i];
    if (!sip) {
        sip = &parsed.kinds[config->kind_count++];
        *sip = *reload_config_registered_kind(RELOAD_KIND_SIP_REGISTRATION);
    }
    return o.domains ? read_domains(sip) : 0;
}

static int read_kinds(struct reload_config *config)
{
    struct reload_cert_reason reason = { "" };
    for (char **text = o.kinds; text && *text; text++) {
        if (config->kind_count == KINDS_MAX ||
            reload_cert_kind_option(*text, &parsed.kinds[config->kind_count], &reason))
            return reload_verb_fail(RELOAD_EXIT_USAGE, "--kind %s: %s", *text, reason.text);
        config->kind_count++;
    }
    int code = add_sip(config);
    if (code)
        return code;
    config->kinds = parsed.kinds;
    uint32_t size = DOCUMENT_SIZE + KIND_SIZE * (uint32_t)config->kind_count;
    config->max_message_size = MAX(config->max_message_size, size);
    return 0;
}

/* --host HOST[:PORT]: a name in the HTTPS certificate, and an enrollment server in the document. */
static int read_hosts(struct reload_cert_overlay_options *options)
{
    size_t n = 0;
    for (char **text = o.hosts; text && *text; text++, n++) {
        char *host;
        uint16_t port;
        if (n == HOSTS_MAX || reload_address_split(*text, 443, &host, &port))
            return reload_verb_fail(RELOAD_EXIT_USAGE,
                                    "--host %s: not a host name or address with a port", *text);
        bool v6 = strchr(host, ':') != NULL;
        parsed.names[n] = host;
        parsed.urls[n] = g_strdup_printf("https://%s%s%s:%u%s", v6 ? "[" : "", host, v6 ? "]" : "",
                                         port, RELOAD_ENROLL_PATH_ENROLL);
    }
    options->https_names = parsed.names;
    options->https_name_count = n;
    options->config.enrollment_servers = parsed.urls;
    options->config.enrollment_server_count = n;
    return 0;
}

static int fill_options(struct reload_cert_overlay_options *options)
{
    options->config.no_ice = o.no_ice;
    options->config.self_signed_permitted = o.self_signed;
    if (o.key && reload_cert_key_type_parse(o.key, &options->key))
        return reload_verb_fail(RELOAD_EXIT_USAGE, "--key %s: must be ec or rsa", o.key);
    int code = read_bootstrap(&options->config);
    if (code == 0)
        code = read_kinds(&options->config);
    if (code == 0)
        code = read_hosts(options);
    return code;
}

static const GOptionEntry create_entries[] = {
    { "dir", 0, 0, G_OPTION_ARG_FILENAME, &o.directory, "Folder to make", "DIR" },
    { "no-ice", 0, 0, G_OPTION_ARG_NONE, &o.no_ice, "Nodes link without ICE (no NATs)", NULL },
    { "self-signed", 0, 0, G_OPTION_ARG_NONE, &o.self_signed,
      "Let nodes in that certify themselves", NULL },
    { "bootstrap", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.bootstrap,
      "Address of a bootstrap peer; may be repeated", "ADDR:PORT" },
    { "host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.hosts,
      "Where the enrollment server will listen; may be repeated", "HOST[:PORT]" },
    { "key", 0, 0, G_OPTION_ARG_STRING, &o.key, "Keys of CA and servers: ec (default) or rsa",
      "ec|rsa" },
    { "kind", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.kinds,
      "A Kind of one's own; MODEL is single, array or dictionary, POLICY one of the RFC's four",
      "ID:MODEL:POLICY:MAXCOUNT:MAXSIZE[:MAXMULTIPLE]" },
    { "domain-restriction", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.domains,
      "SIP addresses of these domains only, an extended regular expression; may be repeated",
      "PATTERN" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print JSON", NULL },
    { 0 },
};

int reload_verb_overlay_create(int argc, char **argv)
{
    struct reload_cert_reason reason = { "" };
    int code = reload_verb_options("overlay create", create_entries, &argc, &argv, 1, 1);
    if (code == 0 && !o.directory)
        code = reload_verb_fail(RELOAD_EXIT_USAGE, "--dir DIR is missing: the folder to make");
    if (code)
        return code;
    struct reload_cert_overlay_options options =
        reload_cert_overlay_options_default(argv[1], reload_verb_unix_ms());
    code = fill_options(&options);
    if (code)
        return code;
    int error = reload_cert_overlay_create(o.directory, &options, &reason);
    if (error)
        return reload_verb_refuse(error, o.directory, &reason);
    if (o.json)
        reload_verb_print_json(
            json_pack("{s:b,s:s,s:s}", "ok", 1, "overlay", argv[1], "dir", o.directory));
    else
        printf("%s: overlay %s made. Next: reload user add NAME@%s --dir %s\n", o.directory,
               argv[1], argv[1], o.directory);
    return 0;
}

static const GOptionEntry sign_entries[] = {
    { "dir", 0, 0, G_OPTION_ARG_FILENAME, &o.directory, "The overlay's folder", "DIR" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print JSON", NULL },
    { 0 },
};

int reload_verb_overlay_sign(int argc, char **argv)
{
    struct reload_cert_reason reason = { "" };
    uint16_t sequence;
    int code = reload_verb_options("overlay sign", sign_entries, &argc, &argv, 0, 0);
    if (code == 0 && !o.directory)
        code = reload_verb_fail(RELOAD_EXIT_USAGE, "--dir DIR is missing: the overlay's folder");
    if (code)
        return code;
    const struct reload_cert_document_policy policy = reload_able_policy();
    int error =
        reload_cert_overlay_sign(o.directory, &policy, reload_verb_unix_ms(), &sequence, &reason);
    if (error)
        return reload_verb_refuse(error, o.directory, &reason);
    if (o.json)
        reload_verb_print_json(json_pack("{s:b,s:i}", "ok", 1, "sequence", sequence));
    else
        printf("%s: signed with sequence %u\n", o.directory, sequence);
    return 0;
}
