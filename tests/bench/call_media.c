#include "call_media.h"
#include "bench.h"
#include "media/similarity.h"
#include "media/udp_transport.h"
#include "tests/media/pair.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define CALLS     9
#define EAR_CALLS 3
#define SPEECH_S  6
#define CALL_MS   5000
#define ENDS_MAX  128

struct end {
    struct reload_media_udp *udp;
    struct reload_media_session *session;
    struct noise noise;
    enum reload_media_session_state state;
    uint64_t audio_ns;
};

static struct reload_engine_srtp *certificate;
static struct end ends[ENDS_MAX];

static struct reload_time now(void)
{
    uint64_t unix_ms = bench_clock_ns(CLOCK_REALTIME) / 1000000;
    return (struct reload_time){ bench_wall_ns() / 1000000, unix_ms };
}

static struct reload_media_session_options options_of(struct end *end, const char *device)
{
    if (!certificate)
        BENCH_CHECK(reload_engine_srtp_new(NULL, NULL, NULL, now(), &certificate) == 0);
    struct reload_media_session_options options = { .certificate = certificate,
                                                    .stream = reload_media_stream_defaults(),
                                                    .device = device };
    end->noise = noise_of((uint64_t)(end - ends) + 1);
    options.stream.random = random_of(&end->noise);
    options.stream.encoder.dtx = false;
    return options;
}

static void open_end(struct end *end, const struct reload_media_session_options *options)
{
    struct noise noise = end->noise;
    struct reload_link_address loopback;
    *end = (struct end){ .noise = noise };
    BENCH_CHECK(reload_link_address_parse("127.0.0.1", 0, &loopback) == 0);
    BENCH_CHECK(reload_media_udp_new(&loopback, &end->udp) == 0);
    BENCH_CHECK(reload_media_session_new(options, &reload_media_udp_ops, end->udp, &end->session) ==
                0);
}

static void look_at(struct end *end, bool datagrams, bool news)
{
    struct reload_media_event event;
    if (datagrams)
        (void)reload_media_udp_read(end->udp, end->session, now());
    if (end->state == RELOAD_MEDIA_SESSION_SECURE && !news)
        return;
    reload_media_session_tick(end->session, now());
    while (reload_media_session_next(end->session, &event)) {
        end->state = event.state;
        if (event.type == RELOAD_MEDIA_EVENT_AUDIO)
            end->audio_ns = bench_wall_ns();
    }
}

/* Waits a few milliseconds at most, then does what there is to do for the first `count` ends. */
static void turn(size_t count)
{
    struct pollfd wait[2 * ENDS_MAX];
    for (size_t i = 0; i < count; i++) {
        wait[2 * i] = (struct pollfd){ reload_media_udp_descriptor(ends[i].udp), POLLIN, 0 };
        wait[2 * i + 1] =
            (struct pollfd){ reload_media_session_descriptor(ends[i].session), POLLIN, 0 };
    }
    (void)poll(wait, 2 * count, 5);
    for (size_t i = 0; i < count; i++)
        look_at(&ends[i], wait[2 * i].revents != 0, wait[2 * i + 1].revents != 0);
}

static void run(size_t count, unsigned ms)
{
    uint64_t until_ns = bench_wall_ns() + ms * UINT64_C(1000000);
    while (bench_wall_ns() < until_ns)
        turn(count);
}

/* Devices run already, as while it rings; then both learn of each other. */
static void connect_ends(struct end *offerer, struct end *answerer)
{
    struct reload_media_parameters parameters;
    reload_media_session_local(offerer->session, true, &parameters);
    BENCH_CHECK(reload_media_session_remote(answerer->session, &parameters, now()) == 0);
    reload_media_session_local(answerer->session, false, &parameters);
    BENCH_CHECK(reload_media_session_remote(offerer->session, &parameters, now()) == 0);
    struct reload_link_address far = reload_media_udp_local(answerer->udp);
    reload_media_session_path(offerer->session, reload_media_udp_far(offerer->udp, &far), now());
    far = reload_media_udp_local(offerer->udp);
    reload_media_session_path(answerer->session, reload_media_udp_far(answerer->udp, &far), now());
}

static void start(struct end *end)
{
    BENCH_CHECK(reload_media_session_start(end->session) == 0);
}

