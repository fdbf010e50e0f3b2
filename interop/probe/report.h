#ifndef INTEROP_PROBE_REPORT_H
#define INTEROP_PROBE_REPORT_H

#include "interop/probe/run.h"

/* What came out, on standard output: a line a case, one JSON object, or JUnit's XML. */

enum probe_format { PROBE_TEXT, PROBE_JSON, PROBE_JUNIT };

struct probe_report;

struct probe_report *probe_report_new(enum probe_format format);
void probe_report_add(struct probe_report *report, const struct probe_case *one,
                      const struct probe_result *result);
/* Prints what is left to print and frees; how many cases failed. */
size_t probe_report_end(struct probe_report *report);
void probe_report_list(const struct probe_script *script, enum probe_format format);

#endif
