// SPDX-License-Identifier: MIT
// The governor in simulated time against all four kinds of limiter: how close to the best possible
// time it comes, and that it is never refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/api/governor.h"
#include "tests/unit/api/limiter.h"

#define SECOND INT64_C(1000000)
#define FLIGHT 16
#define PROCESSES_MAX 4

// How somebody else goes about it: evenly, at random moments, or so many at once.
enum other_kind { EVEN, RANDOM, BURSTS, OTHER_KINDS };

#define BURST_MEAN 4 // of 1 to 7

// A request on its way.
struct flight {
    bool is_out;
    bool is_counted;
    int64_t counted_us; // when the server counts it
    int64_t answered_us;
    struct ts_ratelimit_left left;
};

struct process {
    struct ts_record_process self;
    struct flight flights[FLIGHT];
    int64_t todo;
    int64_t retry_us;
};

struct world {
    struct ts_record record;
    struct ts_record_rule rule;
    struct limiter limiter;
    struct process processes[PROCESSES_MAX];
    size_t process_count;
    int64_t now_us;
    int64_t trip_us; // the longest way there or back
    int64_t ended_us;
    int64_t refused;
    uint64_t random;
    // Somebody else at the same limit: so many per window, at random moments.
    enum other_kind other_kind;
    int64_t other_per_window;
    int64_t other_us;
    int64_t other_count;
    int64_t other_refused;
};

static int64_t world_random(struct world *world, int64_t below)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((world->random >> 33) % (uint64_t)below);
}

static void world_init(struct world *world, enum limiter_kind kind, int64_t requests,
    int64_t window_us, size_t process_count, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->random = seed * 7919 + 1;
    world->now_us = 1000 * SECOND + world_random(world, window_us);
    world->trip_us = 50000;
    world->rule = (struct ts_record_rule){.requests = 1200, .window_us = 300 * SECOND};
    world->process_count = process_count;
    world->other_us = INT64_MAX;
    limiter_init(&world->limiter, kind, requests, window_us);
    struct ts_record_time time = {.mono_us = world->now_us, .wall_us = world->now_us};
    ts_record_open(&world->record, false, &time, &world->rule);
    for (size_t i = 0; i < process_count; i++) {
        world->processes[i].self =
            (struct ts_record_process){.id = {.pid = (uint32_t)i + 1, .start = 1}};
    }
}

static void process_start(struct world *world, struct process *process)
{
    int64_t places = 0;
    for (size_t i = 0; i < FLIGHT; i++) {
        places += !process->flights[i].is_out;
    }
    int64_t wanted = places < process->todo ? places : process->todo;
    if (wanted == 0 || world->now_us < process->retry_us) {
        return;
    }
    int64_t retry_us = 0;
    int64_t count =
        ts_governor_take(&world->record, &world->rule, wanted, world->now_us, &retry_us);
    process->retry_us = count > 0 ? world->now_us : retry_us;
    count = count < wanted ? count : wanted;
    process->self.out += count;
    process->todo -= count;
    ts_record_hold(&world->record, &process->self, world->now_us);
    for (size_t i = 0; i < FLIGHT && count > 0; i++) {
        struct flight *flight = &process->flights[i];
        if (!flight->is_out) {
            *flight = (struct flight){.is_out = true};
            flight->counted_us = world->now_us + 1 + world_random(world, world->trip_us);
            flight->answered_us = flight->counted_us + 1 + world_random(world, world->trip_us);
            count--;
        }
    }
}

static void flight_count(struct world *world, struct flight *flight)
{
    int64_t reset_us;
    flight->is_counted = true;
    flight->left.name = 7;
    if (!limiter_take(&world->limiter, world->now_us, &flight->left.requests, &reset_us)) {
        world->refused++;
    }
    flight->left.reset_us = (reset_us + SECOND - 1) / SECOND * SECOND;
}

static void flight_answer(struct world *world, struct process *process, struct flight *flight)
{
    struct ts_record_batch batch = {.ended = 1, .word = {.answers = 1, .left_count = 1}};
    batch.word.lefts[0] = flight->left;
    batch.word.policy_count = 1;
    batch.word.policies[0] =
        (struct ts_ratelimit_policy){7, world->limiter.requests, world->limiter.window_us};
    flight->is_out = false;
    process->self.out--;
    ts_record_hold(&world->record, &process->self, world->now_us);
    ts_record_settle(&world->record, &world->rule, &batch, world->now_us);
    process->retry_us = world->now_us;
    world->ended_us = world->now_us;
}

static void other_plan(struct world *world)
{
    double mean_us = (double)world->limiter.window_us / (double)world->other_per_window;
    double share = (1 + (double)world_random(world, 1000000)) / 1000001;
    switch (world->other_kind) {
    case EVEN:
        world->other_us = world->now_us + (int64_t)mean_us;
        break;
    case RANDOM:
        world->other_us = world->now_us + 1 - (int64_t)(log(share) * mean_us);
        break;
    default:
        world->other_us = world->now_us + 1 - (int64_t)(log(share) * mean_us * BURST_MEAN);
    }
}

