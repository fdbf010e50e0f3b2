#include "ice/extension.h"
#include "peer/gathering.h"
#include "peer/overlay_internal.h"
#include "peer/own_addresses.h"

/* The states of one path.
 *
 *   WAITING --the NAT is known--> GATHERING --gathered--> OFFERED --connect()--> CHECKING
 *                                                                                  | a pair works
 *                                     freed <--linger-- CLOSING <--link down-- LINKED
 *
 *   A path that fails before LINKED is freed at once; after that its link goes down first. */

#define LINGER_MS      (RELOAD_LINK_LINGER_MS + 200)
#define RELAYED_MTU    1200 /* room for TURN's framing on a path of 1280 */
#define CANDIDATES_LEN 8192 /* the longest list: twenty of the longest candidates */
#define EXTENSION_LEN  24   /* "bare-port" and a port */

enum path_state {
    PATH_WAITING,
    PATH_GATHERING,
    PATH_OFFERED,
    PATH_CHECKING,
    PATH_LINKED,
    PATH_CLOSING,
};

struct path {
    struct reload_overlay *overlay;
    enum path_state state;
    uint64_t deadline_ms; /* of WAITING and CLOSING; else RELOAD_NEVER */
    uint32_t attach;
    struct reload_gathering ice;
    /* from connect() */
    const struct reload_overlay_ice_user *user;
    void *context;
    struct reload_node_id expected;
    bool tls_server;
    struct reload_link_address bare[RELOAD_OVERLAY_ICE_BARE_MAX];
    size_t bare_count;
    GQueue early; /* of GBytes */
    /* from LINKED */
    reload_link_id link;
};

struct reload_overlay_ice {
    struct reload_ice *ice;
    GHashTable *paths; /* attach -> struct path, which it owns */
    GHashTable *links; /* link id -> struct path */
};

static void enter(struct path *path, enum path_state state, uint64_t deadline_ms)
{
    path->state = state;
    path->deadline_ms = deadline_ms;
}

static void path_free(gpointer data)
{
    struct path *path = data;
    if (path->link)
        g_hash_table_remove(path->overlay->ice->links, GUINT_TO_POINTER(path->link));
    reload_ice_channel_free(path->ice.channel);
    g_queue_clear_full(&path->early, (GDestroyNotify)g_bytes_unref);
    g_free(path);
}

static struct path *find(const struct reload_overlay *o, uint32_t attach)
{
    return g_hash_table_lookup(o->ice->paths, GUINT_TO_POINTER(attach));
}

static struct path *of_link(const struct reload_overlay *o, reload_link_id link)
{
    return g_hash_table_lookup(o->ice->links, GUINT_TO_POINTER(link));
}

static void drop(struct path *path)
{
    g_hash_table_remove(path->overlay->ice->paths, GUINT_TO_POINTER(path->attach));
}

int reload_overlay_ice_new(struct reload_overlay *o, GMainContext *context)
{
    o->ice = g_new0(struct reload_overlay_ice, 1);
    o->ice->paths = g_hash_table_new_full(NULL, NULL, NULL, path_free);
    o->ice->links = g_hash_table_new(NULL, NULL);
    o->ice->ice = reload_ice_new(context);
    return o->ice->ice ? 0 : RELOAD_E_NOMEM;
}

void reload_overlay_ice_free(struct reload_overlay *o)
{
    if (!o->ice)
        return;
    g_hash_table_unref(o->ice->paths);
    g_hash_table_unref(o->ice->links);
    reload_ice_free(o->ice->ice);
    g_clear_pointer(&o->ice, g_free);
}

/* --- gathering --- */

/* Where checks start from: where the node listens, or every address of a node that does not.
 * Loopback is in when the node lives on it: listens there, or came into the overlay over it. */
