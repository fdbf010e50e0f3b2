#include "peer/verbs/refetch.h"

#include "certs/enroll/client.h"
#include "peer/able.h"

struct reload_refetch {
    struct reload_overlay *overlay;
    char *source, *ca_file;
    const struct reload_log *log;
    guint timer;
    struct exchange *exchange; /* under way, or NULL */
};

struct exchange {                 /* the thread's; comes back to the main loop, which frees it */
    struct reload_refetch *owner; /* NULL once nobody waits; used by the main loop only */
    char *source, *ca_file;
    struct reload_config *current, *fetched;
    enum reload_enroll_result result;
    struct reload_enroll_outcome outcome;
};

static void arm(struct reload_refetch *r, bool again);

static void exchange_free(struct exchange *e)
{
    reload_cert_document_free(e->current);
    reload_cert_document_free(e->fetched);
    g_free(e->source);
    g_free(e->ca_file);
    g_free(e);
}

static gboolean finish(gpointer data)
{
    struct exchange *e = data;
    struct reload_refetch *r = e->owner;
    if (r) {
        bool newer = e->result == RELOAD_ENROLL_OK;
        r->exchange = NULL;
        reload_log_write(r->log, RELOAD_LOG_INFO, "config", "%s", e->outcome.text);
        if (newer && reload_overlay_configure(r->overlay, e->fetched->document))
            reload_log_write(r->log, RELOAD_LOG_WARNING, "config",
                             "the document that was fetched is not acceptable");
        if (e->result == RELOAD_ENROLL_DOCUMENT_UNSUPPORTED) /* s11.1 */
            reload_overlay_leave(r->overlay);
        else
            arm(r, true);
    }
    exchange_free(e);
    return G_SOURCE_REMOVE;
}

static gpointer work(gpointer data)
{
    struct exchange *e = data;
    const struct reload_cert_document_policy policy = reload_able_policy();
    struct reload_enroll_client_options options = { .source = e->source,
                                                    .overlay = e->current->instance_name,
                                                    .ca_file = e->ca_file,
                                                    .policy = &policy };
    e->result = reload_enroll_refetch(&options, e->current, &e->fetched, &e->outcome);
    g_idle_add(finish, e);
    return NULL;
}

/* The thread gets a copy: the configuration in force may be replaced meanwhile. */
static gboolean start(gpointer data)
{
    struct reload_refetch *r = data;
    const struct reload_config *config = reload_overlay_config(r->overlay);
    const struct reload_cert_document_policy policy = reload_able_policy();
    struct exchange *e = g_new0(struct exchange, 1);
    r->timer = 0;
    if (reload_cert_document_parse(config->document, config->instance_name, &policy, &e->current,
                                   NULL)) {
        exchange_free(e);
        return G_SOURCE_REMOVE;
    }
    e->owner = r;
    e->source = g_strdup(r->source ? r->source : config->instance_name);
    e->ca_file = g_strdup(r->ca_file);
    r->exchange = e;
    g_thread_unref(g_thread_new("refetch", work, e));
    return G_SOURCE_REMOVE;
}

static guint seconds_until(const struct reload_config *config)
{
    uint64_t now = reload_overlay_now().unix_ms;
    uint64_t random = (uint64_t)g_random_int() << 32 | g_random_int();
    uint64_t at = reload_enroll_refetch_at_ms(config, now, random);
    return at <= now ? 0 : (guint)MIN((at - now) / 1000, G_MAXINT);
}

static void arm(struct reload_refetch *r, bool again)
{
    const struct reload_config *config = reload_overlay_config(r->overlay);
    if (r->timer)
        g_source_remove(r->timer);
    r->timer = 0;
    if (config->expiration_ms == RELOAD_NEVER || r->exchange)
        return;
    guint seconds = seconds_until(config);
    if (again && seconds < RELOAD_REFETCH_AGAIN_S)
        seconds = RELOAD_REFETCH_AGAIN_S;
    r->timer = g_timeout_add_seconds(seconds, start, r);
}

struct reload_refetch *reload_refetch_new(const struct reload_refetch_options *options)
{
    struct reload_refetch *r = g_new0(struct reload_refetch, 1);
    r->overlay = options->overlay;
    r->source = g_strdup(options->source);
    r->ca_file = g_strdup(options->ca_file);
    r->log = options->log;
    arm(r, false);
    return r;
}

void reload_refetch_configured(struct reload_refetch *r)
{
    arm(r, false);
}

void reload_refetch_free(struct reload_refetch *r)
{
    if (!r)
        return;
    if (r->timer)
        g_source_remove(r->timer);
    if (r->exchange)
        r->exchange->owner = NULL;
    g_free(r->source);
    g_free(r->ca_file);
    g_free(r);
}
