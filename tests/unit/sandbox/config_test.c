// SPDX-License-Identifier: MIT
// Starting: what is refused, where it listens, what it leaves alone.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"
#include "host/base/str.h"

static void assert_fails(const struct ts_sandbox_config *config, enum ts_err code, const char *part)
{
    struct ts_sandbox *sandbox = NULL;
    struct ts_error err = {.message = ""};
    assert_int_equal(ts_sandbox_start(config, &sandbox, &err), code);
    assert_null(sandbox);
    if (!strstr(err.message, part)) {
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
    }
}

static void a_wrong_configuration_is_refused(void **state)
{
    static const struct {
        struct ts_sandbox_config config;
        const char *part;
    } wrong[] = {
        {{.listen = "0.0.0.0:0"}, "loopback"},
        {{.listen = "192.0.2.1:80"}, "loopback"},
        {{.listen = "[::]:0"}, "loopback"},
        {{.listen = "127.0.0.1"}, "ADDRESS:PORT"},
        {{.listen = "127.0.0.1:"}, "ADDRESS:PORT"},
        {{.listen = "127.0.0.1:65536"}, "ADDRESS:PORT"},
        {{.listen = "acme.example:80"}, "ADDRESS:PORT"},
        {{.listen = ""}, "ADDRESS:PORT"},
        {{.account = "xyz"}, "account"},
        {{.token = ""}, "token"},
        {{.entitle = "everything"}, "everything"},
        {{.entitle = "offlabel,,"}, "entitlement"},
        {{.rate_requests = -1}, "rate"},
        {{.rate_window_s = -1}, "window"},
        {{.rate_requests = 1000001}, "rate"},
        {{.limiter = "leaky"}, "leaky"},
        {{.max_domains = -1}, "max-domains"},
        {{.max_widgets = -1}, "max-widgets"},
        {{.latency_ms = -1}, "latency"},
        {{.grace_s = INT64_MAX}, "grace"},
        {{.db = ""}, "database"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_fails(&wrong[i].config, TS_ERR_USAGE, wrong[i].part);
    }
}

static void a_taken_port_and_a_missing_directory_are_named(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    struct ts_sandbox_config config = {.listen = bed.origin + strlen("http://")};
    assert_fails(&config, TS_ERR_SYSTEM, "in use");
    config = (struct ts_sandbox_config){.db = "/nonexistent/sandbox.db"};
    assert_fails(&config, TS_ERR_SYSTEM, "/nonexistent/sandbox.db");
    bed_stop(&bed);
}

static void it_listens_where_it_is_told(void **state)
{
    static const struct {
        const char *listen;
        const char *prefix;
    } places[] = {
        {NULL, "http://127.0.0.1:"},
        {"127.0.0.2:0", "http://127.0.0.2:"},
        {"localhost:0", "http://127.0.0.1:"},
        {"[::1]:0", "http://[::1]:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct bed bed;
        struct ts_sandbox_config config = {.grace_s = -1, .listen = places[i].listen};
        bed_start(&bed, &config);
        assert_true(ts_str_has_prefix(ts_sandbox_url(bed.sandbox), places[i].prefix));
        bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
        // The same port is free again at once.
        char listen[64];
        assert_true(ts_str_copy(listen, sizeof listen, bed.origin + strlen("http://")));
        bed_stop(&bed);
        config.listen = listen;
        bed_start(&bed, &config);
        bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
        bed_stop(&bed);
    }
}

static void a_file_of_something_else_is_left_alone(void **state)
{
    (void)state;
    char path[] = "/tmp/tshost-sandbox-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "This is no database, but somebody may still want it back.\n";
    assert_int_equal(write(fd, text, sizeof text), (ssize_t)sizeof text);
    struct ts_sandbox_config config = {.db = path};
    assert_fails(&config, TS_ERR_USAGE, "not a sandbox database");
    char back[sizeof text] = "";
    assert_int_equal(pread(fd, back, sizeof back, 0), (ssize_t)sizeof back);
    assert_memory_equal(back, text, sizeof text);
    assert_int_equal(ftruncate(fd, 0), 0);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_fails(&config, TS_ERR_USAGE, "not a sandbox database");
    close(fd);
    unlink(path);
}

static void a_new_file_is_for_its_owner_only(void **state)
{
    struct bed bed;
    struct stat info;
    char directory[] = "/tmp/tshost-sandbox-XXXXXX";
    char path[64];
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/db", directory);
    mode_t before = umask(0);
    struct ts_sandbox_config config = {.grace_s = -1, .db = path};
    bed_start(&bed, &config);
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    static const char *const names[] = {"db", "db-wal", "db-shm"};
    for (size_t i = 0; i < 3; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s/%s", directory, names[i]);
        assert_int_equal(stat(name, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
    bed_stop(&bed);
    umask(before);
    unlink(path);
    assert_int_equal(rmdir(directory), 0); // a clean stop leaves one file
}

static void on_signal(int number)
{
    (void)number;
}

// Its threads take no signals: with the only other thread blocking it, the signal stays pending.
static void its_threads_take_no_signals(void **state)
{
    struct bed bed;
    (void)state;
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction old;
    sigaction(SIGUSR1, &action, &old);
    bed_start(&bed, NULL);
    sigset_t mask;
    sigset_t before;
    sigset_t pending;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &mask, &before);
    assert_false(sigismember(&before, SIGTERM)); // and the caller's mask is what it was
    kill(getpid(), SIGUSR1);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGUSR1));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    bed_stop(&bed);
    sigaction(SIGUSR1, &old, NULL);
}

static void stopping_nothing_is_fine(void **state)
{
    (void)state;
    ts_sandbox_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_configuration_is_refused),
        cmocka_unit_test(a_taken_port_and_a_missing_directory_are_named),
        cmocka_unit_test(it_listens_where_it_is_told),
        cmocka_unit_test(a_file_of_something_else_is_left_alone),
        cmocka_unit_test(a_new_file_is_for_its_owner_only),
        cmocka_unit_test(its_threads_take_no_signals),
        cmocka_unit_test(stopping_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
