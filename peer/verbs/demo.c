#include "peer/demo/demo.h"

#include <string.h>

#include "peer/verbs/verbs.h"

int reload_verb_demo(int argc, char **argv)
{
    static gboolean json, keep, pcap, verbose, dtls, ice;
    static char *key;
    static int seed;
    static const GOptionEntry entries[] = {
        { "key", 0, 0, G_OPTION_ARG_STRING, &key, "Keys of the overlay and its nodes but one",
          "ec|rsa" },
        { "keep", 0, 0, G_OPTION_ARG_NONE, &keep, "Keep the folder with everything in it", NULL },
        { "pcap", 0, 0, G_OPTION_ARG_NONE, &pcap, "Write a capture for each node (with --keep)",
          NULL },
        { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "Repeat the choices of an earlier run", "N" },
        { "dtls", 0, 0, G_OPTION_ARG_NONE, &dtls, "Links over DTLS and UDP", NULL },
        { "ice", 0, 0, G_OPTION_ARG_NONE, &ice, "Links by ICE, over DTLS and UDP", NULL },
        { "verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "Nodes log every message (with --keep)",
          NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON; the story goes to standard error",
          NULL },
        { 0 },
    };
    int code = reload_verb_options("demo", entries, &argc, &argv, 0, 0);
    if (code == 0 && key && strcmp(key, "ec") != 0 && strcmp(key, "rsa") != 0)
        code = reload_verb_fail(RELOAD_EXIT_USAGE, "--key %s: must be ec or rsa", key);
    if (code == 0 && ice && dtls)
        code = reload_verb_fail(RELOAD_EXIT_USAGE, "--ice links over DTLS without --dtls");
    if (code)
        return code;
    struct demo_options options = {
        .json = json,
        .keep = keep,
        .pcap = pcap,
        .verbose = verbose,
        .dtls = dtls,
        .ice = ice,
        .rsa = key && strcmp(key, "rsa") == 0,
        .seed = (guint32)seed,
    };
    return demo_run(&options);
}
