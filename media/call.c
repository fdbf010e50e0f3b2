#include "media/call.h"
#include "media/device.h"
#include "media/dtmf.h"
#include "media/record.h"
#include "reload/alloc.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#define BLOCK_NS (RELOAD_MEDIA_BLOCK_MS * UINT64_C(1000000))

struct datagram {
    uint64_t source;
    struct reload_time arrived;
    size_t len;
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
};

/* What other threads leave for the media thread, and what it leaves for them. The lock is held for
 * copying only. */
struct desk {
    pthread_mutex_t lock;
    struct datagram inbox[RELOAD_MEDIA_INBOX]; /* a ring */
    size_t first, count;
    bool stop, keyed, moved, held, negotiated;
    bool orphan; /* nobody holds the call any more: the thread frees it */
    uint8_t payload_type, dtmf_payload_type;
    struct reload_media_keying keying; /* material stands in the next member */
    uint8_t material[RELOAD_MEDIA_SRTP_MATERIAL_MAX];
    uint64_t source;
    char pressed[RELOAD_MEDIA_DTMF_QUEUE];
    size_t pressed_count;
    char heard[RELOAD_MEDIA_KEYS_HEARD];
    size_t heard_count;
    struct reload_media_call_status status;
};

/* The way out, closed when the host goes. The lock is held while a datagram is sent. */
struct gate {
    pthread_mutex_t lock;
    const struct reload_media_transport_ops *ops; /* NULL: closed */
    void *context;
    int wake;
};

