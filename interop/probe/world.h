#ifndef INTEROP_PROBE_WORLD_H
#define INTEROP_PROBE_WORLD_H

#include "certs/ca.h"
#include "certs/context.h"
#include "interop/probe/template.h"
#include "reload/link/address.h"

/* What all cases share: the overlay, the peer under test, and who may issue certificates. */

struct probe_options {
    const char *config, *certificate, *key, *authority;
    struct reload_link_address peer;
    bool dtls, reconfigure;
};

struct probe_world {
    struct probe_options options;
    struct reload_cert_bytes document;
    struct reload_config *config;
    struct reload_cert_identity *identity; /* of --cert and --key */
    struct reload_cert_identity *signer;   /* of --authority: signs documents; NULL without */
    struct reload_cert_ca *ca;             /* of --authority; NULL without */
    struct probe_scope names;              /* overlay, sequence, peer, kinds and the definitions */
    uint64_t storage_time_ms;              /* the last one given out: they only grow */
};

/* Reads the files. 0, or -1 with what is wrong. */
int probe_world_open(struct probe_world *world, const struct probe_options *options,
                     struct probe_fault *fault);
/* Learns who the peer is. 0, or -1 with why no link came up. */
int probe_world_meet(struct probe_world *world, struct probe_fault *fault);
void probe_world_close(struct probe_world *world);
uint64_t probe_world_storage_time(struct probe_world *world);

#endif