static size_t local_addresses(const struct reload_overlay *o, struct reload_link_address *out)
{
    static const struct reload_link_address any[] = { { .len = 4 }, { .len = 16 } };
    struct reload_link_address loopback = { .len = 4, .bytes = { 127, 0, 0, 1 } };
    size_t count = 0, hosts = 0;
    if (o->over_loopback)
        out[count++] = loopback;
    for (size_t i = 0; i < o->listening_count; i++)
        reload_own_addresses(&o->listening[i], out, &count, RELOAD_ICE_ADDRESSES_MAX);
    for (size_t i = 0; o->listening_count == 0 && i < G_N_ELEMENTS(any); i++)
        reload_own_addresses(&any[i], out, &count, RELOAD_ICE_ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++) { /* two listeners at one address make one candidate */
        bool seen = false;
        for (size_t j = 0; j < hosts; j++)
            seen = seen || reload_ice_address_same_host(&out[j], &out[i]);
        if (!seen)
            out[hosts++] = out[i];
    }
    return hosts;
}

static void failed_to_gather(struct path *path, int error)
{
    struct reload_overlay *o = path->overlay;
    reload_log_write(o->log, RELOAD_LOG_WARNING, "ice", "no candidates for a link: %s",
                     reload_error_text(error));
    g_array_append_val(o->failed_attaches, path->attach);
    drop(path);
}

void reload_overlay_ice_places(struct reload_overlay *o, struct reload_overlay_ice_places *out)
{
    out->address_count = local_addresses(o, out->addresses);
    out->stun_server = reload_overlay_stun_pick(o);
    out->turn_count = reload_overlay_turn_pick(o, &out->turn) ? 1 : 0;
}

static void start(struct path *path)
{
    enter(path, PATH_GATHERING, RELOAD_NEVER);
    int error = reload_gathering_start(&path->ice);
    if (error != 0)
        failed_to_gather(path, error);
}

/* What would be gathered before the NAT is known, or a relay that it calls for, could lack the
 * candidates that matter. */
static bool is_known(const struct reload_overlay *o)
{
    bool nat = o->stun.asked_ms == RELOAD_NEVER ||
               reload_overlay_stun_nat(o) != RELOAD_OVERLAY_NAT_UNKNOWN;
    return nat && reload_overlay_turn_is_settled(o);
}

void reload_overlay_ice_gather(struct reload_overlay *o, const struct reload_action_gather *want)
{
    struct path *path = g_new0(struct path, 1);
    *path = (struct path){
        .overlay = o,
        .attach = want->attach,
        .ice = { .overlay = o,
                 .ice = o->ice->ice,
                 .role = want->requester ? RELOAD_ICE_CONTROLLING
                                         : RELOAD_ICE_CONTROLLED, /* s6.5.1.9 */
                 .user = path },
    };
    enter(path, PATH_WAITING,
          o->now.monotonic_ms + RELOAD_OVERLAY_STUN_PATIENCE_MS + RELOAD_OVERLAY_TURN_PATIENCE_MS);
    g_hash_table_replace(o->ice->paths, GUINT_TO_POINTER(want->attach), path);
    if (is_known(o))
        start(path);
}

static void gathered(struct path *path)
{
    struct reload_overlay *o = path->overlay;
    struct reload_ice_candidate candidates[RELOAD_ICE_LOCAL_CANDIDATES_MAX];
    uint8_t extensions[RELOAD_ICE_LOCAL_CANDIDATES_MAX * EXTENSION_LEN];
    struct reload_writer room = reload_writer_of(extensions, sizeof extensions);
    if (!reload_gathering_is_done(&path->ice)) {
        start(path);
        return;
    }
    size_t count = reload_ice_channel_candidates(path->ice.channel, candidates,
                                                 RELOAD_ICE_LOCAL_CANDIDATES_MAX);
    uint8_t *buffer = g_malloc(CANDIDATES_LEN);
    struct reload_writer w = reload_writer_of(buffer, CANDIDATES_LEN);
    enter(path, PATH_OFFERED, RELOAD_NEVER);
    reload_ice_bare_port_tell(o->bare, o->bare_count, candidates, count, &room);
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++)
        error = reload_ice_candidate_encode(&w, &candidates[i]);
    g_assert(error == 0); /* the buffer holds the most there can be */
    reload_node_gathered(o->node, path->attach, reload_ice_channel_ufrag(path->ice.channel),
                         reload_ice_channel_password(path->ice.channel), reload_writer_slice(&w),
                         o->now);
    g_free(buffer);
    reload_overlay_drain(o);
}

