#include <stdio.h>
#include <stdlib.h>

#include "certs/document.h"
#include "reload/config/registry.h"

/* ID:MODEL:POLICY:MAXCOUNT:MAXSIZE[:MAXMULTIPLE] */

enum { ID, MODEL, POLICY, MAX_COUNT, MAX_SIZE, MAX_MULTIPLE, FIELDS };

struct fields {
    char text[FIELDS][RELOAD_ACCESS_NAME_MAX];
    size_t count;
};

static bool split(const char *text, struct fields *out)
{
    *out = (struct fields){ .count = 0 };
    while (out->count < FIELDS) {
        size_t len = strcspn(text, ":");
        if (len == 0 || len >= sizeof out->text[0])
            return false;
        memcpy(out->text[out->count++], text, len);
        if (!text[len])
            return true;
        text += len + 1;
    }
    return false;
}

static bool number(const char *text, uint64_t max, uint32_t *out)
{
    char *end;
    int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long n = strtoull(text, &end, base);
    *out = (uint32_t)n;
    return *end == '\0' && n >= 1 && n <= max;
}

static bool model(const char *text, enum reload_data_model *out)
{
    static const char *const names[] = { [RELOAD_MODEL_SINGLE] = "SINGLE",
                                         [RELOAD_MODEL_ARRAY] = "ARRAY",
                                         [RELOAD_MODEL_DICTIONARY] = "DICTIONARY" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(text, names[i]) == 0) {
            *out = (enum reload_data_model)i;
            return true;
        }
    return false;
}

static bool policy(const char *text, char out[RELOAD_ACCESS_NAME_MAX])
{
    static const char *const names[] = { "USER-MATCH", "NODE-MATCH", "USER-NODE-MATCH",
                                         "NODE-MULTIPLE" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(text, names[i]) == 0) {
            memcpy(out, names[i], strlen(names[i]) + 1);
            return true;
        }
    return false;
}

static int refuse(struct reload_cert_reason *reason, const char *text, const char *rule)
{
    return reload_cert_refuse(reason, RELOAD_E_INVALID, "Kind \"%s\": %s", text, rule);
}

int reload_cert_kind_option(const char *text, struct reload_kind_config *out,
                            struct reload_cert_reason *reason)
{
    struct fields f;
    *out = (struct reload_kind_config){ 0 };
    if (!split(text, &f) || f.count < MAX_MULTIPLE)
        return refuse(reason, text, "the form is ID:MODEL:POLICY:MAXCOUNT:MAXSIZE[:MAXMULTIPLE]");
    if (!number(f.text[ID], RELOAD_KIND_PRIVATE_MAX, &out->id) ||
        (out->id < RELOAD_KIND_PRIVATE_MIN && !reload_config_registered_kind(out->id)))
        return refuse(reason, text, "ID is a private Kind-ID, 0xF0000001 to 0xFFFFFFFD");
    if (!model(f.text[MODEL], &out->data_model))
        return refuse(reason, text, "MODEL is SINGLE, ARRAY or DICTIONARY");
    if (!policy(f.text[POLICY], out->access_control))
        return refuse(reason, text,
                      "POLICY is USER-MATCH, NODE-MATCH, USER-NODE-MATCH or NODE-MULTIPLE");
    if (!number(f.text[MAX_COUNT], INT32_MAX, &out->max_count))
        return refuse(reason, text, "MAXCOUNT is a number above 0");
    if (!number(f.text[MAX_SIZE], INT32_MAX, &out->max_size))
        return refuse(reason, text, "MAXSIZE is a number of bytes above 0");
    bool multiple = strcmp(out->access_control, "NODE-MULTIPLE") == 0;
    if (multiple != (f.count == FIELDS))
        return refuse(reason, text, "MAXMULTIPLE goes with NODE-MULTIPLE, and only with it");
    if (multiple && !number(f.text[MAX_MULTIPLE], INT32_MAX, &out->max_node_multiple))
        return refuse(reason, text, "MAXMULTIPLE is a number above 0");
    return 0;
}
