#include "fuzz.h"

#include <string.h>

#include "usage-sip/agent.h"

/* Bytes on a channel of a user agent: the first says datagrams or a stream, and in which pieces. */

static void fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0x5a, len);
}

static void pull(struct reload_sip_agent *agent, struct reload_time now)
{
    struct reload_sip_action action;
    while (reload_sip_agent_next(agent, &action))
        if (action.type == RELOAD_SIP_ACTION_CALL_INCOMING && action.media)
            (void)!reload_sip_agent_answer(agent, action.id, action.media, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reload_time now = { 1000, 1700000000000 };
    struct reload_sip_agent *agent;
    struct reload_sip_agent_config config = { .overlay = "example.org",
                                              .user = "alice@example.org",
                                              .random = { .fill = fill } };
    struct reload_sip_channel_info info = { .user = "mallory@example.org", .application = 5060 };
    uint32_t channel;
    if (size == 0)
        return 0;
    config.self.len = info.node_id.len = 16;
    memset(config.self.bytes, 1, 16);
    memset(info.node_id.bytes, 2, 16);
    info.datagram = data[0] & 1;
    size_t step = data[0] & 2 ? size : (size_t)(data[0] >> 2) + 1;
    if (reload_sip_agent_new(&config, now, &agent) != 0)
        return 0;
    if (reload_sip_agent_accept(agent, &info, now, &channel) == 0)
        for (size_t at = 1; at < size; at += step) {
            reload_sip_agent_received(agent, channel, data + at,
                                      size - at < step ? size - at : step, now);
            pull(agent, now);
        }
    for (int i = 0; i < 4; i++) {
        now.monotonic_ms += 40000;
        reload_sip_agent_tick(agent, now);
        pull(agent, now);
    }
    reload_sip_agent_free(agent);
    return 0;
}
