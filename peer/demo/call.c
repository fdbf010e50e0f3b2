#include <math.h>
#include <string.h>

#include "media/device.h"
#include "media/record.h"
#include "media/similarity.h"
#include "peer/demo/demo.h"
#include "reload/alloc.h"

/* alice, a client, calls bob, a client of another peer: both talk at once for ten seconds, and what
 * each has heard is compared with what the other said. Then the address that plays back, and
 * messages. */

#define ALICE          DEMO_PEERS       /* linked to its responsible peer */
#define BOB            (DEMO_PEERS + 1) /* linked to whatever peer */
#define TALK_S         10
#define ECHO_S         3
#define WAIT_MS        30000
#define PIECE_S        12 /* of speech, at most, that is read */
#define SIMILARITY_MIN 0.9
#define ECHO_MIN       0.5 /* unrelated speech is below: media/similarity.h */
#define ATTEMPTS       3
#define OFFSET_MAX_MS  3000 /* two devices do not start at once */

static const char *const texts[] = {
    "Good morning, Bob. Nobody stands between the two of us: your address was found in the "
    "overlay, "
    "which many small machines keep together. Each of them has signed what it stores, and each "
    "copy "
    "is checked again when the ring changes. I am reading this so that you have something to hear "
    "for ten whole seconds, and a little more than that.",
    "Hello Alice, how nice to hear you. Four grey geese flew over the harbour at noon, then turned "
    "north against a rising wind. Their shadows crossed the water slowly, and the fishermen looked "
    "up from their nets. Please bring two loaves of bread, some butter and a jar of plum jam when "
    "you come home, and ask the neighbour for a lamp.",
};
static const char *const voices[] = { "en", "en+f3" };

/* --- what happens at a node --- */

struct ear { /* a connection that is told a node's events */
    const char *name;
    struct reload_control_client *client;
};

static bool listen_to(struct demo *demo, unsigned node, struct ear *ear)
{
    struct reload_cert_reason reason = { "" };
    char *path = demo_path(demo, "%s.sock", demo->nodes[node].name);
    json_t *answer;
    ear->name = demo->nodes[node].user;
    bool ok = reload_control_client_open(path, &ear->client, &reason) == 0 &&
              reload_control_client_call(ear->client, json_pack("{s:s}", "verb", "subscribe"),
                                         &answer) == 0;
    g_free(path);
    if (!ok)
        return demo_failed(demo, "%s does not tell its events: %s", ear->name, reason.text);
    json_decref(answer);
    return true;
}

/* The next event of that name, and of a call's state if one is given; *event may be NULL. */
static bool wait_for(struct demo *demo, const struct ear *ear, const char *name, const char *state,
                     json_t **event)
{
    json_t *line;
    while (reload_control_client_next(ear->client, WAIT_MS, &line) == 0) {
        const char *is = json_string_value(json_object_get(line, "event"));
        const char *at = json_string_value(json_object_get(line, "state"));
        bool found = is && strcmp(is, name) == 0 && (!state || (at && strcmp(at, state) == 0));
        bool over = !found && is && at && strcmp(is, "call") == 0 && strcmp(at, "ended") == 0;
        const char *reason = json_string_value(json_object_get(line, "reason"));
        if (over)
            demo_failed(demo, "%s: the call ended with %lld %s", ear->name,
                        json_integer_value(json_object_get(line, "status")), reason ? reason : "");
        if (found && event)
            *event = line;
        else
            json_decref(line);
        if (found || over)
            return found;
    }
    return demo_failed(demo, "%s: no %s within %d s", ear->name, state ? state : name,
                       WAIT_MS / 1000);
}

static bool ask(struct demo *demo, unsigned node, json_t *request)
{
    json_t *answer;
    if (!demo_call(demo, node, request, &answer))
        return false;
    bool ok = json_is_true(json_object_get(answer, "ok")) ||
              demo_failed(demo, "%s: %s", demo->nodes[node].user,
                          json_string_value(json_object_get(answer, "error")));
    json_decref(answer);
    return ok;
}

/* --- speech --- */

static bool speak(struct demo *demo, unsigned who)
{
    char *path = demo_path(demo, "speech-%u.wav", who), *text = g_strdup(texts[who]);
    char *voice = g_strdup(voices[who]);
    char *arguments[] = {
        (char *)"espeak-ng", (char *)"-v", voice, (char *)"-w", path, text, NULL
    };
    int status = -1;
    bool ok = g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                           &status, NULL) &&
              status == 0;
    g_free(path);
    g_free(text);
    g_free(voice);
    return ok || demo_failed(demo, "espeak-ng, which makes the speech of the call, does not run; "
                                   "it is Debian's package of that name");
}

struct sound {
    int16_t *pcm; /* for g_free() */
    size_t count;
};