static void close_ends(size_t count)
{
    bool open = true;
    for (size_t i = 0; i < count; i++)
        reload_media_session_stop(ends[i].session);
    for (int i = 0; i < 1000 && open; i++) {
        turn(count);
        open = false;
        for (size_t k = 0; k < count; k++)
            open |= ends[k].state != RELOAD_MEDIA_SESSION_ENDED;
    }
    for (size_t i = 0; i < count; i++) {
        reload_media_session_free(ends[i].session);
        reload_media_udp_free(ends[i].udp);
    }
}

double call_media_setup_ms(void)
{
    double ms[2 * CALLS];
    for (size_t call = 0; call < CALLS; call++) {
        for (size_t i = 0; i < 2; i++) {
            struct reload_media_session_options options = options_of(&ends[i], "tone");
            open_end(&ends[i], &options);
            start(&ends[i]);
        }
        run(2, 30 + 7 * (unsigned)call); /* begins anywhere in a block */
        uint64_t began_ns = bench_wall_ns();
        connect_ends(&ends[0], &ends[1]);
        while (!ends[0].audio_ns || !ends[1].audio_ns) {
            BENCH_CHECK(bench_wall_ns() - began_ns < UINT64_C(3000000000));
            turn(2);
        }
        for (size_t i = 0; i < 2; i++)
            ms[2 * call + i] = (double)(ends[i].audio_ns - began_ns) / 1e6;
        close_ends(2);
    }
    return bench_median(ms, 2 * CALLS);
}

/* --- mouth to ear --- */

static const size_t speech_count = (size_t)SPEECH_S * RELOAD_MEDIA_RATE_HZ;

static int16_t *speech(void)
{
    int16_t *pcm = calloc(speech_count, sizeof *pcm);
    make_speech(pcm, speech_count, RELOAD_MEDIA_RATE_HZ, 0);
    return pcm;
}

static void write_speech(const char *path)
{
    SF_INFO info = { .samplerate = RELOAD_MEDIA_RATE_HZ,
                     .channels = 1,
                     .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    int16_t *pcm = speech();
    BENCH_CHECK(file && sf_writef_short(file, pcm, (sf_count_t)speech_count) > 0);
    sf_close(file);
    free(pcm);
}

/* How much later the right channel of a recording says what the left one does. */
static double offset_of(const char *path)
{
    SF_INFO info = { 0 };
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    BENCH_CHECK(file && info.channels == 2);
    size_t count = (size_t)info.frames, skip = RELOAD_MEDIA_RATE_HZ;
    int16_t *both = calloc(2 * count, sizeof *both);
    int16_t *said = calloc(count, sizeof *said), *heard = calloc(count, sizeof *heard);
    count = (size_t)sf_readf_short(file, both, info.frames);
    for (size_t i = 0; i < count; i++) {
        said[i] = both[2 * i];
        heard[i] = both[2 * i + 1];
    }
    sf_close(file);
    struct reload_media_likeness likeness;
    BENCH_CHECK(count > 3 * skip);
    BENCH_CHECK(reload_media_compare(said + skip, count - skip, heard + skip, count - skip, 500,
                                     &likeness) == 0);
    BENCH_CHECK(likeness.similarity > 0.8);
    free(both);
    free(said);
    free(heard);
    return likeness.offset_ms;
}

static double mouth_to_ear_of_one_call(unsigned frame_ms)
{
    char folder[] = "/tmp/reload-bench-XXXXXX", device[80], speech_path[64], recording[64];
    BENCH_CHECK(mkdtemp(folder));
    snprintf(speech_path, sizeof speech_path, "%s/speech.wav", folder);
    snprintf(recording, sizeof recording, "%s/call.wav", folder);
    snprintf(device, sizeof device, "file:%s", speech_path);
    write_speech(speech_path);
    struct reload_media_session_options near = options_of(&ends[0], device);
    struct reload_media_session_options far = options_of(&ends[1], "mirror");
    near.stream.encoder.frame_ms = far.stream.encoder.frame_ms = frame_ms;
    near.recording = recording;
    far.stream.cancel_echo = false;
    open_end(&ends[0], &near);
    open_end(&ends[1], &far);
    connect_ends(&ends[0], &ends[1]);
    start(&ends[0]);
    start(&ends[1]);
    run(2, SPEECH_S * 1000);
    struct reload_media_session_status status;
    reload_media_session_status(ends[0].session, &status);
    close_ends(2);
    /* There and back: a block to fill before it is handed over, the microphone's processing before
     * the recording hears it; and the same processing on the way back, which a mirror has not. */
    double round_ms = offset_of(recording) + RELOAD_MEDIA_BLOCK_MS + status.call.quality.voice_ms;
    unlink(speech_path);
    unlink(recording);
    rmdir(folder);
    return (round_ms + status.call.quality.voice_ms) / 2;
}

double call_mouth_to_ear_ms(unsigned frame_ms)
{
    double ms[EAR_CALLS];
    for (size_t i = 0; i < EAR_CALLS; i++)
        ms[i] = mouth_to_ear_of_one_call(frame_ms);
    return bench_median(ms, EAR_CALLS);
}

double call_mouth_to_ear_rough_ms(unsigned frame_ms, unsigned jitter_ms, double loss)
{
    struct reload_media_stream_options options = pair_options();
    int16_t *said = speech(), *heard = calloc(speech_count, sizeof *heard);
    struct pair *pair = malloc(sizeof *pair);
    options.cancel_echo = true;
    options.encoder.frame_ms = frame_ms;
    pair_make(pair, &options, (struct network){ .loss = loss, .jitter_ms = jitter_ms }, 7);
    double phase_ms = pair->next_ms[1] - pair->next_ms[0];
    pair_key(pair, RELOAD_MEDIA_AEAD_AES_128_GCM);
    pair_talk(pair, (const int16_t *const[]){ said, NULL }, (int16_t *const[]){ NULL, heard },
              speech_count);
    struct reload_media_likeness likeness;
    size_t skip = RELOAD_MEDIA_RATE_HZ;
    BENCH_CHECK(reload_media_compare(said + skip, speech_count - skip, heard + skip,
                                     speech_count - skip, 500, &likeness) == 0);
    pair_free(pair);
    free(pair);
    free(said);
    free(heard);
    return likeness.offset_ms + phase_ms + RELOAD_MEDIA_BLOCK_MS;
}

/* --- many calls --- */

static void stay_on_one_core(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)sched_getcpu(), &set);
    BENCH_CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
}

