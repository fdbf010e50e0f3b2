#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/probe/books.h"
#include "interop/probe/report.h"
#include "interop/probe/socket.h"

/* reload-probe: named cases against any RELOAD peer. */

#define ONLY_MAX 256

static struct {
    struct probe_options world;
    const char *peer;
    const char *only[ONLY_MAX];
    size_t only_count;
    enum probe_format format;
    bool list;
} o;

static const char usage[] =
    "Usage: reload-probe --config overlay.xml --cert node.pem --key node.key --peer ADDR:PORT\n"
    "\n"
    "Tests a RELOAD peer (RFC 6940) over the wire: one verdict a case. Exit 0: no case failed.\n"
    "\n"
    "  --config FILE     the overlay's configuration document\n"
    "  --cert FILE       certificate chain of a node of that overlay, PEM\n"
    "  --key FILE        and its key, PEM, mode 0600\n"
    "  --peer ADDR:PORT  the peer to test\n"
    "  --dtls            link over DTLS and UDP instead of TLS and TCP\n"
    "  --authority DIR   the overlay's folder, as `reload overlay create` makes it: with its CA "
    "the\n"
    "                    probe makes certificates of its own, good and bad ones. Without it the\n"
    "                    cases that need one are not applicable\n"
    "  --reconfigure     with --authority: brings the peer a newer configuration document at the "
    "end,\n"
    "                    which it keeps; only for an overlay that is there for tests\n"
    "  --only NAME       only this case, or those that a pattern as of the shell matches; may be\n"
    "                    repeated\n"
    "  --list            the cases, without running them\n"
    "  --json, --junit   for machines\n";

static int read_options(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", 1, NULL, 'c' }, { "cert", 1, NULL, 'e' }, { "key", 1, NULL, 'k' },
        { "peer", 1, NULL, 'p' },   { "dtls", 0, NULL, 'd' }, { "authority", 1, NULL, 'a' },
        { "only", 1, NULL, 'o' },   { "list", 0, NULL, 'l' }, { "json", 0, NULL, 'j' },
        { "junit", 0, NULL, 'u' },  { "help", 0, NULL, 'h' }, { "reconfigure", 0, NULL, 'r' },
        { NULL, 0, NULL, 0 },
    };
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'c': o.world.config = optarg; break;
        case 'e': o.world.certificate = optarg; break;
        case 'k': o.world.key = optarg; break;
        case 'p': o.peer = optarg; break;
        case 'd': o.world.dtls = true; break;
        case 'a': o.world.authority = optarg; break;
        case 'l': o.list = true; break;
        case 'j': o.format = PROBE_JSON; break;
        case 'r': o.world.reconfigure = true; break;
        case 'u': o.format = PROBE_JUNIT; break;
        case 'h': fputs(usage, stdout); exit(0);
        case 'o':
            if (o.only_count < ONLY_MAX)
                o.only[o.only_count++] = optarg;
            break;
        default: return -1;
        }
    }
    return optind == argc ? 0 : -1;
}

static bool wanted(const struct probe_case *one)
{
    for (size_t i = 0; i < o.only_count; i++)
        if (fnmatch(o.only[i], one->name, 0) == 0)
            return true;
    return o.only_count == 0;
}

static size_t run_all(struct probe_world *world, const struct probe_script *script)
{
    struct probe_report *report = probe_report_new(o.format);
    for (size_t i = 0; i < script->count; i++) {
        struct probe_result result;
        if (!wanted(&script->cases[i]))
            continue;
        probe_run_case(world, &script->cases[i], &result);
        probe_report_add(report, &script->cases[i], &result);
        probe_result_fini(&result);
    }
    return probe_report_end(report);
}

static int refuse(int code, const struct probe_fault *fault)
{
    fprintf(stderr, "reload-probe: %s\n", fault->text);
    return code;
}

static int run(const struct probe_script *script, struct probe_scope *definitions)
{
    struct probe_world world;
    struct probe_fault fault = { "" };
    int code = 2;
    if (probe_address_read(o.peer, &o.world.peer))
        probe_fault_set(&fault, "--peer %s: not an IP address and port", o.peer);
    else if (!probe_world_open(&world, &o.world, &fault)) {
        world.names.outer = definitions;
        if (!probe_world_meet(&world, &fault))
            code = run_all(&world, script) ? 1 : 0;
        probe_world_close(&world);
    }
    return fault.text[0] ? refuse(code, &fault) : code;
}

int main(int argc, char **argv)
{
    struct probe_script script = { 0 };
    struct probe_scope definitions = { 0 };
    struct probe_fault fault = { "" };
    signal(SIGPIPE, SIG_IGN);
    if (read_options(argc, argv) ||
        (!o.list && !(o.world.config && o.world.certificate && o.world.key && o.peer))) {
        fputs(usage, stderr);
        return 2;
    }
    int code = probe_books_read(&script, &definitions, &fault) ? refuse(2, &fault) : 0;
    if (code == 0 && o.list)
        probe_report_list(&script, o.format);
    else if (code == 0)
        code = run(&script, &definitions);
    probe_script_free(&script);
    probe_scope_fini(&definitions);
    return code;
}
