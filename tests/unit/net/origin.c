// SPDX-License-Identifier: MIT
// The server: one thread, poll(2), blocking sends with a time limit. Of a request that does not fit
// its buffer the rest of the body is dropped.
#include "tests/unit/net/origin.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_CONNECTIONS 2048
#define REQUEST_MAX 4096

struct connection {
    int fd;
    size_t len;
    size_t dropped; // bytes behind data
    char data[REQUEST_MAX + 1];
};

struct origin {
    pthread_t thread;
    int port;
    int listener;
    int stop[2]; // a pipe; closing the write end stops the thread
    atomic_uint requests;
    atomic_uint accepted;
    struct connection *connections[MAX_CONNECTIONS];
    size_t count;
};

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; // the client went away
        }
        data += sent;
        len -= (size_t)sent;
    }
}

static void send_answer(int fd, const char *body, size_t len)
{
    char head[128];
    int head_len = snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nCF-Ray:  0123-TEST \r\nContent-Length: %zu\r\n\r\n", len);
    send_all(fd, head, (size_t)head_len);
    send_all(fd, body, len);
}

static void answer_bytes(int fd, size_t len)
{
    char *body = malloc(len + 1);
    if (body) {
        memset(body, 'x', len);
        send_answer(fd, body, len);
        free(body);
    }
}

// Acts on a complete request; false when the connection is to be closed.
static bool request_answer(const struct connection *connection, const char *body)
{
    char method[16];
    char path[256];
    char text[REQUEST_MAX + 300];
    if (sscanf(connection->data, "%15s %255s", method, path) != 2) {
        return false;
    }
    if (strcmp(path, "/never") == 0) {
        return true;
    }
    if (strncmp(path, "/body/", 6) == 0) {
        answer_bytes(connection->fd, strtoul(path + 6, NULL, 10));
        return true;
    }
    if (strncmp(path, "/echo", 5) == 0) {
        int len = snprintf(text, sizeof text, "%s %s %s", method, path, body);
        send_answer(connection->fd, text, (size_t)len);
        return true;
    }
    if (strcmp(path, "/leave") == 0) {
        const char *answer = strcasestr(connection->data, "\r\nExpect:") ? "asked" : "sent";
        send_answer(connection->fd, answer, strlen(answer));
        return true;
    }
    return false;
}

static size_t content_length(const char *head)
{
    const char *line = strcasestr(head, "\r\nContent-Length:");
    return line ? strtoul(line + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

// Reads what is there; false when the connection is over.
static bool connection_serve(struct origin *origin, struct connection *connection)
{
    char data[REQUEST_MAX];
    ssize_t got = recv(connection->fd, data, sizeof data, 0);
    if (got <= 0) {
        return false;
    }
    size_t room = REQUEST_MAX - connection->len;
    size_t kept = (size_t)got < room ? (size_t)got : room;
    memcpy(connection->data + connection->len, data, kept);
    connection->len += kept;
    connection->dropped += (size_t)got - kept;
    connection->data[connection->len] = '\0';
    const char *end = strstr(connection->data, "\r\n\r\n");
    if (!end) {
        return connection->len < REQUEST_MAX;
    }
    const char *body = end + 4;
    size_t len = (size_t)(body - connection->data) + content_length(connection->data);
    if (connection->len + connection->dropped < len) {
        return true;
    }
    atomic_fetch_add(&origin->requests, 1);
    bool is_kept = request_answer(connection, body);
    connection->len = 0;
    connection->dropped = 0;
    return is_kept;
}

static void connection_accept(struct origin *origin)
{
    int fd = accept(origin->listener, NULL, NULL);
    struct connection *connection = fd >= 0 ? malloc(sizeof *connection) : NULL;
    if (!connection || origin->count == MAX_CONNECTIONS) {
        abort();
    }
    struct timeval limit = {.tv_sec = 10};
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    connection->fd = fd;
    connection->len = 0;
    connection->dropped = 0;
    origin->connections[origin->count++] = connection;
    atomic_fetch_add(&origin->accepted, 1);
}

static void connection_drop(struct origin *origin, size_t at)
{
    close(origin->connections[at]->fd);
    free(origin->connections[at]);
    origin->connections[at] = origin->connections[--origin->count];
}

static void *origin_run(void *self)
{
    struct origin *origin = self;
    static struct pollfd polls[MAX_CONNECTIONS + 2]; // one server runs at a time
    for (;;) {
        size_t count = origin->count;
        polls[0] = (struct pollfd){.fd = origin->stop[0], .events = POLLIN};
        polls[1] = (struct pollfd){.fd = origin->listener, .events = POLLIN};
        for (size_t i = 0; i < count; i++) {
            polls[i + 2] = (struct pollfd){.fd = origin->connections[i]->fd, .events = POLLIN};
        }
        if (poll(polls, count + 2, -1) < 0 || polls[0].revents) {
            break;
        }
        for (size_t i = count; i-- > 0;) { // backwards: dropping moves the last one here
            if (polls[i + 2].revents && !connection_serve(origin, origin->connections[i])) {
                connection_drop(origin, i);
            }
        }
        if (polls[1].revents) {
            connection_accept(origin);
        }
    }
    while (origin->count > 0) {
        connection_drop(origin, origin->count - 1);
    }
    return NULL;
}

struct origin *origin_start(void)
{
    struct origin *origin = calloc(1, sizeof *origin);
    assert_non_null(origin);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t len = sizeof address;
    origin->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(origin->listener >= 0);
    assert_int_equal(bind(origin->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(origin->listener, MAX_CONNECTIONS), 0);
    assert_int_equal(getsockname(origin->listener, (struct sockaddr *)&address, &len), 0);
    origin->port = ntohs(address.sin_port);
    assert_int_equal(pipe(origin->stop), 0);
    assert_int_equal(pthread_create(&origin->thread, NULL, origin_run, origin), 0);
    return origin;
}

void origin_stop(struct origin *origin)
{
    close(origin->stop[1]);
    pthread_join(origin->thread, NULL);
    close(origin->stop[0]);
    close(origin->listener);
    free(origin);
}

void origin_url(const struct origin *origin, const char *path, char *out, size_t size)
{
    snprintf(out, size, "http://127.0.0.1:%d%s", origin->port, path);
}

unsigned origin_requests(struct origin *origin)
{
    return atomic_load(&origin->requests);
}

unsigned origin_connections(struct origin *origin)
{
    return atomic_load(&origin->accepted);
}