static struct sound read_speech(const char *path)
{
    static const int16_t silence[RELOAD_MEDIA_BLOCK];
    struct sound sound = { g_new(int16_t, PIECE_S * RELOAD_MEDIA_RATE_HZ), 0 };
    struct reload_media_device *device;
    char *spec = reload_media_file_spec(path);
    if (spec && reload_media_device_open(spec, false, &device) == 0) {
        for (; sound.count < PIECE_S * RELOAD_MEDIA_RATE_HZ; sound.count += RELOAD_MEDIA_BLOCK)
            if (reload_media_device_exchange(device, silence, sound.pcm + sound.count) != 0)
                break;
        reload_media_device_close(device);
    }
    reload_free(spec);
    return sound;
}

/* What the recording of one's call has heard, laid over what was said to it. */
static bool compare(struct demo *demo, const char *recording, unsigned speaker,
                    struct reload_media_likeness *out)
{
    char *speech = demo_path(demo, "speech-%u.wav", speaker);
    char *path = demo_path(demo, "%s", recording);
    struct sound said = read_speech(speech);
    int16_t *heard = NULL;
    size_t count = 0;
    int error = reload_media_recording_heard(path, &heard, &count);
    if (error == 0) /* the file goes on where the call has ended */
        error = reload_media_compare(said.pcm, MIN(said.count, count), heard, count, OFFSET_MAX_MS,
                                     out);
    g_free(said.pcm);
    reload_free(heard);
    g_free(path);
    g_free(speech);
    return error == 0 ||
           demo_failed(demo, "%s cannot be compared: %s", recording, reload_error_text(error));
}

/* --- the call --- */

static json_t *talk_request(const struct demo *demo, const char *verb, unsigned who,
                            const char *recording)
{
    char *speech = demo_path(demo, "speech-%u.wav", who), *path = demo_path(demo, "%s", recording);
    char *device = reload_media_file_spec(speech);
    json_t *request = json_pack("{s:s,s:s,s:s}", "verb", verb, "device", device, "recording", path);
    reload_free(device);
    g_free(path);
    g_free(speech);
    return request;
}

static bool dial(struct demo *demo, const char *to, const char *recording)
{
    json_t *request = talk_request(demo, "sip_call", 0, recording);
    json_object_set_new(request, "to", json_string(to));
    return ask(demo, ALICE, request);
}

/* Packets that one side knows to be lost: the gaps in what came. */
static double lost_of(const json_t *event)
{
    double loss = json_number_value(json_object_get(json_object_get(event, "quality"), "loss"));
    double got =
        json_number_value(json_object_get(json_object_get(event, "counters"), "rtp_received"));
    return loss < 1 ? round(got * loss / (1 - loss)) : got;
}

static void add_up(struct demo_talk *talk, const json_t *event)
{
    talk->frames_sent +=
        json_integer_value(json_object_get(json_object_get(event, "counters"), "rtp_sent"));
    talk->frames_lost += (long long)lost_of(event);
    talk->late_blocks +=
        json_integer_value(json_object_get(json_object_get(event, "counters"), "late_blocks"));
}

static bool hang_up(struct demo *demo, const struct ear *ears, size_t count)
{
    bool ok = ask(demo, ALICE, json_pack("{s:s}", "verb", "sip_hangup"));
    for (size_t i = 0; i < count && ok; i++) {
        json_t *event;
        ok = wait_for(demo, &ears[i], "call", "ended", &event);
        if (ok)
            add_up(&demo->talk, event);
        if (ok)
            json_decref(event);
    }
    return ok;
}

static bool take_setup(struct demo *demo, const struct ear *ear)
{
    json_t *event;
    if (!wait_for(demo, ear, "call_audio", NULL, &event))
        return false;
    const char *pair =
        json_string_value(json_object_get(json_object_get(event, "ice"), "remote_type"));
    demo->talk.setup_ms = json_number_value(json_object_get(event, "setup_ms"));
    demo_say(demo, "alice hears bob %.0f ms after dialling, %s, %s", demo->talk.setup_ms,
             json_string_value(json_object_get(event, "srtp")), pair ? "over ICE" : "over UDP");
    json_decref(event);
    return true;
}

