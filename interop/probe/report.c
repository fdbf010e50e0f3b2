#include "interop/probe/report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"

static const char *const verdicts[] = { "pass", "fail", "not applicable" };

struct probe_report {
    enum probe_format format;
    size_t counts[3];
    json_t *cases;
    struct reload_buffer xml;
};

struct probe_report *probe_report_new(enum probe_format format)
{
    struct probe_report *report = probe_calloc(1, sizeof *report);
    report->format = format;
    report->cases = json_array();
    return report;
}

static void add_text(const struct probe_case *one, const struct probe_result *result)
{
    static const char *const marks[] = { "pass", "FAIL", "n/a " };
    printf("%s  %s (s%s)%s%s\n", marks[result->verdict], one->name, one->section,
           result->reason ? ": " : "", result->reason ? result->reason : "");
    if (result->transcript)
        printf("%s", result->transcript);
    fflush(stdout);
}

static json_t *describe(const struct probe_case *one)
{
    return json_pack("{s:s,s:s,s:s,s:s}", "name", one->name, "section", one->section, "ids",
                     one->ids, "needs", one->needs);
}

static void add_json(struct probe_report *report, const struct probe_case *one,
                     const struct probe_result *result)
{
    json_t *row = describe(one);
    json_object_set_new(row, "verdict", json_string(verdicts[result->verdict]));
    json_object_set_new(row, "ms", json_integer((json_int_t)result->took_ms));
    if (result->reason)
        json_object_set_new(row, "reason", json_string(result->reason));
    if (result->transcript)
        json_object_set_new(row, "bytes", json_string(result->transcript));
    json_array_append_new(report->cases, row);
}

static void xml_text(struct reload_buffer *xml, const char *text)
{
    for (; *text; text++) {
        const char *entity = *text == '<'   ? "&lt;"
                             : *text == '&' ? "&amp;"
                             : *text == '"' ? "&quot;"
                                            : NULL;
        if (entity)
            probe_append(xml, reload_slice_of(entity, strlen(entity)));
        else
            probe_append_byte(xml, (unsigned char)*text);
    }
}

static void xml_raw(struct reload_buffer *xml, const char *text)
{
    probe_append(xml, reload_slice_of(text, strlen(text)));
}

static void add_junit(struct probe_report *report, const struct probe_case *one,
                      const struct probe_result *result)
{
    char time[40];
    struct reload_buffer *xml = &report->xml;
    snprintf(time, sizeof time, "\" time=\"%.3f\">", (double)result->took_ms / 1000);
    xml_raw(xml, "  <testcase classname=\"RFC 6940 s");
    xml_text(xml, one->section);
    xml_raw(xml, "\" name=\"");
    xml_text(xml, one->name);
    xml_raw(xml, time);
    if (result->verdict == PROBE_NOT_APPLICABLE)
        xml_raw(xml, "<skipped/>");
    if (result->verdict == PROBE_FAIL) {
        xml_raw(xml, "<failure message=\"");
        xml_text(xml, result->reason);
        xml_raw(xml, "\">");
        xml_text(xml, result->transcript);
        xml_raw(xml, "</failure>");
    }
    xml_raw(xml, "</testcase>\n");
}

void probe_report_add(struct probe_report *report, const struct probe_case *one,
                      const struct probe_result *result)
{
    report->counts[result->verdict]++;
    switch (report->format) {
    case PROBE_TEXT: add_text(one, result); break;
    case PROBE_JSON: add_json(report, one, result); break;
    case PROBE_JUNIT: add_junit(report, one, result); break;
    }
}

static void end_json(struct probe_report *report)
{
    json_t *whole =
        json_pack("{s:I,s:I,s:I,s:O}", "pass", (json_int_t)report->counts[PROBE_PASS], "fail",
                  (json_int_t)report->counts[PROBE_FAIL], "not_applicable",
                  (json_int_t)report->counts[PROBE_NOT_APPLICABLE], "cases", report->cases);
    json_dumpf(whole, stdout, JSON_INDENT(1));
    printf("\n");
    json_decref(whole);
}

size_t probe_report_end(struct probe_report *report)
{
    const size_t *n = report->counts;
    size_t failed = n[PROBE_FAIL];
    probe_append_byte(&report->xml, '\0');
    if (report->format == PROBE_TEXT)
        printf("%zu pass, %zu fail, %zu not applicable\n", n[0], n[1], n[2]);
    if (report->format == PROBE_JSON)
        end_json(report);
    if (report->format == PROBE_JUNIT)
        printf("<?xml version=\"1.0\"?>\n<testsuite name=\"reload-probe\" tests=\"%zu\" "
               "failures=\"%zu\" skipped=\"%zu\">\n%s</testsuite>\n",
               n[0] + n[1] + n[2], n[1], n[2], (char *)report->xml.p + report->xml.start);
    json_decref(report->cases);
    reload_buffer_free(&report->xml);
    free(report);
    return failed;
}

void probe_report_list(const struct probe_script *script, enum probe_format format)
{
    json_t *list = json_array();
    for (size_t i = 0; i < script->count; i++) {
        const struct probe_case *one = &script->cases[i];
        if (format == PROBE_JSON)
            json_array_append_new(list, describe(one));
        else
            printf("%s\ts%s\t%s\t%s\n", one->name, one->section, one->ids, one->needs);
    }
    if (format == PROBE_JSON) {
        json_dumpf(list, stdout, JSON_INDENT(1));
        printf("\n");
    }
    json_decref(list);
}
