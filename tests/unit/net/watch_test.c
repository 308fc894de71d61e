// SPDX-License-Identifier: MIT
// Watches on pipes, and the wake from another thread: who is called, who no longer is, and that a
// hang-up without data is heard of.
#include "host/net/watch.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/net/loop.h"
#include "host/net/timer.h"

struct end {
    struct ts_watch watch; // first: the callbacks cast back
    int fds[2];
    int calls;
    short revents;
    struct end *other;
};

static struct ts_loop *loop_make(void)
{
    struct ts_loop *loop;
    struct ts_loop_config config = {.max_connections = 1};
    assert_int_equal(ts_loop_create(&config, &loop, NULL), TS_OK);
    return loop;
}

static void end_open(struct end *end)
{
    *end = (struct end){0};
    assert_int_equal(pipe(end->fds), 0);
}

static void end_close(struct end *end)
{
    ts_watch_remove(&end->watch);
    close(end->fds[0]);
    if (end->fds[1] >= 0) {
        close(end->fds[1]);
    }
}

static void end_hang_up(struct end *end)
{
    close(end->fds[1]);
    end->fds[1] = -1;
}

static void on_ready(struct ts_watch *watch, short revents)
{
    struct end *end = (struct end *)watch;
    end->calls++;
    end->revents = revents;
}

static void on_ready_remove_other(struct ts_watch *watch, short revents)
{
    on_ready(watch, revents);
    ts_watch_remove(&((struct end *)watch)->other->watch);
}

static void on_ready_replace(struct ts_watch *watch, short revents)
{
    struct end *end = (struct end *)watch;
    on_ready(watch, revents);
    ts_watch_add(watch->loop, watch, end->fds[0], POLLIN, on_ready_replace);
}

static void turn(struct ts_loop *loop)
{
    assert_int_equal(ts_loop_turn(loop, TS_NEVER, NULL), TS_OK);
}

static void data_is_reported_for_as_long_as_it_is_there(void **state)
{
    (void)state;
    struct ts_loop *loop = loop_make();
    struct end end;
    end_open(&end);
    ts_watch_add(loop, &end.watch, end.fds[0], POLLIN, on_ready);
    assert_true(ts_loop_is_busy(loop));
    assert_int_equal(ts_loop_turn(loop, 0, NULL), TS_OK);
    assert_int_equal(end.calls, 0);
    assert_int_equal(write(end.fds[1], "x", 1), 1);
    turn(loop);
    turn(loop);
    assert_int_equal(end.calls, 2);
    assert_int_equal(end.revents, POLLIN);
    end_close(&end);
    assert_false(ts_loop_is_busy(loop));
    ts_loop_destroy(loop);
}

static void room_to_write_is_reported(void **state)
{
    (void)state;
    struct ts_loop *loop = loop_make();
    struct end end;
    end_open(&end);
    ts_watch_add(loop, &end.watch, end.fds[1], POLLOUT, on_ready);
    turn(loop);
    assert_int_equal(end.revents, POLLOUT);
    end_close(&end);
    ts_loop_destroy(loop);
}

// libcurl's poll returns for it but says nothing: without asking poll(2), the loop would spin.
static void a_hang_up_without_data_is_reported(void **state)
{
    (void)state;
    struct ts_loop *loop = loop_make();
    struct end end;
    end_open(&end);
    ts_watch_add(loop, &end.watch, end.fds[0], POLLIN, on_ready);
    end_hang_up(&end);
    turn(loop);
    assert_int_equal(end.calls, 1);
    assert_true(end.revents & POLLHUP);
    end_close(&end);
    ts_loop_destroy(loop);
}

static void a_removed_watch_is_not_called_in_the_same_turn(void **state)
{
    (void)state;
    struct ts_loop *loop = loop_make();
    struct end ends[2];
    for (int i = 0; i < 2; i++) {
        end_open(&ends[i]);
        end_hang_up(&ends[i]);
        ts_watch_add(loop, &ends[i].watch, ends[i].fds[0], POLLIN, on_ready_remove_other);
    }
    ends[0].other = &ends[1];
    ends[1].other = &ends[0];
    turn(loop);
    assert_int_equal(ends[0].calls + ends[1].calls, 1);
    turn(loop);
    assert_int_equal(ends[0].calls + ends[1].calls, 2);
    end_close(&ends[0]);
    end_close(&ends[1]);
    ts_loop_destroy(loop);
}

static void a_watch_that_replaces_itself_is_called_once_a_turn(void **state)
{
    (void)state;
    struct ts_loop *loop = loop_make();
    struct end ends[10];
    for (int i = 0; i < 10; i++) {
        end_open(&ends[i]);
        end_hang_up(&ends[i]);
        ts_watch_add(loop, &ends[i].watch, ends[i].fds[0], POLLIN, on_ready_replace);
    }
    turn(loop);
    turn(loop);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ends[i].calls, 2);
        end_close(&ends[i]);
    }
    ts_loop_destroy(loop);
}

static void on_fire_again(struct ts_timer *timer)
{
    (void)timer; // armed again by the test, so that every turn has one that is due
}

static void due_timers_do_not_starve_watches(void **state)
{
    (void)state;
    struct ts_loop *loop = loop_make();
    struct end end;
    end_open(&end);
    end_hang_up(&end);
    ts_watch_add(loop, &end.watch, end.fds[0], POLLIN, on_ready);
    struct ts_timer timer = {0};
    assert_int_equal(ts_timer_arm(loop, &timer, 0, on_fire_again, NULL), TS_OK);
    turn(loop);
    assert_null(timer.loop);
    assert_int_equal(end.calls, 1);
    end_close(&end);
    ts_loop_destroy(loop);
}

static void *wake(void *loop)
{
    ts_loop_wake(loop);
    return NULL;
}

// Without the wake the turn would never end, and the test would be ended by its time limit.
static void another_thread_wakes_a_wait_that_has_no_end(void **state)
{
    (void)state;
    struct ts_loop *loop = loop_make();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake, loop), 0);
    turn(loop);
    pthread_join(thread, NULL);
    ts_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_is_reported_for_as_long_as_it_is_there),
        cmocka_unit_test(room_to_write_is_reported),
        cmocka_unit_test(a_hang_up_without_data_is_reported),
        cmocka_unit_test(a_removed_watch_is_not_called_in_the_same_turn),
        cmocka_unit_test(a_watch_that_replaces_itself_is_called_once_a_turn),
        cmocka_unit_test(due_timers_do_not_starve_watches),
        cmocka_unit_test(another_thread_wakes_a_wait_that_has_no_end),
    };
    return cmocka_run_group_tests_name("net/watch", tests, NULL, NULL);
}
