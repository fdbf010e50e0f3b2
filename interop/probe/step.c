#include "interop/probe/step.h"

#include <string.h>

#include "interop/probe/steps.h"

int probe_step_fail(struct probe_run *run, const char *what)
{
    return probe_fault_set(&run->fault, "%s", what);
}

bool probe_step_past(uint64_t end_ms)
{
    return probe_now().monotonic_ms >= end_ms;
}

int probe_step(struct probe_run *run, const char *line)
{
    const struct probe_step *const tables[] = { probe_steps_answer, probe_steps_send,
                                                probe_steps_node, probe_steps_name };
    size_t n = strcspn(line, " ");
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const struct probe_step *step = tables[t]; step->word; step++)
            if (strlen(step->word) == n && strncmp(line, step->word, n) == 0)
                return step->run(run, line + n + strspn(line + n, " "));
    return probe_fault_set(&run->fault, "no such step: %.80s", line);
}
