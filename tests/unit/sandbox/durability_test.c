// SPDX-License-Identifier: MIT
// What was acknowledged survives SIGKILL; two processes share one file; memory keeps nothing.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

#define WRITERS 4
#define ROUNDS 3

struct file {
    char directory[32];
    char path[64];
};

static void file_make(struct file *file)
{
    snprintf(file->directory, sizeof file->directory, "/tmp/tshost-sandbox-XXXXXX");
    assert_non_null(mkdtemp(file->directory));
    snprintf(file->path, sizeof file->path, "%s/db", file->directory);
}

static void file_remove(const struct file *file)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[80];
        snprintf(path, sizeof path, "%s%s", file->path, ends[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(file->directory), 0);
}

// Serves the file in a child until it is killed; fills in the bed's origin.
static pid_t child_serve(struct bed *bed, const struct file *file)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct ts_sandbox *sandbox;
        struct ts_sandbox_config config = {.grace_s = -1, .db = file->path};
        if (ts_sandbox_start(&config, &sandbox, NULL)) {
            _exit(1);
        }
        dprintf(ends[1], "%s", ts_sandbox_url(sandbox));
        close(ends[1]);
        for (;;) {
            pause();
        }
    }
    close(ends[1]);
    memset(bed->origin, 0, sizeof bed->origin);
    ssize_t len = read(ends[0], bed->origin, sizeof bed->origin - 1);
    close(ends[0]);
    assert_true(len > 0);
    *strstr(bed->origin, "/client/v4") = '\0';
    return pid;
}

static void child_kill(pid_t pid)
{
    int status = 0;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

// Creates without pause and reports each acknowledged sitekey through the pipe.
static void writer_run(const char *origin, int out)
{
    struct bed bed = {
        .authorization = "Authorization: Bearer t", .type = "Content-Type: application/json"};
    snprintf(bed.origin, sizeof bed.origin, "%s", origin);
    bed.curl = curl_easy_init();
    sqlite3_open(":memory:", &bed.json);
    ts_buf_init(&bed.body, 1024 * 1024);
    ts_buf_init(&bed.headers, 1024 * 1024);
    while (bed_try(&bed, "POST", BED_WIDGETS, BED_BODY) && bed.status == 200) {
        char line[32];
        int len = snprintf(line, sizeof line, "%s\n", bed_json(&bed, "$.result.sitekey"));
        if (write(out, line, (size_t)len) != len) {
            break;
        }
    }
    _exit(0);
}

static void acknowledged_writes_survive_a_kill(void **state)
{
    struct file file;
    struct bed bed;
    (void)state;
    file_make(&file);
    int lines[2];
    assert_int_equal(pipe(lines), 0);
    for (int round = 0; round < ROUNDS; round++) {
        pid_t server = child_serve(&bed, &file);
        pid_t writers[WRITERS];
        for (int i = 0; i < WRITERS; i++) {
            writers[i] = fork();
            assert_true(writers[i] >= 0);
            if (writers[i] == 0) {
                close(lines[0]);
                writer_run(bed.origin, lines[1]);
            }
        }
        // In the middle of it: some hundred writes have been acknowledged, more are under way.
        char line[26] = "";
        for (int i = 0; i < 200; i++) {
            assert_int_equal(read(lines[0], line, 25), 25);
        }
        child_kill(server);
        for (int i = 0; i < WRITERS; i++) {
            assert_int_equal(waitpid(writers[i], NULL, 0), writers[i]);
        }
        // The last acknowledged ones of this round, and the first line read, must be there.
        struct ts_sandbox_config config = {.grace_s = -1, .db = file.path};
        struct bed after;
        bed_start(&after, &config);
        char path[256];
        do {
            line[24] = '\0';
            bed_call(&after, "GET", bed_path(path, sizeof path, line, ""), NULL, 200);
            fd_set set;
            struct timeval none = {0};
            FD_ZERO(&set);
            FD_SET(lines[0], &set);
            if (select(lines[0] + 1, &set, NULL, NULL, &none) <= 0) {
                break;
            }
        } while (read(lines[0], line, 25) == 25);
        bed_stop(&after);
    }
    close(lines[0]);
    close(lines[1]);
    file_remove(&file);
}

static void grace_and_redeemed_tokens_survive_too(void **state)
{
    struct file file;
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1};
    char sitekey[33];
    char old[64];
    char body[512];
    char path[256];
    (void)state;
    file_make(&file);
    config.db = file.path;
    bed_start(&bed, &config);
    bed_create(&bed, BED_BODY, sitekey, old);
    bed_call(&bed, "POST", bed_path(path, sizeof path, sitekey, "/rotate_secret"), "{}", 200);
    snprintf(body, sizeof body, "{\"sitekey\":\"%s\"}", sitekey);
    bed_call(&bed, "POST", "/sandbox/tokens", body, 200);
    snprintf(body, sizeof body, "{\"secret\":\"%s\",\"response\":\"%s\"}", old,
        bed_json(&bed, "$.result.token"));
    bed_call(&bed, "POST", "/turnstile/v0/siteverify", body, 200);
    bed_assert_json(&bed, "$.success", "1");
    bed_stop(&bed);
    bed_start(&bed, &config);
    bed_call(&bed, "POST", "/turnstile/v0/siteverify", body, 200);
    bed_assert_json(&bed, "$.\"error-codes\"[0]", "timeout-or-duplicate");
    bed_refused(&bed, "POST", path, "{}", 400, 10400);
    bed_stop(&bed);
    file_remove(&file);
}

