#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "peer/verbs/verbs.h"

#define VERSION "0.1.0"

const struct reload_verb reload_verbs[] = {
    { "overlay create", "NAME", "Make an overlay: CA, keys and a signed configuration",
      reload_verb_overlay_create },
    { "overlay sign", NULL, "Sign an overlay's edited configuration again",
      reload_verb_overlay_sign },
    { "user add", "USER", "Add an account to an overlay", reload_verb_user_add },
    { "user list", NULL, "List the accounts of an overlay", reload_verb_user_list },
    { "user passwd", "USER", "Give an account a new password", reload_verb_user_passwd },
    { "user remove", "USER", "Close an account", reload_verb_user_remove },
    { "enroll-server", NULL, "Serve configuration and certificates over HTTPS",
      reload_verb_enroll_server },
    { "enroll", "URL|NAME|FILE", "Get configuration and a certificate for this node",
      reload_verb_enroll },
    { "peer", NULL, "Join an overlay as a peer or a client", reload_verb_peer },
    { "status", NULL, "Show what a running peer is doing", reload_verb_status },
    { "ring", NULL, "Draw the ring as a running peer sees it", reload_verb_ring },
    { "links", NULL, "List a running peer's links", reload_verb_links },
    { "doctor", NULL, "Say why a node is not reachable, and what to do", reload_verb_doctor },
    { "ping", "[NODE-ID]", "Ping a node, or the peer responsible for a resource",
      reload_verb_ping },
    { "attach", "[NODE-ID]", "Link to a node, or to the peer responsible for a resource",
      reload_verb_attach },
    { "trace", NULL, "Show the route to a node or resource, hop by hop", reload_verb_trace },
    { "store", "VALUE", "Store a value in the overlay", reload_verb_store },
    { "remove", NULL, "Remove a stored value", reload_verb_remove },
    { "fetch", NULL, "Fetch values and verify their signatures", reload_verb_fetch },
    { "stat", NULL, "Ask for sizes and digests of stored values", reload_verb_stat },
    { "find", NULL, "Find the next stored resource of a Kind", reload_verb_find },
    { "sip register", NULL, "Take the SIP calls of this node's user here",
      reload_verb_sip_register },
    { "sip unregister", NULL, "Take no more SIP calls here", reload_verb_sip_unregister },
    { "sip forward", "URI", "Have SIP calls of this node's user go elsewhere",
      reload_verb_sip_forward },
    { "sip lookup", "URI", "Find where a SIP address can be reached", reload_verb_sip_lookup },
    { "sip gruu", NULL, "Print the SIP URI of this very node", reload_verb_sip_gruu },
    { "sip message", "ADDRESS TEXT", "Send a text to whoever is at a SIP address",
      reload_verb_sip_message },
    { "sip call", "ADDRESS", "Call a SIP address and talk", reload_verb_sip_call },
    { "sip answer", NULL, "Take the SIP call that comes in, and talk", reload_verb_sip_answer },
    { "sip decline", NULL, "Refuse the SIP call that comes in", reload_verb_sip_decline },
    { "sip hangup", NULL, "End a SIP call", reload_verb_sip_hangup },
    { "sip hold", NULL, "Hold a SIP call: nothing is said meanwhile", reload_verb_sip_hold },
    { "sip resume", NULL, "Go on with a SIP call that is held", reload_verb_sip_resume },
    { "sip move", NULL, "Lead a SIP call over this machine's present addresses",
      reload_verb_sip_move },
    { "sip press", "KEYS", "Press keys during a SIP call", reload_verb_sip_press },
    { "sip calls", NULL, "List a running peer's SIP calls", reload_verb_sip_calls },
    { "connect", "NODE-ID APPLICATION", "Pipe a channel to an application of another node",
      reload_verb_connect },
    { "listen", "APPLICATION [COMMAND...]", "Serve an application: take a channel that others open",
      reload_verb_listen },
    { "leave", NULL, "Make a running peer leave and end", reload_verb_leave },
    { "audio devices", NULL, "List what calls can play on and hear with",
      reload_verb_audio_devices },
    { "audio loopback", NULL, "Play what the microphone hears", reload_verb_audio_loopback },
    { "audio tone", NULL, "Play a tone", reload_verb_audio_tone },
    { "decode", "[FILE|-]", "Print any RELOAD bytes as JSON", reload_verb_decode },
    { "demo", NULL, "Run a whole overlay on this machine and check it", reload_verb_demo },
};
const size_t reload_verb_count = sizeof reload_verbs / sizeof reload_verbs[0];

static void usage(FILE *out)
{
    fprintf(out, "Usage: reload VERB [OPTION...]\n\n"
                 "A RELOAD (RFC 6940) overlay: operate one, join one, use one.\n\nVerbs:\n");
    for (size_t i = 0; i < reload_verb_count; i++)
        fprintf(out, "  %-16s %s\n", reload_verbs[i].name, reload_verbs[i].summary);
    fprintf(out, "\nreload VERB --help tells more about one. Exit codes: 0 done, 1 failed, 2 wrong "
                 "usage,\n3 not joined, 4 refused (password or permission), 5 expired.\n");
}

/* How many words of the command line are this verb's name: 0 when it is another verb. */
static int words_matching(const char *name, int argc, char **argv)
{
    const char *space = strchr(name, ' ');
    size_t first = space ? (size_t)(space - name) : strlen(name);
    if (argc < 2 || strlen(argv[1]) != first || strncmp(argv[1], name, first) != 0)
        return 0;
    if (!space)
        return 1;
    return argc > 2 && strcmp(argv[2], space + 1) == 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    for (size_t i = 0; i < reload_verb_count; i++) {
        int words = words_matching(reload_verbs[i].name, argc, argv);
        if (words == 0)
            continue;
        argv[words] = argv[0];
        return reload_verbs[i].run(argc - words, argv + words);
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("reload " VERSION);
        return RELOAD_EXIT_OK;
    }
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        usage(stdout);
        return RELOAD_EXIT_OK;
    }
    if (argc > 1)
        fprintf(stderr, "reload: there is no verb \"%s%s%s\"\n\n", argv[1], argc > 2 ? " " : "",
                argc > 2 ? argv[2] : "");
    usage(stderr);
    return RELOAD_EXIT_USAGE;
}
