#ifndef PEER_VERBS_INTERRUPT_H
#define PEER_VERBS_INTERRUPT_H

#include <stdbool.h>

/* A verb that has something to put in order before it ends. */

#define RELOAD_INTERRUPT_STEP_MS 250 /* a wait looks this often whether it was interrupted */

/* From now on SIGINT, SIGTERM and SIGHUP do not end the program but are told; the second one of a
 * kind ends it. */
void reload_interrupt_catch(void);
bool reload_interrupted(void);

#endif