struct reload_media_call {
    struct desk desk;
    struct gate gate;
    /* The media thread's own from here on. */
    char *device_spec;
    struct reload_media_stream *stream;
    struct reload_media_device *device;
    struct reload_media_recorder *recorder;
    bool recording_failed;
    uint64_t started_ns; /* of the last block */
    struct datagram current;
    int16_t mic[RELOAD_MEDIA_BLOCK], speaker[RELOAD_MEDIA_BLOCK];
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct reload_time present(void)
{
    return (struct reload_time){ clock_ns(CLOCK_MONOTONIC) / 1000000,
                                 clock_ns(CLOCK_REALTIME) / 1000000 };
}

static int send_through_gate(void *context, const uint8_t *bytes, size_t len)
{
    struct gate *gate = context;
    pthread_mutex_lock(&gate->lock);
    int error = gate->ops ? gate->ops->send(gate->context, bytes, len) : RELOAD_E_CLOSED;
    pthread_mutex_unlock(&gate->lock);
    return error;
}

static const struct reload_media_transport_ops gate_ops = { send_through_gate };

/* The gate is locked. */
static void wake_behind(struct gate *gate)
{
    if (gate->ops && gate->wake >= 0)
        (void)eventfd_write(gate->wake, 1);
}

static void wake_host(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    wake_behind(gate);
    pthread_mutex_unlock(&gate->lock);
}

/* Takes the next datagram off the desk; false when there is none. */
static bool next_datagram(struct reload_media_call *call)
{
    struct desk *desk = &call->desk;
    pthread_mutex_lock(&desk->lock);
    bool any = desk->count > 0;
    if (any) {
        const struct datagram *from = &desk->inbox[desk->first];
        call->current.source = from->source;
        call->current.arrived = from->arrived;
        call->current.len = from->len;
        memcpy(call->current.bytes, from->bytes, from->len);
        desk->first = (desk->first + 1) % RELOAD_MEDIA_INBOX;
        desk->count--;
    }
    pthread_mutex_unlock(&desk->lock);
    return any;
}

/* Does what was left on the desk. Returns false when the call shall end. */
static bool obey(struct reload_media_call *call)
{
    struct desk *desk = &call->desk;
    struct reload_media_stream *stream = call->stream;
    pthread_mutex_lock(&desk->lock);
    if (desk->keyed) {
        int error = reload_media_stream_key(stream, &desk->keying);
        if (error != 0)
            desk->status.error = error;
        explicit_bzero(desk->material, sizeof desk->material);
        desk->keyed = false;
    }
    if (desk->moved)
        reload_media_stream_move(stream, desk->source);
    desk->moved = false;
    reload_media_stream_send(stream, !desk->held);
    if (desk->negotiated &&
        reload_media_stream_negotiate(stream, desk->payload_type, desk->dtmf_payload_type) != 0)
        desk->status.error = RELOAD_E_INVALID;
    desk->negotiated = false;
    for (size_t i = 0; i < desk->pressed_count; i++)
        desk->status.keys_refused += reload_media_stream_press(stream, desk->pressed[i]) != 0;
    desk->pressed_count = 0;
    bool go_on = !desk->stop;
    pthread_mutex_unlock(&desk->lock);
    return go_on;
}

/* Leaves what happened on the desk. Returns whether the host wants to know at once. */
static bool report(struct reload_media_call *call, int error, uint64_t start_ns)
{
    struct desk *desk = &call->desk;
    struct reload_media_call_status *status = &desk->status;
    uint64_t took_ns = clock_ns(CLOCK_MONOTONIC) - start_ns;
    pthread_mutex_lock(&desk->lock);
    bool heard_before = status->counters.frames_played > 0, bye_before = status->quality.remote_bye;
    bool news = error != 0 || status->recording_failed != call->recording_failed;
    if (error != 0) {
        status->error = error;
        status->reason = "the sound device is gone";
    }
    status->recording_failed = call->recording_failed;
    status->blocks++;
    status->late_blocks += took_ns > BLOCK_NS || start_ns - call->started_ns > 2 * BLOCK_NS;
    reload_media_stream_counters(call->stream, &status->counters);
    reload_media_stream_quality(call->stream, &status->quality);
    news |= heard_before != (status->counters.frames_played > 0);
    news |= bye_before != status->quality.remote_bye;
    while (desk->heard_count < RELOAD_MEDIA_KEYS_HEARD) {
        char key = reload_media_stream_heard(call->stream);
        if (key == 0)
            break;
        desk->heard[desk->heard_count++] = key;
        news = true;
    }
    pthread_mutex_unlock(&desk->lock);
    call->started_ns = start_ns;
    return news;
}

/* A full disk ends the recording, not the call. */
static void record(struct reload_media_call *call)
{
    if (!call->recorder ||
        reload_media_recorder_write(call->recorder, reload_media_stream_said(call->stream),
                                    call->speaker) == 0)
        return;
    reload_media_recorder_free(call->recorder);
    call->recorder = NULL;
    call->recording_failed = true;
}

/* Waits for the device, then does everything that one block takes. False: this was the last. */
static bool one_block(struct reload_media_call *call)
{
    int error = reload_media_device_exchange(call->device, call->speaker, call->mic);
    uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
    if (!obey(call)) /* after the wait: keys that came meanwhile are used at once */
        return false;
    while (next_datagram(call))
        reload_media_stream_receive(call->stream, call->current.source, call->current.bytes,
                                    call->current.len, call->current.arrived);
    if (error == 0) {
        reload_media_stream_exchange(call->stream, call->mic, call->speaker, present());
        record(call);
    }
    if (report(call, error, start_ns))
        wake_host(&call->gate);
    return error == 0;
}

static void release(struct reload_media_call *call)
{
    reload_media_recorder_free(call->recorder);
    reload_media_device_close(call->device);
    reload_media_stream_free(call->stream);
    pthread_mutex_destroy(&call->desk.lock);
    pthread_mutex_destroy(&call->gate.lock);
    explicit_bzero(call->desk.material, sizeof call->desk.material);
    reload_free(call->device_spec);
    reload_free(call);
}

/* The device and the recording are closed before the host is told: it may read the files then. */
static void finish(struct reload_media_call *call, int error)
{
    reload_media_recorder_free(call->recorder);
    reload_media_device_close(call->device);
    call->recorder = NULL;
    call->device = NULL;
    pthread_mutex_lock(&call->desk.lock);
    if (error != 0) {
        call->desk.status.error = error;
        call->desk.status.reason =
            "the sound device, or the sound file, cannot be opened; see reload audio devices";
    }
    pthread_mutex_unlock(&call->desk.lock);
}

/* A block a few milliseconds late is heard. Where the system allows it the thread goes before
 * others; it needs a twentieth of a core at most. Threads of the sound server's library do not
 * inherit that. */
static void go_before_others(void)
{
    struct sched_param least = { sched_get_priority_min(SCHED_RR) };
    (void)sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &least);
}

