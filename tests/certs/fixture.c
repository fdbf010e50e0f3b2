#include "tests/certs/fixture.h"

#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certs/digest.h"
#include "certs/file.h"
#include "reload/wire/security_block.h"

extern char **environ;

void fixture_init(struct fixture *f, enum reload_cert_key_type type)
{
    struct reload_cert_reason why = { "" };
    memset(f, 0, sizeof *f);
    assert_int_equal(reload_cert_ca_create(type, OVERLAY, NOW_MS - 10 * DAY_MS,
                                           NOW_MS + 3650 * DAY_MS, &f->ca, &why),
                     0);
    f->root = reload_cert_ca_certificate(f->ca);
    f->config = reload_config_defaults();
    f->config.instance_name = OVERLAY;
    f->config.root_certs = &f->root;
    f->config.root_cert_count = 1;
}

void fixture_fini(struct fixture *f)
{
    reload_cert_ca_free(f->ca);
}

struct reload_slice text(const char *s)
{
    return reload_slice_of(s, strlen(s));
}

struct reload_node_id node_id(uint8_t fill)
{
    uint8_t bytes[16];
    memset(bytes, fill, sizeof bytes);
    return reload_node_id_from(reload_slice_of(bytes, sizeof bytes));
}

struct reload_cert_key *new_key(enum reload_cert_key_type type)
{
    struct reload_cert_key *key;
    assert_int_equal(reload_cert_key_generate(type, &key), 0);
    return key;
}

struct reload_cert_bytes issue(const struct fixture *f, const struct reload_cert_key *key,
                               uint8_t fill, struct wish wish)
{
    struct reload_node_id ids[RELOAD_CERT_NODE_IDS_MAX];
    uint8_t serial[RELOAD_CERT_SERIAL_LEN];
    struct reload_cert_bytes public_key, der;
    struct reload_cert_reason why = { "" };
    size_t count = wish.node_ids ? wish.node_ids : 1;
    for (size_t i = 0; i < count; i++)
        ids[i] = node_id((uint8_t)(fill + i));
    assert_int_equal(reload_cert_serial_random(serial), 0);
    assert_int_equal(reload_cert_key_public(key, &public_key), 0);
    const struct reload_cert_issue what = {
        .overlay = wish.overlay ? wish.overlay : OVERLAY,
        .public_key = reload_cert_bytes_slice(&public_key),
        .user_name = text(wish.user_name ? wish.user_name : ""),
        .node_ids = ids,
        .node_id_count = count,
        .serial = { serial, sizeof serial },
        .not_before_ms = wish.not_before_ms ? wish.not_before_ms : NOW_MS - DAY_MS,
        .not_after_ms = wish.not_after_ms ? wish.not_after_ms : NOW_MS + 365 * DAY_MS,
    };
    if (reload_cert_ca_issue(f->ca, &what, &der, &why))
        fail_msg("%s", why.text);
    reload_cert_bytes_fini(&public_key);
    return der;
}

struct reload_cert_identity *new_identity(const struct fixture *f, enum reload_cert_key_type type,
                                          uint8_t fill, struct wish wish)
{
    struct reload_cert_reason why = { "" };
    struct reload_cert_key *key = new_key(type);
    struct reload_cert_bytes der = issue(f, key, fill, wish);
    struct reload_cert_identity *identity;
    if (reload_cert_identity_new(reload_cert_bytes_slice(&der), key, NULL, &identity, &why))
        fail_msg("%s", why.text);
    reload_cert_bytes_fini(&der);
    reload_cert_key_free(key);
    return identity;
}

struct reload_cert_bytes bucket(const struct reload_slice *ders, size_t count)
{
    size_t cap = 0;
    for (size_t i = 0; i < count; i++)
        cap += 3 + ders[i].n;
    struct reload_cert_bytes out = { reload_alloc(cap), cap };
    struct reload_writer w = reload_writer_of(out.p, cap);
    for (size_t i = 0; i < count; i++) {
        struct reload_certificate item = { RELOAD_CERTIFICATE_X509, ders[i] };
        assert_int_equal(reload_certificate_encode(&w, &item), 0);
    }
    assert_int_equal(w.len, cap);
    return out;
}

struct reload_cert_bytes identity_value(uint8_t hash_algorithm, const struct reload_node_id *id,
                                        struct reload_slice der)
{
    struct reload_slice parts[2] = { id ? reload_node_id_slice(id) : (struct reload_slice){ 0 },
                                     der };
    struct reload_cert_hasher hasher;
    struct reload_cert_bytes out = { reload_alloc(2 + RELOAD_DIGEST_MAX), 0 };
    size_t len;
    assert_int_equal(reload_cert_hasher_init(&hasher), 0);
    assert_int_equal(reload_cert_hasher_digest(&hasher, hash_algorithm, parts, 2, out.p + 2, &len),
                     0);
    out.p[0] = hash_algorithm;
    out.p[1] = (uint8_t)len;
    out.n = 2 + len;
    reload_cert_hasher_fini(&hasher);
    return out;
}

char *new_folder(void)
{
    const char *place = getenv("TMPDIR");
    char *folder = reload_cert_file_path(place ? place : "/tmp", "reload-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about, (void)type, (void)walk;
    return remove(path);
}

void remove_folder(char *folder)
{
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    reload_free(folder);
}

void run(const char *const *arguments)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
    assert_int_equal(posix_spawnp(&pid, arguments[0], &actions, NULL,
                                  (char *const *)(uintptr_t)arguments, environ),
                     0);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s %s failed", arguments[0], arguments[1]);
}

struct reload_cert_bytes slurp(const char *name)
{
    struct reload_cert_bytes bytes;
    struct reload_cert_reason why = { "" };
    char *path = name[0] == '/' ? reload_strndup(name, strlen(name))
                                : reload_cert_file_path(RELOAD_TEST_DATA, name);
    if (reload_cert_file_read(path, &bytes, &why))
        fail_msg("%s", why.text);
    reload_free(path);
    return bytes;
}

void spit(const char *folder, const char *name, const char *content)
{
    char *path = reload_cert_file_path(folder, name);
    assert_int_equal(reload_cert_file_write(path, text(content), false, NULL), 0);
    reload_free(path);
}
