#include <stdio.h>
#include <time.h>

#include <openssl/evp.h>

#include "certs/document_read.h"
#include "reload/frame/frame.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What one configuration element says, as plain data (RFC 6940 s11.1). */

int reload_cert_reading_no_memory(struct reload_cert_reading *r)
{
    return reload_cert_refuse(r->reason, RELOAD_E_NOMEM, "no memory to read the document");
}

int reload_cert_reading_invalid(struct reload_cert_reading *r, const char *element,
                                const char *value, const char *rule)
{
    return reload_cert_refuse(r->reason, RELOAD_E_INVALID, "%s is \"%s\": %s", element,
                              value ? value : "", rule);
}

xmlNodePtr reload_cert_reading_first(struct reload_cert_reading *r, const char *name)
{
    return reload_cert_xml_element(r->opened->configuration->children, name);
}

/* --- single values: the default stays when the element is absent --- */

/* *text is NULL when the element is absent. RELOAD_E_NOMEM. */
static int element_text(struct reload_cert_reading *r, const char *name, char **text)
{
    xmlNodePtr node = reload_cert_reading_first(r, name);
    *text = node ? reload_cert_xml_text(node, r->arena) : NULL;
    return node && !*text ? reload_cert_reading_no_memory(r) : 0;
}

static int read_number(struct reload_cert_reading *r, const char *name, uint64_t min, uint64_t max,
                       uint64_t *value)
{
    char *text;
    int error = element_text(r, name, &text);
    if (error || !text)
        return error;
    char rule[80];
    snprintf(rule, sizeof rule, "%llu to %llu are possible", (unsigned long long)min,
             (unsigned long long)max);
    return reload_cert_number(text, min, max, value)
               ? 0
               : reload_cert_reading_invalid(r, name, text, rule);
}

static int read_boolean(struct reload_cert_reading *r, const char *name, bool *value)
{
    char *text;
    int error = element_text(r, name, &text);
    if (error || !text)
        return error;
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    bool no = strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
    if (!yes && !no)
        return reload_cert_reading_invalid(r, name, text, "true, 1, false and 0 are possible");
    *value = yes;
    return 0;
}

static int read_text(struct reload_cert_reading *r, const char *name, const char **value)
{
    char *text;
    int error = element_text(r, name, &text);
    if (text)
        *value = text;
    return error;
}

static int read_numbers(struct reload_cert_reading *r)
{
    struct reload_config *c = r->config;
    uint64_t length = c->node_id_length, density = c->turn_density, size = c->max_message_size;
    uint64_t ttl = c->initial_ttl, timer = c->overlay_reliability_timer_ms;
    uint64_t update = c->chord_update_interval_s, ping = c->chord_ping_interval_s;
    struct {
        const char *name;
        uint64_t min, max, *value;
    } numbers[] = {
        { "node-id-length", RELOAD_NODE_ID_MIN, RELOAD_NODE_ID_MAX, &length },
        { "turn-density", 0, UINT8_MAX, &density },
        { "max-message-size", 1, UINT32_MAX, &size },
        { "initial-ttl", 1, UINT8_MAX, &ttl },
        { "overlay-reliability-timer", 200, INT32_MAX, &timer }, /* s11.1: at least 200 ms */
        { "chord-update-interval", 1, INT32_MAX, &update },
        { "chord-ping-interval", 1, INT32_MAX, &ping },
    };
    for (size_t i = 0; i < COUNT(numbers); i++) {
        int error =
            read_number(r, numbers[i].name, numbers[i].min, numbers[i].max, numbers[i].value);
        if (error)
            return error;
    }
    c->node_id_length = (uint8_t)length;
    c->turn_density = (uint8_t)density;
    c->max_message_size =
        (uint32_t)(size < RELOAD_FRAME_MESSAGE_MAX ? size : RELOAD_FRAME_MESSAGE_MAX);
    c->initial_ttl = (uint8_t)ttl;
    c->overlay_reliability_timer_ms = (uint32_t)timer;
    c->chord_update_interval_s = (uint32_t)update;
    c->chord_ping_interval_s = (uint32_t)ping;
    return 0;
}

