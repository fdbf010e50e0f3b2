/* What a call costs in CPU time beside the libraries that it is made of. */

#include "bench.h"
#include "voice_cost.h"

int main(int argc, char **argv)
{
    struct voice_cost cost = voice_cost();
    const char *format =
        bench_wants_json(argc, argv)
            ? "{\"call_us_per_20ms\":%.1f,\"bare_us_per_20ms\":%.1f,\"cpu_ratio\":%.3f,"
              "\"calls_per_core\":%.0f}\n"
            : "one call: %.1f us of CPU per 20 ms; bare library calls: %.1f us; ratio %.3f; "
              "%.0f calls on one core\n";
    printf(format, cost.call_us, cost.bare_us, cost.call_us / cost.bare_us, 20000 / cost.call_us);
    return 0;
}
