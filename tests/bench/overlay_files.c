#include "overlay_files.h"

#include <dirent.h>
#include <sys/random.h>
#include <unistd.h>

#include "bench.h"
#include "certs/ca.h"
#include "certs/file.h"
#include "certs/overlay_dir.h"

#define DAY_MS 86400000u

static struct reload_cert_reason reason;

static void must(int error, const char *what)
{
    if (!error)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, reload_error_text(error), reason.text);
    exit(1);
}

static uint64_t unix_ms(void)
{
    return bench_clock_ns(CLOCK_REALTIME) / 1000000u;
}

void bench_files_create(struct bench_files *files, const struct reload_config *config,
                        enum reload_cert_key_type key)
{
    char parent[] = "/tmp/reload-bench-XXXXXX";
    BENCH_CHECK(mkdtemp(parent));
    snprintf(files->directory, sizeof files->directory, "%s", parent);
    snprintf(files->document, sizeof files->document, "%s/%s", parent, RELOAD_CERT_OVERLAY_XML);
    struct reload_cert_overlay_options options =
        reload_cert_overlay_options_default(config->instance_name, unix_ms());
    options.config = *config;
    options.key = key;
    must(reload_cert_overlay_create(parent, &options, &reason), "overlay");
}

void bench_files_identity(const struct bench_files *files, const char *overlay, unsigned number,
                          enum reload_cert_key_type key, struct bench_identity_files *out)
{
    char ca_certificate[BENCH_PATH_MAX + 16], ca_key[BENCH_PATH_MAX + 16], user[96];
    snprintf(ca_certificate, sizeof ca_certificate, "%s/%s", files->directory, RELOAD_CERT_CA_PEM);
    snprintf(ca_key, sizeof ca_key, "%s/%s", files->directory, RELOAD_CERT_CA_KEY);
    snprintf(out->certificate, sizeof out->certificate, "%.64s/node%u.pem", files->directory,
             number);
    snprintf(out->key, sizeof out->key, "%.64s/node%u.key", files->directory, number);
    snprintf(user, sizeof user, "user%u@%.64s", number, overlay);

    struct reload_cert_ca *ca;
    struct reload_cert_key *own;
    struct reload_cert_bytes public_key = { 0 }, der = { 0 }, pem = { 0 };
    uint8_t serial[RELOAD_CERT_SERIAL_LEN], id[RELOAD_NODE_ID_MIN];
    must(reload_cert_ca_load(ca_certificate, ca_key, &ca, &reason), "CA");
    must(reload_cert_key_generate(key, &own), "key");
    must(reload_cert_key_public(own, &public_key), "public key");
    must(reload_cert_serial_random(serial), "serial");
    BENCH_CHECK(getrandom(id, sizeof id, 0) == sizeof id);
    out->node_id = reload_node_id_from(reload_slice_of(id, sizeof id));
    struct reload_cert_issue issue = {
        .overlay = overlay,
        .public_key = reload_cert_bytes_slice(&public_key),
        .user_name = reload_slice_of(user, strlen(user)),
        .node_ids = &out->node_id,
        .node_id_count = 1,
        .serial = reload_slice_of(serial, sizeof serial),
        .not_before_ms = unix_ms() - DAY_MS,
        .not_after_ms = unix_ms() + 30ull * DAY_MS,
    };
    must(reload_cert_ca_issue(ca, &issue, &der, &reason), "certificate");
    struct reload_slice ders[] = { reload_cert_bytes_slice(&der) };
    must(reload_cert_pem(ders, 1, &pem), "PEM");
    must(reload_cert_file_write(out->certificate, reload_cert_bytes_slice(&pem), false, &reason),
         "certificate file");
    must(reload_cert_key_write(own, out->key, &reason), "key file");
    reload_cert_bytes_fini(&public_key);
    reload_cert_bytes_fini(&der);
    reload_cert_bytes_fini(&pem);
    reload_cert_key_free(own);
    reload_cert_ca_free(ca);
}

void bench_files_remove(const struct bench_files *files)
{
    DIR *folder = opendir(files->directory);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        char path[BENCH_PATH_MAX + 300];
        snprintf(path, sizeof path, "%s/%s", files->directory, entry->d_name);
        unlink(path);
    }
    closedir(folder);
    rmdir(files->directory);
}
