/* Devices without a sound card, and recordings. */

#include "media/device.h"
#include "media/record.h"
#include "reload/alloc.h"
#include "tests/media/signals.h"
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static const char *path(const char *name)
{
    static char out[4][128];
    static unsigned turn;
    char *p = out[turn++ % 4];
    snprintf(p, sizeof out[0], "%s/%s", folder, name);
    return p;
}

static void write_wav(const char *name, int rate_hz, int channels, size_t frames)
{
    SF_INFO info = { .samplerate = rate_hz,
                     .channels = channels,
                     .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
    SNDFILE *file = sf_open(path(name), SFM_WRITE, &info);
    int16_t *pcm = calloc(frames * (size_t)channels, sizeof *pcm);
    for (size_t i = 0; i < frames; i++)
        pcm[i * (size_t)channels] =
            (int16_t)(8000 * sin(2 * M_PI * 1000 * (double)i / rate_hz)); /* the left channel */
    assert_int_equal(sf_writef_short(file, pcm, (sf_count_t)frames), frames);
    sf_close(file);
    free(pcm);
}

static double crossings_hz(const int16_t *pcm, size_t count)
{
    size_t crossings = 0;
    for (size_t i = 1; i < count; i++)
        crossings += pcm[i - 1] < 0 && pcm[i] >= 0;
    return (double)crossings * RELOAD_MEDIA_RATE_HZ / (double)count;
}

static void the_table_has_five_rows_that_explain_themselves(void **state)
{
    (void)state;
    static const char *const names[] = { "pulse", "file", "tone", "null", "mirror" };
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(reload_media_device_row(i)->name, names[i]);
        assert_true(strlen(reload_media_device_row(i)->help) > 10);
    }
    assert_null(reload_media_device_row(5));
}

static void a_mirror_hears_what_it_plays(void **state)
{
    (void)state;
    struct reload_media_device *device;
    int16_t played[RELOAD_MEDIA_BLOCK], captured[RELOAD_MEDIA_BLOCK];
    for (int i = 0; i < RELOAD_MEDIA_BLOCK; i++)
        played[i] = (int16_t)(i * 31);
    assert_int_equal(reload_media_device_open("mirror", false, &device), 0);
    assert_int_equal(reload_media_device_exchange(device, played, captured), 0);
    assert_memory_equal(played, captured, sizeof played);
    reload_media_device_close(device);
}

static void a_wrong_name_or_argument_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        int error;
    } bad[] = {
        { "", RELOAD_E_NOT_FOUND },
        { "nul", RELOAD_E_NOT_FOUND },
        { "nulls", RELOAD_E_NOT_FOUND },
        { "null:x", RELOAD_E_INVALID },
        { "tone:abc", RELOAD_E_INVALID },
        { "tone:1", RELOAD_E_INVALID },
        { "tone:1e9", RELOAD_E_INVALID },
        { "tone:nan", RELOAD_E_INVALID },
        { "file:", RELOAD_E_INVALID },
        { "file:,", RELOAD_E_INVALID },
        { "file:a,b,c", RELOAD_E_INVALID },
        { "file:\\", RELOAD_E_IO },
        { "file:/nonexistent.wav", RELOAD_E_IO },
        { "file:,/nonexistent/x.wav", RELOAD_E_IO },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct reload_media_device *device;
        assert_int_equal(reload_media_device_open(bad[i].spec, false, &device), bad[i].error);
        assert_null(device);
        if (strcmp(bad[i].spec, "file:,/nonexistent/x.wav") != 0) /* nothing is made for a check */
            assert_int_equal(reload_media_device_check(bad[i].spec), bad[i].error);
    }
    assert_int_equal(mkfifo(path("fifo"), 0600), 0);
    char spec[160];
    snprintf(spec, sizeof spec, "file:%s", path("fifo"));
    assert_int_equal(reload_media_device_check(spec), 0); /* does not wait for a writer */
    unlink(path("fifo"));
    reload_media_device_close(NULL);
}

