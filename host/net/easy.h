// SPDX-License-Identifier: MIT
// Pooled libcurl handles. Each remembers the origin that it was last parsed for, so that the next
// request to the same place hands libcurl only a path (parsing a URL per request cost 7 to 13 %),
// and keeps its options between plain GETs (setting them all anew cost as much again).
#ifndef TS_NET_EASY_H
#define TS_NET_EASY_H

#include <curl/curl.h>

#include "host/net/url.h"

struct ts_loop;

struct ts_easy {
    CURL *curl;
    CURLU *url;
    char *origin_text; // "scheme://host:port" as written in the request, NULL before the first
    struct ts_origin origin;
    bool is_configured; // the options that all requests to origin share are set
    bool is_special;    // the owner set options that a plain GET does not set again
    struct ts_easy *next;
};

// Takes an idle handle or makes one, aimed at url, with every option that all requests share:
// protocols, trust, proxies, what never to follow or read. USAGE, NOMEM, INTERNAL.
enum ts_err ts_easy_take(
    struct ts_loop *loop, const char *url, struct ts_easy **out, struct ts_error *err);

// Takes a handle back, out of the multi handle if it is in there. What the owner must set for every
// request may stay behind (CURLOPT_PRIVATE, _HEADERDATA, _WRITEDATA), whatever else it sets needs
// is_special.
void ts_easy_put(struct ts_loop *loop, struct ts_easy *easy);

// Frees the idle handles.
void ts_easy_drop_idle(struct ts_loop *loop);

#endif
