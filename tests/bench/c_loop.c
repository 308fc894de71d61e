// SPDX-License-Identifier: MIT
// The floor that tshost is measured against: libcurl's multi interface in plain C, the same
// requests, the bodies read into memory and thrown away. Prints one line of JSON about itself.
#include <curl/curl.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT "0123456789abcdef0123456789abcdef"
#define URL_MAX 512
#define BODY_MAX (32 * 1024 * 1024)

// EDIT is GET and PUT of each; BULK is LIST of all, then PUT of each.
enum kind { KIND_GET, KIND_PUT, KIND_EDIT, KIND_CREATE, KIND_LIST, KIND_BULK };

#define PAGE 1000

struct bytes {
    char *data;
    size_t len;
    size_t size;
};

// One request in flight at a time, on an easy handle of its own that is kept.
struct slot {
    CURL *curl;
    struct bytes body;
    bool is_second; // of an edit: the PUT that follows the GET
    long number;    // of the widget or page
};

struct loop {
    enum kind kind;
    const char *base_url;
    const char *ca_file;
    const char *body;
    bool is_http2;
    long count;
    long in_flight;
    long started;
    long done;
    long failed;
    long busy;
    curl_off_t bytes;
    CURLM *multi;
    CURLSH *share;
    struct curl_slist *get_headers;
    struct curl_slist *put_headers;
    struct slot *slots;
};

static size_t on_body(char *data, size_t size, size_t count, void *self)
{
    struct bytes *body = self;
    size_t len = size * count;
    if (body->len + len > body->size) {
        size_t larger = body->size ? body->size : 1024;
        while (larger < body->len + len) {
            larger *= 2;
        }
        char *moved = larger <= BODY_MAX ? realloc(body->data, larger) : NULL;
        if (!moved) {
            return 0;
        }
        body->data = moved;
        body->size = larger;
    }
    memcpy(body->data + body->len, data, len);
    body->len += len;
    return len;
}

static bool slot_init(struct loop *loop, struct slot *slot)
{
    CURL *curl = curl_easy_init();
    if (!curl) {
        return false;
    }
    slot->curl = curl;
    long version = loop->is_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, version);
    curl_easy_setopt(curl, CURLOPT_PIPEWAIT, loop->is_http2 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &slot->body);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(curl, CURLOPT_SHARE, loop->share);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "tshost-bench");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 60000L);
    if (loop->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, loop->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); // else libcurl would not cache the store
    }
    return true;
}

static void slot_aim(struct loop *loop, struct slot *slot)
{
    char url[URL_MAX];
    CURL *curl = slot->curl;
    bool has_body = slot->is_second || loop->kind == KIND_PUT || loop->kind == KIND_CREATE;
    int len =
        snprintf(url, sizeof url, "%s/accounts/" ACCOUNT "/challenges/widgets", loop->base_url);
    size_t room = sizeof url - (size_t)len;
    if (loop->kind == KIND_LIST) {
        snprintf(url + len, room, "?page=%ld&order=created_on&direction=asc&per_page=1000",
            slot->number);
    } else if (loop->kind != KIND_CREATE) {
        snprintf(url + len, room, "/0x4%021ld", slot->number);
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    if (has_body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, loop->body);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, loop->kind == KIND_CREATE ? NULL : "PUT");
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
    }
    // As tshost does: what is small is not worth packing.
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, loop->kind == KIND_LIST ? "gzip" : NULL);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, has_body ? loop->put_headers : loop->get_headers);
}

static void slot_send(struct loop *loop, struct slot *slot)
{
    slot_aim(loop, slot);
    slot->body.len = 0;
    loop->busy++;
    curl_multi_add_handle(loop->multi, slot->curl);
}

// The pages of a list behind the first are asked for once the first has come, as tshost does.
static bool slot_next(struct loop *loop, struct slot *slot)
{
    if (loop->kind == KIND_EDIT && !slot->is_second && slot->number > 0) {
        slot->is_second = true;
        slot_send(loop, slot);
        return true;
    }
    slot->is_second = false;
    if (loop->started >= loop->count) {
        return false;
    }
    slot->number = ++loop->started;
    slot_send(loop, slot);
    return true;
}

static void loop_fill(struct loop *loop)
{
    for (long i = 0; i < loop->in_flight; i++) {
        if (loop->slots[i].number == 0 && !slot_next(loop, &loop->slots[i])) {
            break;
        }
    }
}