/* Tells that the call has ended; returns whether nobody is there to hear it. Its owner may free it
 * as soon as it can know, so the gate is locked until it has been woken: always before the desk. */
static bool end(struct reload_media_call *call)
{
    pthread_mutex_lock(&call->gate.lock);
    pthread_mutex_lock(&call->desk.lock);
    call->desk.status.ended = true;
    reload_media_stream_counters(call->stream, &call->desk.status.counters);
    bool orphan = call->desk.orphan;
    pthread_mutex_unlock(&call->desk.lock);
    wake_behind(&call->gate);
    pthread_mutex_unlock(&call->gate.lock);
    return orphan;
}

static void *run(void *argument)
{
    struct reload_media_call *call = argument;
    go_before_others();
    int error = reload_media_device_open(call->device_spec, true, &call->device);
    call->started_ns = clock_ns(CLOCK_MONOTONIC);
    if (error == 0)
        while (one_block(call))
            ;
    reload_media_stream_bye(call->stream, present());
    finish(call, error);
    if (end(call))
        release(call);
    return NULL;
}

static int begin_thread(struct reload_media_call *call)
{
    pthread_attr_t detached;
    pthread_t thread;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    int error = pthread_create(&thread, &detached, run, call) == 0 ? 0 : RELOAD_E_IO;
    pthread_attr_destroy(&detached);
    return error;
}

/* A thread of the host that is not served while it holds a lock would keep the media thread
 * waiting, which goes before it: until it lets go it is served like that one. */
static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t inherit;
    pthread_mutexattr_init(&inherit);
    (void)pthread_mutexattr_setprotocol(&inherit, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(lock, &inherit);
    pthread_mutexattr_destroy(&inherit);
}

int reload_media_call_start(const struct reload_media_call_options *options,
                            const struct reload_media_transport_ops *ops, void *context,
                            struct reload_media_call **out)
{
    *out = NULL;
    if (!reload_media_device_exists(options->device))
        return RELOAD_E_NOT_FOUND;
    struct reload_media_call *call = reload_calloc(1, sizeof *call);
    if (!call)
        return RELOAD_E_NOMEM;
    init_lock(&call->desk.lock);
    init_lock(&call->gate.lock);
    call->gate.ops = ops;
    call->gate.context = context;
    call->gate.wake = options->wake;
    call->device_spec = reload_strndup(options->device, strlen(options->device));
    int error = call->device_spec ? 0 : RELOAD_E_NOMEM;
    if (error == 0)
        error = reload_media_stream_new(&options->stream, &gate_ops, &call->gate, &call->stream);
    if (error == 0 && options->recording)
        error = reload_media_recorder_new(options->recording, &call->recorder);
    if (error == 0)
        error = begin_thread(call);
    if (error != 0) {
        release(call);
        return error;
    }
    *out = call;
    return 0;
}

void reload_media_call_stop(struct reload_media_call *call)
{
    pthread_mutex_lock(&call->desk.lock);
    call->desk.stop = true;
    pthread_mutex_unlock(&call->desk.lock);
}

