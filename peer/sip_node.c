#include "peer/sip_node.h"

#include "peer/loop_timer.h"
#include "reload/config/registry.h"
#include "reload/wire/error.h"
#include "reload/wire/fetch.h"

#define FETCH_MAX (RELOAD_RESOURCE_ID_MAX + 64) /* bytes of a FetchReq for one Kind */

struct waiter { /* for the registration to be stored */
    reload_overlay_done *done;
    void *context;
};

struct lookup {
    struct reload_sip_node *node;
    struct reload_sip_lookup *machine;
    reload_sip_lookup_done *done;
    void *context;
};

struct request {                  /* to the overlay; may outlive the node */
    struct reload_sip_node *node; /* NULL: it is gone */
    struct lookup *lookup;        /* NULL: a Store of the registrar */
    unsigned number;
};

struct reload_sip_node {
    struct reload_overlay *overlay;
    GMainContext *context;
    const struct reload_log *log;
    bool can_register;
    bool routed; /* what is registered is the own route: */
    uint8_t route[RELOAD_SIP_ROUTE_MAX];
    size_t route_len;
    enum reload_sip_scheme scheme;
    uint32_t lifetime_s;
    struct reload_sip_registrar registrar;
    struct reload_sip_contacts *contacts;
    GSource *timer;
    GArray *waiters;      /* of struct waiter */
    GHashTable *lookups;  /* set of struct lookup */
    GHashTable *requests; /* set of struct request */
};

/* --- requests --- */

static struct request *request_new(struct reload_sip_node *node, struct lookup *lookup,
                                   unsigned number)
{
    struct request *request = g_new(struct request, 1);
    *request = (struct request){ node, lookup, number };
    g_hash_table_add(node->requests, request);
    return request;
}

/* The node it was for, or NULL. */
static struct reload_sip_node *request_end(struct request *request, struct request *copy)
{
    *copy = *request;
    if (copy->node)
        g_hash_table_remove(copy->node->requests, request);
    g_free(request);
    return copy->node;
}

/* --- registration --- */

static void pump(struct reload_sip_node *node);

/* Once no newer record waits for its Store. */
static void tell_waiters(struct reload_sip_node *node, const struct reload_result *result)
{
    enum reload_sip_registrar_state state = node->registrar.state;
    if (state == RELOAD_SIP_STORING || state == RELOAD_SIP_REMOVING)
        return;
    GArray *waiters = node->waiters;
    node->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
    for (guint i = 0; i < waiters->len; i++) {
        const struct waiter *w = &g_array_index(waiters, struct waiter, i);
        w->done(w->context, result);
    }
    g_array_unref(waiters);
}

static void store_ended(struct reload_sip_node *node, const struct reload_result *result)
{
    struct reload_time now = reload_overlay_now();
    if (result->error) {
        reload_sip_registrar_failed(&node->registrar, result->error, now);
        reload_log_write(node->log, RELOAD_LOG_WARNING, "sip",
                         "the registration of %s was not stored: %s", node->registrar.aor.text,
                         result->error_code ? reload_error_code_name(result->error_code)
                                            : reload_error_text(result->error));
    } else {
        reload_sip_registrar_stored(&node->registrar, now);
    }
    tell_waiters(node, result);
    pump(node);
}

static void stored(void *context, const struct reload_result *result)
{
    struct request request;
    struct reload_sip_node *node = request_end(context, &request);
    if (node)
        store_ended(node, result);
}

static int send_store(struct reload_sip_node *node, const struct reload_sip_store *store)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX];
    size_t len;
    const struct reload_store_item item = {
        .kind = RELOAD_KIND_SIP_REGISTRATION,
        .key = store->key,
        .exists = store->exists,
        .value = store->value,
        .lifetime_s = store->lifetime_s,
        .storage_time = store->storage_time_ms,
    };
    int error = reload_overlay_resource_id(node->overlay, store->name, id, &len);
    if (error)
        return error;
    struct request *request = request_new(node, NULL, 0);
    error =
        reload_overlay_store(node->overlay, reload_slice_of(id, len), &item, 1, stored, request);
    if (error)
        request_end(request, &(struct request){ 0 });
    return error;
}

static gboolean timer_fired(void *context)
{
    struct reload_sip_node *node = context;
    reload_sip_registrar_tick(&node->registrar, reload_overlay_now());
    pump(node);
    return G_SOURCE_REMOVE; /* pump has set another */
}

/* Sends the Store that the registrar wants. One that cannot even be sent has failed. */
static void pump(struct reload_sip_node *node)
{
    struct reload_sip_store store;
    if (reload_sip_registrar_next(&node->registrar, &store, reload_overlay_now())) {
        struct reload_result result = { .error = send_store(node, &store) };
        if (result.error) {
            store_ended(node, &result);
            return;
        }
    }
    reload_loop_timer_set(&node->timer, node->context,
                          reload_sip_registrar_deadline(&node->registrar), timer_fired, node);
}