static void two_servers_share_a_file(void **state)
{
    struct file file;
    struct bed beds[2];
    struct ts_sandbox_config config = {.grace_s = -1};
    char sitekey[33];
    char path[256];
    (void)state;
    file_make(&file);
    config.db = file.path;
    bed_start(&beds[0], &config);
    bed_start(&beds[1], &config);
    for (int i = 0; i < 50; i++) {
        struct bed *writer = &beds[i % 2];
        struct bed *reader = &beds[1 - i % 2];
        bed_create(writer, BED_BODY, sitekey, NULL);
        bed_path(path, sizeof path, sitekey, "");
        bed_call(reader, "GET", path, NULL, 200);
        bed_call(reader, "PUT", path, BED_BODY, 200);
        bed_call(writer, "GET", BED_WIDGETS "?per_page=5", NULL, 200);
        char count[16];
        snprintf(count, sizeof count, "%d", i + 1);
        bed_assert_json(writer, "$.result_info.total_count", count);
    }
    bed_stop(&beds[0]);
    bed_stop(&beds[1]);
    file_remove(&file);
}

// Some will find the file empty, some half made, some done.
static void many_may_open_a_new_file_at_once(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct file file;
        pid_t pids[6];
        file_make(&file);
        for (size_t i = 0; i < 6; i++) {
            pids[i] = fork();
            assert_true(pids[i] >= 0);
            if (pids[i] == 0) {
                struct ts_sandbox *sandbox = NULL;
                struct ts_sandbox_config config = {.db = file.path};
                enum ts_err code = ts_sandbox_start(&config, &sandbox, NULL);
                ts_sandbox_stop(sandbox);
                _exit((int)code);
            }
        }
        for (size_t i = 0; i < 6; i++) {
            int status = 0;
            assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
            assert_true(WIFEXITED(status));
            assert_int_equal(WEXITSTATUS(status), TS_OK);
        }
        file_remove(&file);
    }
}

static void memory_keeps_nothing(void **state)
{
    struct bed bed;
    (void)state;
    for (int i = 0; i < 2; i++) {
        bed_start(&bed, NULL);
        bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
        bed_assert_json(&bed, "$.result_info.total_count", "0");
        bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
        bed_stop(&bed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged_writes_survive_a_kill),
        cmocka_unit_test(grace_and_redeemed_tokens_survive_too),
        cmocka_unit_test(two_servers_share_a_file),
        cmocka_unit_test(many_may_open_a_new_file_at_once),
        cmocka_unit_test(memory_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