void reload_media_call_free(struct reload_media_call *call)
{
    if (!call)
        return;
    pthread_mutex_lock(&call->gate.lock);
    call->gate.ops = NULL;
    pthread_mutex_unlock(&call->gate.lock);
    pthread_mutex_lock(&call->desk.lock);
    call->desk.stop = call->desk.orphan = true;
    bool ended = call->desk.status.ended;
    pthread_mutex_unlock(&call->desk.lock);
    if (ended)
        release(call);
}

int reload_media_call_key(struct reload_media_call *call, const struct reload_media_keying *keying)
{
    struct desk *desk = &call->desk;
    size_t len = reload_media_srtp_material_len(keying->profile);
    if (len == 0 || len != keying->material_len)
        return RELOAD_E_INVALID;
    pthread_mutex_lock(&desk->lock);
    desk->keying = *keying;
    desk->keying.material = desk->material;
    memcpy(desk->material, keying->material, len);
    desk->keyed = true;
    pthread_mutex_unlock(&desk->lock);
    return 0;
}

int reload_media_call_receive(struct reload_media_call *call, uint64_t source, const uint8_t *bytes,
                              size_t len)
{
    struct desk *desk = &call->desk;
    struct reload_time arrived = present(); /* the media thread looks up to a block later */
    pthread_mutex_lock(&desk->lock);
    bool room = desk->count < RELOAD_MEDIA_INBOX && len <= RELOAD_MEDIA_PACKET_MAX;
    if (room) {
        struct datagram *to = &desk->inbox[(desk->first + desk->count++) % RELOAD_MEDIA_INBOX];
        to->source = source;
        to->arrived = arrived;
        to->len = len;
        if (len > 0)
            memcpy(to->bytes, bytes, len);
    } else {
        desk->status.inbox_dropped++;
    }
    pthread_mutex_unlock(&desk->lock);
    return room ? 0 : RELOAD_E_LIMIT;
}

void reload_media_call_move(struct reload_media_call *call, uint64_t source)
{
    pthread_mutex_lock(&call->desk.lock);
    call->desk.source = source;
    call->desk.moved = true;
    pthread_mutex_unlock(&call->desk.lock);
}

void reload_media_call_send(struct reload_media_call *call, bool on)
{
    pthread_mutex_lock(&call->desk.lock);
    call->desk.held = !on;
    pthread_mutex_unlock(&call->desk.lock);
}

int reload_media_call_negotiate(struct reload_media_call *call, uint8_t payload_type,
                                uint8_t dtmf_payload_type)
{
    if (!reload_media_payload_types_valid(payload_type, dtmf_payload_type))
        return RELOAD_E_INVALID;
    pthread_mutex_lock(&call->desk.lock);
    call->desk.payload_type = payload_type;
    call->desk.dtmf_payload_type = dtmf_payload_type;
    call->desk.negotiated = true;
    pthread_mutex_unlock(&call->desk.lock);
    return 0;
}

int reload_media_call_press(struct reload_media_call *call, char key)
{
    struct desk *desk = &call->desk;
    pthread_mutex_lock(&desk->lock);
    bool room = desk->pressed_count < sizeof desk->pressed;
    if (room)
        desk->pressed[desk->pressed_count++] = key;
    pthread_mutex_unlock(&desk->lock);
    return room ? 0 : RELOAD_E_LIMIT;
}

void reload_media_call_status(struct reload_media_call *call, struct reload_media_call_status *out)
{
    pthread_mutex_lock(&call->desk.lock);
    *out = call->desk.status;
    pthread_mutex_unlock(&call->desk.lock);
}

char reload_media_call_heard(struct reload_media_call *call)
{
    struct desk *desk = &call->desk;
    pthread_mutex_lock(&desk->lock);
    char key = desk->heard_count > 0 ? desk->heard[0] : 0;
    if (key)
        memmove(desk->heard, desk->heard + 1, --desk->heard_count);
    pthread_mutex_unlock(&desk->lock);
    return key;
}