static bool talk_once(struct demo *demo, const struct ear *ears)
{
    struct reload_media_likeness alice, bob;
    char names[2][32];
    for (size_t i = 0; i < 2; i++)
        g_snprintf(names[i], sizeof names[i], "call-%s-%u.wav", i ? "bob" : "alice",
                   demo->talk.attempts);
    bool ok = dial(demo, demo->nodes[BOB].user, names[0]) &&
              wait_for(demo, &ears[1], "call", "offered", NULL) &&
              ask(demo, BOB, talk_request(demo, "sip_answer", 1, names[1])) &&
              take_setup(demo, &ears[0]) && wait_for(demo, &ears[1], "call_audio", NULL, NULL);
    if (!ok)
        return false;
    g_usleep(TALK_S * G_USEC_PER_SEC);
    if (!hang_up(demo, ears, 2) || !compare(demo, names[0], 1, &alice) ||
        !compare(demo, names[1], 0, &bob))
        return false;
    demo->talk.similarity = MIN(alice.similarity, bob.similarity);
    /* When each device began is unknown, but cancels out. A block is full before it is said. */
    demo->talk.mouth_to_ear_ms = (alice.offset_ms + bob.offset_ms) / 2 + RELOAD_MEDIA_BLOCK_MS;
    demo_say(demo,
             "both talked at once for %d s: %lld frames, %lld lost, %.0f ms from mouth to ear, "
             "%.2f alike",
             TALK_S, demo->talk.frames_sent, demo->talk.frames_lost, demo->talk.mouth_to_ear_ms,
             demo->talk.similarity);
    return true;
}

/* A machine that stood still while they talked is given another chance, any other fault is not. */
static bool both_talk(struct demo *demo, const struct ear *ears)
{
    for (unsigned attempt = 1;; attempt++) {
        demo->talk = (struct demo_talk){ .attempts = attempt };
        if (!talk_once(demo, ears))
            return false;
        if (demo->talk.similarity >= SIMILARITY_MIN)
            return true;
        if (attempt == ATTEMPTS || demo->talk.late_blocks == 0)
            return demo_failed(demo,
                               "what was heard is only %.2f like what was said; %.1f was wanted",
                               demo->talk.similarity, SIMILARITY_MIN);
        demo_say(demo, "the machine kept sound waiting %lld times: once more",
                 demo->talk.late_blocks);
    }
}

static bool talk_to_echo(struct demo *demo, const struct ear *alice)
{
    struct demo_talk before = demo->talk;
    struct reload_media_likeness own;
    if (!dial(demo, demo->nodes[DEMO_ECHO].user, "call-echo.wav") ||
        !wait_for(demo, alice, "call_audio", NULL, NULL))
        return false;
    g_usleep(ECHO_S * G_USEC_PER_SEC);
    bool ok = hang_up(demo, alice, 1) && compare(demo, "call-echo.wav", 0, &own);
    demo->talk = before; /* the figures are of the other call */
    if (!ok)
        return false;
    if (own.similarity < ECHO_MIN)
        return demo_failed(demo, "the echo is only %.2f like what was said", own.similarity);
    demo_say(demo, "%s plays back what it hears, %.2f alike", demo->nodes[DEMO_ECHO].user,
             own.similarity);
    return true;
}

/* --- messages --- */

static json_t *message(const char *to, const char *text)
{
    return json_pack("{s:s,s:s,s:s}", "verb", "sip_message", "to", to, "text", text);
}

static bool deliver(struct demo *demo, unsigned from, const struct ear *ear, const char *text)
{
    json_t *event;
    if (!ask(demo, from, message(ear->name, text)) || !wait_for(demo, ear, "message", NULL, &event))
        return false;
    const char *got = json_string_value(json_object_get(event, "text"));
    const char *who = json_string_value(json_object_get(event, "from"));
    bool ok = got && who && strcmp(got, text) == 0 && strcmp(who, demo->nodes[from].user) == 0;
    json_decref(event);
    return ok || demo_failed(demo, "%s got another message, or of another", ear->name);
}

static bool send_to_nobody(struct demo *demo)
{
    json_t *answer;
    if (!demo_call(demo, ALICE, message("nobody@" DEMO_NAME, "are you there?"), &answer))
        return false;
    long long status = json_integer_value(json_object_get(answer, "status"));
    json_decref(answer);
    return status == 404 || demo_failed(demo, "a message to nobody ended with %lld", status);
}

/* --- together --- */

static bool register_all(struct demo *demo)
{
    static const unsigned nodes[] = { ALICE, BOB, DEMO_ECHO };
    for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++)
        if (!ask(demo, nodes[i], json_pack("{s:s}", "verb", "sip_register")))
            return false;
    return true;
}

bool demo_talk(struct demo *demo)
{
    struct ear ears[2] = { 0 };
    bool ok = speak(demo, 0) && speak(demo, 1) && register_all(demo) &&
              listen_to(demo, ALICE, &ears[0]) && listen_to(demo, BOB, &ears[1]) &&
              both_talk(demo, ears) && talk_to_echo(demo, &ears[0]) &&
              deliver(demo, ALICE, &ears[1], "see you at noon") &&
              deliver(demo, BOB, &ears[0], "at noon, then") && send_to_nobody(demo);
    if (ok)
        demo_say(demo, "a message each way delivered; one to nobody refused (404)");
    reload_control_client_close(ears[0].client);
    reload_control_client_close(ears[1].client);
    return ok;
}
