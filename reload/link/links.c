#include "reload/link/links.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "reload/alloc.h"
#include "reload/frame/reliable.h"
#include "reload/link/datagram.h"
#include "reload/link/links_internal.h"

#define EPOLL_BATCH   64
#define EPOLL_BATCHES 16 /* in one round */

static struct reload_link **bucket(const struct reload_links *links, reload_link_id id)
{
    return (struct reload_link **)&links->buckets[id % RELOAD_LINK_BUCKETS];
}

struct reload_link *reload_links_find(const struct reload_links *links, reload_link_id id)
{
    struct reload_link *link = *bucket(links, id);
    while (link && link->id != id)
        link = link->bucket_next;
    return link;
}

struct reload_link *reload_link_new(struct reload_links *links, bool raw, int *error)
{
    *error = RELOAD_E_LIMIT;
    if (links->count >= links->config.limits.links || links->last_id == UINT32_MAX)
        return NULL;
    struct reload_link *link = reload_calloc(1, sizeof *link);
    struct reload_link_raw *raw_part = raw ? reload_calloc(1, sizeof *raw_part) : NULL;
    *error = RELOAD_E_NOMEM;
    if (!link || (raw && !raw_part)) {
        reload_free(link);
        reload_free(raw_part);
        return NULL;
    }
    link->raw = raw_part;
    link->set = links;
    link->id = ++links->last_id;
    link->fd = -1;
    link->type = RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE;
    link->deadline_ms = RELOAD_NEVER;
    reload_frame_stream_init(&link->stream, links->config.max_message_size);
    reload_frame_sender_init(&link->sender, &reload_frame_stream_timing);
    reload_frame_receiver_init(&link->receiver);
    link->bucket_next = *bucket(links, link->id);
    *bucket(links, link->id) = link;
    TAILQ_INSERT_TAIL(&links->all, link, in_all);
    links->count++;
    return link;
}

static void destroy(struct reload_link *link)
{
    struct reload_links *links = link->set;
    struct reload_link **at = bucket(links, link->id);
    while (*at != link)
        at = &(*at)->bucket_next;
    *at = link->bucket_next;
    TAILQ_REMOVE(&links->all, link, in_all);
    if (link->is_ready)
        TAILQ_REMOVE(&links->ready, link, in_ready);
    if (link->is_dirty)
        TAILQ_REMOVE(&links->dirty, link, in_dirty);
    if (link->is_noted)
        TAILQ_REMOVE(&links->noted, link, in_noted);
    if (links->reading == link)
        links->reading = NULL;
    if (link->fd >= 0)
        close(link->fd);
    reload_datagram_release(link);
    reload_reliable_free(link->undelivered);
    reload_engine_free(link->engine);
    reload_buffer_free(&link->queue);
    reload_frame_stream_fini(&link->stream);
    if (link->raw && link->raw->door)
        reload_udp_close_door(link->raw->door);
    reload_free(link->dial);
    reload_free(link->raw);
    reload_free(link);
}

void reload_link_mark_ready(struct reload_link *link)
{
    if (link->is_ready)
        return;
    link->is_ready = true;
    link->budget = link->raw ? RELOAD_LINK_RAW_BUDGET : RELOAD_LINK_READ_BUDGET;
    link->drained = false;
    TAILQ_INSERT_TAIL(&link->set->ready, link, in_ready);
}

void reload_link_mark_dirty(struct reload_link *link)
{
    if (link->is_dirty)
        return;
    link->is_dirty = true;
    TAILQ_INSERT_TAIL(&link->set->dirty, link, in_dirty);
}

void reload_link_note(struct reload_link *link)
{
    if (link->is_noted)
        return;
    link->is_noted = true;
    TAILQ_INSERT_TAIL(&link->set->noted, link, in_noted);
}

void reload_link_rearm(struct reload_link *link)
{
    uint64_t deadline_ms = reload_link_deadline(link);
    if (deadline_ms < link->set->earliest_ms)
        link->set->earliest_ms = deadline_ms;
}

/* --- the set --- */

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value ? value : otherwise;
}

static void fill_limits(struct reload_links_limits *limits)
{
    limits->links = or_default(limits->links, 1024);
    limits->handshakes = or_default(limits->handshakes, 128);
    limits->inbound_per_address = or_default(limits->inbound_per_address, 256);
    limits->connect_ms = or_default(limits->connect_ms, 5000);
    limits->handshake_ms = or_default(limits->handshake_ms, 10000);
    limits->queue_bytes = or_default(limits->queue_bytes, 256 * 1024);
    limits->queue_messages = or_default(limits->queue_messages, 256);
}

