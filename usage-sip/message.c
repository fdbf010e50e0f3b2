#include "usage-sip/internal.h"

#include <osipparser2/osip_port.h>

#include <stdio.h>
#include <stdlib.h>

#include "usage-sip/reason.h"

/* Building messages with libosip2's structures. Setters answer 0; failures are summed. */

static void escape_user(struct reload_slice user, char *out)
{
    static const char plain[] =
        "-_.!~*'()&=+$,;?/"; /* RFC 3261 s25.1: unreserved, user-unreserved */
    for (size_t i = 0; i < user.n; i++) {
        unsigned char c = user.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';
        if (letter || digit || (c && strchr(plain, c)))
            *out++ = (char)c;
        else
            out += snprintf(out, 4, "%%%02X", c);
    }
    *out = '\0';
}

void reload_sip_uri_text(const struct reload_sip_aor *aor, bool secure, const char *suffix,
                         char out[RELOAD_SIP_URI_TEXT])
{
    char user[3 * RELOAD_SIP_AOR_MAX + 1];
    escape_user(reload_slice_of(aor->text, aor->domain_at - 1), user);
    (void)snprintf(out, RELOAD_SIP_URI_TEXT, "%s:%s@%s%s", secure ? "sips" : "sip", user,
                   reload_sip_aor_domain(aor), suffix);
}

void reload_sip_add_header(osip_message_t *message, const char *name, const char *value)
{
    (void)osip_message_set_header(message, name, value);
}

void reload_sip_add_reason(osip_message_t *message, int cause)
{
    char reason[RELOAD_SIP_REASON_TEXT];
    reload_sip_reason_write(cause, reason);
    reload_sip_add_header(message, "Reason", reason);
}

void reload_sip_add_contact(struct reload_sip_agent *agent, osip_message_t *message, bool secure)
{
    char uri[RELOAD_SIP_URI_TEXT], text[RELOAD_SIP_URI_TEXT + 2];
    reload_sip_uri_text(&agent->user, secure, agent->gruu, uri);
    (void)snprintf(text, sizeof text, "<%s>", uri);
    (void)osip_message_set_contact(message, text);
}

int reload_sip_add_body(osip_message_t *message, const char *type, const char *body, size_t len)
{
    char length[24];
    (void)snprintf(length, sizeof length, "%zu", len);
    if (osip_message_set_content_type(message, type) != 0 ||
        osip_message_set_body(message, body, len) != 0)
        return RELOAD_E_NOMEM;
    return osip_message_set_content_length(message, length) == 0 ? 0 : RELOAD_E_NOMEM;
}

static int set_via(struct reload_sip_agent *agent, osip_message_t *message, const char *branch)
{
    char node[RELOAD_NODE_ID_TEXT], via[512];
    (void)snprintf(via, sizeof via, "SIP/2.0/TLS %s.%s;branch=z9hG4bK%s",
                   reload_node_id_text(&agent->self, node), agent->overlay, branch);
    return osip_message_set_via(message, via);
}

void reload_sip_set_transport(osip_message_t *request, bool datagram)
{
    osip_via_t *via = osip_list_get(&request->vias, 0);
    osip_free(via->protocol);
    via->protocol = osip_strdup(datagram ? "DTLS-UDP" : "TLS");
    (void)osip_message_force_update(request);
}

static int set_line(osip_message_t *message, const char *method, const char *uri)
{
    osip_uri_t *parsed = NULL;
    if (osip_uri_init(&parsed) != 0 || osip_uri_parse(parsed, uri) != 0) {
        osip_uri_free(parsed);
        return -1;
    }
    osip_message_set_uri(message, parsed);
    osip_message_set_method(message, osip_strdup(method));
    osip_message_set_version(message, osip_strdup("SIP/2.0"));
    return 0;
}

static void display_of(const struct reload_sip_agent *agent, char *out, size_t cap)
{
    size_t len = 0;
    if (agent->display[0] && len + 2 < cap)
        out[len++] = '"';
    for (const char *c = agent->display; *c && len + 4 < cap; c++) {
        if (*c == '"' || *c == '\\')
            out[len++] = '\\';
        if ((unsigned char)*c >= 0x20)
            out[len++] = *c;
    }
    if (agent->display[0])
        out[len++] = '"';
    out[len] = '\0';
}

