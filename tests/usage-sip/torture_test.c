#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

/* The conditions of RFC 4475, each in a message of our own, given to agent 0 by a caller whose
 * certificate says mallory. What becomes of each is the table of docs/sip-torture.md, which is
 * compared; with RELOAD_WRITE in the environment it is written. */

#define ALICE               "sip:alice@example.org"
#define VIA                 "Via: SIP/2.0/TLS x.example.org;branch=z9hG4bKq1\r\n"
#define FROM                "From: <sip:mallory@example.org>;tag=f1\r\n"
#define TO                  "To: <" ALICE ">\r\n"
#define ID                  "Call-ID: q1\r\n"
#define HOPS                "Max-Forwards: 70\r\n"
#define NONE                "Content-Length: 0\r\n\r\n"
#define ASK(method)         method " " ALICE " SIP/2.0\r\n"
#define SEQ(number, method) "CSeq: " number " " method "\r\n"
#define CONTACT             "Contact: <sip:mallory@example.org>\r\n"
#define REST(method)        VIA FROM TO ID HOPS SEQ("1", method)
#define ANSWER                                                                                     \
    "Via: SIP/2.0/TLS x.example.org;branch=z9hG4bKq1\r\n" FROM "To: <" ALICE                       \
    ">;tag=t1\r\n" ID SEQ("1", "OPTIONS")

enum { DROPPED = 0, STRAY = 1 }; /* STRAY: a good answer, but to nothing that was asked */

