// SPDX-License-Identifier: MIT
// Making, aiming, resetting and keeping libcurl's easy handles.
// What must never happen on the wire, whoever asks, is decided in easy_configure.
#include "host/net/easy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/net/loop_private.h"
#include "host/net/response.h"
#include "host/net/tls.h"

// A shorter deadline ends the wait sooner.
#define CONNECT_TIMEOUT_MS 10000L

// libcurl would take 64 kB for every upload, and what it frees is wiped; bodies here are small.
#define UPLOAD_BUFFER_BYTES 16384L

// Bytes that libcurl reads at a time. The small buffer, with the byte that libcurl adds and what
// memory.c puts before it, is a block of the pool.
#define BUFFER_SMALL 2016L
#define BUFFER_LARGE 65536L

static bool address_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

// Opens libcurl's sockets: closed in the children that scripts start, and, when the origin is
// plain http, to this machine only, whatever a resolver may have said.
static curl_socket_t on_open_socket(void *self, curlsocktype type, struct curl_sockaddr *address)
{
    const struct ts_easy *easy = self;
    (void)type;
    if (easy->origin.is_plain && !address_is_loopback(&address->addr)) {
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// libcurl asks before each request that it puts on a connection, also when it begins anew because a
// kept connection had died: what may be sent once is refused from the second time on.
// NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's
static int on_request(void *self, char *peer, char *local, int peer_port, int local_port)
{
    struct ts_easy *easy = self;
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    bool is_first = easy->requests++ == 0;
    return is_first || !easy->use.is_once ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

// Taking less than was offered makes libcurl give up with CURLE_WRITE_ERROR.
static size_t on_header(char *line, size_t size, size_t count, void *self)
{
    const struct ts_easy *easy = self;
    return ts_response_add_line(easy->use.response, line, size * count) ? size * count : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *self)
{
    const struct ts_easy *easy = self;
    return ts_response_add_body(easy->use.response, data, size * count) ? size * count : 0;
}

static int easy_configure_callbacks(struct ts_easy *easy)
{
    CURL *curl = easy->curl;
    int refused = 0;
    refused |= curl_easy_setopt(curl, CURLOPT_PRIVATE, easy);
    refused |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, easy->cause);
    refused |= curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    refused |= curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, easy);
    refused |= curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_request);
    refused |= curl_easy_setopt(curl, CURLOPT_PREREQDATA, easy);
    refused |= curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    refused |= curl_easy_setopt(curl, CURLOPT_HEADERDATA, easy);
    refused |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    refused |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, easy);
    return refused;
}

// What an answer may be; seldom another one than that of the last request.
static int easy_configure_answer(CURL *curl, const struct ts_easy_use *use)
{
    int refused = 0;
    // libcurl takes a buffer for each transfer, and what it frees is wiped.
    refused |=
        curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, use->is_large ? BUFFER_LARGE : BUFFER_SMALL);
    // The ceiling counts decoded bytes, so a small answer cannot unpack into a large one.
    refused |= curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, use->is_large ? "gzip" : NULL);
    // A first filter that spares the download; what counts is what the response counts.
    curl_off_t max = use->max_body <= INT64_MAX ? (curl_off_t)use->max_body : 0; // 0: no filter
    refused |= curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, max);
    return refused;
}

static int easy_configure_proxy(const struct ts_loop *loop, struct ts_easy *easy)
{
    CURL *curl = easy->curl;
    int refused = 0;
    if (loop->proxy_from_env && !easy->origin.is_loopback) {
        // For CONNECT; the request itself brings a header of its own.
        refused |= curl_easy_setopt(curl, CURLOPT_USERAGENT, loop->user_agent);
        refused |= curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        return refused;
    }
    // The environment is not even looked at, which libcurl would do for each request.
    refused |= curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    refused |= curl_easy_setopt(curl, CURLOPT_PROXY_CAINFO, NULL);
    refused |= curl_easy_setopt(curl, CURLOPT_PROXY_CAPATH, NULL);
    return refused;
}

static int easy_configure(const struct ts_loop *loop, struct ts_easy *easy)
{
    CURL *curl = easy->curl;
    int refused = 0;
    refused |= curl_easy_setopt(curl, CURLOPT_CURLU, easy->url);
    refused |=
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, easy->origin.is_plain ? "http" : "https");
    refused |= curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    refused |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    refused |= curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    refused |= curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    refused |= curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    refused |= curl_easy_setopt(curl, CURLOPT_SHARE, loop->share);
    refused |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    refused |= curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    refused |= curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
    // Leaves SIGPIPE alone, for which two system calls per handle and turn would be spent.
    refused |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    // A cancelled transfer does not wait for its name to be resolved after all.
    refused |= curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    refused |= easy_configure_callbacks(easy);
    refused |= easy_configure_proxy(loop, easy);
    if (!easy->origin.is_plain) {
        refused |= ts_ca_apply(&loop->ca, curl);
        refused |= ts_tls_apply(curl);
    } else { // libcurl copies them for each request, wanted or not
        refused |= curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
        refused |= curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    return refused;
}

