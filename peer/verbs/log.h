#ifndef PEER_VERBS_LOG_H
#define PEER_VERBS_LOG_H

#include "reload/log.h"

/* A sink that writes lines with the time of day to standard error. One cause gets
 * twenty lines a minute; what exceeds them is counted. verbose: debug lines too, all of them. */
struct reload_log reload_verb_log(int verbose);

#endif