static int read_switches(struct reload_cert_reading *r)
{
    int error = read_boolean(r, "clients-permitted", &r->config->clients_permitted);
    if (!error)
        error = read_boolean(r, "no-ice", &r->config->no_ice);
    if (!error)
        error = read_boolean(r, "chord-reactive", &r->config->chord_reactive);
    if (!error)
        error = read_text(r, "shared-secret", &r->config->shared_secret);
    if (!error)
        error = read_text(r, "topology-plug-in", &r->config->topology_plugin); /* as in the prose */
    if (!error)
        error = read_text(r, "topology-plugin", &r->config->topology_plugin);
    return error;
}

static int read_self_signed(struct reload_cert_reading *r)
{
    static const char name[] = "self-signed-permitted";
    int error = read_boolean(r, name, &r->config->self_signed_permitted);
    if (error || !r->config->self_signed_permitted)
        return error;
    char *digest =
        reload_cert_xml_attribute(reload_cert_reading_first(r, name), "digest", r->arena);
    if (digest && strcmp(digest, "sha1") == 0)
        r->config->self_signed_digest = RELOAD_HASH_SHA1;
    else if (digest && strcmp(digest, "sha256") == 0)
        r->config->self_signed_digest = RELOAD_HASH_SHA256;
    else
        return reload_cert_refuse(r->reason, RELOAD_E_UNSUPPORTED,
                                  "the digest of self-signed-permitted is \"%s\": sha1 and sha256 "
                                  "are known",
                                  digest ? digest : "");
    return 0;
}

/* --- the attributes of configuration --- */

/* RFC 3339, in UTC (s11.1). */
static bool parse_time(const char *text, uint64_t *unix_ms)
{
    struct tm tm = { 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest)
        return false;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (strcmp(rest, "Z") != 0 && strcmp(rest, "z") != 0 && strcmp(rest, "+00:00") != 0 &&
        strcmp(rest, "-00:00") != 0)
        return false;
    time_t seconds = timegm(&tm);
    *unix_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0;
    return true;
}

static int overlay_of(struct reload_cert_reading *r)
{
    /* s6.3.2: the low-order 32 bits of the SHA-1 of the name, as it is written. */
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    const char *name = r->config->instance_name;
    if (EVP_Digest(name, strlen(name), hash, &len, EVP_sha1(), NULL) != 1)
        return reload_cert_reading_no_memory(r);
    r->config->overlay =
        (uint32_t)hash[16] << 24 | (uint32_t)hash[17] << 16 | (uint32_t)hash[18] << 8 | hash[19];
    return 0;
}

/* s6.3.2: what is legal in a DNS name (RFC 1035 s2.3.1). */
static bool is_of_domain_characters(const char *name)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    return name[strspn(name, legal)] == '\0';
}

int reload_cert_overlay_name_check(const char *name, struct reload_cert_reason *reason)
{
    const char *rule = NULL;
    if (!*name || strlen(name) > 255)
        rule = "1 to 255 bytes are possible";
    else if (!is_of_domain_characters(name))
        rule = "letters, digits, \"-\" and \".\" are possible";
    return rule ? reload_cert_refuse(reason, RELOAD_E_INVALID, "instance-name is \"%s\": %s", name,
                                     rule)
                : 0;
}

static int read_sequence(struct reload_cert_reading *r, uint16_t *out)
{
    char *sequence = reload_cert_xml_attribute(r->opened->configuration, "sequence", r->arena);
    uint64_t n = 0;
    if (sequence && !reload_cert_number(sequence, 0, RELOAD_SEQUENCE_ANY - 1, &n))
        return reload_cert_reading_invalid(r, "sequence", sequence, "0 to 65534 are possible");
    *out = (uint16_t)n;
    return 0;
}