// Everything that is due now; returns when the next thing is, INT64_MAX when all is done.
static int64_t world_turn(struct world *world)
{
    int64_t next_us = INT64_MAX;
    for (size_t i = 0; i < world->process_count; i++) {
        for (size_t j = 0; j < FLIGHT; j++) {
            struct flight *flight = &world->processes[i].flights[j];
            if (flight->is_out && !flight->is_counted && flight->counted_us <= world->now_us) {
                flight_count(world, flight);
            }
        }
    }
    if (world->other_us <= world->now_us) {
        int64_t left, reset_us;
        int64_t count =
            world->other_kind == BURSTS ? 1 + world_random(world, 2 * BURST_MEAN - 1) : 1;
        for (int64_t i = 0; i < count; i++) {
            world->other_refused += !limiter_take(&world->limiter, world->now_us, &left, &reset_us);
        }
        world->other_count += count;
        other_plan(world);
    }
    for (size_t i = 0; i < world->process_count; i++) {
        struct process *process = &world->processes[i];
        for (size_t j = 0; j < FLIGHT; j++) {
            struct flight *flight = &process->flights[j];
            if (flight->is_out && flight->is_counted && flight->answered_us <= world->now_us) {
                flight_answer(world, process, flight);
            }
        }
        process_start(world, process);
    }
    for (size_t i = 0; i < world->process_count; i++) {
        struct process *process = &world->processes[i];
        bool is_full = true;
        for (size_t j = 0; j < FLIGHT; j++) {
            struct flight *flight = &process->flights[j];
            int64_t at_us = flight->is_counted ? flight->answered_us : flight->counted_us;
            next_us = flight->is_out && at_us < next_us ? at_us : next_us;
            is_full = is_full && flight->is_out;
        }
        if (process->todo > 0 && !is_full && process->retry_us < next_us) {
            next_us = process->retry_us;
        }
    }
    if (next_us != INT64_MAX && world->other_us < next_us) {
        next_us = world->other_us;
    }
    return next_us > world->now_us ? next_us : world->now_us + 1;
}

// Somebody else is there before the run.
static void world_warm(struct world *world, int64_t span_us)
{
    int64_t end_us = world->now_us + span_us;
    other_plan(world);
    while (world->other_us < end_us) {
        world->now_us = world->other_us;
        world_turn(world);
    }
    world->now_us = end_us;
}

// Makes so many requests, shared out among the processes; returns how long it took.
static int64_t world_run(struct world *world, int64_t requests)
{
    int64_t began_us = world->now_us;
    for (size_t i = 0; i < world->process_count; i++) {
        world->processes[i].todo = requests / (int64_t)world->process_count;
    }
    world->processes[0].todo += requests % (int64_t)world->process_count;
    for (;;) {
        int64_t next_us = world_turn(world);
        if (next_us == INT64_MAX) {
            return world->ended_us - began_us;
        }
        world->now_us = next_us;
    }
}

// The best possible for a client that never exceeds the limit in any window, at 180 a second if it
// is paced: a window's worth at once, then the next; more where the limiter itself takes longer.
static int64_t best_time(struct world *world, int64_t requests, bool is_paced)
{
    struct limiter limiter = world->limiter;
    int64_t gap_us = is_paced ? SECOND / 180 : 1;
    int64_t windows = (requests - 1) / limiter.requests;
    int64_t bound_us =
        windows * limiter.window_us + (requests - windows * limiter.requests - 1) * gap_us;
    int64_t began_us = world->now_us, now_us = began_us, left, reset_us;
    for (int64_t done = 0; done < requests;) {
        bool is_taken = limiter_take(&limiter, now_us, &left, &reset_us);
        done += is_taken;
        now_us += is_taken ? gap_us : limiter.window_us / 100000 + 1;
    }
    return now_us - began_us > bound_us ? now_us - began_us : bound_us;
}

static void check_share(
    int64_t requests, int64_t window_us, size_t processes, int64_t count, double least_share)
{
    enum { RUNS = 5 };
    for (int kind = 0; kind < KINDS; kind++) {
        double sum = 0, worst = 1;
        for (uint64_t seed = 1; seed <= RUNS; seed++) {
            struct world world;
            world_init(&world, (enum limiter_kind)kind, requests, window_us, processes, seed);
            bool is_paced = requests * SECOND <= 180 * window_us;
            world.trip_us = is_paced ? 50000 : 500;
            int64_t best_us = best_time(&world, count, is_paced);
            double share = (double)best_us / (double)world_run(&world, count);
            sum += share;
            worst = share < worst ? share : worst;
            assert_int_equal(world.refused, 0);
        }
        printf("%-15s %4d per %3d s, %d processes, %5d requests: %.1f %% of the best time, at "
               "worst %.1f %%\n",
            limiter_name((enum limiter_kind)kind), (int)requests, (int)(window_us / SECOND),
            (int)processes, (int)count, 100 * sum / RUNS, 100 * worst);
        assert_true(sum / RUNS >= least_share);
    }
}

