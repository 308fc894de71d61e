// SPDX-License-Identifier: MIT
// The HTTP server around the service: libmicrohttpd on one thread, so that SQLite is touched by
// one thread only. Start, stop, and the life of one exchange.
#include "host/sandbox/sandbox.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/base/str.h"
#include "host/sandbox/delay.h"
#include "host/sandbox/import.h"
#include "host/sandbox/listen.h"
#include "host/sandbox/service.h"

#define CONNECTIONS_MAX 2048
#define CONNECTION_MEMORY (32 * 1024)
#define IDLE_TIMEOUT_S 120
#define BODY_DISCARD_MAX ((size_t)32 * 1024 * 1024) // longer ones end the connection
#define BODIES_MAX ((size_t)256 * 1024 * 1024)      // of all requests in flight
#define STOP_WAIT_S 5

struct ts_sandbox {
    struct ts_sandbox_service service;
    struct ts_sandbox_delays *delays;
    struct MHD_Daemon *daemon;
    char url[96];
    size_t body_bytes; // held by requests in flight; the server thread's
    pthread_mutex_t mutex;
    pthread_cond_t is_idle;
    size_t answering;        // requests whose answer is not out yet; under the mutex
    pthread_mutex_t serving; // held by the thread that uses the service
};

// One request and its reply, from the request line until the reply is out.
struct exchange {
    struct ts_sandbox *sandbox;
    struct ts_sandbox_request request;
    struct ts_sandbox_reply reply;
    struct ts_sandbox_fault fault;
    size_t body_bytes;
    bool is_answered;
};

static void *on_request_line(void *self, const char *target, struct MHD_Connection *connection)
{
    struct ts_sandbox *sandbox = self;
    (void)connection;
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) {
        return NULL;
    }
    exchange->sandbox = sandbox;
    if (ts_sandbox_request_init(&exchange->request, target)) {
        free(exchange);
        return NULL;
    }
    ts_sandbox_reply_init(&exchange->reply, &sandbox->service.store);
    return exchange;
}

static void sandbox_count_answering(struct ts_sandbox *sandbox, bool is_begun)
{
    pthread_mutex_lock(&sandbox->mutex);
    sandbox->answering += is_begun ? 1 : SIZE_MAX; // wraps to minus one
    if (sandbox->answering == 0) {
        pthread_cond_broadcast(&sandbox->is_idle);
    }
    pthread_mutex_unlock(&sandbox->mutex);
}

static void on_completed(void *self, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode why)
{
    struct exchange *exchange = *context;
    (void)self;
    (void)connection;
    (void)why;
    if (!exchange) {
        return;
    }
    *context = NULL;
    exchange->sandbox->body_bytes -= exchange->body_bytes;
    if (exchange->is_answered) {
        sandbox_count_answering(exchange->sandbox, false);
    }
    ts_sandbox_request_fini(&exchange->request);
    ts_sandbox_reply_fini(&exchange->reply);
    free(exchange);
}

// Half of the body, then an error, which closes the connection under the client.
static ssize_t on_truncated_read(void *self, uint64_t at, char *out, size_t max)
{
    const struct ts_buf *body = self;
    size_t half = body->len / 2;
    if (at >= half) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t len = half - (size_t)at < max ? half - (size_t)at : max;
    memcpy(out, body->data + at, len);
    return (ssize_t)len;
}

static struct MHD_Response *exchange_respond(struct exchange *exchange)
{
    struct ts_buf *body = &exchange->reply.body;
    if (exchange->fault.kind == TS_SANDBOX_FAULT_TRUNCATE) {
        // The body stays with the exchange, which outlives the response's use of it.
        return MHD_create_response_from_callback(body->len, 4096, on_truncated_read, body, NULL);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_FREE);
    if (response) {
        ts_buf_init(body, body->max); // the block is the response's now
    }
    return response;
}

static enum MHD_Result exchange_send(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct ts_sandbox_reply *reply = &exchange->reply;
    if (exchange->fault.kind == TS_SANDBOX_FAULT_DROP) {
        return MHD_NO;
    }
    struct MHD_Response *response = exchange_respond(exchange);
    if (!response) {
        return MHD_NO;
    }
    enum MHD_Result is_fine =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    for (size_t i = 0; i < reply->header_count; i++) {
        is_fine = is_fine && MHD_add_response_header(
                                 response, reply->headers[i].name, reply->headers[i].value);
    }
    is_fine = is_fine && MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return is_fine;
}

static void exchange_answer(struct exchange *exchange)
{
    struct ts_sandbox *sandbox = exchange->sandbox;
    const struct ts_clock *clock = ts_clock_system();
    int64_t begin = ts_clock_mono(clock);
    sandbox_count_answering(sandbox, true);
    exchange->is_answered = true;
    pthread_mutex_lock(&sandbox->serving);
    ts_sandbox_service_answer(
        &sandbox->service, &exchange->request, &exchange->reply, &exchange->fault);
    pthread_mutex_unlock(&sandbox->serving);
    ts_log_line(&sandbox->service.log, TS_LOG_VERBOSE, "%s %s %d %.1fms%s%s",
        exchange->request.method_text, exchange->request.target, exchange->reply.status,
        (double)(ts_clock_mono(clock) - begin) / 1000.0, exchange->fault.kind ? " fault " : "",
        ts_sandbox_fault_kind_name(exchange->fault.kind));
}

