#ifndef PEER_DEMO_DEMO_H
#define PEER_DEMO_DEMO_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "peer/control_client.h"
#include "peer/verbs/child.h"
#include "reload/wire/id.h"

/* `reload demo`: a whole overlay on this machine, of real processes, driven through what users
 * have: the program's verbs, HTTPS, TLS and the control sockets.
 *
 *   setup.c   folder, overlay, accounts, enrollment server, identities
 *   nodes.c   starting, watching and ending the nodes
 *   plan.c    which values are stored where
 *   work.c    storing and fetching them
 *   ring.c    is the ring right, are the replicas there
 *   call.c    alice calls bob, messages
 *   demo.c    the story, and its report */

#define DEMO_PEERS   8
#define DEMO_CLIENTS 2
#define DEMO_NODES   (DEMO_PEERS + DEMO_CLIENTS)
#define DEMO_VALUES  300
#define DEMO_CELLS   10
#define DEMO_KILLED  2
#define DEMO_ECHO    (DEMO_PEERS - 1) /* the peer that plays back what it hears */
#define DEMO_NAME    "demo.example"

struct demo_options {
    bool json, keep, pcap, verbose;
    bool dtls;    /* links over DTLS and UDP instead of TLS and TCP */
    bool ice;     /* links by ICE */
    bool rsa;     /* overlay's keys; one node has the other kind */
    guint32 seed; /* of all choices; 0: random */
};

struct demo_node {
    char name[16]; /* "peer-3" */
    char user[48];
    char id[RELOAD_NODE_ID_TEXT];
    bool client, any; /* any: linked to whatever peer */
    bool killed;
    struct reload_child process;
    struct reload_control_client *control;
};

struct demo_value {
    unsigned cell, owner;
    json_t *place; /* members of a control request, as another node says it */
    char text[64];
    bool stored, fetched, fetched_after_kill;
};

struct demo_talk { /* the call, both sides taken together; the worse of the two */
    double setup_ms, mouth_to_ear_ms, similarity;
    long long frames_sent, frames_lost, late_blocks;
    unsigned attempts;
};

struct demo {
    struct demo_options options;
    FILE *tell; /* where the story goes */
    GRand *random;
    gint64 start_us;
    char *directory;
    int port_fds[3]; /* reserved: HTTPS, two bootstrap peers */
    uint16_t ports[3];
    struct reload_child server;
    struct demo_node nodes[DEMO_NODES];
    struct demo_value values[DEMO_VALUES];
    unsigned stored, fetched, fetched_after_kill, lost, wrong, retries;
    struct demo_talk talk;
    size_t replicas;   /* copies besides the first, over all peers */
    char failure[600]; /* what went wrong first; empty: nothing */
};

/* Each step returns true, or false with demo->failure set. */
bool demo_failed(struct demo *demo, const char *format, ...) __attribute__((format(printf, 2, 3)));
void demo_say(const struct demo *demo, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *demo_path(const struct demo *demo, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* inside the folder; for g_free() */

bool demo_setup(struct demo *demo);     /* overlay, accounts, server */
bool demo_enroll(struct demo *demo);    /* an identity for each node */
void demo_tear_down(struct demo *demo); /* ends every child, removes the folder */

bool demo_start_node(struct demo *demo, unsigned node);
bool demo_start_all(struct demo *demo);
void demo_kill(struct demo *demo, unsigned node); /* SIGKILL */
bool demo_leave_all(struct demo *demo);
bool demo_call(struct demo *demo, unsigned node, json_t *request, json_t **answer);

struct demo_cell {
    const char *model, *policy;
    unsigned kinds; /* Kinds of this cell: a place that exists once a Kind needs several */
    uint32_t first_kind;
};
extern const struct demo_cell demo_cells[DEMO_CELLS];
char **demo_kind_options(void);    /* "--kind=..." for reload overlay create; for g_strfreev() */
void demo_plan(struct demo *demo); /* after enrolling: fills demo->values */

bool demo_store_all(struct demo *demo);
/* Fetches every stored value from a random living node that is not its owner. */
bool demo_fetch_all(struct demo *demo, bool after_kill);

bool demo_ring(struct demo *demo, bool draw); /* waits until the living peers are one ring */
bool demo_replicas(struct demo *demo);        /* waits until each value is there three times */

bool demo_talk(struct demo *demo); /* a call, and messages */

int demo_run(const struct demo_options *options); /* the exit code */

#endif
