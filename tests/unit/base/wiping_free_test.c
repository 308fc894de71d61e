// SPDX-License-Identifier: MIT
// What the heap still holds after libcurl, Lua and lua-cjson handled a token and let go of it.
// Built twice: with host/cli/wiping_free.c nothing may be left; without it (EXPECT_LEFTOVERS)
// something must be, or the scan proves nothing.
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "host/base/buf.h"
#include "tests/unit/base/heap_scan.h"

int luaopen_cjson(lua_State *L);

static void check_leftovers(const char *text)
{
#ifdef EXPECT_LEFTOVERS
    assert_true(heap_scan(text) > 0);
#else
    assert_int_equal(heap_scan(text), 0);
#endif
}

// A listening loopback socket; its port in *port.
static int listen_loopback(unsigned *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof address;
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

// Answers one request with the token in a JSON body, then ends.
static pid_t serve_once(int listener, const char *token)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) {
        return child;
    }
    alarm(30); // a client that never comes must not keep it
    int fd = accept(listener, NULL, NULL);
    char text[4096];
    size_t len = 0;
    while (len < sizeof text - 1 && !memmem(text, len, "}", 1)) { // the end of the body
        ssize_t got = read(fd, text + len, sizeof text - 1 - len);
        if (got <= 0) {
            _exit(1);
        }
        len += (size_t)got;
    }
    char body[256];
    int body_len = snprintf(body, sizeof body, "{\"secret\":\"%s\"}", token);
    dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", body_len, body);
    _exit(0);
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    return ts_buf_add(user, data, size * count) == TS_OK ? size * count : 0;
}

// POSTs the token as header and body; the answer goes to *answer.
static CURLcode post(unsigned port, const char *token, struct ts_buf *answer)
{
    struct ts_buf text;
    ts_buf_init(&text, 4096);
    CURL *easy = curl_easy_init();
    assert_non_null(easy);
    ts_buf_add_format(&text, "Authorization: Bearer %s", token);
    struct curl_slist *headers = curl_slist_append(NULL, ts_buf_text(&text));
    ts_buf_clear(&text);
    ts_buf_add_format(&text, "{\"secret\":\"%s\"}", token);
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, ts_buf_text(&text));
    ts_buf_clear(&text);
    ts_buf_add_format(&text, "http://127.0.0.1:%u/", port);
    curl_easy_setopt(easy, CURLOPT_URL, ts_buf_text(&text));
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 20000L);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    ts_buf_fini(&text);
    return code;
}

static void curl_leaves_nothing(void **state)
{
    (void)state;
    char token[] = "sandbox-token-not-a-secret-1";
    struct ts_buf answer;
    ts_buf_init(&answer, 4096);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    unsigned port = 0;
    int listener = listen_loopback(&port);
    pid_t server = serve_once(listener, token);
    assert_int_equal(post(port, token, &answer), CURLE_OK);
    int status = 0;
    assert_int_equal(waitpid(server, &status, 0), server);
    assert_int_equal(status, 0);
    assert_non_null(strstr(ts_buf_text(&answer), token));
    assert_true(heap_scan(token) > 0); // alive in the answer: the scan sees it
    ts_buf_fini(&answer);
    close(listener);
    curl_global_cleanup();
    check_leftovers(token);
}

static void failed_request_leaves_nothing(void **state)
{
    (void)state;
    char token[] = "sandbox-token-not-a-secret-2";
    struct ts_buf answer;
    ts_buf_init(&answer, 4096);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    unsigned port = 0;
    close(listen_loopback(&port)); // nobody listens there now
    assert_int_equal(post(port, token, &answer), CURLE_COULDNT_CONNECT);
    ts_buf_fini(&answer);
    curl_global_cleanup();
    check_leftovers(token);
}

// Runs a line of Lua with cjson and the token as its first argument.
static void run_lua(const char *token, const char *code)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    luaL_requiref(L, "cjson", luaopen_cjson, 1);
    lua_settop(L, 0);
    assert_int_equal(luaL_loadstring(L, code), LUA_OK);
    lua_pushstring(L, token);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    lua_close(L);
}

