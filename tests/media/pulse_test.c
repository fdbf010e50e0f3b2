/* The pulse device against a sound server of the test's own with null sinks: what is played comes
 * back from a sink's monitor, and a whole call runs between two of them. */

#include "media/device.h"
#include "media/similarity.h"
#include "tests/media/session_world.h"
#include "tests/media/signals.h"
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __SANITIZE_THREAD__
/* The sound server's library is not built for ThreadSanitizer, which cannot see that its atomics
 * hand buffers from thread to thread. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libpulse\n";
}
#endif

static char folder[64];
static pid_t server; /* 0: there is none */

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static void serve(void)
{
    char native[128];
    snprintf(native, sizeof native, "module-native-protocol-unix auth-anonymous=1 socket=%s/socket",
             folder);
    execlp("pulseaudio", "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1",
           "--use-pid-file=no", "--disable-shm=yes", "--log-level=error", "--load",
           "module-null-sink sink_name=ear rate=48000 channels=1", "--load",
           "module-null-sink sink_name=mouth rate=48000 channels=1", "--load", native,
           (char *)NULL);
    _exit(127);
}

struct found {
    bool sink, monitor;
};

static void note(void *context, const char *line)
{
    struct found *found = context;
    found->sink |= strncmp(line, "sink ear ", 9) == 0;
    found->monitor |= strncmp(line, "source ear.monitor ", 19) == 0;
}

static int start_server(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/reload-pulse-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    char address[96];
    snprintf(address, sizeof address, "unix:%s/socket", folder);
    setenv("PULSE_SERVER", address, 1);
    setenv("PULSE_RUNTIME_PATH", folder, 1);
    setenv("PULSE_STATE_PATH", folder, 1);
    setenv("HOME", folder, 1);
    server = fork();
    if (server == 0)
        serve();
    for (int i = 0; i < 400; i++) {
        struct found found = { 0 };
        int status;
        if (reload_media_pulse.list(note, &found) == 0)
            return 0;
        if (waitpid(server, &status, WNOHANG) == server) {
            server = 0;
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 127)
                return -1;
            printf("pulseaudio is not here: skipped\n");
            return 0;
        }
        sleep_ms(50);
    }
    return -1;
}

static void need_server(void)
{
    if (server <= 0)
        skip();
}

static void end_server(void)
{
    if (server <= 0)
        return;
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    server = 0;
}

static int stop_server(void **state)
{
    (void)state;
    end_server();
    char command_free[128];
    static const char *const left[] = { "socket", ".config/pulse/cookie", ".config/pulse",
                                        ".config", "cookie" };
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        snprintf(command_free, sizeof command_free, "%s/%s", folder, left[i]);
        remove(command_free);
    }
    rmdir(folder);
    return 0;
}

static void sources_and_sinks_are_listed(void **state)
{
    (void)state;
    need_server();
    struct found found = { 0 };
    assert_int_equal(reload_media_pulse.list(note, &found), 0);
    assert_true(found.sink && found.monitor);
}

static void what_is_played_comes_back_from_the_monitor(void **state)
{
    (void)state;
    need_server();
    enum { BLOCKS = 200 };
    static int16_t heard[BLOCKS * RELOAD_MEDIA_BLOCK];
    struct reload_media_device *device;
    int16_t play[RELOAD_MEDIA_BLOCK];
    assert_int_equal(reload_media_device_open("pulse:ear.monitor,ear", true, &device), 0);
    for (size_t n = 0; n < BLOCKS; n++) {
        for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++)
            play[i] = (int16_t)(8000 * sin(2 * M_PI * 1000 * (double)(n * RELOAD_MEDIA_BLOCK + i) /
                                           RELOAD_MEDIA_RATE_HZ));
        assert_int_equal(reload_media_device_exchange(device, play, heard + n * RELOAD_MEDIA_BLOCK),
                         0);
    }
    reload_media_device_close(device);
    const int16_t *last = heard + BLOCKS / 2 * RELOAD_MEDIA_BLOCK;
    size_t count = BLOCKS / 2 * RELOAD_MEDIA_BLOCK;
    double rms = sqrt(energy_of(last, count) / (double)count);
    printf("a tone of 5657 comes back as %.0f\n", rms);
    assert_true(rms > 4000 && rms < 6500);
}

