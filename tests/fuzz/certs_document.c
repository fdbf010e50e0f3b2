#include "fuzz.h"

#include <stdlib.h>

#include "certs/document.h"

/* A configuration document: read, and then as a first one whose signature counts. What was read is
 * written again and reads the same. */

#define NOW_MS 1800000000000u

static void write_again(const struct reload_config *config)
{
    struct reload_cert_bytes text = { 0 };
    struct reload_cert_reason reason = { "" };
    struct reload_config *again;
    if (reload_cert_document_write(config, &text) != 0)
        return;
    int error =
        reload_cert_document_parse(reload_cert_bytes_slice(&text), NULL, NULL, &again, &reason);
    if (error == 0) {
        if (again->sequence != config->sequence || again->kind_count < config->kind_count ||
            again->max_message_size != config->max_message_size)
            abort();
        reload_cert_document_free(again);
    }
    reload_cert_bytes_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct reload_slice document = reload_slice_of(data, size);
    const struct reload_cert_document_policy unsigned_ones = { .allow_unsigned = true };
    struct reload_cert_reason reason = { "" };
    struct reload_config *config;
    if (reload_cert_document_parse(document, NULL, NULL, &config, &reason) != 0)
        return 0;
    write_again(config);
    reload_cert_document_free(config);
    if (reload_cert_document_load(document, NULL, NULL, NOW_MS, &config, &reason) == 0)
        reload_cert_document_free(config);
    if (reload_cert_document_load(document, NULL, &unsigned_ones, NOW_MS, &config, &reason) == 0)
        reload_cert_document_free(config);
    return 0;
}