static void capture_from(const char *spec, int16_t *out, size_t count)
{
    struct reload_media_device *device;
    int16_t play[RELOAD_MEDIA_BLOCK];
    assert_int_equal(reload_media_device_open(spec, false, &device), 0);
    for (size_t at = 0; at < count; at += RELOAD_MEDIA_BLOCK) {
        for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++)
            play[i] = (int16_t)(at + i);
        assert_int_equal(reload_media_device_exchange(device, play, out + at), 0);
    }
    reload_media_device_close(device);
}

static void the_tone_has_the_pitch_asked_for_and_null_is_silent(void **state)
{
    (void)state;
    static int16_t pcm[RELOAD_MEDIA_RATE_HZ];
    capture_from("tone:1000", pcm, RELOAD_MEDIA_RATE_HZ);
    assert_true(fabs(crossings_hz(pcm, RELOAD_MEDIA_RATE_HZ) - 1000) < 2);
    capture_from("null", pcm, RELOAD_MEDIA_RATE_HZ);
    assert_true(energy_of(pcm, RELOAD_MEDIA_RATE_HZ) == 0);
}

static void files_of_any_rate_and_channels_are_heard_then_silence(void **state)
{
    (void)state;
    static const int rates[] = { 8000, 16000, 22050, 44100, 48000, 96000 };
    static int16_t pcm[2 * RELOAD_MEDIA_RATE_HZ];
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        for (int channels = 1; channels <= 2; channels++) {
            char spec[160];
            write_wav("in.wav", rates[i], channels, (size_t)rates[i]);
            snprintf(spec, sizeof spec, "file:%s", path("in.wav"));
            capture_from(spec, pcm, 2 * RELOAD_MEDIA_RATE_HZ);
            /* away from both ends, where the resampler rings */
            assert_true(fabs(crossings_hz(pcm + 4800, 38400) - 1000) < 4);
            double rms = sqrt(energy_of(pcm, RELOAD_MEDIA_RATE_HZ) / RELOAD_MEDIA_RATE_HZ);
            assert_true(fabs(rms - 5657.0 / channels) < 100);
            assert_true(energy_of(pcm + RELOAD_MEDIA_RATE_HZ * 11 / 10, RELOAD_MEDIA_RATE_HZ / 2) ==
                        0);
        }
    }
}

