#include <stdio.h>

#include "certs/enroll/users.h"
#include "certs/file.h"
#include "peer/verbs/verbs.h"
#include "reload/alloc.h"

/* `reload user ...`: the accounts that may enroll. */

#define DATABASE "enroll.db"

static struct {
    char *directory, *password_file;
    int node_ids;
    gboolean json;
} o;

#define DIR_ENTRY                                                                                  \
    {                                                                                              \
        "dir", 0, 0, G_OPTION_ARG_FILENAME, &o.directory, "The overlay's folder", "DIR"            \
    }
#define PASSWORD_ENTRY                                                                             \
    {                                                                                              \
        "password-file", 0, 0, G_OPTION_ARG_FILENAME, &o.password_file,                            \
            "Read the password from this file's first line (-: standard input)", "FILE"            \
    }
#define JSON_ENTRY                                                                                 \
    {                                                                                              \
        "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print JSON", NULL                               \
    }

static int open_database(struct reload_enroll_database **db)
{
    struct reload_cert_reason reason = { "" };
    char *document = reload_cert_file_path(o.directory, "overlay.xml");
    char *path = reload_cert_file_path(o.directory, DATABASE);
    int code = 0;
    if (!document || !g_file_test(document, G_FILE_TEST_EXISTS)) {
        code = reload_verb_fail(RELOAD_EXIT_FAILURE,
                                "%s is no overlay's folder; make one with: reload overlay create "
                                "NAME --dir %s",
                                o.directory, o.directory);
    } else {
        int error = reload_enroll_database_open(path, true, db, &reason);
        code = error ? reload_verb_refuse(error, path, &reason) : 0;
    }
    reload_free(document);
    reload_free(path);
    return code;
}

static int begin(const char *verb, const GOptionEntry *entries, int *argc, char ***argv,
                 int operands, struct reload_enroll_database **db)
{
    int code = reload_verb_options(verb, entries, argc, argv, operands, operands);
    if (code == 0 && !o.directory)
        code = reload_verb_fail(RELOAD_EXIT_USAGE, "--dir DIR is missing: the overlay's folder");
    return code ? code : open_database(db);
}

static int finish(struct reload_enroll_database *db, int error, const char *name, const char *done,
                  const struct reload_cert_reason *reason)
{
    reload_enroll_database_close(db);
    if (error)
        return reload_verb_refuse(error, name, reason);
    if (o.json)
        reload_verb_print_json(json_pack("{s:b,s:s}", "ok", 1, "user", name));
    else
        printf("%s: %s\n", name, done);
    return 0;
}

int reload_verb_user_add(int argc, char **argv)
{
    static const GOptionEntry entries[] = {
        DIR_ENTRY,
        PASSWORD_ENTRY,
        { "node-ids", 0, 0, G_OPTION_ARG_INT, &o.node_ids,
          "How many Node-IDs the account may own (default 2)", "N" },
        JSON_ENTRY,
        { 0 },
    };
    struct reload_enroll_database *db;
    struct reload_cert_reason reason = { "" };
    char password[RELOAD_ENROLL_PASSWORD_MAX + 1];
    int code = begin("user add", entries, &argc, &argv, 1, &db);
    if (code)
        return code;
    int error = reload_verb_password(o.password_file, password, &reason);
    if (!error)
        error = reload_enroll_user_add(db, argv[1], password, (uint32_t)MAX(o.node_ids, 0), 0,
                                       reload_verb_unix_ms(), &reason);
    explicit_bzero(password, sizeof password);
    return finish(db, error, argv[1], "added", &reason);
}

int reload_verb_user_passwd(int argc, char **argv)
{
    static const GOptionEntry entries[] = { DIR_ENTRY, PASSWORD_ENTRY, JSON_ENTRY, { 0 } };
    struct reload_enroll_database *db;
    struct reload_cert_reason reason = { "" };
    char password[RELOAD_ENROLL_PASSWORD_MAX + 1];
    int code = begin("user passwd", entries, &argc, &argv, 1, &db);
    if (code)
        return code;
    int error = reload_verb_password(o.password_file, password, &reason);
    if (!error)
        error = reload_enroll_user_passwd(db, argv[1], password, 0, reload_verb_unix_ms(), &reason);
    explicit_bzero(password, sizeof password);
    return finish(db, error, argv[1], "password changed", &reason);
}

int reload_verb_user_remove(int argc, char **argv)
{
    static const GOptionEntry entries[] = { DIR_ENTRY, JSON_ENTRY, { 0 } };
    struct reload_enroll_database *db;
    struct reload_cert_reason reason = { "" };
    int code = begin("user remove", entries, &argc, &argv, 1, &db);
    if (code)
        return code;
    int error = reload_enroll_user_remove(db, argv[1], reload_verb_unix_ms(), &reason);
    return finish(db, error, argv[1], "closed; its Node-IDs stay reserved", &reason);
}

static int print_user(void *context, const struct reload_enroll_user *user)
{
    json_t *users = context;
    if (users)
        return json_array_append_new(
            users, json_pack("{s:s,s:b,s:i,s:i,s:i,s:I}", "user", user->name, "removed",
                             user->removed, "node_ids", user->node_id_count, "max_node_ids",
                             user->max_node_ids, "certificates", user->certificate_count,
                             "created_ms", (json_int_t)user->created_ms));
    printf("%-40s %u of %u Node-IDs, %u certificates%s\n", user->name, user->node_id_count,
           user->max_node_ids, user->certificate_count, user->removed ? ", closed" : "");
    return 0;
}

int reload_verb_user_list(int argc, char **argv)
{
    static const GOptionEntry entries[] = { DIR_ENTRY, JSON_ENTRY, { 0 } };
    struct reload_enroll_database *db;
    int code = begin("user list", entries, &argc, &argv, 0, &db);
    if (code)
        return code;
    json_t *users = o.json ? json_array() : NULL;
    int error = reload_enroll_database_each(db, print_user, users);
    reload_enroll_database_close(db);
    if (error) {
        json_decref(users);
        return reload_verb_refuse(error, o.directory, NULL);
    }
    if (users)
        reload_verb_print_json(json_pack("{s:b,s:o}", "ok", 1, "users", users));
    return 0;
}