/* Sleeps a millisecond at a time before everybody else on the core. When it oversleeps, the machine
 * did not run at all, and no program could have been in time. */
struct watch {
    pthread_t thread;
    atomic_bool stop;
    uint64_t longest_ns;
};

static void *watch_machine(void *argument)
{
    struct watch *watch = argument;
    struct sched_param most = { sched_get_priority_max(SCHED_FIFO) };
    (void)sched_setscheduler(0, SCHED_FIFO, &most);
    while (!atomic_load(&watch->stop)) {
        uint64_t due_ns = bench_wall_ns() + 1000000;
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ .tv_nsec = 1000000 }, NULL);
        uint64_t late_ns = bench_wall_ns() - due_ns;
        watch->longest_ns = late_ns > watch->longest_ns ? late_ns : watch->longest_ns;
    }
    return NULL;
}

static uint64_t late_blocks_of(unsigned count)
{
    uint64_t late = 0;
    for (unsigned i = 0; i < count; i++) {
        struct reload_media_session_status status;
        reload_media_session_status(ends[i].session, &status);
        late += status.call.late_blocks;
        BENCH_CHECK(status.call.counters.frames_played > 0);
    }
    return late;
}

static void open_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct reload_media_session_options options = options_of(&ends[i], "tone");
        open_end(&ends[i], &options);
    }
    for (unsigned i = 0; i + 1 < count; i += 2)
        connect_ends(&ends[i], &ends[i + 1]);
    run(count, 500); /* handshakes */
    for (unsigned i = 0; i < count; i++) {
        start(&ends[i]);
        run(count, 3); /* nobody's blocks all fall together */
    }
    run(count, 500);
}

struct call_load call_load(unsigned count)
{
    cpu_set_t before;
    struct watch watch = { 0 };
    BENCH_CHECK(count <= ENDS_MAX && sched_getaffinity(0, sizeof before, &before) == 0);
    stay_on_one_core();
    open_many(count);
    BENCH_CHECK(pthread_create(&watch.thread, NULL, watch_machine, &watch) == 0);
    uint64_t late = late_blocks_of(count), cpu_ns = bench_cpu_ns(), wall_ns = bench_wall_ns();
    run(count, CALL_MS);
    double load = (double)(bench_cpu_ns() - cpu_ns) / (double)(bench_wall_ns() - wall_ns);
    late = late_blocks_of(count) - late;
    atomic_store(&watch.stop, true);
    pthread_join(watch.thread, NULL);
    close_ends(count);
    BENCH_CHECK(sched_setaffinity(0, sizeof before, &before) == 0);
    return (struct call_load){ late, load, (double)watch.longest_ns / 1e6 };
}