static const struct row {
    const char *section, *what;
    bool valid;
    int status; /* of our answer, DROPPED or STRAY */
    const char *text;
} rows[] = {
    /* --- valid, s3.1.1 --- */
    { "3.1.1.1", "folds, tabs and odd spaces everywhere", true, 200,
      ASK("OPTIONS") "via: SIP / 2.0\r\n / TLS\r\n  x.example.org ; branch =\tz9hG4bKq1\r\n"
                     "FROM :\r\n  <sip:mallory@example.org>\r\n  ;\r\n  tag = f1\r\n"
                     "t: \"Al\r\n ice\" <" ALICE ">\r\ni : q1\r\nmax-forwards:  0070\r\n"
                     "CSeq:  0001\r\n  OPTIONS\r\nl:   0\r\n\r\n" },
    { "3.1.1.2", "every character a method, a URI and a header field may have", true, 405,
      "!odd-Method_*+`.%d'~ sip:alice@example.org SIP/2.0\r\n" VIA FROM
      "To: \"\\\" <>;,@\" <sip:alice@example.org>;x!y=%z\r\n" ID HOPS SEQ(
          "1", "!odd-Method_*+`.%d'~") "odd.Name-!%*_+`'~: \xe2\x98\x83\r\n" NONE },
    { "3.1.1.3", "percent escapes in user part and parameters", true, 200,
      "OPTIONS sip:%61lice@example.org;%6cr SIP/2.0\r\n" REST("OPTIONS") NONE },
    { "3.1.1.4", "an escaped NUL in a URI", true, 404,
      "OPTIONS sip:al%00ice@example.org SIP/2.0\r\n" REST("OPTIONS") NONE },
    { "3.1.1.5", "a percent sign where it escapes nothing", true, 405,
      ASK("OPT%49ONS") REST("OPT%49ONS") NONE },
    { "3.1.1.6", "no space between display name and bracket", true, 200,
      ASK("OPTIONS") VIA
      "From: Mallory<sip:mallory@example.org>;tag=f1\r\n" TO ID HOPS SEQ("1", "OPTIONS") NONE },
    { "3.1.1.8", "bytes behind the body of a datagram", true, 200,
      ASK("OPTIONS") REST("OPTIONS") NONE "OPTIONS sip:other@example.org SIP/2.0\r\n\r\n" },
    { "3.1.1.9", "semicolons in the user part", true, 404,
      "OPTIONS sip:alice;par=x%40y@example.org SIP/2.0\r\n" REST("OPTIONS") NONE },
    { "3.1.1.10", "transports nobody knows, in several Via fields", true, 200,
      ASK("OPTIONS") "Via: SIP/2.0/NOBODY x.example.org;branch=z9hG4bKq1\r\n"
                     "Via: SIP/2.0/SCTP y.example.org;branch=z9hG4bKq2\r\n" FROM TO ID HOPS SEQ(
                         "1", "OPTIONS") NONE },
    { "3.1.1.11", "a body of several parts", true, 415,
      ASK("MESSAGE") REST("MESSAGE") "Content-Type: multipart/mixed;boundary=b\r\n"
                                     "Content-Length: 48\r\n\r\n--b\r\nContent-Type: "
                                     "text/plain\r\n\r\nhello\r\n--b--\r\n\r\n" },
    { "3.1.1.12", "a reason phrase that is not ASCII", true, STRAY,
      "SIP/2.0 200 \xd0\xb4\xd0\xb0\r\n" ANSWER NONE },
    { "3.1.1.13", "an empty reason phrase", true, STRAY, "SIP/2.0 200 \r\n" ANSWER NONE },
    /* --- broken, s3.1.2 --- */
    { "3.1.2.1", "separators with nothing between them", false, DROPPED,
      ASK("OPTIONS") "Via: SIP/2.0/TLS x.example.org;;,;,,\r\n" VIA FROM TO ID HOPS SEQ(
          "1", "OPTIONS") NONE },
    { "3.1.2.2", "Content-Length beyond the datagram", false, 400,
      ASK("OPTIONS") REST("OPTIONS") "Content-Length: 9999\r\n\r\nshort" },
    { "3.1.2.3", "a negative Content-Length", false, 400,
      ASK("OPTIONS") REST("OPTIONS") "Content-Length: -999\r\n\r\n" },
    { "3.1.2.4", "CSeq and Expires beyond their range, in a request", false, 400,
      ASK("OPTIONS") VIA FROM TO ID HOPS SEQ("36893488147419103232",
                                             "OPTIONS") "Expires: 1000000000000000000\r\n" NONE },
    { "3.1.2.5", "CSeq beyond its range, in an answer", false, DROPPED,
      "SIP/2.0 200 OK\r\n" VIA FROM TO ID SEQ("9292394834772304023312", "OPTIONS") NONE },
    { "3.1.2.6", "a quote that does not end", false, DROPPED,
      ASK("OPTIONS") VIA FROM "To: \"Alice <" ALICE ">\r\n" ID HOPS SEQ("1", "OPTIONS") NONE },
    { "3.1.2.7", "a Request-URI in angle brackets", false, DROPPED,
      "OPTIONS <" ALICE "> SIP/2.0\r\n" REST("OPTIONS") NONE },
    { "3.1.2.8", "a space in the Request-URI", false, DROPPED,
      "OPTIONS sip:alice@example.org; lr SIP/2.0\r\n" REST("OPTIONS") NONE },
    { "3.1.2.9", "two spaces in the start line", false, DROPPED,
      "OPTIONS  " ALICE "  SIP/2.0\r\n" REST("OPTIONS") NONE },
    { "3.1.2.10", "a space at the end of the start line", false, DROPPED,
      "OPTIONS " ALICE " SIP/2.0 \r\n" REST("OPTIONS") NONE },
    { "3.1.2.11", "header fields in the Request-URI", false, 400,
      "OPTIONS sip:alice@example.org?Route=%3Csip:x%3E SIP/2.0\r\n" REST("OPTIONS") NONE },
    { "3.1.2.12", "a date that is not in GMT", false, 400,
      ASK("OPTIONS") REST("OPTIONS") "Date: Fri, 01 Jan 2010 16:00:00 EST\r\n" NONE },
    { "3.1.2.13", "a Contact that needs brackets and has none", false, 400,
      ASK("OPTIONS") REST("OPTIONS") "Contact: sip:m@example.org?Route=%3Csip:x%3E\r\n" NONE },
    { "3.1.2.14", "spaces inside of brackets", false, DROPPED,
      ASK("OPTIONS") VIA FROM "To: \"A\" < sip:alice@example.org >\r\n" ID HOPS SEQ("1", "OPTIONS")
          NONE },
    { "3.1.2.15", "a display name that needs quotes", false, DROPPED,
      ASK("OPTIONS") VIA FROM "To: Bell, Alice <" ALICE ">\r\n" ID HOPS SEQ("1", "OPTIONS") NONE },
    { "3.1.2.16", "another version of SIP", false, 505,
      "OPTIONS " ALICE " SIP/7.0\r\n" REST("OPTIONS") NONE },
    { "3.1.2.17", "CSeq names another method", false, 400,
      ASK("OPTIONS") VIA FROM TO ID HOPS SEQ("1", "INVITE") NONE },
    { "3.1.2.18", "CSeq names another method than an unknown one", false, 400,
      ASK("NEWMETHOD") VIA FROM TO ID HOPS SEQ("1", "INVITE") NONE },
    { "3.1.2.19", "a status above 699", false, DROPPED,
      "SIP/2.0 4294967301 better not break the receiver\r\n" ANSWER NONE },
    /* --- transactions and applications, s3.2 to s3.4 --- */
    { "3.2.1", "a branch that is only the cookie", false, 400,
      ASK("OPTIONS") "Via: SIP/2.0/TLS x.example.org;branch=z9hG4bK\r\n" FROM TO ID HOPS SEQ(
          "1", "OPTIONS") NONE },
    { "3.3.1", "Call-ID, From and To are missing", false, DROPPED,
      ASK("OPTIONS") VIA HOPS SEQ("1", "OPTIONS") NONE },
    { "3.3.2", "a scheme nobody knows in the Request-URI", false, 416,
      "OPTIONS nobodyKnowsThisScheme:totallyopaque SIP/2.0\r\n" REST("OPTIONS") NONE },
    { "3.3.3", "a known scheme that is not SIP's", false, DROPPED,
      "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\n" REST("OPTIONS") NONE },
    { "3.3.4", "schemes nobody knows in From and To", false, 403,
      ASK("OPTIONS") VIA
      "From: <http://www.example.org>;tag=f1\r\nTo: <isbn:2983792873>\r\n" ID HOPS SEQ(
          "1", "OPTIONS") NONE },
    { "3.3.5", "Require names what nobody knows", false, 420,
      ASK("OPTIONS") REST("OPTIONS") "Require: nothingSupportsThis\r\n" NONE },
    { "3.3.6", "a body of an unknown type", false, 415,
      ASK("INVITE") REST("INVITE") CONTACT "Content-Type: application/unknown\r\n"
                                           "Content-Length: 5\r\n\r\n<aud>" },
    { "3.3.7", "credentials of an unknown scheme", true, 405,
      ASK("REGISTER") REST("REGISTER") "Authorization: NoOneKnowsThis opaque=here\r\n" NONE },
    { "3.3.8", "fields that may come once, twice", false, DROPPED,
      ASK("OPTIONS") REST("OPTIONS") FROM TO ID SEQ("2", "OPTIONS") NONE },
    { "3.3.9", "Content-Length twice", false, DROPPED,
      ASK("OPTIONS") REST("OPTIONS") "Content-Length: 0\r\nContent-Length: 5\r\n\r\nabcde" },
    { "3.3.10", "an answer with a second Via, of a broadcast address", false, DROPPED,
      "SIP/2.0 200 OK\r\n" VIA
      "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKz\r\n" FROM TO ID SEQ("1", "OPTIONS") NONE },
    { "3.3.11", "Max-Forwards is 0 at its destination", true, 200,
      ASK("OPTIONS") VIA FROM TO ID "Max-Forwards: 0\r\n" SEQ("1", "OPTIONS") NONE },
    { "3.3.12", "a parameter of a Contact in REGISTER", true, 405,
      ASK("REGISTER") REST("REGISTER") "Contact: sip:m@example.org;unknown\r\n" NONE },
    { "3.3.13", "a parameter of a URI in REGISTER", true, 405,
      ASK("REGISTER") REST("REGISTER") "Contact: <sip:m@example.org;unknown>\r\n" NONE },
    { "3.3.14", "escaped header fields in a Contact", true, 405,
      ASK("REGISTER") REST("REGISTER") "Contact: <sip:m@example.org?Route=%3Csip:x%3E>\r\n" NONE },
    { "3.3.15", "Accept names no type that we have", true, 180,
      ASK("INVITE") REST("INVITE") CONTACT "Accept: text/nobodyKnowsThis\r\n" NONE },
    { "3.4.1", "RFC 2543: no branch, no tags", true, 200,
      ASK("OPTIONS") "Via: SIP/2.0/UDP x.example.org\r\nFrom: <sip:mallory@example.org>\r\n" TO ID
          SEQ("1", "OPTIONS") "\r\n" },
};

