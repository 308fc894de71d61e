// SPDX-License-Identifier: MIT
// Timers on a clock that the test moves: order, ties, what callbacks may do to other timers, and
// that none of it waits.
#include "host/net/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/net/loop.h"
#include "tests/unit/net/fake_clock.h"

#define FIRED_MAX 16

struct bench {
    struct fake_clock clock;
    struct ts_loop *loop;
    int fired[FIRED_MAX];
    int count;
};

struct item {
    struct ts_timer timer; // first: the callbacks cast back
    struct bench *bench;
    int id;
    struct item *other;
    int64_t again_us;
};

static void fired(const struct item *item)
{
    assert_true(item->bench->count < FIRED_MAX);
    item->bench->fired[item->bench->count++] = item->id;
}

static void on_fire(struct ts_timer *timer)
{
    assert_null(timer->loop);
    fired((struct item *)timer);
}

static void on_fire_disarm_other(struct ts_timer *timer)
{
    struct item *item = (struct item *)timer;
    fired(item);
    ts_timer_disarm(&item->other->timer);
}

static void on_fire_again(struct ts_timer *timer)
{
    struct item *item = (struct item *)timer;
    fired(item);
    struct ts_loop *loop = item->bench->loop;
    assert_int_equal(ts_timer_arm(loop, timer, item->again_us, on_fire_again, NULL), TS_OK);
}

static void turn(struct bench *bench)
{
    struct ts_error err;
    bench->count = 0;
    assert_int_equal(ts_loop_turn(bench->loop, TS_NEVER, &err), TS_OK);
}

static void arm(struct bench *bench, struct item *item, int id, int64_t at_us, ts_timer_fn fn)
{
    item->bench = bench;
    item->id = id;
    assert_int_equal(ts_timer_arm(bench->loop, &item->timer, at_us, fn, NULL), TS_OK);
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    fake_clock_init(&bench->clock, 1000000);
    struct ts_loop_config config = {.clock = &bench->clock.clock, .max_connections = 1};
    assert_int_equal(ts_loop_create(&config, &bench->loop, NULL), TS_OK);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    ts_loop_destroy(bench->loop);
    free(bench);
    return 0;
}

static void fires_in_order_of_time(void **state)
{
    struct bench *bench = *state;
    struct item items[4] = {0};
    arm(bench, &items[0], 3, 1000030, on_fire);
    arm(bench, &items[1], 1, 1000010, on_fire);
    arm(bench, &items[2], 4, 2000000, on_fire);
    arm(bench, &items[3], 2, 1000020, on_fire);
    assert_int_equal(ts_loop_next_timer(bench->loop), 1000010);
    turn(bench);
    assert_int_equal(bench->count, 0);
    bench->clock.now_us = 1000030;
    turn(bench);
    assert_int_equal(bench->count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bench->fired[i], i + 1);
    }
    assert_true(ts_loop_is_busy(bench->loop));
    bench->clock.now_us = 2000000;
    turn(bench);
    assert_int_equal(bench->fired[0], 4);
    assert_false(ts_loop_is_busy(bench->loop));
    assert_true(ts_loop_next_timer(bench->loop) == TS_NEVER);
}

static void ties_fire_in_the_order_of_arming(void **state)
{
    struct bench *bench = *state;
    struct item items[10] = {0};
    for (int i = 0; i < 10; i++) {
        arm(bench, &items[i], i, 1000010, on_fire);
    }
    bench->clock.now_us = 1000010;
    turn(bench);
    assert_int_equal(bench->count, 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(bench->fired[i], i);
    }
}

static void arming_again_moves(void **state)
{
    struct bench *bench = *state;
    struct item item = {0};
    arm(bench, &item, 1, 1000010, on_fire);
    arm(bench, &item, 1, 1000050, on_fire);
    bench->clock.now_us = 1000020;
    turn(bench);
    assert_int_equal(bench->count, 0);
    bench->clock.now_us = 1000050;
    turn(bench);
    assert_int_equal(bench->count, 1);
}

static void a_disarmed_timer_never_fires(void **state)
{
    struct bench *bench = *state;
    struct item items[3] = {0};
    for (int i = 0; i < 3; i++) {
        arm(bench, &items[i], i, 1000010 + i, on_fire);
    }
    ts_timer_disarm(&items[1].timer);
    ts_timer_disarm(&items[1].timer);
    bench->clock.now_us = 1000100;
    turn(bench);
    assert_int_equal(bench->count, 2);
    assert_int_equal(bench->fired[1], 2);
}

