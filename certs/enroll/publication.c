#include "certs/enroll/publication.h"

#include "certs/file.h"
#include "certs/overlay_dir.h"
#include "reload/alloc.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct reload_enroll_publication {
    pthread_mutex_t mutex;
    char *path;
    struct reload_enroll_publication_options options;
    struct stat seen; /* the file as it was last looked at */
    struct reload_enroll_edition edition;
    struct MHD_Response *response; /* counted by the library: those being sent keep the old one */
};

static bool has_root(const struct reload_config *config, struct reload_slice ca)
{
    for (size_t i = 0; i < config->root_cert_count; i++)
        if (config->root_certs[i].n == ca.n && memcmp(config->root_certs[i].p, ca.p, ca.n) == 0)
            return true;
    return false;
}

static int check(const struct reload_enroll_publication *p, const struct reload_config *config,
                 struct reload_cert_reason *reason)
{
    if (!has_root(config, p->options.ca))
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "the CA of this folder is not among the root-certs of %s, so "
                                  "nobody would accept its certificates; add it and sign again",
                                  p->path);
    if (p->response && strcmp(p->edition.overlay, config->instance_name) != 0)
        return reload_cert_refuse(
            reason, RELOAD_E_INVALID,
            "%s is now for the overlay %s; restart the server if that is meant", p->path,
            config->instance_name);
    return 0;
}

/* RFC 6940 s11.1: application/p2p-overlay+xml. */
static struct MHD_Response *response_of(struct reload_slice document)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        document.n, (void *)(uintptr_t)document.p, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return NULL;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/p2p-overlay+xml");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return response;
}

static int replace(struct reload_enroll_publication *p, const struct reload_cert_bytes *bytes,
                   struct reload_cert_reason *reason)
{
    static const struct reload_cert_document_policy strict;
    struct reload_config *config = NULL;
    struct reload_slice document = reload_cert_bytes_slice(bytes);
    int error =
        reload_cert_document_load(document, NULL, p->options.policy ? p->options.policy : &strict,
                                  reload_enroll_unix_ms(), &config, reason);
    if (error)
        return error;
    error = check(p, config, reason);
    struct MHD_Response *response = error ? NULL : response_of(document);
    if (response) {
        if (p->response)
            MHD_destroy_response(p->response);
        p->response = response;
        snprintf(p->edition.overlay, sizeof p->edition.overlay, "%s", config->instance_name);
        p->edition.node_id_len = config->node_id_length;
        p->edition.sequence = config->sequence;
    }
    reload_cert_document_free(config);
    return error ? error : response ? 0 : RELOAD_E_NOMEM;
}

static int read_file(struct reload_enroll_publication *p, struct reload_cert_reason *reason)
{
    struct reload_cert_bytes bytes = { 0 };
    int error = reload_cert_file_read(p->path, &bytes, reason);
    if (!error)
        error = replace(p, &bytes, reason);
    reload_cert_bytes_fini(&bytes);
    return error;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* With the mutex. The state of the file is noted first: a change during the reading is seen next
 * time. */
static void refresh(struct reload_enroll_publication *p)
{
    struct stat now;
    struct reload_cert_reason reason = { "" };
    if (stat(p->path, &now) != 0 || same_file(&now, &p->seen))
        return;
    p->seen = now;
    if (read_file(p, &reason))
        reload_enroll_note(p->options.events, RELOAD_ENROLL_BAD_DOCUMENT,
                           "the former document stays published: %s", reason.text);
}

int reload_enroll_publication_new(const struct reload_enroll_publication_options *options,
                                  struct reload_enroll_publication **out,
                                  struct reload_cert_reason *reason)
{
    *out = NULL;
    struct reload_enroll_publication *p = reload_calloc(1, sizeof *p);
    if (!p)
        return RELOAD_E_NOMEM;
    pthread_mutex_init(&p->mutex, NULL);
    p->options = *options;
    p->path = reload_cert_file_path(options->directory, RELOAD_CERT_OVERLAY_XML);
    int error = p->path ? 0 : RELOAD_E_NOMEM;
    if (!error && stat(p->path, &p->seen) != 0)
        error = reload_cert_refuse(reason, RELOAD_E_NOT_FOUND,
                                   "%s is not there; make the overlay with `reload overlay create`",
                                   p->path);
    if (!error)
        error = read_file(p, reason);
    if (error)
        reload_enroll_publication_free(p);
    else
        *out = p;
    return error;
}

void reload_enroll_publication_free(struct reload_enroll_publication *p)
{
    if (!p)
        return;
    if (p->response)
        MHD_destroy_response(p->response);
    pthread_mutex_destroy(&p->mutex);
    reload_free(p->path);
    reload_free(p);
}

struct reload_enroll_edition reload_enroll_publication_edition(struct reload_enroll_publication *p)
{
    pthread_mutex_lock(&p->mutex);
    refresh(p);
    struct reload_enroll_edition edition = p->edition;
    pthread_mutex_unlock(&p->mutex);
    return edition;
}

enum MHD_Result reload_enroll_publication_answer(struct reload_enroll_publication *p,
                                                 struct MHD_Connection *connection)
{
    pthread_mutex_lock(&p->mutex);
    refresh(p);
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, p->response);
    pthread_mutex_unlock(&p->mutex);
    return result;
}