static int wait_for(struct reload_sip_node *node, int error, reload_overlay_done *done,
                    void *context)
{
    const struct waiter waiter = { done, context };
    if (error)
        return error;
    g_array_append_val(node->waiters, waiter);
    pump(node);
    return 0;
}

/* The peer that a client is linked to: the link that has held longest. */
static int linked_peer(const struct reload_sip_node *node, struct reload_node_id *out)
{
    struct reload_connection links[8];
    size_t count =
        MIN(reload_node_connections(reload_overlay_node(node->overlay), links, G_N_ELEMENTS(links)),
            G_N_ELEMENTS(links));
    const struct reload_connection *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (links[i].node_id.len && (!best || links[i].up_since_ms < best->up_since_ms))
            best = &links[i];
    if (best)
        *out = best->node_id;
    return best ? 0 : RELOAD_E_NOT_FOUND;
}

int reload_sip_node_route(const struct reload_sip_node *node, struct reload_writer *list)
{
    const struct reload_destination own =
        reload_destination_node(&reload_overlay_own(node->overlay)->node_id);
    if (reload_overlay_role(node->overlay) == RELOAD_ROLE_CLIENT_ANY) {
        struct reload_node_id peer;
        int error = linked_peer(node, &peer);
        const struct reload_destination by = reload_destination_node(&peer);
        if (error == 0)
            error = reload_destination_encode(list, &by);
        if (error != 0)
            return error;
    }
    return reload_destination_encode(list, &own);
}

static int register_route(struct reload_sip_node *node)
{
    struct reload_writer route = reload_writer_of(node->route, sizeof node->route);
    int error = reload_sip_node_route(node, &route);
    if (error == 0)
        error = reload_sip_registrar_register(
            &node->registrar, reload_overlay_config(node->overlay), reload_writer_slice(&route),
            node->scheme, node->lifetime_s);
    node->route_len = route.len;
    node->routed = error == 0;
    return error;
}

void reload_sip_node_joined(struct reload_sip_node *node)
{
    uint8_t buffer[RELOAD_SIP_ROUTE_MAX];
    struct reload_writer route = reload_writer_of(buffer, sizeof buffer);
    if (!node->routed || reload_sip_node_route(node, &route) != 0 ||
        reload_slice_equal(reload_writer_slice(&route),
                           reload_slice_of(node->route, node->route_len)))
        return;
    if (register_route(node) == 0)
        pump(node);
}

static int register_list(struct reload_sip_node *node, struct reload_slice list,
                         enum reload_sip_scheme scheme, uint32_t lifetime_s)
{
    node->routed = false;
    node->scheme = scheme;
    node->lifetime_s = lifetime_s;
    return list.n == 0 ? register_route(node)
                       : reload_sip_registrar_register(&node->registrar,
                                                       reload_overlay_config(node->overlay), list,
                                                       scheme, lifetime_s);
}

int reload_sip_node_register(struct reload_sip_node *node, struct reload_slice list,
                             enum reload_sip_scheme scheme, uint32_t lifetime_s,
                             reload_overlay_done *done, void *context)
{
    int error =
        node->can_register ? register_list(node, list, scheme, lifetime_s) : RELOAD_E_UNSUPPORTED;
    return wait_for(node, error, done, context);
}

int reload_sip_node_forward(struct reload_sip_node *node, struct reload_slice uri,
                            uint32_t lifetime_s, reload_overlay_done *done, void *context)
{
    node->routed = false;
    int error = node->can_register
                    ? reload_sip_registrar_forward(
                          &node->registrar, reload_overlay_config(node->overlay), uri, lifetime_s)
                    : RELOAD_E_UNSUPPORTED;
    return wait_for(node, error, done, context);
}

int reload_sip_node_unregister(struct reload_sip_node *node, reload_overlay_done *done,
                               void *context)
{
    if (!node->can_register)
        return RELOAD_E_UNSUPPORTED;
    node->routed = false;
    reload_sip_registrar_unregister(&node->registrar, reload_overlay_now());
    return wait_for(node, node->registrar.state == RELOAD_SIP_IDLE ? RELOAD_E_NOT_FOUND : 0, done,
                    context);
}

int reload_sip_node_withdraw(struct reload_sip_node *node, reload_overlay_done *done, void *context)
{
    return node->routed ? reload_sip_node_unregister(node, done, context) : RELOAD_E_NOT_FOUND;
}

const struct reload_sip_registrar *reload_sip_node_registrar(const struct reload_sip_node *node)
{
    return node->can_register ? &node->registrar : NULL;
}

/* --- lookups --- */

static void lookup_free(struct lookup *lookup)
{
    reload_sip_lookup_free(lookup->machine);
    g_free(lookup);
}

static void advance(struct lookup *lookup);

