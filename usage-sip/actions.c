#include "usage-sip/internal.h"

#include "reload/alloc.h"

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static const char *keep_text(uint8_t **at, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    memcpy(*at, text, size);
    const char *kept = (const char *)*at;
    *at += size;
    return kept;
}

static struct reload_sip_queued *queued_new(struct reload_sip_agent *agent, size_t len)
{
    struct reload_sip_queued *queued = reload_calloc(1, sizeof *queued + len);
    if (!queued)
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_MEMORY, NULL);
    return queued;
}

static void append(struct reload_sip_agent *agent, struct reload_sip_queued *queued)
{
    STAILQ_INSERT_TAIL(&agent->queue, queued, link);
    agent->queue_count++;
}

/* One block holds the action and all it points to. */
static struct reload_sip_queued *queue(struct reload_sip_agent *agent,
                                       enum reload_sip_action_type type, uint32_t id,
                                       struct reload_slice bytes, const char *user,
                                       const char *text)
{
    struct reload_sip_queued *queued =
        queued_new(agent, bytes.n + text_size(user) + text_size(text));
    if (!queued)
        return NULL;
    uint8_t *at = queued->bytes;
    if (bytes.n)
        memcpy(at, bytes.p, bytes.n);
    at += bytes.n;
    queued->action = (struct reload_sip_action){ .type = type, .id = id, .len = bytes.n };
    queued->action.bytes = queued->bytes;
    queued->action.user = keep_text(&at, user);
    const char *kept = keep_text(&at, text);
    if (type == RELOAD_SIP_ACTION_MESSAGE)
        queued->action.content_type = kept;
    else
        queued->action.display = kept;
    append(agent, queued);
    return queued;
}

struct reload_sip_action *reload_sip_act(struct reload_sip_agent *agent,
                                         enum reload_sip_action_type type, uint32_t id,
                                         const void *bytes, size_t len, const char *user,
                                         const char *text)
{
    struct reload_sip_queued *queued =
        queue(agent, type, id, reload_slice_of(bytes, len), user, text);
    return queued ? &queued->action : NULL;
}

struct reload_sip_action *reload_sip_act_media(struct reload_sip_agent *agent,
                                               enum reload_sip_action_type type, uint32_t id,
                                               const struct reload_sip_media *media,
                                               const char *user, const char *text)
{
    struct reload_sip_queued *queued =
        queue(agent, type, id, (struct reload_slice){ 0 }, user, text);
    if (!queued)
        return NULL;
    if (media) {
        queued->media = *media;
        queued->action.media = &queued->media;
    }
    return &queued->action;
}

struct reload_sip_queued *reload_sip_act_reserve(struct reload_sip_agent *agent)
{
    return queued_new(agent, 0);
}

struct reload_sip_action *reload_sip_act_reserved(struct reload_sip_agent *agent,
                                                  enum reload_sip_action_type type,
                                                  struct reload_sip_queued *queued_take)
{
    queued_take->action = (struct reload_sip_action){ .type = type, .bytes = queued_take->bytes };
    append(agent, queued_take);
    return &queued_take->action;
}

bool reload_sip_agent_next(struct reload_sip_agent *agent, struct reload_sip_action *action)
{
    reload_free(agent->pulled);
    agent->pulled = STAILQ_FIRST(&agent->queue);
    if (!agent->pulled)
        return false;
    STAILQ_REMOVE_HEAD(&agent->queue, link);
    agent->queue_count--;
    *action = agent->pulled->action;
    return true;
}

void reload_sip_actions_fini(struct reload_sip_agent *agent)
{
    struct reload_sip_action action;
    while (reload_sip_agent_next(agent, &action))
        ;
}
