/* How fast a call is: how soon one hears, how late, and what it costs. */

#include "bench.h"
#include "call_media.h"
#include "call_setup.h"
#include "voice_cost.h"

#define ENDS 40

int main(int argc, char **argv)
{
    struct call_setup tls = call_setup(false), ice = call_setup(true);
    double setup_ms = call_media_setup_ms();
    double ear_ms = call_mouth_to_ear_ms(20), ear_10_ms = call_mouth_to_ear_ms(10);
    double rough_ms = call_mouth_to_ear_rough_ms(20, 50, 0.05);
    struct call_load many = call_load(ENDS);
    struct voice_cost cost = voice_cost();
    const char *format =
        bench_wants_json(argc, argv)
            ? "{\"cold_ms\":%.1f,\"warm_ms\":%.1f,\"signalling_ms\":%.1f,"
              "\"cold_ice_ms\":%.1f,\"warm_ice_ms\":%.1f,\"signalling_ice_ms\":%.1f,"
              "\"media_setup_ms\":%.1f,\"mouth_to_ear_ms\":%.1f,\"mouth_to_ear_10_ms\":%.1f,"
              "\"mouth_to_ear_rough_ms\":%.1f,\"cpu_ratio\":%.3f,\"calls_per_core\":%.0f,"
              "\"late_blocks_of_40_calls\":%llu,\"load_of_40_calls\":%.2f,\"longest_stall_ms\":%."
              "1f}\n"
            : "dial to first decoded sound: %.1f ms cold, %.1f ms warm, of which signalling %.1f "
              "ms\n"
              "the same with ICE: %.1f ms cold, %.1f ms warm, of which signalling %.1f ms\n"
              "DTLS-SRTP to first decoded sound: %.1f ms\n"
              "mouth to ear: %.1f ms with frames of 20 ms, %.1f ms with 10 ms, "
              "%.1f ms with 50 ms of jitter and 5 %% loss\n"
              "CPU time over that of the bare libraries: %.3f; %.0f calls on one core\n"
              "40 calls on one core for 5 s: %llu late blocks of 20000, %.2f of the core used; "
              "the machine stood still for %.1f ms at most\n";
    printf(format, tls.cold, tls.warm, tls.signalling, ice.cold, ice.warm, ice.signalling, setup_ms,
           ear_ms, ear_10_ms, rough_ms, cost.call_us / cost.bare_us, 20000 / cost.call_us,
           (unsigned long long)many.late, many.load, many.longest_stall_ms);
    return 0;
}