static void a_callback_may_disarm_one_that_is_due(void **state)
{
    struct bench *bench = *state;
    struct item items[3] = {0};
    arm(bench, &items[0], 0, 1000010, on_fire_disarm_other);
    arm(bench, &items[1], 1, 1000011, on_fire);
    arm(bench, &items[2], 2, 1000012, on_fire);
    items[0].other = &items[1];
    bench->clock.now_us = 1000100;
    turn(bench);
    assert_int_equal(bench->count, 2);
    assert_int_equal(bench->fired[1], 2);
}

// The clock stands still: a loop that fired the re-armed timer in the same turn would never end.
static void rearming_for_the_past_waits_for_the_next_turn_and_starves_nobody(void **state)
{
    struct bench *bench = *state;
    struct item items[2] = {0};
    items[0].again_us = 0;
    arm(bench, &items[0], 0, 0, on_fire_again);
    arm(bench, &items[1], 1, 1000000, on_fire);
    turn(bench);
    assert_int_equal(bench->count, 2);
    assert_int_equal(bench->fired[0], 0);
    assert_int_equal(bench->fired[1], 1);
    arm(bench, &items[1], 1, 999999, on_fire);
    turn(bench);
    assert_int_equal(bench->count, 2);
    ts_timer_disarm(&items[0].timer);
}

struct crowd {
    int64_t last_us;
    size_t fired;
};

struct member {
    struct ts_timer timer;
    struct crowd *crowd;
};

static void on_member(struct ts_timer *timer)
{
    struct crowd *crowd = ((struct member *)timer)->crowd;
    assert_true(timer->at_us >= crowd->last_us);
    crowd->last_us = timer->at_us;
    crowd->fired++;
}

static void a_hundred_thousand_stay_in_order(void **state)
{
    struct bench *bench = *state;
    const size_t count = 100000;
    struct member *members = calloc(count, sizeof *members);
    assert_non_null(members);
    struct crowd crowd = {0};
    uint32_t random = 1;
    for (size_t i = 0; i < count; i++) {
        random = random * 1664525u + 1013904223u;
        members[i].crowd = &crowd;
        int64_t at_us = 1000000 + random % 50000;
        assert_int_equal(
            ts_timer_arm(bench->loop, &members[i].timer, at_us, on_member, NULL), TS_OK);
    }
    for (size_t i = 0; i < count; i += 2) {
        ts_timer_disarm(&members[i].timer);
    }
    for (int64_t now = 1000000; now <= 1050000; now += 10000) {
        bench->clock.now_us = now;
        turn(bench);
        assert_true(crowd.last_us <= now);
    }
    assert_int_equal(crowd.fired, count / 2);
    assert_false(ts_loop_is_busy(bench->loop));
    free(members);
}

static void the_real_clock_is_waited_for(void **state)
{
    (void)state;
    struct ts_loop *loop;
    struct ts_loop_config config = {.max_connections = 1};
    assert_int_equal(ts_loop_create(&config, &loop, NULL), TS_OK);
    struct bench bench = {.loop = loop};
    struct item item = {0};
    int64_t at_us = ts_loop_now(loop) + 3000;
    arm(&bench, &item, 1, at_us, on_fire);
    int turns = 0;
    while (bench.count == 0) {
        assert_int_equal(ts_loop_turn(loop, TS_NEVER, NULL), TS_OK);
        turns++;
    }
    assert_true(ts_loop_now(loop) >= at_us);
    assert_true(turns <= 2); // waited, did not spin
    ts_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fires_in_order_of_time, setup, teardown),
        cmocka_unit_test_setup_teardown(ties_fire_in_the_order_of_arming, setup, teardown),
        cmocka_unit_test_setup_teardown(arming_again_moves, setup, teardown),
        cmocka_unit_test_setup_teardown(a_disarmed_timer_never_fires, setup, teardown),
        cmocka_unit_test_setup_teardown(a_callback_may_disarm_one_that_is_due, setup, teardown),
        cmocka_unit_test_setup_teardown(
            rearming_for_the_past_waits_for_the_next_turn_and_starves_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hundred_thousand_stay_in_order, setup, teardown),
        cmocka_unit_test(the_real_clock_is_waited_for),
    };
    return cmocka_run_group_tests_name("net/timer", tests, NULL, NULL);
}