static void slot_end(struct loop *loop, struct slot *slot, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(slot->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(loop->multi, slot->curl);
    loop->busy--;
    loop->done++;
    loop->bytes += (curl_off_t)slot->body.len;
    loop->failed += code != CURLE_OK || status != 200;
    slot_next(loop, slot);
}

static bool loop_run(struct loop *loop)
{
    loop->started = 0;
    for (long i = 0; i < loop->in_flight; i++) {
        loop->slots[i].number = 0;
    }
    if (loop->kind == KIND_LIST) {
        slot_next(loop, &loop->slots[0]);
    } else {
        loop_fill(loop);
    }
    while (loop->busy > 0) {
        int running = 0;
        int left = 0;
        CURLMsg *message;
        if (curl_multi_perform(loop->multi, &running)) {
            return false;
        }
        bool has_ended = false;
        while ((message = curl_multi_info_read(loop->multi, &left))) {
            struct slot *slot = NULL;
            CURLcode code = message->data.result;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
            slot_end(loop, slot, code); // message is gone now
            has_ended = true;
        }
        if (has_ended && loop->kind == KIND_LIST) {
            loop_fill(loop);
        }
        if (loop->busy > 0 && !has_ended && curl_multi_poll(loop->multi, NULL, 0, 10000, NULL)) {
            return false;
        }
    }
    return true;
}

static bool loop_init(struct loop *loop)
{
    const char *token = getenv("CLOUDFLARE_API_TOKEN");
    char authorization[256];
    snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", token ? token : "");
    const char *lines[] = {"Accept: application/json", authorization, NULL};
    for (size_t i = 0; lines[i]; i++) {
        loop->get_headers = curl_slist_append(loop->get_headers, lines[i]);
        loop->put_headers = curl_slist_append(loop->put_headers, lines[i]);
    }
    loop->put_headers = curl_slist_append(loop->put_headers, "Content-Type: application/json");
    loop->put_headers = curl_slist_append(loop->put_headers, "Expect:");
    loop->multi = curl_multi_init();
    loop->share = curl_share_init();
    loop->slots = calloc((size_t)loop->in_flight, sizeof *loop->slots);
    if (!loop->multi || !loop->share || !loop->slots || !loop->put_headers) {
        return false;
    }
    curl_share_setopt(loop->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, loop->in_flight);
    for (long i = 0; i < loop->in_flight; i++) {
        if (!slot_init(loop, &loop->slots[i])) {
            return false;
        }
    }
    return true;
}

static bool loop_work(struct loop *loop)
{
    enum kind kind = loop->kind;
    long count = loop->count;
    if (kind == KIND_LIST || kind == KIND_BULK) {
        loop->kind = KIND_LIST;
        loop->count = (count + PAGE - 1) / PAGE;
        bool is_done = loop_run(loop);
        if (!is_done || kind == KIND_LIST) {
            return is_done;
        }
        loop->kind = KIND_PUT;
        loop->count = count;
    }
    return loop_run(loop);
}

static void loop_fini(struct loop *loop)
{
    for (long i = 0; loop->slots && i < loop->in_flight; i++) {
        curl_easy_cleanup(loop->slots[i].curl);
        free(loop->slots[i].body.data);
    }
    free(loop->slots);
    curl_multi_cleanup(loop->multi);
    curl_share_cleanup(loop->share);
    curl_slist_free_all(loop->get_headers);
    curl_slist_free_all(loop->put_headers);
}

static bool kind_parse(const char *name, enum kind *out)
{
    static const char *const names[] = {"get", "put", "edit", "create", "list", "bulk"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum kind)i;
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    struct loop loop = {.in_flight = 32};
    for (int option; (option = getopt(argc, argv, "2b:c:n:")) != -1;) {
        switch (option) {
        case '2':
            loop.is_http2 = true;
            break;
        case 'b':
            loop.body = optarg;
            break;
        case 'c':
            loop.ca_file = optarg;
            break;
        case 'n':
            loop.in_flight = strtol(optarg, NULL, 10);
            break;
        default:
            return 2;
        }
    }
    bool is_usable = argc - optind == 3 && kind_parse(argv[optind], &loop.kind) &&
                     strlen(argv[optind + 1]) < URL_MAX / 2 && loop.in_flight > 0 &&
                     (loop.count = strtol(argv[optind + 2], NULL, 10)) > 0;
    bool needs_body = loop.kind != KIND_GET && loop.kind != KIND_LIST;
    if (!is_usable || (needs_body && !loop.body)) {
        fprintf(stderr, "usage: c_loop [-2] [-b BODY] [-c CA_FILE] [-n IN_FLIGHT] "
                        "get|put|edit|create|list|bulk BASE_URL WIDGETS\n");
        return 2;
    }
    loop.base_url = argv[optind + 1];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bool is_done = loop_init(&loop) && loop_work(&loop);
    loop_fini(&loop);
    curl_global_cleanup();
    printf("{\"requests\": %ld, \"failed\": %ld, \"bytes\": %lld}\n", loop.done, loop.failed,
        (long long)loop.bytes);
    return is_done && loop.failed == 0 ? 0 : 1;
}
