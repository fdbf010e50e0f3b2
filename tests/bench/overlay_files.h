#ifndef RELOAD_TESTS_BENCH_OVERLAY_FILES_H
#define RELOAD_TESTS_BENCH_OVERLAY_FILES_H

#include "certs/key.h"
#include "reload/config/config.h"

/* An overlay in a temporary folder with any number of identities, for benchmarks that run real
 * nodes. Everything ends the program when it fails. */

#define BENCH_PATH_MAX 128

struct bench_files {
    char directory[BENCH_PATH_MAX];
    char document[BENCH_PATH_MAX]; /* overlay.xml */
};

struct bench_identity_files {
    char certificate[BENCH_PATH_MAX], key[BENCH_PATH_MAX];
    struct reload_node_id node_id;
};

/* `config` is a template as reload_cert_overlay_create() takes it, with instance_name set. */
void bench_files_create(struct bench_files *files, const struct reload_config *config,
                        enum reload_cert_key_type key);
/* A certificate and key for user "user<number>@<overlay>" with one random Node-ID. */
void bench_files_identity(const struct bench_files *files, const char *overlay, unsigned number,
                          enum reload_cert_key_type key, struct bench_identity_files *out);
void bench_files_remove(const struct bench_files *files);

#endif
