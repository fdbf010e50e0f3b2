#include "fuzz.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "certs/enroll/form.h"

/* The body of an enrollment request (RFC 6940 s11.3): multipart/form-data with the boundary
 * "one-form", through libmicrohttpd's parser as the server drives it. */

#define LARGEST 65536
#define TURNS   64

struct request {
    struct MHD_PostProcessor *post;
    struct reload_enroll_form form;
    bool done;
};

static enum MHD_Result take(void *closure, enum MHD_ValueKind kind, const char *key,
                            const char *filename, const char *type, const char *encoding,
                            const char *data, uint64_t at, size_t len)
{
    struct request *request = closure;
    (void)kind;
    (void)filename;
    reload_enroll_form_take(&request->form, key, type, encoding, data, at, len);
    return MHD_YES;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void judge(const struct reload_enroll_form *form)
{
    char device[RELOAD_ENROLL_DEVICE_MAX + 1];
    uint32_t count;
    must(form->username.len <= sizeof form->username_bytes);
    must(form->password.len <= sizeof form->password_bytes);
    must(form->csr.len <= sizeof form->csr_bytes);
    if (reload_enroll_form_device(form, device) == 0)
        must(reload_enroll_is_device(device));
    if (reload_enroll_form_node_ids(form, &count) == 0)
        must(count > 0 || !form->nodeids.present);
}

static enum MHD_Result answer(struct MHD_Connection *connection)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result handle(void *closure, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *len, void **state)
{
    struct request *request = closure;
    (void)url;
    (void)method;
    (void)version;
    if (*state == NULL) {
        *state = request;
        request->post = MHD_create_post_processor(connection, 1024, take, request);
        return request->post ? MHD_YES : MHD_NO;
    }
    if (*len > 0) {
        (void)MHD_post_process(request->post, data, *len);
        *len = 0;
        return MHD_YES;
    }
    request->done = true;
    return answer(connection);
}

static void write_all(int fd, const void *p, size_t n)
{
    must(send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n);
}

static void post(struct MHD_Daemon *daemon, const struct request *request, const uint8_t *data,
                 size_t size)
{
    static const struct sockaddr_un nobody = { .sun_family = AF_UNIX };
    char head[200];
    int fds[2], n;
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    n = snprintf(head, sizeof head,
                 "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n"
                 "Content-Type: multipart/form-data; boundary=one-form\r\n\r\n",
                 size);
    write_all(fds[0], head, (size_t)n);
    write_all(fds[0], data, size);
    must(MHD_add_connection(daemon, fds[1], (const struct sockaddr *)&nobody, sizeof nobody) ==
         MHD_YES);
    for (int turn = 0; turn < TURNS && !request->done; turn++)
        (void)MHD_run(daemon);
    close(fds[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL || size == 0 || size > LARGEST) {
        free(request);
        return 0;
    }
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, handle, request, MHD_OPTION_END);
    must(daemon != NULL);
    post(daemon, request, data, size);
    if (request->post)
        MHD_destroy_post_processor(request->post);
    judge(&request->form);
    MHD_stop_daemon(daemon);
    free(request);
    return 0;
}
