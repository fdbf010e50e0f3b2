/* The measure's controls on speech that espeak-ng made, and the same speech through a call that
 * loses packets. */

#include "media/device.h"
#include "media/similarity.h"
#include "tests/media/pair.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECONDS 8
#define COUNT   ((size_t)SECONDS * RELOAD_MEDIA_RATE_HZ)
#define FRAME   (RELOAD_MEDIA_RATE_HZ / 50)

static const char *const texts[] = {
    "The overlay finds whoever you call, wherever they are, and nobody stands in between. "
    "When the ring changes, the stored records move along, and every copy is checked again.",
    "Four grey geese flew over the harbour at noon, then turned north against a rising wind. "
    "Their shadows crossed the water slowly, and the fishermen looked up from their nets.",
    "Please bring two loaves of bread, some butter and a jar of plum jam when you come home. "
    "If the shop is closed, ask the neighbour, who always keeps a little more than she needs.",
};
static const char *const voices[] = { "en", "en+f3", "en+m7" };
static int16_t *speech[3];
static bool spoken;

static bool speak(const char *voice, const char *text, const char *path)
{
    pid_t pid = fork();
    int status = -1;
    if (pid == 0) {
        execlp("espeak-ng", "espeak-ng", "-v", voice, "-w", path, text, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void read_speech(const char *path, int16_t *out)
{
    static const int16_t silence[RELOAD_MEDIA_BLOCK];
    struct reload_media_device *device;
    char spec[128];
    snprintf(spec, sizeof spec, "file:%s", path);
    assert_int_equal(reload_media_device_open(spec, false, &device), 0);
    for (size_t at = 0; at < COUNT; at += RELOAD_MEDIA_BLOCK)
        assert_int_equal(reload_media_device_exchange(device, silence, out + at), 0);
    reload_media_device_close(device);
}

static int make(void **state)
{
    (void)state;
    char path[] = "/tmp/reload-espeak-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    spoken = true;
    for (size_t i = 0; i < 3; i++) {
        speech[i] = calloc(COUNT, sizeof *speech[i]);
        spoken = spoken && speak(voices[i], texts[i], path);
        if (spoken)
            read_speech(path, speech[i]);
    }
    if (!spoken)
        printf("espeak-ng is not here: skipped\n");
    return unlink(path);
}

static int drop(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        free(speech[i]);
    return 0;
}

static double compare(const int16_t *said, const int16_t *heard)
{
    struct reload_media_likeness likeness;
    assert_int_equal(reload_media_compare(said, COUNT, heard, COUNT, 500, &likeness), 0);
    return likeness.similarity;
}

static void unrelated_speech_is_below_one_half(void **state)
{
    (void)state;
    if (!spoken)
        skip();
    for (size_t i = 0; i < 3; i++) {
        double similarity = compare(speech[i], speech[(i + 1) % 3]);
        printf("unrelated speech %zu: %.3f\n", i, similarity);
        assert_true(similarity < 0.5);
        assert_true(compare(speech[i], speech[i]) > 0.999);
    }
}

static void with_a_fifth_of_the_frames_zeroed_it_is_below_nine_tenths(void **state)
{
    (void)state;
    if (!spoken)
        skip();
    int16_t *heard = malloc(COUNT * sizeof *heard);
    for (size_t i = 0; i < 3; i++) {
        struct noise noise = noise_of(i + 1);
        memcpy(heard, speech[i], COUNT * sizeof *heard);
        for (size_t at = 0; at < COUNT; at += FRAME)
            if (noise_next(&noise) < -0.6)
                memset(heard + at, 0, FRAME * sizeof *heard);
        double similarity = compare(speech[i], heard);
        printf("a fifth zeroed %zu: %.3f\n", i, similarity);
        assert_true(similarity < 0.9);
    }
    free(heard);
}

static double call(struct network network)
{
    struct reload_media_stream_options options = pair_options();
    struct pair *pair = malloc(sizeof *pair);
    int16_t *heard = calloc(COUNT, sizeof *heard);
    pair_make(pair, &options, network, 7);
    pair_key(pair, RELOAD_MEDIA_AEAD_AES_128_GCM);
    pair_talk(pair, (const int16_t *const[]){ speech[0], speech[1] },
              (int16_t *const[]){ NULL, heard }, COUNT);
    double similarity = compare(speech[0], heard);
    pair_free(pair);
    free(pair);
    free(heard);
    return similarity;
}

static void a_call_passes_the_same_measure(void **state)
{
    (void)state;
    if (!spoken)
        skip();
    double good = call((struct network){ .delay_ms = 20 });
    double rough = call((struct network){ .delay_ms = 20, .jitter_ms = 60, .loss = 0.05 });
    printf("through a call: %.3f; with 5 %% loss and 60 ms of jitter: %.3f\n", good, rough);
    assert_true(good >= 0.9);
    assert_true(rough >= 0.8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unrelated_speech_is_below_one_half),
        cmocka_unit_test(with_a_fifth_of_the_frames_zeroed_it_is_below_nine_tenths),
        cmocka_unit_test(a_call_passes_the_same_measure),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