int reload_cert_document_sequence(const struct reload_cert_opened *opened, uint16_t *sequence,
                                  struct reload_cert_reason *reason)
{
    struct reload_cert_arena arena = { 0 };
    struct reload_cert_reading r = { .opened = opened, .arena = &arena, .reason = reason };
    int error = read_sequence(&r, sequence);
    if (arena.failed)
        error = reload_cert_reading_no_memory(&r);
    reload_cert_arena_fini(&arena);
    return error;
}

static int read_attributes(struct reload_cert_reading *r)
{
    xmlNodePtr node = r->opened->configuration;
    char *expiration = reload_cert_xml_attribute(node, "expiration", r->arena);
    r->config->instance_name = reload_cert_xml_attribute(node, "instance-name", r->arena);
    if (!r->config->instance_name)
        return reload_cert_reading_no_memory(r);
    int error = reload_cert_overlay_name_check(r->config->instance_name, r->reason);
    if (error)
        return error;
    error = read_sequence(r, &r->config->sequence);
    if (error)
        return error;
    if (expiration && !parse_time(expiration, &r->config->expiration_ms))
        return reload_cert_reading_invalid(r, "expiration", expiration,
                                           "a time in UTC is needed, as 2030-01-31T12:00:00Z");
    return overlay_of(r);
}

/* --- all of it --- */

/* Rules that span several elements. */
static int check_whole(struct reload_cert_reading *r)
{
    const struct reload_config *c = r->config;
    /* s10.2: CHORD-RELOAD's Resource-IDs and Node-IDs have 128 bits. */
    if (strcmp(c->topology_plugin, "CHORD-RELOAD") == 0 && c->node_id_length != 16)
        return reload_cert_refuse(r->reason, RELOAD_E_INVALID,
                                  "node-id-length is %u, but CHORD-RELOAD is defined for 16",
                                  c->node_id_length);
    /* s11.1: they may be absent only when certificates can be self-signed. */
    if (!c->self_signed_permitted && c->root_cert_count == 0)
        return reload_cert_refuse(r->reason, RELOAD_E_INVALID,
                                  "there is neither a root-cert nor self-signed-permitted true: "
                                  "no certificate could be valid");
    return 0;
}

static int read_all(struct reload_cert_reading *r)
{
    int error = read_attributes(r);
    if (!error)
        error = read_numbers(r);
    if (!error)
        error = read_switches(r);
    if (!error)
        error = read_self_signed(r);
    if (!error)
        error = reload_cert_read_lists(r);
    if (!error)
        error = reload_cert_read_kinds(r);
    return error ? error : check_whole(r);
}

int reload_cert_document_read(const struct reload_cert_opened *opened,
                              const struct reload_cert_document_policy *policy,
                              struct reload_config **out, struct reload_cert_reason *reason)
{
    static const struct reload_cert_document_policy strict;
    *out = NULL;
    struct reload_cert_parsed *parsed = reload_calloc(1, sizeof *parsed);
    if (!parsed)
        return reload_cert_refuse(reason, RELOAD_E_NOMEM, "no memory to read the document");
    parsed->config = reload_config_defaults();
    struct reload_cert_reading r = { opened, policy ? policy : &strict, &parsed->arena,
                                     &parsed->config, reason };
    int error = read_all(&r);
    parsed->config.document = reload_cert_arena_slice(&parsed->arena, opened->document);
    if (!error && !parsed->config.document.p)
        error = reload_cert_reading_no_memory(&r);
    if (parsed->arena.failed) /* a text that is missing may have been taken for an absent one */
        error = reload_cert_reading_no_memory(&r);
    if (error) {
        reload_cert_document_free(&parsed->config);
        return error;
    }
    *out = &parsed->config;
    return 0;
}
