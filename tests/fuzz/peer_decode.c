#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "peer/decode/decode.h"
#include "reload/wire/message.h"

/* What `reload decode` is given: captures and messages of others, in any form. Its answer is a list
 * that can be written down; it tells of an error exactly when it says so; and a message that a node
 * reads has none but in its body. */

#define LARGEST 20000

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void must_write(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
    must(text != NULL);
    free(text);
    json_decref(json);
}

static void whole(struct reload_slice input, const struct reload_decode_options *options)
{
    json_t *list = NULL;
    size_t i, faults = 0;
    const json_t *item;
    int error = reload_decode_input(input, options, &list);
    must((error == 0 || error == RELOAD_E_DECODE) && json_is_array(list));
    json_array_foreach(list, i, item) faults += json_object_get(item, "error") != NULL;
    must((faults > 0) == (error != 0));
    must_write(list);
}

static void message(struct reload_slice input, const struct reload_decode_options *options)
{
    struct reload_message m;
    json_t *json = NULL;
    int error = reload_decode_message(input, options, &json);
    must(json != NULL);
    if (reload_message_decode(input, 16, &m) == 0)
        must(json_is_string(json_object_get(json, "message")) &&
             (error == 0 || json_object_get(json, "error")));
    must_write(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct reload_decode_options options = { .node_id_len = 16 };
    if (size > LARGEST)
        return 0;
    uint8_t *copy = malloc(size + (size == 0)); /* of exact size */
    must(copy != NULL);
    memcpy(copy, data, size);
    whole(reload_slice_of(copy, size), &options);
    message(reload_slice_of(copy, size), &options);
    free(copy);
    return 0;
}