static void what_is_played_is_in_the_file(void **state)
{
    (void)state;
    static int16_t pcm[RELOAD_MEDIA_RATE_HZ];
    char spec[160];
    snprintf(spec, sizeof spec, "file:,%s", path("out.wav"));
    capture_from(spec, pcm, RELOAD_MEDIA_RATE_HZ);
    SF_INFO info = { 0 };
    SNDFILE *file = sf_open(path("out.wav"), SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(info.frames, RELOAD_MEDIA_RATE_HZ);
    assert_int_equal(info.samplerate, RELOAD_MEDIA_RATE_HZ);
    assert_int_equal(sf_readf_short(file, pcm, RELOAD_MEDIA_RATE_HZ), RELOAD_MEDIA_RATE_HZ);
    for (size_t i = 0; i < RELOAD_MEDIA_RATE_HZ; i++)
        assert_int_equal(pcm[i], (int16_t)i);
    sf_close(file);
}

static void any_name_of_a_file_can_be_told(void **state)
{
    (void)state;
    static const char name[] = "a, b\\,c\\.wav";
    static int16_t pcm[RELOAD_MEDIA_RATE_HZ];
    write_wav(name, RELOAD_MEDIA_RATE_HZ, 1, RELOAD_MEDIA_RATE_HZ);
    char *spec = reload_media_file_spec(path(name));
    assert_non_null(spec);
    capture_from(spec, pcm, RELOAD_MEDIA_RATE_HZ);
    assert_true(fabs(crossings_hz(pcm, RELOAD_MEDIA_RATE_HZ) - 1000) < 4);
    reload_free(spec);
    char both[300];
    snprintf(both, sizeof both, "file:,%s/x\\,y.wav", folder);
    capture_from(both, pcm, RELOAD_MEDIA_RATE_HZ);
    assert_int_equal(unlink(path("x,y.wav")), 0);
    assert_int_equal(unlink(path(name)), 0);
}

static void a_file_that_is_no_sound_is_refused(void **state)
{
    (void)state;
    char spec[160];
    FILE *file = fopen(path("text.wav"), "w");
    fputs("RIFF, or so", file);
    fclose(file);
    struct reload_media_device *device;
    snprintf(spec, sizeof spec, "file:%s", path("text.wav"));
    assert_int_equal(reload_media_device_open(spec, false, &device), RELOAD_E_IO);
}

static void a_paced_device_takes_the_time_that_blocks_last(void **state)
{
    (void)state;
    struct timespec from, to;
    struct reload_media_device *device;
    int16_t block[RELOAD_MEDIA_BLOCK] = { 0 };
    assert_int_equal(reload_media_device_open("null", true, &device), 0);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < 20; i++)
        assert_int_equal(reload_media_device_exchange(device, block, block), 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
    assert_true(ms >= 199);
    reload_media_device_close(device);
}

static void a_recording_has_us_left_them_right_and_is_private(void **state)
{
    (void)state;
    struct reload_media_recorder *recorder;
    int16_t said[RELOAD_MEDIA_BLOCK], heard[RELOAD_MEDIA_BLOCK], both[2 * RELOAD_MEDIA_BLOCK];
    for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++) {
        said[i] = (int16_t)i;
        heard[i] = (int16_t) - (int)i;
    }
    assert_int_equal(reload_media_recorder_new(path("call.wav"), &recorder), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(reload_media_recorder_write(recorder, said, heard), 0);
    reload_media_recorder_free(recorder);
    struct stat status;
    assert_int_equal(stat(path("call.wav"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    SF_INFO info = { 0 };
    SNDFILE *file = sf_open(path("call.wav"), SFM_READ, &info);
    assert_int_equal(info.frames, 10 * RELOAD_MEDIA_BLOCK);
    assert_int_equal(info.channels, 2);
    assert_int_equal(sf_readf_short(file, both, RELOAD_MEDIA_BLOCK), RELOAD_MEDIA_BLOCK);
    for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++)
        assert_true(both[2 * i] == said[i] && both[2 * i + 1] == heard[i]);
    sf_close(file);
    /* It never overwrites. */
    assert_int_equal(reload_media_recorder_new(path("call.wav"), &recorder), RELOAD_E_IO);
    assert_int_equal(reload_media_recorder_new("/nonexistent/x.wav", &recorder), RELOAD_E_IO);
}

static void lack_of_memory_is_told(void **state)
{
    (void)state;
    static const char *const specs[] = { "null", "tone", "file:,out2.wav" };
    for (size_t i = 0; i < 3; i++) {
        struct reload_media_device *device;
        for (unsigned long n = 1; n <= 2; n++) {
            reload_alloc_fail_at(n);
            int error = reload_media_device_open(specs[i], false, &device);
            reload_alloc_fail_at(0);
            assert_int_equal(error, RELOAD_E_NOMEM);
        }
    }
}

static int make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/reload-media-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    static const char *const names[] = { "in.wav", "out.wav", "text.wav", "call.wav" };
    for (size_t i = 0; i < 4; i++)
        unlink(path(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_five_rows_that_explain_themselves),
        cmocka_unit_test(a_mirror_hears_what_it_plays),
        cmocka_unit_test(a_wrong_name_or_argument_is_refused),
        cmocka_unit_test(the_tone_has_the_pitch_asked_for_and_null_is_silent),
        cmocka_unit_test(files_of_any_rate_and_channels_are_heard_then_silence),
        cmocka_unit_test(what_is_played_is_in_the_file),
        cmocka_unit_test(any_name_of_a_file_can_be_told),
        cmocka_unit_test(a_file_that_is_no_sound_is_refused),
        cmocka_unit_test(a_paced_device_takes_the_time_that_blocks_last),
        cmocka_unit_test(a_recording_has_us_left_them_right_and_is_private),
        cmocka_unit_test(lack_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
