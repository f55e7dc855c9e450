/* SPDX-License-Identifier: Apache-2.0 */
/* h1_status.c – see h1_status.h. */
#include "listener/h1_status.h"

#define REASON(phrase) \
    { phrase, sizeof(phrase) - 1 }

static const struct slice reasons[] = {
    [100] = REASON("Continue"),
    [101] = REASON("Switching Protocols"),
    [102] = REASON("Processing"),
    [103] = REASON("Early Hints"),
    [200] = REASON("OK"),
    [201] = REASON("Created"),
    [202] = REASON("Accepted"),
    [203] = REASON("Non-Authoritative Information"),
    [204] = REASON("No Content"),
    [205] = REASON("Reset Content"),
    [206] = REASON("Partial Content"),
    [207] = REASON("Multi-Status"),
    [208] = REASON("Already Reported"),
    [226] = REASON("IM Used"),
    [300] = REASON("Multiple Choices"),
    [301] = REASON("Moved Permanently"),
    [302] = REASON("Found"),
    [303] = REASON("See Other"),
    [304] = REASON("Not Modified"),
    [305] = REASON("Use Proxy"),
    [307] = REASON("Temporary Redirect"),
    [308] = REASON("Permanent Redirect"),
    [400] = REASON("Bad Request"),
    [401] = REASON("Unauthorized"),
    [402] = REASON("Payment Required"),
    [403] = REASON("Forbidden"),
    [404] = REASON("Not Found"),
    [405] = REASON("Method Not Allowed"),
    [406] = REASON("Not Acceptable"),
    [407] = REASON("Proxy Authentication Required"),
    [408] = REASON("Request Timeout"),
    [409] = REASON("Conflict"),
    [410] = REASON("Gone"),
    [411] = REASON("Length Required"),
    [412] = REASON("Precondition Failed"),
    [413] = REASON("Content Too Large"),
    [414] = REASON("URI Too Long"),
    [415] = REASON("Unsupported Media Type"),
    [416] = REASON("Range Not Satisfiable"),
    [417] = REASON("Expectation Failed"),
    [418] = REASON("I'm a teapot"),
    [421] = REASON("Misdirected Request"),
    [422] = REASON("Unprocessable Content"),
    [423] = REASON("Locked"),
    [424] = REASON("Failed Dependency"),
    [425] = REASON("Too Early"),
    [426] = REASON("Upgrade Required"),
    [428] = REASON("Precondition Required"),
    [429] = REASON("Too Many Requests"),
    [431] = REASON("Request Header Fields Too Large"),
    [451] = REASON("Unavailable For Legal Reasons"),
    [500] = REASON("Internal Server Error"),
    [501] = REASON("Not Implemented"),
    [502] = REASON("Bad Gateway"),
    [503] = REASON("Service Unavailable"),
    [504] = REASON("Gateway Timeout"),
    [505] = REASON("HTTP Version Not Supported"),
    [506] = REASON("Variant Also Negotiates"),
    [507] = REASON("Insufficient Storage"),
    [508] = REASON("Loop Detected"),
    [511] = REASON("Network Authentication Required"),
};

struct slice h1_status_reason(unsigned status) {
    if (status < sizeof reasons / sizeof reasons[0] && reasons[status].n > 0)
        return reasons[status];
    return SLICE("Unknown");
}