static void easy_destroy(struct ts_easy *easy)
{
    if (!easy) {
        return;
    }
    curl_easy_cleanup(easy->curl);
    curl_url_cleanup(easy->url);
    free(easy->origin_text);
    free(easy);
}

static struct ts_easy *easy_create(void)
{
    struct ts_easy *easy = calloc(1, sizeof *easy);
    if (!easy) {
        return NULL;
    }
    easy->curl = curl_easy_init();
    easy->url = curl_url();
    if (!easy->curl || !easy->url) {
        easy_destroy(easy);
        return NULL;
    }
    return easy;
}

static bool is_same_origin(const struct ts_easy *easy, const char *url)
{
    if (!easy->origin_text || strncmp(url, easy->origin_text, easy->origin.len) != 0) {
        return false;
    }
    char next = url[easy->origin.len];
    return next == '/' || next == '?' || next == '\0';
}

static void easy_forget(struct ts_easy *easy)
{
    curl_easy_reset(easy->curl);
    easy->is_configured = false;
    easy->is_special = false;
}

static enum ts_err easy_target(struct ts_easy *easy, const char *url, struct ts_error *err)
{
    const char *target;
    enum ts_err code = ts_origin_target(&easy->origin, url, &target, err);
    if (!code && curl_easy_setopt(easy->curl, CURLOPT_REQUEST_TARGET, target)) {
        code = ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    return code;
}

static enum ts_err easy_aim(struct ts_easy *easy, const char *url, struct ts_error *err)
{
    if (is_same_origin(easy, url)) {
        return easy_target(easy, url, err);
    }
    easy_forget(easy);
    free(easy->origin_text);
    easy->origin_text = NULL;
    enum ts_err code = ts_origin_parse(easy->url, url, &easy->origin, err);
    if (code) {
        return code;
    }
    easy->origin_text = strndup(url, easy->origin.len);
    if (!easy->origin_text) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    return easy_target(easy, url, err);
}

// Makes the next request a plain GET again, unless it says otherwise.
static void easy_make_plain(struct ts_easy *easy)
{
    CURL *curl = easy->curl;
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L); // last: CURLOPT_POSTFIELDS makes it a POST
    easy->is_special = false;
}

// Prepares the handle for what is new in this use; only then it holds as configured.
static enum ts_err easy_prepare(
    struct ts_loop *loop, struct ts_easy *easy, const struct ts_easy_use *use, struct ts_error *err)
{
    if (!easy->origin.is_plain && ts_ca_choose(&loop->ca, loop->ca_file)) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    int refused = easy->is_configured ? 0 : easy_configure(loop, easy);
    if (!easy->is_configured || use->is_large != easy->use.is_large ||
        use->max_body != easy->use.max_body) {
        refused |= easy_configure_answer(easy->curl, use);
    }
    easy->is_configured = refused == 0;
    easy->use = *use;
    easy->requests = 0;
    easy->cause[0] = '\0';
    return refused ? ts_error_set(err, TS_ERR_INTERNAL, "libcurl refused an option") : TS_OK;
}

enum ts_err ts_easy_take(struct ts_loop *loop, const char *url, const struct ts_easy_use *use,
    struct ts_easy **out, struct ts_error *err)
{
    *out = NULL;
    struct ts_easy *easy = loop->easies;
    if (easy) {
        loop->easies = easy->next;
        loop->easy_count--;
        easy->next = NULL;
    } else {
        easy = easy_create();
    }
    if (!easy) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    enum ts_err code = easy_aim(easy, url, err);
    code = code ? code : easy_prepare(loop, easy, use, err);
    if (code) {
        ts_easy_put(loop, easy);
        return code;
    }
    *out = easy;
    return TS_OK;
}

struct ts_easy *ts_easy_of(CURL *curl)
{
    struct ts_easy *easy = NULL;
    curl_easy_getinfo(curl, CURLINFO_PRIVATE, &easy);
    return easy;
}

void ts_easy_put(struct ts_loop *loop, struct ts_easy *easy)
{
    curl_multi_remove_handle(loop->multi, easy->curl); // nothing happens when it is not in there
    if (!easy->is_configured || loop->easy_count >= loop->easy_max) {
        easy_destroy(easy);
        return;
    }
    if (easy->is_special) {
        easy_make_plain(easy);
    }
    curl_easy_setopt(easy->curl, CURLOPT_HTTPHEADER, NULL);
    easy->use.xfer = NULL;
    easy->use.response = NULL;
    easy->next = loop->easies;
    loop->easies = easy;
    loop->easy_count++;
}

void ts_easy_spoil(struct ts_easy *easy)
{
    easy->is_configured = false; // which ts_easy_put does not keep
}

void ts_easy_drop_idle(struct ts_loop *loop)
{
    while (loop->easies) {
        struct ts_easy *easy = loop->easies;
        loop->easies = easy->next;
        loop->easy_count--;
        easy_destroy(easy);
    }
}
