/* The memory of the program: an idle peer in a ring of peer processes, and what one more TLS link
 * costs it. Private_Dirty is what would be free if the process ended; the rest of the resident set
 * is code and data that all processes share. */

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "certs/overlay_dir.h"
#include "overlay_files.h"
#include "peer/overlay.h"

#define NAME      "bench.example"
#define PEERS     16
#define CLIENTS   50 /* extra links to one of the peers */
#define SETTLE_US 5000000
#define LINE_LEN  1024

struct process {
    pid_t pid;
    struct reload_link_address listen;
};

struct memory {
    unsigned long private_dirty_kb, rss_kb;
};

struct client {
    struct reload_overlay *overlay;
    enum reload_topology_state state;
};

static struct bench_files files;

static void make_overlay(void)
{
    struct reload_config config =
        reload_cert_overlay_options_default(NAME, bench_clock_ns(CLOCK_REALTIME) / 1000000u).config;
    static const char *const enrollment[] = { "https://127.0.0.1/" };
    config.no_ice = true;
    config.enrollment_servers = enrollment;
    config.enrollment_server_count = 1;
    bench_files_create(&files, &config, RELOAD_CERT_KEY_EC);
}

/* --- the peers --- */

/* The program lies beside the benchmark. */
static void program_path(char *out, size_t cap)
{
    ssize_t len = readlink("/proc/self/exe", out, cap - sizeof "/reload");
    BENCH_CHECK(len > 0);
    out[len] = '\0';
    char *slash = strrchr(out, '/');
    BENCH_CHECK(slash);
    memcpy(slash, "/reload", sizeof "/reload");
}

static void run_peer(const struct bench_identity_files *own, const char *bootstrap, int output)
{
    char program[512];
    program_path(program, sizeof program);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* none is left behind, however this ends */
    char log[BENCH_PATH_MAX + 32];
    snprintf(log, sizeof log, "%s/peers.log", files.directory);
    int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(log_fd, STDERR_FILENO);
    const char *args[] = {
        program,        "peer",     "--json",         "--config",
        files.document, "--cert",   own->certificate, "--key",
        own->key,       "--listen", "127.0.0.1:0",    bootstrap ? "--bootstrap" : "--first",
        bootstrap,      NULL
    };
    execv(program, (char *const *)(uintptr_t)args);
    perror(program);
    _exit(1);
}

/* Its first line says where it listens, once it has joined. */
static void read_ready(FILE *output, struct reload_link_address *listen)
{
    char line[LINE_LEN], address[RELOAD_LINK_ADDRESS_TEXT];
    static const char key[] = "\"listen\":";
    BENCH_CHECK(fgets(line, sizeof line, output));
    const char *at = strstr(line, key);
    BENCH_CHECK(at && sscanf(at + sizeof key - 1, " \"127.0.0.1:%8[0-9]\"", address) == 1);
    BENCH_CHECK(
        reload_link_address_parse("127.0.0.1", (uint16_t)strtoul(address, NULL, 10), listen) == 0);
}

static struct process start_peer(unsigned number, const struct process *first)
{
    struct bench_identity_files own;
    struct process process;
    int ends[2];
    char bootstrap[RELOAD_LINK_ADDRESS_TEXT];
    bench_files_identity(&files, NAME, number, RELOAD_CERT_KEY_EC, &own);
    BENCH_CHECK(pipe2(ends, O_CLOEXEC) == 0);
    if (first)
        reload_link_address_text(&first->listen, bootstrap);
    process.pid = fork();
    BENCH_CHECK(process.pid >= 0);
    if (process.pid == 0)
        run_peer(&own, first ? bootstrap : NULL, ends[1]);
    close(ends[1]);
    FILE *output = fdopen(ends[0], "r");
    BENCH_CHECK(output);
    read_ready(output, &process.listen);
    fclose(output); /* it has no more to say before it leaves */
    return process;
}

static void stop_peers(const struct process *peers)
{
    for (size_t i = 0; i < PEERS; i++)
        kill(peers[i].pid, SIGTERM);
    for (size_t i = 0; i < PEERS; i++)
        waitpid(peers[i].pid, NULL, 0);
}