/* Alice's microphone is one null sink's monitor and her loudspeaker the other; Bob says what he
 * hears. What goes into the one comes out of the other, there and back through the call: how like
 * it is. */
static double similarity_of_a_call(void)
{
    enum { BLOCKS = 600 };
    static struct world world;
    static int16_t said[BLOCKS * RELOAD_MEDIA_BLOCK], heard[BLOCKS * RELOAD_MEDIA_BLOCK];
    const size_t start = RELOAD_MEDIA_RATE_HZ, count = BLOCKS * RELOAD_MEDIA_BLOCK - start;
    struct reload_media_device *device;
    struct reload_media_likeness likeness;
    make_speech(said, BLOCKS * RELOAD_MEDIA_BLOCK, RELOAD_MEDIA_RATE_HZ, 1);
    world_make(&world);
    world_open(&world, 0, "pulse:mouth.monitor,ear", NULL);
    world_open(&world, 1, "mirror", NULL);
    world_negotiate(&world);
    world_start(&world);
    assert_true(world_reach(&world, RELOAD_MEDIA_SESSION_SECURE));
    assert_int_equal(reload_media_device_open("pulse:ear.monitor,mouth", true, &device), 0);
    for (size_t at = 0; at < BLOCKS * RELOAD_MEDIA_BLOCK; at += RELOAD_MEDIA_BLOCK) {
        assert_int_equal(reload_media_device_exchange(device, said + at, heard + at), 0);
        world_run(&world, 1);
    }
    reload_media_device_close(device);
    struct reload_media_session_status alice = world_status(&world, 0);
    world_free(&world);
    assert_int_equal(
        reload_media_compare(said + start, count, heard + start, count, 1000, &likeness), 0);
    printf("heard %.0f ms later, similarity %.3f\n", likeness.offset_ms, likeness.similarity);
    assert_int_equal(alice.call.error, 0);
    assert_true(alice.call.counters.frames_played > 200);
    return likeness.similarity;
}

/* PulseAudio drops sound that a busy machine brings too late: one call in three has to be whole. */
static void a_call_runs_between_null_sinks(void **state)
{
    (void)state;
    need_server();
    double best = 0;
    for (int tries = 0; tries < 3 && best <= 0.8; tries++)
        best = fmax(best, similarity_of_a_call());
    assert_true(best > 0.8);
}

static void names_nobody_has_are_refused(void **state)
{
    (void)state;
    need_server();
    struct reload_media_device *device;
    assert_int_equal(reload_media_device_open("pulse:nobody", true, &device), RELOAD_E_IO);
    assert_int_equal(reload_media_device_open("pulse:,nobody", true, &device), RELOAD_E_IO);
}

static void a_server_that_dies_is_an_error_and_no_hang(void **state)
{
    (void)state;
    need_server();
    struct reload_media_device *device;
    int16_t block[RELOAD_MEDIA_BLOCK] = { 0 };
    assert_int_equal(reload_media_device_open("pulse:ear.monitor,ear", true, &device), 0);
    end_server();
    int error = 0;
    for (int i = 0; i < 100 && error == 0; i++)
        error = reload_media_device_exchange(device, block, block);
    assert_int_equal(error, RELOAD_E_IO);
    reload_media_device_close(device);
    assert_int_equal(reload_media_device_open("pulse", true, &device), RELOAD_E_IO);
    assert_int_equal(reload_media_pulse.list(note, &(struct found){ 0 }), RELOAD_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_and_sinks_are_listed),
        cmocka_unit_test(what_is_played_comes_back_from_the_monitor),
        cmocka_unit_test(a_call_runs_between_null_sinks),
        cmocka_unit_test(names_nobody_has_are_refused),
        cmocka_unit_test(a_server_that_dies_is_an_error_and_no_hang),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