/* --- checking --- */

int reload_overlay_ice_connect(struct reload_overlay *o, uint32_t attach,
                               const struct reload_node_id *expected, bool tls_server,
                               struct reload_slice ufrag, struct reload_slice password,
                               struct reload_slice candidates,
                               const struct reload_overlay_ice_user *user, void *context)
{
    struct path *path = find(o, attach);
    if (!path || path->state != PATH_OFFERED)
        return RELOAD_E_NOT_FOUND;
    path->user = user;
    path->context = context;
    path->expected = *expected;
    path->tls_server = tls_server;
    path->bare_count =
        reload_ice_bare_port_read(candidates, path->bare, RELOAD_OVERLAY_ICE_BARE_MAX);
    enter(path, PATH_CHECKING, RELOAD_NEVER);
    int error = reload_ice_channel_set_remote(path->ice.channel, ufrag, password, candidates);
    if (error != 0)
        drop(path);
    return error;
}

static void begin(struct path *path)
{
    struct reload_overlay *o = path->overlay;
    struct reload_ice_pair pair;
    char local[RELOAD_LINK_ADDRESS_TEXT], remote[RELOAD_LINK_ADDRESS_TEXT];
    int error = reload_ice_channel_pair(path->ice.channel, &pair);
    if (error == 0) {
        const struct reload_link_channel channel = {
            .role = path->tls_server ? RELOAD_LINK_SERVER : RELOAD_LINK_CLIENT, /* s6.5.1.13 */
            .expected = &path->expected,
            .far = pair.remote,
            .local = pair.local,
            .path_mtu = pair.relayed ? RELAYED_MTU : 0,
        };
        reload_log_write(o->log, RELOAD_LOG_DEBUG, "ice", "%s %s to %s %s",
                         reload_ice_pair_type_text(pair.local_type),
                         reload_link_address_text(&pair.local, local),
                         reload_ice_pair_type_text(pair.remote_type),
                         reload_link_address_text(&pair.remote, remote));
        error = path->user->begin(o, path->context, &channel, &path->link);
    }
    if (error != 0) {
        path->link = 0;
        path->user->failed(o, path->context, error, "no link can be opened");
        drop(path);
        return;
    }
    g_hash_table_insert(o->ice->links, GUINT_TO_POINTER(path->link), path);
    enter(path, PATH_LINKED, RELOAD_NEVER);
    for (GBytes *bytes; (bytes = g_queue_pop_head(&path->early)); g_bytes_unref(bytes)) {
        gsize len;
        const uint8_t *p = g_bytes_get_data(bytes, &len);
        reload_links_channel_input(o->links, path->link, reload_slice_of(p, len), o->now);
    }
}

static void arrived(struct path *path, struct reload_slice datagram)
{
    struct reload_overlay *o = path->overlay;
    if (path->link)
        reload_links_channel_input(o->links, path->link, datagram, o->now);
    else if (g_queue_get_length(&path->early) < RELOAD_OVERLAY_ICE_EARLY_MAX)
        g_queue_push_tail(&path->early, g_bytes_new(datagram.p, datagram.n));
}

static void failed(struct path *path, const struct reload_ice_event *event)
{
    struct reload_overlay *o = path->overlay;
    reload_log_write(o->log, RELOAD_LOG_INFO, "ice", "%s", event->reason);
    if (path->state == PATH_CLOSING)
        return;
    if (path->state == PATH_LINKED) {
        reload_links_channel_lost(o->links, path->link, event->reason, o->now);
        return;
    }
    if (path->user)
        path->user->failed(o, path->context, event->error, event->reason);
    else
        g_array_append_val(o->failed_attaches, path->attach);
    drop(path);
}

/* --- an overlay link on a path --- */

static int begin_link(struct reload_overlay *o, void *attach,
                      const struct reload_link_channel *channel, reload_link_id *link)
{
    int error = reload_links_open_channel(o->links, channel, o->now, link);
    if (error == 0)
        reload_overlay_dialled(o, *link, GPOINTER_TO_UINT(attach));
    return error;
}

