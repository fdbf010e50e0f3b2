#include "reload/wire/error.h"

const char *reload_error_code_name(uint16_t code)
{
    static const char *const names[] = {
        /* RFC 6940 s14.9 */
        [RELOAD_ERROR_FORBIDDEN] = "Error_Forbidden",
        [RELOAD_ERROR_NOT_FOUND] = "Error_Not_Found",
        [RELOAD_ERROR_REQUEST_TIMEOUT] = "Error_Request_Timeout",
        [RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW] = "Error_Generation_Counter_Too_Low",
        [RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY] = "Error_Incompatible_with_Overlay",
        [RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION] = "Error_Unsupported_Forwarding_Option",
        [RELOAD_ERROR_DATA_TOO_LARGE] = "Error_Data_Too_Large",
        [RELOAD_ERROR_DATA_TOO_OLD] = "Error_Data_Too_Old",
        [RELOAD_ERROR_TTL_EXCEEDED] = "Error_TTL_Exceeded",
        [RELOAD_ERROR_MESSAGE_TOO_LARGE] = "Error_Message_Too_Large",
        [RELOAD_ERROR_UNKNOWN_KIND] = "Error_Unknown_Kind",
        [RELOAD_ERROR_UNKNOWN_EXTENSION] = "Error_Unknown_Extension",
        [RELOAD_ERROR_RESPONSE_TOO_LARGE] = "Error_Response_Too_Large",
        [RELOAD_ERROR_CONFIG_TOO_OLD] = "Error_Config_Too_Old",
        [RELOAD_ERROR_CONFIG_TOO_NEW] = "Error_Config_Too_New",
        [RELOAD_ERROR_IN_PROGRESS] = "Error_In_Progress",
        [RELOAD_ERROR_EXP_A] = "Error_Exp_A",
        [RELOAD_ERROR_EXP_B] = "Error_Exp_B",
        [RELOAD_ERROR_INVALID_MESSAGE] = "Error_Invalid_Message",
    };
    if (code >= sizeof names / sizeof names[0] || names[code] == NULL)
        return "unknown";
    return names[code];
}

int reload_error_response_decode(struct reload_slice body, struct reload_error_response *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->error_code = reload_rd_u16(&r);
    out->error_info = reload_rd_opaque16(&r);
    return reload_reader_finish(&r);
}

int reload_error_response_encode(struct reload_writer *w,
                                 const struct reload_error_response *response)
{
    reload_wr_u16(w, response->error_code);
    reload_wr_opaque16(w, response->error_info);
    return reload_writer_status(w);
}

int reload_unknown_kinds_decode(struct reload_slice error_info, struct reload_slice *kinds)
{
    struct reload_reader r = reload_reader_over(error_info);
    *kinds = reload_rd_opaque8(&r);
    if (kinds->n % 4 != 0) /* s6.3.1: the prefix counts bytes, and they are whole elements */
        reload_rd_fail(&r);
    return reload_reader_finish(&r);
}

int reload_unknown_kinds_encode(struct reload_writer *w, const uint32_t *kinds, size_t count)
{
    size_t mark = reload_wr_open8(w);
    for (size_t i = 0; i < count; i++)
        reload_wr_u32(w, kinds[i]);
    reload_wr_close8(w, mark);
    return reload_writer_status(w);
}

bool reload_kind_id_next(struct reload_reader *list, uint32_t *kind)
{
    if (!reload_reader_more(list))
        return false;
    *kind = reload_rd_u32(list);
    return !list->failed;
}
