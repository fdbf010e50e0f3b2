#ifndef RELOAD_TESTS_MEDIA_TALK_H
#define RELOAD_TESTS_MEDIA_TALK_H

#include "media/srtp.h"
#include "tests/media/pair.h"

/* Alice and Bob, who say the same speech to each other over two streams. */

#define TALK_SECOND ((size_t)RELOAD_MEDIA_RATE_HZ) /* in samples */

extern int16_t *talk_speech; /* 12 s */
extern struct pair *talk_pair;
extern const struct network talk_good_network;

/* A group's set-up and tear-down: the speech. */
int talk_set_up(void **state);
int talk_tear_down(void **state);

/* Two streams, over the good network: without keys, or with them and the usual options. */
void talk_begin_with(const struct reload_media_stream_options *options);
void talk_begin(void);
void talk_end(void);
/* Both talk for so many samples. */
void talk_for(size_t count);
/* What happened at Alice's (0) or Bob's (1). */
struct reload_media_counters talk_counters(size_t of);
/* A datagram comes to Bob. */
void talk_to_bob(uint64_t source, const uint8_t *bytes, size_t len);
/* The keys that talk_begin() gives to one of the roles; the caller's to free. */
struct reload_media_srtp *talk_keys_of(enum reload_media_dtls_role role);

#endif