static void cjson_leaves_nothing(void **state)
{
    (void)state;
    char token[] = "sandbox-token-not-a-secret-3";
    run_lua(token, "local token = ...\n"
                   "local list = {}\n"
                   "for i = 1, 1000 do list[i] = { secret = token, n = i } end\n"
                   "local text = cjson.encode(list)\n"
                   "local back = cjson.decode(text)\n"
                   "if back[1000].secret ~= token then error('decoded wrongly') end\n");
    check_leftovers(token);
}

static void lua_string_buffers_leave_nothing(void **state)
{
    (void)state;
    char token[] = "sandbox-token-not-a-secret-4";
    run_lua(token, "local token = ...\n"
                   "local text = (token .. ' '):rep(10000)\n" // grows by realloc
                   "text = text:gsub('token', '%0')\n");
    check_leftovers(token);
}

// The allocator's contract, in either build.

static void realloc_keeps_the_content(void **state)
{
    (void)state;
    unsigned char *block = realloc(NULL, 1);
    assert_non_null(block);
    block[0] = 1;
    size_t filled = 1;
    static const size_t sizes[] = {
        24, 25, 1000, 999, 40, 41, 1 << 20, (1 << 20) + 1, 300000, 8, 5000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *moved = realloc(block, sizes[i]);
        assert_non_null(moved);
        block = moved;
        size_t kept = filled < sizes[i] ? filled : sizes[i];
        for (size_t k = 0; k < kept; k++) {
            assert_int_equal(block[k], (k + 1) & 0xff);
        }
        for (size_t k = 0; k < sizes[i]; k++) {
            block[k] = (unsigned char)(k + 1);
        }
        filled = sizes[i];
    }
    free(block);
}

static void realloc_that_fails_keeps_the_block(void **state)
{
    (void)state;
    char *block = malloc(10);
    assert_non_null(block);
    memcpy(block, "unchanged", 10);
    volatile size_t huge = PTRDIFF_MAX; // volatile, or the compiler warns of what is meant
    char *moved = realloc(block, huge);
    int errnum = errno;
    bool is_kept = !moved && strcmp(block, "unchanged") == 0;
    free(moved ? moved : block);
    assert_true(is_kept);
    assert_int_equal(errnum, ENOMEM);
}

static void aligned_blocks_and_nothing_can_be_freed(void **state)
{
    (void)state;
    for (size_t align = 16; align <= 65536; align *= 2) {
        void *block = NULL;
        assert_int_equal(posix_memalign(&block, align, 100), 0);
        memset(block, 'x', 100);
        block = realloc(block, 10000);
        assert_non_null(block);
        assert_int_equal(((char *)block)[99], 'x');
        free(block);
        free(aligned_alloc(align, align));
    }
    errno = 7;
    free(NULL);
    free(malloc(1 << 22));
    assert_int_equal(errno, 7);
}

static void shrunk_and_moved_blocks_leave_nothing(void **state)
{
    (void)state;
    char token[] = "sandbox-token-not-a-secret-5";
    char *block = malloc(400);
    assert_non_null(block);
    memcpy(block + 300, token, sizeof token); // past what the allocator itself overwrites
    block = realloc(block, 100);
    assert_non_null(block);
    check_leftovers(token); // it lay in the tail
    free(block);

    char other[] = "sandbox-token-not-a-secret-6";
    block = malloc(400);
    void *fence = malloc(24); // no growing in place
    assert_non_null(block);
    memcpy(block + 300, other, sizeof other);
    block = reallocarray(block, 300, 100);
    assert_non_null(block);
    memset(block, 0, 400);
    check_leftovers(other);
    free(block);
    free(fence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curl_leaves_nothing),
        cmocka_unit_test(failed_request_leaves_nothing),
        cmocka_unit_test(cjson_leaves_nothing),
        cmocka_unit_test(lua_string_buffers_leave_nothing),
        cmocka_unit_test(realloc_keeps_the_content),
        cmocka_unit_test(realloc_that_fails_keeps_the_block),
        cmocka_unit_test(aligned_blocks_and_nothing_can_be_freed),
        cmocka_unit_test(shrunk_and_moved_blocks_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
