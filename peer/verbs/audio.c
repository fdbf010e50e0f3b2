#include <math.h>
#include <stdio.h>
#include <string.h>

#include "media/device.h"
#include "peer/verbs/verbs.h"

/* Sound on this machine, without a call. */

#define SECONDS_MAX 600

static struct {
    char *device;
    double seconds, hertz;
    gboolean json;
} o;

static const GOptionEntry devices_entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print as JSON", NULL },
    { 0 },
};

#define COMMON_ENTRIES                                                                             \
    { "device",  0,                                                                                \
      0,         G_OPTION_ARG_STRING,                                                              \
      &o.device, "What to play on and hear with (default: pulse); see reload audio devices",       \
      "DEVICE" },                                                                                  \
        { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o.seconds, "How long (default: 3)", "N" },        \
    {                                                                                              \
        "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print as JSON", NULL                            \
    }

static const GOptionEntry loopback_entries[] = { COMMON_ENTRIES, { 0 } };
static const GOptionEntry tone_entries[] = {
    COMMON_ENTRIES,
    { "hertz", 0, 0, G_OPTION_ARG_DOUBLE, &o.hertz, "The tone's frequency (default: 440)", "HZ" },
    { 0 },
};

/* --- devices --- */

static void note(void *context, const char *line)
{
    json_array_append_new(context, json_string(line));
}

static json_t *describe(const struct reload_media_device_ops *row)
{
    json_t *found = json_array();
    int error = row->list ? row->list(note, found) : 0;
    json_t *object = json_pack("{s:s, s:s, s:b, s:o}", "name", row->name, "help", row->help,
                               "available", error == 0, "found", found);
    if (error != 0)
        json_object_set_new(object, "why", json_string("no sound server answers"));
    return object;
}

static void print_device(const json_t *device)
{
    size_t i;
    const json_t *line;
    const json_t *why = json_object_get(device, "why");
    printf("%s%s%s%s\n", json_string_value(json_object_get(device, "help")), why ? " (" : "",
           why ? json_string_value(why) : "", why ? ")" : "");
    json_array_foreach(json_object_get(device, "found"), i, line)
        printf("    %s\n", json_string_value(line));
}

int reload_verb_audio_devices(int argc, char **argv)
{
    int code = reload_verb_options("audio devices", devices_entries, &argc, &argv, 0, 0);
    if (code != 0)
        return code;
    json_t *devices = json_array();
    const struct reload_media_device_ops *row;
    for (size_t i = 0; (row = reload_media_device_row(i)) != NULL; i++)
        json_array_append_new(devices, describe(row));
    if (o.json) {
        reload_verb_print_json(json_pack("{s:o}", "devices", devices));
        return RELOAD_EXIT_OK;
    }
    size_t i;
    const json_t *device;
    json_array_foreach(devices, i, device) print_device(device);
    json_decref(devices);
    return RELOAD_EXIT_OK;
}

/* --- loopback and tone --- */

static int parse(const char *name, const GOptionEntry *entries, int *argc, char ***argv)
{
    o.seconds = 3;
    o.hertz = 440;
    int code = reload_verb_options(name, entries, argc, argv, 0, 0);
    if (code != 0)
        return code;
    if (!(o.seconds > 0 && o.seconds <= SECONDS_MAX))
        return reload_verb_fail(RELOAD_EXIT_USAGE, "--seconds must be more than 0, at most %d",
                                SECONDS_MAX);
    if (!(o.hertz >= 20 && o.hertz <= RELOAD_MEDIA_RATE_HZ / 2.0))
        return reload_verb_fail(RELOAD_EXIT_USAGE, "--hertz must be 20 to %d",
                                RELOAD_MEDIA_RATE_HZ / 2);
    return 0;
}

static int open_device(struct reload_media_device **device)
{
    const char *spec = o.device ? o.device : "pulse";
    int error = reload_media_device_open(spec, true, device);
    switch (error) {
    case 0: return 0;
    case RELOAD_E_NOT_FOUND:
        return reload_verb_fail(RELOAD_EXIT_USAGE,
                                "--device %s: there is no such device; reload audio devices "
                                "lists them",
                                spec);
    case RELOAD_E_INVALID:
        return reload_verb_fail(RELOAD_EXIT_USAGE,
                                "--device %s: that is not what stands behind the colon; reload "
                                "audio devices tells",
                                spec);
    default:
        return reload_verb_fail(RELOAD_EXIT_FAILURE,
                                "--device %s cannot be opened: %s. Without a sound server use "
                                "file:IN.wav,OUT.wav, tone or null",
                                spec, reload_error_text(error));
    }
}

static double level_dbov(double energy, size_t samples)
{
    double dbov = 10 * log10(energy / (double)samples / (32768.0 * 32768.0) + 1e-13);
    return dbov < -127 ? -127 : dbov;
}

/* Plays, block by block, what next() makes, or without it what was heard last; tells how loud it
 * was at the microphone. */
static int play(struct reload_media_device *device, void (*next)(int16_t *block, size_t at))
{
    int16_t block[RELOAD_MEDIA_BLOCK] = { 0 }, heard[RELOAD_MEDIA_BLOCK] = { 0 };
    size_t blocks = (size_t)(o.seconds * 1000 / RELOAD_MEDIA_BLOCK_MS + 0.5), done = 0;
    double energy = 0;
    int error = 0;
    for (; done < blocks && error == 0; done++) {
        if (next)
            next(block, done * RELOAD_MEDIA_BLOCK);
        else
            memcpy(block, heard, sizeof block);
        error = reload_media_device_exchange(device, block, heard);
        for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++)
            energy += (double)heard[i] * heard[i];
    }
    if (error != 0)
        return reload_verb_fail(RELOAD_EXIT_FAILURE, "the device is gone");
    double heard_dbov = level_dbov(energy, done ? done * RELOAD_MEDIA_BLOCK : 1);
    double seconds = (double)(done * RELOAD_MEDIA_BLOCK_MS) / 1000;
    if (o.json)
        reload_verb_print_json(
            json_pack("{s:f, s:f}", "seconds", seconds, "heard_dbov", heard_dbov));
    else
        printf("%.2f s; heard at %.1f dBov\n", seconds, heard_dbov);
    return RELOAD_EXIT_OK;
}

static int run(void (*next)(int16_t *block, size_t at))
{
    struct reload_media_device *device;
    int code = open_device(&device);
    if (code != 0)
        return code;
    code = play(device, next);
    reload_media_device_close(device);
    return code;
}

int reload_verb_audio_loopback(int argc, char **argv)
{
    int code = parse("audio loopback", loopback_entries, &argc, &argv);
    return code != 0 ? code : run(NULL);
}

static void make_tone(int16_t *block, size_t at)
{
    const double amplitude = 8000; /* -12 dB under full scale */
    for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++)
        block[i] = (int16_t)(amplitude *
                             sin(2 * M_PI * o.hertz * (double)(at + i) / RELOAD_MEDIA_RATE_HZ));
}

int reload_verb_audio_tone(int argc, char **argv)
{
    int code = parse("audio tone", tone_entries, &argc, &argv);
    return code != 0 ? code : run(make_tone);
}