static void fetched(void *context, const struct reload_result *result)
{
    struct request request;
    struct reload_sip_node *node = request_end(context, &request);
    if (!node)
        return;
    struct lookup *lookup = request.lookup;
    if (result->error)
        reload_sip_lookup_failed(lookup->machine, request.number, reload_overlay_now());
    else
        reload_sip_lookup_fetched(lookup->machine, request.number,
                                  reload_overlay_config(node->overlay), result->values,
                                  result->value_count, reload_overlay_now());
    if (result->rejected) /* RFC 7904 s3.3: a storing peer that does not check, or lies */
        reload_log_write(node->log, RELOAD_LOG_WARNING, "sip",
                         "%zu registrations were left out: not by their owner", result->rejected);
    advance(lookup);
}

static int send_fetch(struct lookup *lookup, const struct reload_sip_fetch *fetch)
{
    struct reload_sip_node *node = lookup->node;
    uint8_t id[RELOAD_RESOURCE_ID_MAX], buffer[FETCH_MAX];
    size_t len;
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    int error = reload_overlay_resource_id(node->overlay, fetch->name, id, &len);
    if (error)
        return error;
    size_t mark = reload_fetch_req_begin(&body, reload_slice_of(id, len));
    struct reload_specifier_mark specifier =
        reload_specifier_begin(&body, RELOAD_KIND_SIP_REGISTRATION, 0, RELOAD_MODEL_DICTIONARY);
    reload_specifier_end(&body, specifier, RELOAD_MODEL_DICTIONARY); /* s4.2: no keys */
    reload_fetch_req_end(&body, mark);
    struct request *request = request_new(node, lookup, fetch->number);
    error = reload_overlay_fetch(node->overlay, reload_slice_of(id, len),
                                 reload_writer_slice(&body), fetched, request);
    if (error)
        request_end(request, &(struct request){ 0 });
    return error;
}

/* Sends what the lookup wants to know; ends it when it knows enough. */
static void advance(struct lookup *lookup)
{
    struct reload_sip_fetch fetch;
    while (reload_sip_lookup_next(lookup->machine, &fetch))
        if (send_fetch(lookup, &fetch))
            reload_sip_lookup_failed(lookup->machine, fetch.number, reload_overlay_now());
    const struct reload_sip_lookup_result *result = reload_sip_lookup_result(lookup->machine);
    if (!result)
        return;
    g_hash_table_remove(lookup->node->lookups, lookup);
    lookup->done(lookup->context, result);
    lookup_free(lookup);
}

int reload_sip_node_lookup(struct reload_sip_node *node, struct reload_slice uri, bool anew,
                           reload_sip_lookup_done *done, void *context)
{
    struct reload_sip_lookup *machine;
    int error = reload_sip_lookup_new(uri, reload_overlay_config(node->overlay),
                                      &reload_overlay_own(node->overlay)->node_id, NULL,
                                      node->contacts, reload_overlay_now(), &machine);
    if (error)
        return error;
    if (anew)
        reload_sip_lookup_anew(machine);
    struct lookup *lookup = g_new0(struct lookup, 1);
    *lookup = (struct lookup){ .node = node, .machine = machine, .done = done, .context = context };
    g_hash_table_add(node->lookups, lookup);
    advance(lookup);
    return 0;
}

/* --- life --- */

struct reload_sip_node *reload_sip_node_new(struct reload_overlay *overlay, GMainContext *context,
                                            const struct reload_log *log)
{
    const struct reload_own_identity *own = reload_overlay_own(overlay);
    struct reload_sip_node *node = g_new0(struct reload_sip_node, 1);
    node->overlay = overlay;
    node->context = context;
    node->log = log;
    node->can_register =
        reload_sip_registrar_init(&node->registrar, own->user_name, &own->node_id) == 0;
    node->contacts = reload_sip_contacts_new(); /* NULL: it goes without */
    node->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
    node->lookups = g_hash_table_new(NULL, NULL);
    node->requests = g_hash_table_new(NULL, NULL);
    return node;
}

static void abandon_waiters(struct reload_sip_node *node)
{
    const struct reload_result closed = { .error = RELOAD_E_CLOSED };
    for (guint i = 0; i < node->waiters->len; i++) {
        const struct waiter *w = &g_array_index(node->waiters, struct waiter, i);
        w->done(w->context, &closed);
    }
    g_array_unref(node->waiters);
}

void reload_sip_node_free(struct reload_sip_node *node)
{
    GHashTableIter iter;
    gpointer key;
    if (!node)
        return;
    reload_loop_timer_drop(&node->timer);
    g_hash_table_iter_init(&iter, node->requests);
    while (g_hash_table_iter_next(&iter, &key, NULL)) /* their answers find nobody */
        ((struct request *)key)->node = NULL;
    g_hash_table_unref(node->requests);
    g_hash_table_iter_init(&iter, node->lookups);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        struct lookup *lookup = key;
        lookup->done(lookup->context, NULL);
        lookup_free(lookup);
    }
    g_hash_table_unref(node->lookups);
    abandon_waiters(node);
    reload_sip_contacts_free(node->contacts);
    g_free(node);
}