static int set_up(struct reload_links *links)
{
    links->cipher = reload_alloc(RELOAD_LINK_READ_LEN);
    links->plain = reload_alloc(RELOAD_LINK_READ_LEN);
    if (!links->cipher || !links->plain)
        return RELOAD_E_NOMEM;
    links->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    links->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (links->epoll_fd < 0 || links->spare_fd < 0) {
        reload_log_write(links->config.log, RELOAD_LOG_ERROR, "link", "no descriptor: %s",
                         strerror(errno));
        return RELOAD_E_IO;
    }
    return reload_engine_context_new(links->config.identity, links->config.identity_context,
                                     links->config.log, &links->engines);
}

int reload_links_new(const struct reload_links_config *config, struct reload_links **out)
{
    if (config->max_message_size == 0 || config->max_message_size > RELOAD_FRAME_MESSAGE_MAX)
        return RELOAD_E_INVALID;
    struct reload_links *links = reload_calloc(1, sizeof *links);
    if (!links)
        return RELOAD_E_NOMEM;
    links->config = *config;
    fill_limits(&links->config.limits);
    if (!links->config.path_mtu)
        links->config.path_mtu = RELOAD_LINK_PATH_MTU;
    links->epoll_fd = links->spare_fd = -1;
    links->earliest_ms = RELOAD_NEVER;
    TAILQ_INIT(&links->all);
    TAILQ_INIT(&links->ready);
    TAILQ_INIT(&links->dirty);
    TAILQ_INIT(&links->noted);
    TAILQ_INIT(&links->invitations);
    for (size_t i = 0; i < RELOAD_LINK_ALL_LISTENERS; i++)
        links->listeners[i].fd = -1;
    int status = set_up(links);
    if (status) {
        reload_links_free(links);
        return status;
    }
    *out = links;
    return 0;
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void reload_links_free(struct reload_links *links)
{
    if (!links)
        return;
    while (!TAILQ_EMPTY(&links->all))
        destroy(TAILQ_FIRST(&links->all));
    reload_datagrams_free(links);
    reload_invitations_free(links);
    for (size_t i = 0; i < RELOAD_LINK_ALL_LISTENERS; i++)
        close_if_open(links->listeners[i].fd);
    close_if_open(links->epoll_fd);
    close_if_open(links->spare_fd);
    reload_engine_context_free(links->engines);
    reload_buffer_free(&links->certificate);
    reload_free(links->cipher);
    reload_free(links->plain);
    reload_free(links);
}

void reload_links_set_max_message_size(struct reload_links *links, uint32_t max_message_size)
{
    links->config.max_message_size = max_message_size;
    struct reload_link *link;
    TAILQ_FOREACH(link, &links->all, in_all)
    link->stream.max_message_size = max_message_size;
}

int reload_links_fd(const struct reload_links *links)
{
    return links->epoll_fd;
}

uint64_t reload_links_deadline(const struct reload_links *links)
{
    bool work_is_left = !TAILQ_EMPTY(&links->ready) || !TAILQ_EMPTY(&links->dirty) ||
                        !TAILQ_EMPTY(&links->noted) || links->expired > 0 ||
                        reload_datagrams_are_waiting(links);
    return work_is_left ? links->now.monotonic_ms : links->earliest_ms;
}

/* --- one round --- */

static void ready(struct reload_links *links, const struct epoll_event *seen)
{
    uint64_t key = seen->data.u64;
    if (reload_datagrams_ready(links, key, seen->events))
        return;
    if (key > UINT32_MAX) {
        reload_links_accept(links, &links->listeners[key & UINT32_MAX]);
        return;
    }
    struct reload_link *link = reload_links_find(links, (reload_link_id)key);
    if (!link || link->state == RELOAD_LINK_DEAD)
        return;
    link->ready = seen->events;
    if (link->state != RELOAD_LINK_CONNECTING && seen->events & EPOLLOUT)
        reload_link_mark_dirty(link);
    if (link->state == RELOAD_LINK_CONNECTING || seen->events & ~(uint32_t)EPOLLOUT)
        reload_link_mark_ready(link);
}

static void look(struct reload_links *links)
{
    struct epoll_event seen[EPOLL_BATCH];
    for (int batch = 0; batch < EPOLL_BATCHES; batch++) {
        int n = epoll_wait(links->epoll_fd, seen, EPOLL_BATCH, 0);
        for (int i = 0; i < n; i++)
            ready(links, &seen[i]);
        if (n < EPOLL_BATCH)
            return;
    }
}

static void run_deadlines(struct reload_links *links)
{
    links->earliest_ms = RELOAD_NEVER;
    struct reload_link *link, *after;
    for (link = TAILQ_FIRST(&links->all); link; link = after) {
        after = TAILQ_NEXT(link, in_all);
        reload_link_tick(link);
        reload_link_rearm(link);
    }
    uint64_t listeners_ms = reload_links_resume_listeners(links);
    uint64_t invitations_ms = reload_invitations_tick(links);
    if (invitations_ms < listeners_ms)
        listeners_ms = invitations_ms;
    if (listeners_ms < links->earliest_ms)
        links->earliest_ms = listeners_ms;
}

void reload_links_process(struct reload_links *links, struct reload_time now)
{
    links->now = now;
    look(links);
    /* Deadlines are judged after reading: what saves a link may have waited while we were busy. */
    links->deadlines_due = now.monotonic_ms >= links->earliest_ms;
}

/* --- what the owner is told --- */

static void describe_up(struct reload_link *link, struct reload_link_event *event)
{
    struct reload_links *links = link->set;
    link->told_up = true;
    event->type = RELOAD_LINK_UP;
    event->peer = reload_engine_peer(link->engine);
    event->link_type = link->type;
    event->mtu = link->dtls ? reload_datagram_mtu(link) : 0;
    reload_buffer_free(&links->certificate);
    if (link->raw)
        reload_raw_describe(link, event);
    if (reload_engine_certificate(link->engine, &links->certificate) == 0)
        event->certificate =
            reload_slice_of(links->certificate.p, reload_buffer_len(&links->certificate));
}

static void describe_down(struct reload_link *link, struct reload_link_event *event)
{
    link->told_over = true;
    event->type = RELOAD_LINK_DOWN;
    event->error = link->error;
    event->reason = link->reason;
}

static bool describe_returned(struct reload_link *link, struct reload_link_event *event)
{
    event->type = RELOAD_LINK_RETURNED;
    return link->undelivered && reload_reliable_take(link->undelivered, &event->message);
}

/* The next thing to tell of a link; false when there is none. */
static bool describe(struct reload_link *link, struct reload_link_event *event)
{
    *event = (struct reload_link_event){
        .link = link->id, .inbound = link->inbound, .raw = link->raw != NULL, .address = link->far
    };
    if (reload_channel_tell(link, event))
        return true;
    if (link->over) {
        bool known = link->told_up || !link->inbound; /* the owner has heard of it */
        if (!known)
            return false;
        if (link->told_over)
            return describe_returned(link, event);
        describe_down(link, event);
        return true;
    }
    if (!reload_link_is_up(link))
        return false;
    if (!link->told_up) {
        describe_up(link, event);
        return true;
    }
    if (link->raw)
        return reload_raw_tell(link, event);
    bool suspect = reload_link_is_suspect(link);
    if (suspect == link->told_suspect)
        return reload_narrow_tell(link, event) || reload_idle_tell(link, event);
    link->told_suspect = suspect;
    event->type = suspect ? RELOAD_LINK_SUSPECT : RELOAD_LINK_RECOVERED;
    return true;
}

static bool tell(struct reload_links *links, struct reload_link_event *event)
{
    struct reload_link *link;
    while ((link = TAILQ_FIRST(&links->noted))) {
        if (describe(link, event))
            return true;
        link->is_noted = false;
        TAILQ_REMOVE(&links->noted, link, in_noted);
        if (link->state == RELOAD_LINK_DEAD)
            destroy(link); /* its last event was pulled, so nobody holds its bytes */
    }
    return links->expired > 0 && reload_invitations_tell(links, event);
}

static bool read_on(struct reload_links *links, struct reload_link_event *event)
{
    struct reload_link *link = TAILQ_FIRST(&links->ready);
    switch (reload_link_step(link, event)) {
    case RELOAD_STEP_MESSAGE: return true;
    case RELOAD_STEP_AGAIN: return false;
    case RELOAD_STEP_DONE: break;
    }
    link->is_ready = false;
    TAILQ_REMOVE(&links->ready, link, in_ready);
    return false;
}

static void write_on(struct reload_links *links)
{
    struct reload_link *link;
    while ((link = TAILQ_FIRST(&links->dirty))) {
        link->is_dirty = false;
        TAILQ_REMOVE(&links->dirty, link, in_dirty);
        reload_link_flush(link);
    }
}

bool reload_links_next(struct reload_links *links, struct reload_link_event *event)
{
    enum reload_link_step step;
    for (;;) {
        if (tell(links, event))
            return true;
        if (!TAILQ_EMPTY(&links->ready)) {
            if (read_on(links, event))
                return true;
        } else if ((step = reload_datagrams_step(links, event)) != RELOAD_STEP_DONE) {
            if (step == RELOAD_STEP_MESSAGE)
                return true;
        } else if (links->deadlines_due) {
            links->deadlines_due = false;
            run_deadlines(links);
        } else if (!TAILQ_EMPTY(&links->dirty)) {
            write_on(links);
        } else {
            if (links->config.pcap)
                reload_pcap_flush(links->config.pcap);
            return false;
        }
    }
}

void reload_links_flush(struct reload_links *links, struct reload_time now)
{
    links->now = now;
    write_on(links);
}

void reload_links_close(struct reload_links *links, reload_link_id id, const char *reason,
                        struct reload_time now)
{
    links->now = now;
    struct reload_link *link = reload_links_find(links, id);
    if (link)
        reload_link_end(link, reason);
}