static struct memory memory_of(pid_t pid)
{
    char path[64], line[LINE_LEN];
    struct memory memory = { 0, 0 };
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
    FILE *file = fopen(path, "r");
    BENCH_CHECK(file);
    while (fgets(line, sizeof line, file)) {
        (void)!sscanf(line, "Private_Dirty: %lu", &memory.private_dirty_kb);
        (void)!sscanf(line, "Rss: %lu", &memory.rss_kb);
    }
    fclose(file);
    BENCH_CHECK(memory.private_dirty_kb && memory.rss_kb);
    return memory;
}

/* --- the extra links --- */

static void state_changed(void *context, enum reload_topology_state state, const char *text)
{
    (void)text;
    ((struct client *)context)->state = state;
}

static void turn_for(gint64 us)
{
    gint64 end = g_get_monotonic_time() + us;
    while (g_get_monotonic_time() < end)
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(1000);
}

static void link_client(struct client *client, unsigned number, const struct process *to)
{
    static const struct reload_overlay_events events = { .state = state_changed };
    struct bench_identity_files own;
    bench_files_identity(&files, NAME, number, RELOAD_CERT_KEY_EC, &own);
    struct reload_overlay_options options = { .config = files.document,
                                              .certificate = own.certificate,
                                              .key = own.key,
                                              .bootstrap = &to->listen,
                                              .bootstrap_count = 1,
                                              .role = RELOAD_ROLE_CLIENT_ANY,
                                              .events = &events,
                                              .events_context = client };
    struct reload_cert_reason reason = { 0 };
    if (reload_overlay_new(&options, &client->overlay, &reason)) {
        fprintf(stderr, "client: %s\n", reason.text);
        exit(1);
    }
    reload_overlay_join(client->overlay, false);
    gint64 end = g_get_monotonic_time() + 30000000;
    while (client->state != RELOAD_TOPOLOGY_JOINED) {
        g_main_context_iteration(NULL, TRUE);
        BENCH_CHECK(g_get_monotonic_time() < end);
    }
}

static size_t links_to(const struct client *clients, const struct process *peer)
{
    size_t count = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        const struct reload_links *links = reload_overlay_links(clients[i].overlay);
        reload_link_id ids[8];
        size_t known = reload_links_list(links, ids, 8);
        for (size_t k = 0; k < known && k < 8; k++) {
            struct reload_link_info info;
            count += reload_links_info(links, ids[k], &info) == 0 && info.up &&
                     info.address.port == peer->listen.port;
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    static struct process peers[PEERS];
    static struct client clients[CLIENTS];
    make_overlay();
    for (unsigned i = 0; i < PEERS; i++)
        peers[i] = start_peer(i, i ? &peers[0] : NULL);
    g_usleep(SETTLE_US);

    struct memory most = { 0, 0 };
    unsigned long sum_kb = 0;
    for (size_t i = 0; i < PEERS; i++) {
        struct memory now = memory_of(peers[i].pid);
        most.private_dirty_kb = MAX(most.private_dirty_kb, now.private_dirty_kb);
        most.rss_kb = MAX(most.rss_kb, now.rss_kb);
        sum_kb += now.private_dirty_kb;
    }

    const struct process *target = &peers[PEERS / 2];
    unsigned long before_kb = memory_of(target->pid).private_dirty_kb;
    for (unsigned i = 0; i < CLIENTS; i++)
        link_client(&clients[i], PEERS + i, target);
    turn_for(SETTLE_US);
    size_t links = links_to(clients, target);
    BENCH_CHECK(links >= CLIENTS);
    double per_link_kb =
        ((double)memory_of(target->pid).private_dirty_kb - (double)before_kb) / (double)links;

    if (bench_wants_json(argc, argv))
        printf(
            "{\"peers\":%d,\"private_dirty_kb\":%lu,\"private_dirty_mean_kb\":%lu,\"rss_kb\":%lu,"
            "\"extra_links\":%zu,\"per_link_kb\":%.1f}\n",
            PEERS, most.private_dirty_kb, sum_kb / PEERS, most.rss_kb, links, per_link_kb);
    else
        printf(
            "an idle peer process in a ring of %d: %lu KB of its own (mean %lu KB), resident %lu "
            "KB\neach of %zu more links: %.1f KB\n",
            PEERS, most.private_dirty_kb, sum_kb / PEERS, most.rss_kb, links, per_link_kb);
    for (size_t i = 0; i < CLIENTS; i++)
        reload_overlay_free(clients[i].overlay);
    stop_peers(peers);
    bench_files_remove(&files);
    return 0;
}