static int set_parties(struct reload_sip_agent *agent, osip_message_t *message,
                       const struct reload_sip_request *request)
{
    char uri[RELOAD_SIP_URI_TEXT], display[256], text[RELOAD_SIP_URI_TEXT + 512], sequence[64];
    reload_sip_uri_text(&agent->user, request->secure, "", uri);
    display_of(agent, display, sizeof display);
    (void)snprintf(text, sizeof text, "%s<%s>;tag=%s", display, uri, request->from_tag);
    int failed = osip_message_set_from(message, text);
    (void)snprintf(text, sizeof text, "<%s>", request->to);
    failed |= osip_message_set_to(message, text);
    failed |= osip_message_set_call_id(message, request->call_id);
    (void)snprintf(sequence, sizeof sequence, "%u %s", request->cseq, request->method);
    failed |= osip_message_set_cseq(message, sequence);
    failed |= osip_message_set_max_forwards(message, "70");
    return failed;
}

osip_message_t *reload_sip_request_new(struct reload_sip_agent *agent,
                                       const struct reload_sip_request *request)
{
    osip_message_t *message = NULL;
    if (osip_message_init(&message) != 0)
        return NULL;
    if (set_line(message, request->method, request->uri) != 0 ||
        set_via(agent, message, request->branch) != 0 ||
        set_parties(agent, message, request) != 0) {
        osip_message_free(message);
        return NULL;
    }
    if (request->contact)
        reload_sip_add_contact(agent, message, request->secure);
    return message;
}

static int copy_routes(const osip_dialog_t *dialog, osip_message_t *message)
{
    for (int i = 0; !osip_list_eol(&dialog->route_set, i); i++) {
        osip_route_t *copy = NULL;
        if (osip_route_clone(osip_list_get(&dialog->route_set, i), &copy) != 0)
            return -1;
        osip_list_add(&message->routes, copy, -1);
    }
    return 0;
}

/* Where a dialog's requests go: s12.2.1.1. A far end that gave no Contact is where it was called.
 */
static const osip_uri_t *target_of(const osip_dialog_t *dialog)
{
    if (dialog->remote_contact_uri && dialog->remote_contact_uri->url)
        return dialog->remote_contact_uri->url;
    return dialog->remote_uri ? dialog->remote_uri->url : NULL;
}

static int set_dialog(struct reload_sip_agent *agent, osip_message_t *message,
                      const osip_dialog_t *dialog, const char *method, uint32_t cseq)
{
    char branch[RELOAD_SIP_ID_TEXT], sequence[64];
    reload_sip_identifier(agent, branch);
    (void)snprintf(sequence, sizeof sequence, "%u %s", cseq, method);
    osip_message_set_method(message, osip_strdup(method));
    osip_message_set_version(message, osip_strdup("SIP/2.0"));
    return osip_uri_clone(target_of(dialog), &message->req_uri) ||
           osip_from_clone(dialog->local_uri, &message->from) ||
           osip_to_clone(dialog->remote_uri, &message->to) ||
           osip_message_set_call_id(message, dialog->call_id) ||
           osip_message_set_cseq(message, sequence) ||
           osip_message_set_max_forwards(message, "70") || set_via(agent, message, branch) ||
           copy_routes(dialog, message);
}

/* RFC 3261 s12.2.1.1. libosip2 keeps the parties with their tags. */
osip_message_t *reload_sip_dialog_request(struct reload_sip_agent *agent,
                                          const osip_dialog_t *dialog, const char *method,
                                          uint32_t cseq, bool secure)
{
    osip_message_t *message = NULL;
    if (!target_of(dialog) || osip_message_init(&message) != 0)
        return NULL;
    if (set_dialog(agent, message, dialog, method, cseq) != 0) {
        osip_message_free(message);
        return NULL;
    }
    if (strcmp(method, "INVITE") == 0)
        reload_sip_add_contact(agent, message, secure);
    return message;
}