static void link_failed(struct reload_overlay *o, void *attach, int error, const char *reason)
{
    uint32_t number = GPOINTER_TO_UINT(attach);
    (void)error, (void)reason;
    g_array_append_val(o->failed_attaches, number);
}

int reload_overlay_ice_open_link(struct reload_overlay *o,
                                 const struct reload_action_open_link *want)
{
    static const struct reload_overlay_ice_user overlay_link = { begin_link, link_failed };
    return reload_overlay_ice_connect(o, want->attach, &want->node_id, want->tls_server,
                                      want->ufrag, want->password, want->candidates, &overlay_link,
                                      GUINT_TO_POINTER(want->attach));
}

void reload_overlay_ice_abandon(struct reload_overlay *o, uint32_t attach)
{
    struct path *path = find(o, attach);
    if (!path)
        return;
    if (path->state == PATH_LINKED)
        reload_links_close(o->links, path->link, "not wanted any longer", o->now);
    else if (path->state != PATH_CLOSING)
        drop(path);
}

void reload_overlay_ice_send(struct reload_overlay *o, const struct reload_link_event *event)
{
    struct path *path = of_link(o, event->link);
    if (path) /* what is not taken is as if lost: the link retransmits */
        (void)!reload_ice_channel_send(path->ice.channel, event->message);
}

/* The far end has bare ports at the address that the checks have proved to be its own; no other
 * address that it names is asked anything. */
void reload_overlay_ice_linked(struct reload_overlay *o, reload_link_id link)
{
    const struct path *path = of_link(o, link);
    struct reload_ice_pair pair;
    if (!path || reload_ice_channel_pair(path->ice.channel, &pair) != 0 || pair.relayed)
        return;
    for (size_t i = 0; i < path->bare_count; i++)
        if (reload_ice_address_same_host(&path->bare[i], &pair.remote)) {
            reload_overlay_listens_at(o, link, &path->bare[i]);
            return;
        }
}

void reload_overlay_ice_unlinked(struct reload_overlay *o, reload_link_id link)
{
    struct path *path = of_link(o, link);
    if (path)
        enter(path, PATH_CLOSING, o->now.monotonic_ms + LINGER_MS);
}

/* --- the loop --- */

bool reload_overlay_ice_waits(const struct reload_overlay *o)
{
    return reload_ice_waits(o->ice->ice);
}

void reload_overlay_ice_take(struct reload_overlay *o)
{
    struct reload_ice_event event;
    while (reload_ice_next(o->ice->ice, &event)) {
        struct path *path = event.user;
        switch (event.type) {
        case RELOAD_ICE_EVENT_GATHERED: gathered(path); break;
        case RELOAD_ICE_EVENT_CONNECTED: begin(path); break;
        case RELOAD_ICE_EVENT_DATAGRAM: arrived(path, event.datagram); break;
        case RELOAD_ICE_EVENT_FAILED: failed(path, &event); break;
        }
    }
}

void reload_overlay_ice_run(struct reload_overlay *o)
{
    GList *all = g_hash_table_get_values(o->ice->paths);
    for (GList *at = all; at; at = at->next) {
        struct path *path = at->data;
        bool due = path->deadline_ms <= o->now.monotonic_ms;
        if (path->state == PATH_CLOSING && due)
            drop(path);
        else if (path->state == PATH_WAITING && (due || is_known(o)))
            start(path);
    }
    g_list_free(all);
}

uint64_t reload_overlay_ice_deadline(const struct reload_overlay *o)
{
    uint64_t deadline = RELOAD_NEVER;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, o->ice->paths);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        deadline = MIN(deadline, ((const struct path *)value)->deadline_ms);
    return deadline;
}

/* --- looking in --- */

int reload_overlay_link_pair(const struct reload_overlay *o, reload_link_id link,
                             struct reload_ice_pair *out)
{
    const struct path *path = of_link(o, link);
    return path ? reload_ice_channel_pair(path->ice.channel, out) : RELOAD_E_NOT_FOUND;
}

const struct reload_ice_stats *reload_overlay_ice_view(const struct reload_overlay *o)
{
    return reload_ice_stats(o->ice->ice);
}