/* s3.1.1.7 by size: long fields, many of them. */
static size_t long_request(char *out, size_t cap)
{
    int len = snprintf(out, cap, "%s%s", ASK("OPTIONS"), REST("OPTIONS"));
    for (int i = 0; i < 34; i++)
        len += snprintf(out + len, cap - (size_t)len,
                        "Via: SIP/2.0/TCP host%d.example.com:5060\r\n", i);
    len += snprintf(out + len, cap - (size_t)len, "Unknown-%0200d: %0900d\r\n", 1, 2);
    len += snprintf(out + len, cap - (size_t)len, "%s", NONE);
    return (size_t)len;
}

/* The raw NUL of s3.1.1.2 is a quoted pair and legal, but libosip2 keeps texts that end with one.
 */
static const char with_nul[] =
    ASK("OPTIONS") VIA FROM "To: \"NUL\\\0\" <" ALICE ">\r\n" ID HOPS SEQ("1", "OPTIONS") NONE;

static int outcome(const char *text, size_t len)
{
    static struct world world;
    world_open(&world, 1, false);
    uint32_t channel = stranger(&world, "mallory@example.org", true);
    say(&world, channel, text, len);
    const char *answer = heard(&world);
    int status = DROPPED;
    const struct reload_sip_counters *counters = reload_sip_agent_counters(world.agents[0].sip);
    if (strncmp(answer, "SIP/2.0 ", 8) == 0)
        status = atoi(answer + 8);
    else if (counters->refused[RELOAD_SIP_REFUSED_RESPONSE])
        status = STRAY;
    uint64_t refused = 0;
    for (size_t i = 0; i < RELOAD_SIP_REFUSAL_COUNT; i++)
        refused += counters->refused[i];
    assert_true(refused == 1 || status == 200 || status == 180);
    world_close(&world);
    return status;
}