/* s9.1: same Request-URI, Call-ID, To, From, number and top Via as the INVITE. */
osip_message_t *reload_sip_cancel_new(const osip_message_t *invite)
{
    osip_message_t *message = NULL;
    osip_via_t *via = NULL;
    char sequence[64];
    if (osip_message_init(&message) != 0)
        return NULL;
    (void)snprintf(sequence, sizeof sequence, "%s CANCEL", invite->cseq->number);
    osip_message_set_method(message, osip_strdup("CANCEL"));
    osip_message_set_version(message, osip_strdup("SIP/2.0"));
    if (osip_uri_clone(invite->req_uri, &message->req_uri) ||
        osip_from_clone(invite->from, &message->from) || osip_to_clone(invite->to, &message->to) ||
        osip_call_id_clone(invite->call_id, &message->call_id) ||
        osip_message_set_cseq(message, sequence) || osip_message_set_max_forwards(message, "70") ||
        osip_via_clone(osip_list_get(&invite->vias, 0), &via)) {
        osip_message_free(message);
        return NULL;
    }
    osip_list_add(&message->vias, via, -1);
    return message;
}

static int copy_vias(const osip_message_t *request, osip_message_t *response)
{
    for (int i = 0; !osip_list_eol(&request->vias, i); i++) {
        osip_via_t *copy = NULL;
        if (osip_via_clone(osip_list_get(&request->vias, i), &copy) != 0)
            return -1;
        osip_list_add(&response->vias, copy, -1);
    }
    return 0;
}

/* s12.1.1: a response that makes a dialog takes the Record-Route along. */
static int copy_record_routes(const osip_message_t *request, osip_message_t *response)
{
    for (int i = 0; !osip_list_eol(&request->record_routes, i); i++) {
        osip_record_route_t *copy = NULL;
        if (osip_record_route_clone(osip_list_get(&request->record_routes, i), &copy) != 0)
            return -1;
        osip_list_add(&response->record_routes, copy, -1);
    }
    return 0;
}

/* s8.2.6.2 */
osip_message_t *reload_sip_response_new(const osip_message_t *request, int status, const char *tag)
{
    osip_message_t *message = NULL;
    const char *reason = osip_message_get_reason(status);
    if (osip_message_init(&message) != 0)
        return NULL;
    osip_message_set_version(message, osip_strdup("SIP/2.0"));
    osip_message_set_status_code(message, status);
    osip_message_set_reason_phrase(message, osip_strdup(reason ? reason : "Refused"));
    if (osip_from_clone(request->from, &message->from) ||
        osip_to_clone(request->to, &message->to) ||
        osip_call_id_clone(request->call_id, &message->call_id) ||
        osip_cseq_clone(request->cseq, &message->cseq) || copy_vias(request, message) ||
        (status > 100 && status < 300 && copy_record_routes(request, message))) {
        osip_message_free(message);
        return NULL;
    }
    if (tag && reload_sip_tag(message->to)[0] == '\0')
        osip_to_set_tag(message->to, osip_strdup(tag));
    return message;
}

const char *reload_sip_branch(const osip_message_t *message)
{
    osip_via_t *via = osip_list_get(&message->vias, 0);
    osip_generic_param_t *branch = NULL;
    if (via)
        osip_via_param_get_byname(via, "branch", &branch);
    return branch && branch->gvalue ? branch->gvalue : "";
}

const char *reload_sip_tag(const osip_from_t *party)
{
    osip_generic_param_t *tag = NULL;
    osip_from_t *writable = (osip_from_t *)(uintptr_t)party; /* libosip2 only reads it */
    osip_from_get_tag(writable, &tag);
    return tag && tag->gvalue ? tag->gvalue : "";
}

int reload_sip_uri_aor(const osip_uri_t *uri, struct reload_sip_aor *out)
{
    char text[2 * RELOAD_SIP_AOR_MAX + 16];
    if (!uri || !uri->scheme || !uri->username || !uri->host)
        return RELOAD_E_INVALID;
    int len = snprintf(text, sizeof text, "%s@%s", uri->username, uri->host);
    if (len < 0 || (size_t)len >= sizeof text)
        return RELOAD_E_LIMIT;
    return reload_sip_aor_read(reload_slice_of(text, (size_t)len), out);
}

uint32_t reload_sip_cseq(const osip_message_t *message)
{
    return (uint32_t)strtoul(message->cseq->number, NULL, 10);
}
