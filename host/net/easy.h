// SPDX-License-Identifier: MIT
// Pooled libcurl handles. Each remembers the origin that it was last parsed for: the next request
// to the same place hands libcurl only a path, beside a URL that is not parsed and written out
// again (a sixth of its instructions for a GET), and the options stay.
#ifndef TS_NET_EASY_H
#define TS_NET_EASY_H

#include <curl/curl.h>

#include "host/net/url.h"

struct ts_loop;
struct ts_response;
struct ts_xfer;

// What an exchange asks of its handle beside where it goes.
struct ts_easy_use {
    struct ts_xfer *xfer;         // whose handle it is, until it is put back
    struct ts_response *response; // where the answer goes
    bool is_once;                 // a second request is refused
    bool is_large;                // a large answer is expected, worth compressing
    size_t max_body;              // of the answer, in bytes
};

struct ts_easy {
    CURL *curl;
    CURLU *url;
    char *origin_text; // "scheme://host:port" as written in the request, NULL before the first
    struct ts_origin origin;
    bool is_configured; // the options that all requests to origin share are set
    bool is_special;    // the owner set options for a body or a method
    struct ts_easy_use use;
    unsigned requests;           // begun for this use
    char cause[CURL_ERROR_SIZE]; // libcurl's words for its failure, "" without
    struct ts_easy *next;
};

// Takes an idle handle or makes one, aimed at url, for that use, with every option that all
// requests share: protocols, trust, proxies, what never to follow or read. libcurl's callbacks find
// in the handle what they need, so that their options are set but once. USAGE, NOMEM, INTERNAL.
enum ts_err ts_easy_take(struct ts_loop *loop, const char *url, const struct ts_easy_use *use,
    struct ts_easy **out, struct ts_error *err);

// The handle of a transfer that libcurl names.
struct ts_easy *ts_easy_of(CURL *curl);

// Takes a handle back, out of the multi handle if it is in there. With is_special, what makes it
// another request than a plain GET is undone: method and body. The owner sets nothing else but
// CURLOPT_HTTPHEADER.
void ts_easy_put(struct ts_loop *loop, struct ts_easy *easy);

// Has the handle end when it is put back: after a failure, a cancel or a new connection. libcurl
// counts on a handle how often it began anew on another connection, and gives up at the sixth,
// however many transfers went well in between; and where a transfer ended while its name was being
// resolved, its buffer stays behind, with which CURLOPT_BUFFERSIZE is refused. No reset helps.
void ts_easy_spoil(struct ts_easy *easy);

// Frees the idle handles.
void ts_easy_drop_idle(struct ts_loop *loop);

#endif
