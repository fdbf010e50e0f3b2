#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "certs/overlay_dir.h"
#include "peer/control_internal.h"
#include "peer/sip_node.h"
#include "tests/bench/overlay_files.h"

/* Lines of the control socket, to an overlay's only peer. It lives as long as the process. */

#define OVERLAY_NAME "fuzz.example"
#define JOIN_MS      20000
#define TURNS        12
#define LARGEST      60000 /* bytes: what a socket takes at once */

static struct bench_files files;
static struct reload_overlay *overlay;
static struct reload_sip_node *sip;
static struct reload_control *control;
static char path[BENCH_PATH_MAX + 10];

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void remain(void *context)
{
    (void)context;
}

static void stop(void)
{
    reload_control_free(control);
    reload_sip_node_free(sip);
    reload_overlay_free(overlay);
    bench_files_remove(&files);
}

static void join(void)
{
    gint64 end_us = g_get_monotonic_time() + JOIN_MS * 1000;
    reload_overlay_join(overlay, true);
    while (reload_node_state(reload_overlay_node(overlay)) != RELOAD_TOPOLOGY_JOINED &&
           g_get_monotonic_time() < end_us)
        g_main_context_iteration(NULL, FALSE);
}

static void start(void)
{
    struct bench_identity_files identity;
    struct reload_cert_reason reason = { "" };
    struct reload_link_address any;
    struct reload_config config =
        reload_cert_overlay_options_default(OVERLAY_NAME, (uint64_t)g_get_real_time() / 1000)
            .config;
    config.no_ice = true;
    bench_files_create(&files, &config, RELOAD_CERT_KEY_EC);
    bench_files_identity(&files, OVERLAY_NAME, 0, RELOAD_CERT_KEY_EC, &identity);
    must(reload_link_address_parse("127.0.0.1", 0, &any) == 0);
    const struct reload_overlay_options options = {
        .config = files.document,
        .certificate = identity.certificate,
        .key = identity.key,
        .listen = &any,
        .listen_count = 1,
        .role = RELOAD_ROLE_PEER,
    };
    must(reload_overlay_new(&options, &overlay, &reason) == 0);
    sip = reload_sip_node_new(overlay, NULL, NULL);
    must(sip != NULL);
    (void)snprintf(path, sizeof path, "%s/control", files.directory);
    const struct reload_control_options socket = {
        .path = path, .overlay = overlay, .sip = sip, .leave = remain
    };
    must(reload_control_new(&socket, &control, &reason) == 0);
    join();
    (void)atexit(stop);
}

static int connect_client(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    must(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

/* Whatever comes back is one JSON object a line. */
static void read_answers(int fd)
{
    static char text[1 << 20];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        json_t *answer = json_loadb(line, (size_t)(end - line), 0, NULL);
        must(json_is_object(answer));
        json_decref(answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LARGEST)
        return 0;
    if (control == NULL)
        start();
    int fd = connect_client();
    must(send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size);
    must(send(fd, "\n", 1, MSG_NOSIGNAL) == 1);
    for (int turn = 0; turn < TURNS; turn++)
        (void)g_main_context_iteration(NULL, FALSE);
    read_answers(fd);
    close(fd);
    for (int turn = 0; turn < TURNS && g_main_context_iteration(NULL, FALSE); turn++)
        continue;
    return 0;
}