static void one_process_uses_the_allowance(void **state)
{
    (void)state;
    check_share(1200, 300 * SECOND, 1, 1000, 0.5);
    check_share(1200, 300 * SECOND, 1, 2010, 0.98);
    check_share(1200, 300 * SECOND, 1, 10010, 0.99);
}

static void four_processes_share_it(void **state)
{
    (void)state;
    check_share(1200, 300 * SECOND, 4, 10010, 0.99);
}

static void short_windows_are_used_as_well(void **state)
{
    (void)state;
    check_share(1200, 3 * SECOND, 1, 10010, 0.99);
    check_share(1200, 3 * SECOND, 4, 10010, 0.99);
}

// The other never looks at what is left: a third of the limit is left to it, more than it takes.
static void somebody_else_is_never_in_the_way(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        int64_t took_us = 0;
        for (uint64_t seed = 1; seed <= 10; seed++) {
            struct world world;
            world_init(&world, (enum limiter_kind)kind, 1200, 300 * SECOND, seed % 2 ? 1 : 4, seed);
            world.rule.reserve_percent = 35;
            world.other_per_window = 360;
            other_plan(&world);
            took_us += world_run(&world, 5000);
            assert_int_equal(world.refused + world.other_refused, 0);
        }
        printf("%-15s 5000 requests beside 360 a window of somebody else: %d s\n",
            limiter_name((enum limiter_kind)kind), (int)(took_us / 10 / SECOND));
    }
}

// Nothing is asked for: what somebody else uses is learned. Bursts are shown, not judged: one that
// comes when all but a little is spent may be too much.
static void others_are_learned(void **state)
{
    (void)state;
    enum { RUNS = 20 };
    for (int i = 0; i < KINDS * OTHER_KINDS; i++) {
        double sum = 0;
        int64_t refused = 0;
        for (uint64_t seed = 1; seed <= RUNS; seed++) {
            struct world world;
            enum limiter_kind kind = (enum limiter_kind)(i / OTHER_KINDS);
            world_init(&world, kind, 1200, 300 * SECOND, seed % 2 ? 1 : 4, seed);
            world.other_kind = (enum other_kind)(i % OTHER_KINDS);
            world.other_per_window = 360;
            world_warm(&world, (300 + world_random(&world, 300)) * SECOND);
            int64_t took_us = world_run(&world, 10000);
            sum += 11.0 * 300 * SECOND / (double)took_us; // 840 are left in each window
            refused += world.refused + world.other_refused;
            int64_t seen = ts_others_average(&world.record.limits.items[0].others, 300 * SECOND);
            assert_in_range(seen, 100, 900);
        }
        printf("%-15s beside 360 a window, %s: %.1f %% of the best time, %d refused\n",
            limiter_name((enum limiter_kind)(i / OTHER_KINDS)),
            (const char *[]){"evenly", "at random", "in bursts"}[i % OTHER_KINDS], 100 * sum / RUNS,
            (int)refused);
        if (i % OTHER_KINDS != BURSTS) {
            assert_int_equal(refused, 0);
        }
        assert_true(sum / RUNS >= 0.5);
    }
}

// Who begins along with the run is seen before the rest is spent.
static void others_are_watched_for_at_first(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * 20; i++) {
        struct world world;
        world_init(&world, (enum limiter_kind)(i % 3), 1200, 300 * SECOND, 1, (uint64_t)i / 3 + 1);
        world.other_kind = EVEN;
        world.other_per_window = 360;
        world_warm(&world, 0);
        world_run(&world, 2500);
        assert_int_equal(world.refused + world.other_refused, 0);
    }
}

// Nor is somebody who began within the server's window mistaken for one who was there for all of
// it: on a grid, that may have begun long before. The run begins shortly before the next.
static void who_began_late_is_not_averaged_over_the_window(void **state)
{
    (void)state;
    enum { STEPS = 20 };
    const int64_t window_us = 10 * SECOND;
    for (int i = 0; i < STEPS; i++) {
        struct world world;
        world_init(&world, SLIDING_COUNTER, 1200, window_us, 1, (uint64_t)i + 1);
        world.now_us = 1009 * SECOND + i * SECOND / 50;
        world.trip_us = 3000;
        world.other_kind = EVEN;
        world.other_per_window = 360;
        world_warm(&world, 0);
        world_run(&world, 1800);
        assert_int_equal(world.refused + world.other_refused, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_uses_the_allowance),
        cmocka_unit_test(four_processes_share_it),
        cmocka_unit_test(short_windows_are_used_as_well),
        cmocka_unit_test(somebody_else_is_never_in_the_way),
        cmocka_unit_test(others_are_learned),
        cmocka_unit_test(others_are_watched_for_at_first),
        cmocka_unit_test(who_began_late_is_not_averaged_over_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
