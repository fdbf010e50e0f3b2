/* Calls with threads and devices, in real time: two ends in one process. */

#include "media/call.h"
#include "media/similarity.h"
#include "tests/media/signals.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SAID_S 4
#define COUNT  ((size_t)SAID_S * RELOAD_MEDIA_RATE_HZ)

static char folder[64], said_path[96], heard_path[96], call_path[96], full_path[96];
static struct reload_media_call *ends[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of ends */
static struct noise noise[2];                            /* drawn from on each end's own thread */
static uint8_t material[56];

/* context: the index of the sender */
static int carry(void *context, const uint8_t *bytes, size_t len)
{
    size_t from = (size_t)context;
    pthread_mutex_lock(&lock);
    int error = ends[1 - from] ? reload_media_call_receive(ends[1 - from], from, bytes, len) : 0;
    pthread_mutex_unlock(&lock);
    return error;
}

static const struct reload_media_transport_ops transport = { carry };

static void start(size_t index, const struct reload_media_call_options *options)
{
    struct reload_media_call *call;
    assert_int_equal(reload_media_call_start(options, &transport, (void *)index, &call), 0);
    pthread_mutex_lock(&lock);
    ends[index] = call;
    pthread_mutex_unlock(&lock);
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* Nobody may hand it datagrams any more before it goes. */
static void stop(size_t index)
{
    pthread_mutex_lock(&lock);
    struct reload_media_call *call = ends[index];
    ends[index] = NULL;
    pthread_mutex_unlock(&lock);
    reload_media_call_stop(call);
    struct reload_media_call_status status = { 0 };
    for (int i = 0; i < 200 && !status.ended; i++) {
        sleep_ms(5);
        reload_media_call_status(call, &status);
    }
    assert_true(status.ended);
    reload_media_call_free(call);
}

static struct reload_media_call_options options_of(size_t index, const char *device)
{
    struct reload_media_call_options options = { .stream = reload_media_stream_defaults(),
                                                 .device = device,
                                                 .wake = -1 };
    options.stream.cname = "call";
    options.stream.random = random_of(&noise[index]);
    options.stream.source = 1 - index;
    options.stream.cancel_echo = false;
    options.stream.encoder.complexity = 1;
    return options;
}

static void key(size_t index)
{
    struct reload_media_keying keying = { RELOAD_MEDIA_AEAD_AES_128_GCM,
                                          index == 0 ? RELOAD_MEDIA_DTLS_CLIENT
                                                     : RELOAD_MEDIA_DTLS_SERVER,
                                          material, sizeof material };
    assert_int_equal(reload_media_call_key(ends[index], &keying), 0);
}

static int16_t *read_all(const char *path, size_t *count)
{
    SF_INFO info = { 0 };
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    assert_non_null(file);
    int16_t *pcm = calloc((size_t)(info.frames * info.channels) + 1, sizeof *pcm);
    *count = (size_t)sf_readf_short(file, pcm, info.frames);
    sf_close(file);
    return pcm;
}

static void what_one_says_the_other_hears_and_both_hang_up(void **state)
{
    (void)state;
    char devices[2][256];
    snprintf(devices[0], sizeof devices[0], "file:%s", said_path);
    snprintf(devices[1], sizeof devices[1], "file:,%s", heard_path);
    struct reload_media_call_options options = options_of(1, devices[1]);
    options.recording = call_path;
    start(1, &options);
    options = options_of(0, devices[0]);
    start(0, &options);
    key(0);
    key(1);
    sleep_ms(SAID_S * 500);
    assert_int_equal(reload_media_call_press(ends[1], '5'), 0);
    sleep_ms(SAID_S * 500 + 700);
    struct reload_media_call_status status;
    reload_media_call_status(ends[1], &status);
    assert_int_equal(status.error, 0);
    assert_int_equal(status.inbox_dropped, 0);
    assert_true(status.counters.rtp_received > SAID_S * 30);
    assert_int_equal(reload_media_call_heard(ends[0]), '5');
    assert_int_equal(reload_media_call_heard(ends[0]), 0);
    stop(0);
    sleep_ms(50);
    reload_media_call_status(ends[1], &status);
    assert_true(status.quality.remote_bye);
    stop(1);

    struct reload_media_likeness likeness;
    size_t said_count, heard_count, call_count;
    int16_t *said = read_all(said_path, &said_count), *heard = read_all(heard_path, &heard_count);
    int16_t *recorded = read_all(call_path, &call_count);
    assert_int_equal(reload_media_compare(said, said_count, heard, heard_count, 1000, &likeness),
                     0);
    printf("heard %.0f ms later, similarity %.3f\n", likeness.offset_ms, likeness.similarity);
    assert_true(likeness.similarity > 0.8); /* a machine under load may be late now and then */
    assert_in_range(call_count, heard_count - 960, heard_count + 960);
    free(said);
    free(heard);
    free(recorded);
}

static void too_many_datagrams_are_dropped_and_counted(void **state)
{
    (void)state;
    struct reload_media_call_options options = options_of(1, "null");
    start(1, &options);
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX + 1] = { 0x80 };
    int error = 0;
    for (int i = 0; i < 100000 && error == 0; i++)
        error = reload_media_call_receive(ends[1], 0, bytes, 100);
    assert_int_equal(error, RELOAD_E_LIMIT);
    sleep_ms(40);
    assert_int_equal(reload_media_call_receive(ends[1], 0, bytes, sizeof bytes), RELOAD_E_LIMIT);
    struct reload_media_call_status status;
    reload_media_call_status(ends[1], &status);
    assert_int_equal(status.inbox_dropped, 2);
    assert_true(status.counters.unkeyed >= RELOAD_MEDIA_INBOX);
    stop(1);
}

/* A limit on the size of files stands for a full disk. */
static void a_recording_that_cannot_be_written_ends_and_the_call_goes_on(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct reload_media_call_status status = { 0 };
    struct reload_media_call_options options = options_of(0, "tone");
    options.recording = full_path;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ 8192, before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    start(0, &options);
    for (int i = 0; i < 400 && !status.recording_failed; i++) {
        sleep_ms(5);
        reload_media_call_status(ends[0], &status);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(status.recording_failed);
    uint64_t blocks = status.blocks;
    sleep_ms(100);
    reload_media_call_status(ends[0], &status);
    assert_true(status.blocks > blocks && !status.ended && status.error == 0);
    stop(0);
}

static void what_cannot_start_says_why(void **state)
{
    (void)state;
    struct reload_media_call *call;
    struct reload_media_call_options options = options_of(0, "nothing");
    assert_int_equal(reload_media_call_start(&options, &transport, NULL, &call),
                     RELOAD_E_NOT_FOUND);
    options.device = "null";
    options.recording = "/nonexistent/call.wav";
    assert_int_equal(reload_media_call_start(&options, &transport, NULL, &call), RELOAD_E_IO);
    options.recording = NULL;
    options.stream.encoder.frame_ms = 7;
    assert_int_equal(reload_media_call_start(&options, &transport, NULL, &call), RELOAD_E_INVALID);
    assert_null(call);
    reload_media_call_free(NULL);
}

static int make(void **state)
{
    (void)state;
    noise[0] = noise_of(1);
    noise[1] = noise_of(2);
    snprintf(folder, sizeof folder, "/tmp/reload-call-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(said_path, sizeof said_path, "%s/said.wav", folder);
    snprintf(heard_path, sizeof heard_path, "%s/heard.wav", folder);
    snprintf(call_path, sizeof call_path, "%s/call.wav", folder);
    snprintf(full_path, sizeof full_path, "%s/full.wav", folder);
    SF_INFO info = { .samplerate = RELOAD_MEDIA_RATE_HZ,
                     .channels = 1,
                     .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
    SNDFILE *file = sf_open(said_path, SFM_WRITE, &info);
    int16_t *pcm = calloc(COUNT, sizeof *pcm);
    make_speech(pcm, COUNT, RELOAD_MEDIA_RATE_HZ, 0);
    sf_writef_short(file, pcm, (sf_count_t)COUNT);
    sf_close(file);
    free(pcm);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    unlink(said_path);
    unlink(heard_path);
    unlink(call_path);
    unlink(full_path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_says_the_other_hears_and_both_hang_up),
        cmocka_unit_test(too_many_datagrams_are_dropped_and_counted),
        cmocka_unit_test(a_recording_that_cannot_be_written_ends_and_the_call_goes_on),
        cmocka_unit_test(what_cannot_start_says_why),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
