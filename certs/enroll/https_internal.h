#ifndef CERTS_ENROLL_HTTPS_INTERNAL_H
#define CERTS_ENROLL_HTTPS_INTERNAL_H

#include <curl/curl.h>

#include "certs/enroll/https.h"

/* One exchange under way: https.c makes it, https_reason.c says why it failed. */

struct transfer {
    const struct reload_enroll_exchange *exchange;
    struct reload_enroll_answer *answer;
    CURL *curl;
    CURLU *url;
    struct curl_slist *headers, *connect_to;
    curl_mime *mime;
    bool too_large;
    char host[300], port[8];
    char curl_text[CURL_ERROR_SIZE];
    char *text; /* the caller's, for the sentence */
    size_t text_cap;
};

/* Writes the sentence that says how it ended, and returns `result`. */
enum reload_enroll_result reload_enroll_transfer_ended(struct transfer *t,
                                                       enum reload_enroll_result result,
                                                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Says what libcurl's code means here, and what to do. */
enum reload_enroll_result reload_enroll_transfer_failed(struct transfer *t, CURLcode code);

#endif
