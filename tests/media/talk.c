#include "tests/media/talk.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int16_t *talk_speech;
struct pair *talk_pair;
const struct network talk_good_network = { 0, 0, 10, 0 };

void talk_for(size_t count)
{
    pair_talk(talk_pair, (const int16_t *const[]){ talk_speech, talk_speech },
              (int16_t *const[]){ NULL, NULL }, count);
}

struct reload_media_counters talk_counters(size_t of)
{
    struct reload_media_counters c;
    reload_media_stream_counters(talk_pair->stream[of], &c);
    return c;
}

void talk_begin_with(const struct reload_media_stream_options *options)
{
    talk_pair = malloc(sizeof *talk_pair);
    pair_make(talk_pair, options, talk_good_network, 1);
}

void talk_begin(void)
{
    struct reload_media_stream_options options = pair_options();
    talk_begin_with(&options);
    pair_key(talk_pair, RELOAD_MEDIA_AEAD_AES_128_GCM);
}

void talk_end(void)
{
    pair_free(talk_pair);
    free(talk_pair);
}

void talk_to_bob(uint64_t source, const uint8_t *bytes, size_t len)
{
    reload_media_stream_receive(talk_pair->stream[1], source, bytes, len, talk_pair->now);
}

struct reload_media_srtp *talk_keys_of(enum reload_media_dtls_role role)
{
    uint8_t material[RELOAD_MEDIA_SRTP_MATERIAL_MAX];
    for (size_t i = 0; i < sizeof material; i++)
        material[i] = (uint8_t)(i * 37 + 11);
    struct reload_media_keying keying = { RELOAD_MEDIA_AEAD_AES_128_GCM, role, material, 56 };
    struct reload_media_srtp *srtp;
    assert_int_equal(reload_media_srtp_new(&keying, &srtp), 0);
    return srtp;
}

int talk_set_up(void **state)
{
    (void)state;
    talk_speech = calloc(12 * TALK_SECOND, sizeof *talk_speech);
    make_speech(talk_speech, 12 * TALK_SECOND, RELOAD_MEDIA_RATE_HZ, 0);
    return 0;
}

int talk_tear_down(void **state)
{
    (void)state;
    free(talk_speech);
    return 0;
}