// The first call for a request, when its headers are in. True when the rest need not be read.
static bool exchange_begin(
    struct exchange *exchange, struct MHD_Connection *connection, const char *method)
{
    exchange->request.connection = connection;
    ts_sandbox_request_set_method(&exchange->request, method);
    if (ts_str_has_prefix(exchange->request.target, "/sandbox/")) {
        exchange->request.body.max = TS_SANDBOX_CONTROL_BODY_MAX;
    }
    const char *length =
        ts_sandbox_request_header(&exchange->request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t bytes = 0;
    if (length && ts_str_to_int(length, &bytes) && bytes > (int64_t)BODY_DISCARD_MAX) {
        exchange->request.received = SIZE_MAX;
        return true;
    }
    return false;
}

static enum MHD_Result exchange_receive(struct exchange *exchange, const char *bytes, size_t len)
{
    struct ts_sandbox *sandbox = exchange->sandbox;
    sandbox->body_bytes -= exchange->body_bytes;
    enum ts_err code = ts_sandbox_request_add_body(&exchange->request, bytes, len);
    exchange->body_bytes = exchange->request.body.cap;
    sandbox->body_bytes += exchange->body_bytes;
    bool is_fine = !code && exchange->request.received <= BODY_DISCARD_MAX &&
                   sandbox->body_bytes <= BODIES_MAX;
    return is_fine ? MHD_YES : MHD_NO;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_len, void **context)
{
    struct ts_sandbox *sandbox = self;
    struct exchange *exchange = *context;
    (void)url;
    (void)version;
    if (!exchange) {
        return MHD_NO;
    }
    if (!exchange->request.connection) {
        if (!exchange_begin(exchange, connection, method)) {
            return MHD_YES;
        }
        exchange_answer(exchange);
        return exchange_send(exchange, connection);
    }
    if (*upload_len > 0) {
        size_t len = *upload_len;
        *upload_len = 0;
        return exchange_receive(exchange, upload, len);
    }
    if (!exchange->is_answered) {
        exchange_answer(exchange);
        int64_t ms = sandbox->service.settings.latency_ms + exchange->fault.ms;
        if (ms > 0 && ts_sandbox_delays_add(sandbox->delays, connection, ms)) {
            return MHD_YES; // called again when it is resumed
        }
    }
    return exchange_send(exchange, connection);
}

// Starts the threads with all signals blocked, so that they stay with the caller's threads.
// poll, because libmicrohttpd's epoll loop (0.9.75) misses the end of a connection that arrives
// together with a request, and keeps it until it is idle for too long; it was no faster either.
static enum ts_err sandbox_serve(struct ts_sandbox *sandbox, int fd, struct ts_error *err)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    enum ts_err code = ts_sandbox_delays_create(&sandbox->delays, err);
    if (!code) {
        sandbox->daemon =
            MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC,
                0, NULL, NULL, on_request, sandbox, MHD_OPTION_LISTEN_SOCKET, fd,
                MHD_OPTION_URI_LOG_CALLBACK, on_request_line, sandbox, MHD_OPTION_NOTIFY_COMPLETED,
                on_completed, sandbox, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_END);
        if (!sandbox->daemon) {
            code = ts_error_set(err, TS_ERR_SYSTEM, "cannot start the sandbox's server");
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static void sandbox_release(struct ts_sandbox *sandbox)
{
    ts_sandbox_delays_destroy(sandbox->delays);
    ts_sandbox_service_fini(&sandbox->service);
    pthread_cond_destroy(&sandbox->is_idle);
    pthread_mutex_destroy(&sandbox->mutex);
    pthread_mutex_destroy(&sandbox->serving);
    free(sandbox);
}

enum ts_err ts_sandbox_start(
    const struct ts_sandbox_config *config, struct ts_sandbox **out, struct ts_error *err)
{
    struct ts_sandbox *sandbox = calloc(1, sizeof *sandbox);
    if (!sandbox) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sandbox->is_idle, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&sandbox->mutex, NULL);
    pthread_mutex_init(&sandbox->serving, NULL);
    char origin[64];
    int fd = -1;
    enum ts_err code = ts_sandbox_service_init(&sandbox->service, config, err);
    if (!code) {
        const char *listen = config->listen ? config->listen : "127.0.0.1:0";
        code = ts_sandbox_listen(listen, &fd, origin, sizeof origin, err);
    }
    if (!code) {
        snprintf(sandbox->url, sizeof sandbox->url, "%s/client/v4", origin);
        code = sandbox_serve(sandbox, fd, err);
    }
    if (code) {
        if (fd >= 0) {
            close(fd);
        }
        sandbox_release(sandbox);
        return code;
    }
    *out = sandbox;
    return TS_OK;
}

const char *ts_sandbox_url(const struct ts_sandbox *sandbox)
{
    return sandbox->url;
}

enum ts_err ts_sandbox_import(struct ts_sandbox *sandbox, const char *account, const char *json,
    size_t len, struct ts_sandbox_imported *out, struct ts_error *err)
{
    pthread_mutex_lock(&sandbox->serving);
    enum ts_err code = ts_sandbox_service_import(&sandbox->service, account, json, len, out, err);
    pthread_mutex_unlock(&sandbox->serving);
    return code;
}

void ts_sandbox_stop(struct ts_sandbox *sandbox)
{
    if (!sandbox) {
        return;
    }
    int fd = MHD_quiesce_daemon(sandbox->daemon);
    ts_sandbox_delays_release(sandbox->delays);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_WAIT_S;
    pthread_mutex_lock(&sandbox->mutex);
    int code = 0;
    while (sandbox->answering > 0 && code == 0) {
        code = pthread_cond_timedwait(&sandbox->is_idle, &sandbox->mutex, &until);
    }
    pthread_mutex_unlock(&sandbox->mutex);
    MHD_stop_daemon(sandbox->daemon);
    if (fd >= 0) {
        close(fd);
    }
    sandbox_release(sandbox);
}