static void line(char *doc, size_t cap, const struct row *row, int status)
{
    char verdict[64];
    if (status == DROPPED || (status == STRAY && !row->valid))
        (void)snprintf(verdict, sizeof verdict, "dropped, counted");
    else if (status == STRAY)
        (void)snprintf(verdict, sizeof verdict, "understood; an answer to nothing");
    else
        (void)snprintf(verdict, sizeof verdict, "answered %d", status);
    size_t len = strlen(doc);
    (void)snprintf(doc + len, cap - len, "| %s | %s | %s | %s |\n", row->section, row->what,
                   row->valid ? "valid" : "invalid", verdict);
}

static void each_condition_has_the_outcome_of_the_table(void **state)
{
    (void)state;
    static char doc[32768], longest[8192], file[32768];
    const struct row large = { "3.1.1.7", "very long and very many fields", true, 200, NULL };
    const struct row nul = { "3.1.1.2", "a NUL as a quoted pair, which libosip2 cannot hold", true,
                             DROPPED, NULL };
    unsigned wrong = 0;
    (void)snprintf(
        doc, sizeof doc,
        "# SIP torture\n\nThe conditions of RFC 4475, each in a message of our own, given "
        "to the user agent. Made by\n`tests/usage-sip/torture_test.c`, which fails when an "
        "outcome is another one. An invalid message that\nlibosip2 cannot parse is dropped: there "
        "is nothing "
        "to copy into an answer. The one valid\nmessage that it cannot hold has a NUL.\n\n| "
        "section | condition | message | outcome |\n"
        "| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int status = outcome(rows[i].text, strlen(rows[i].text));
        if (status != rows[i].status && !(rows[i].status == DROPPED && status == STRAY)) {
            print_error("%s %s: %d, not %d\n", rows[i].section, rows[i].what, status,
                        rows[i].status);
            wrong++;
        }
        line(doc, sizeof doc, &rows[i], status);
    }
    assert_int_equal(outcome(longest, long_request(longest, sizeof longest)), 200);
    line(doc, sizeof doc, &large, 200);
    assert_int_equal(outcome(with_nul, sizeof with_nul - 1), DROPPED);
    line(doc, sizeof doc, &nul, DROPPED);
    assert_int_equal(wrong, 0);
    const char *path = RELOAD_SOURCE_DIR "/docs/sip-torture.md";
    FILE *page = fopen(path, getenv("RELOAD_WRITE") ? "w" : "r");
    assert_non_null(page);
    if (getenv("RELOAD_WRITE"))
        assert_int_equal(fwrite(doc, 1, strlen(doc), page), strlen(doc));
    else
        assert_true(fread(file, 1, sizeof file - 1, page) > 0);
    (void)fclose(page);
    if (!getenv("RELOAD_WRITE"))
        assert_string_equal(file, doc);
}

static void none_of_them_harms_when_cut_or_turned(void **state)
{
    (void)state;
    static struct world world;
    world_open(&world, 1, false);
    uint32_t channel = stranger(&world, "mallory@example.org", true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[4096];
        size_t len = strlen(rows[i].text);
        memcpy(text, rows[i].text, len);
        for (size_t at = 0; at < len; at++) {
            say(&world, channel, text, at);
            text[at] ^= 0x24;
            say(&world, channel, text, len);
            text[at] ^= 0x24;
            (void)heard(&world);
            world.agents[0].event_count = 0;
        }
    }
    assert_true(reload_sip_agent_sizes(world.agents[0].sip).transactions <= 512);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_condition_has_the_outcome_of_the_table),
        cmocka_unit_test(none_of_them_harms_when_cut_or_turned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
