#ifndef TESTS_RELOAD_LINK_VIRTUAL_H
#define TESTS_RELOAD_LINK_VIRTUAL_H

#include "people.h"
#include "tests/reload/frame/channel.h"
#include "tests/reload/node/rig.h"

/* Two link sets, a DTLS link between them, and its path, in virtual time: from one deadline to the
 * next. A whole node may stand on the client's end; the far end acknowledges and says nothing. */

#define SECOND 1000u

struct end {
    struct reload_links *links;
    reload_link_id link;
    struct channel *out;
    struct rig *node; /* NULL: what the test does itself */
    bool talks;       /* answers IDLE with a message */
    size_t ups, downs, messages, idles, suspects, datagrams, narrowings, returned, too_long;
    size_t longest; /* message that came */
    uint32_t mtu;
    uint64_t suspect_ms, down_ms;
};

extern struct end client, server;
extern struct reload_time now;

/* Of each test, in a group with people_set_up(). */
int virtual_open(void **state); /* an open link, whose round trip is known */
int virtual_close(void **state);

void run_for(uint64_t ms);
/* Sends a message of that many bytes. */
void say(struct end *end, size_t len);
/* Replaces the path, in both directions. */
void set_path(const struct channel_options *path);

void put_node(struct rig *rig);
/* What the node wants to send leaves over its link. */
void obey(struct end *end);
void remove_node(struct rig *rig);

#endif
