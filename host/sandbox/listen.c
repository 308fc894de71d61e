// SPDX-License-Identifier: MIT
// Parsing and binding of the listen address. Names are not resolved, localhost excepted: what a
// resolver answers is not ours to trust.
#include "host/sandbox/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/base/str.h"

#define LISTEN_BACKLOG 1024

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool address_is_loopback(const union address *address)
{
    if (address->any.sa_family == AF_INET) {
        return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static socklen_t address_len(const union address *address)
{
    return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

static bool address_parse(const char *text, union address *address)
{
    char host[64];
    int64_t port = 0;
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    if (!colon || len == 0 || len >= sizeof host || !ts_str_to_int(colon + 1, &port) ||
        port > UINT16_MAX) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    *address = (union address){.v6 = {0}};
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host + 1, &address->v6.sin6_addr) == 1;
    }
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons((uint16_t)port);
    const char *number = ts_str_is_nocase(host, "localhost") ? "127.0.0.1" : host;
    return inet_pton(AF_INET, number, &address->v4.sin_addr) == 1;
}

static void origin_format(const union address *address, char *origin, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host);
        snprintf(origin, size, "http://%s:%u", host, ntohs(address->v4.sin_port));
    } else {
        inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
        snprintf(origin, size, "http://[%s]:%u", host, ntohs(address->v6.sin6_port));
    }
}

enum ts_err ts_sandbox_listen(
    const char *text, int *fd, char *origin, size_t size, struct ts_error *err)
{
    union address address;
    if (!address_parse(text, &address)) {
        return ts_error_set(err, TS_ERR_USAGE,
            "cannot listen on \"%s\": expected ADDRESS:PORT, such as 127.0.0.1:0", text);
    }
    if (!address_is_loopback(&address)) {
        return ts_error_set(
            err, TS_ERR_USAGE, "cannot listen on \"%s\": only loopback addresses are served", text);
    }
    int on = 1;
    socklen_t len = address_len(&address);
    int sock = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    // Without SO_REUSEADDR a fixed port could not be had again right after a kill.
    if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(sock, &address.any, len) || listen(sock, LISTEN_BACKLOG) ||
        getsockname(sock, &address.any, &len)) {
        enum ts_err code = ts_error_set_errno(err, errno, "cannot listen on %s", text);
        if (sock >= 0) {
            close(sock);
        }
        return code;
    }
    origin_format(&address, origin, size);
    *fd = sock;
    return TS_OK;
}
