#ifndef INTEROP_PROBE_STEPS_H
#define INTEROP_PROBE_STEPS_H

#include "interop/probe/run.h"

/* What the files of steps share; interop/probe/step.h says what each step means. */

struct probe_step {
    const char *word; /* NULL ends a table */
    int (*run)(struct probe_run *run, const char *words);
};

extern const struct probe_step probe_steps_answer[], probe_steps_send[], probe_steps_node[],
    probe_steps_name[];

int probe_step_fail(struct probe_run *run, const char *what); /* always -1 */
bool probe_step_past(uint64_t end_ms);
int probe_step_transmit(struct probe_run *run, struct reload_slice message);
/* Waits until the newest link of "me" is closed; -1 with a fault. */
int probe_step_closed(struct probe_run *run);

#endif
