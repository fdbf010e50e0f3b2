#include "peer/verbs/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t interrupts;

static void interrupted(int signal_number)
{
    (void)signal_number;
    interrupts = 1;
}

void reload_interrupt_catch(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = interrupted, .sa_flags = (int)SA_RESETHAND };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

bool reload_interrupted(void)
{
    return interrupts != 0;
}
