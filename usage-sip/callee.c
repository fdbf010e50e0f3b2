#include "usage-sip/internal.h"

#include <stdio.h>

#include "usage-sip/uri.h"

/* A GRUU names one device: no lookup, no fork (RFC 7904 s4.1, s6). One whose parameter names none,
 * as in RFC 5627, is like any URI of its address. */
int reload_sip_callee_read(const struct reload_sip_agent *agent, const char *text,
                           struct reload_sip_callee *out)
{
    const struct reload_slice all = reload_slice_of(text, strlen(text));
    struct reload_sip_gruu gruu;
    struct reload_sip_uri uri;
    *out = (struct reload_sip_callee){ 0 };
    int error = reload_sip_gruu_read(all, agent->self.len, &gruu);
    if (error != 0 && error != RELOAD_E_NOT_FOUND)
        return RELOAD_E_INVALID;
    out->aor = gruu.aor;
    out->secure = reload_sip_uri_split(all, &uri) == 0 && reload_sip_uri_is_secure(&uri);
    if (error != 0)
        return 0;
    char whole[RELOAD_SIP_GRUU_MAX + 1];
    error = reload_sip_gruu_write(&gruu.aor, reload_slice_of(gruu.list, gruu.list_len), whole);
    if (error == 0)
        (void)snprintf(out->gruu, sizeof out->gruu, "%s", whole + gruu.aor.len);
    return error;
}

bool reload_sip_callee_look_up(struct reload_sip_agent *agent,
                               const struct reload_sip_callee *callee, uint32_t owner, bool fresh)
{
    char uri[RELOAD_SIP_GRUU_MAX + 1];
    (void)snprintf(uri, sizeof uri, "%s%s", callee->aor.text, callee->gruu);
    struct reload_sip_action *action =
        reload_sip_act(agent, RELOAD_SIP_ACTION_LOOKUP, owner, NULL, 0, uri, NULL);
    if (action)
        action->fresh = fresh;
    return action != NULL;
}

void reload_sip_callee_uris(const struct reload_sip_callee *callee,
                            const struct reload_sip_leg *leg, bool secure,
                            char uri[RELOAD_SIP_URI_TEXT], char to[RELOAD_SIP_URI_TEXT])
{
    reload_sip_uri_text(&leg->aor, secure, callee->gruu, uri);
    reload_sip_uri_text(&callee->aor, secure, callee->gruu, to);
}
