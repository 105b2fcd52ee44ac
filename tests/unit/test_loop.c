#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "loop.h"
#include "virtual_time.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

struct fixture {
    struct loop *loop;
    struct timers *timers;
    struct clock clock;
    struct timer timer, other;
    struct loop_watch *watch, *victim;
    int pair[2];
    char order[16];
    size_t fired;
    int64_t fired_at;
    unsigned events;
};

static int setup(void **state) {
    static struct fixture f;
    f = (struct fixture){.loop = loop_new()};
    if (!f.loop || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f.pair) != 0) {
        return -1;
    }
    f.timers = loop_timers(f.loop);
    f.clock = loop_clock(f.loop);
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    loop_watch_free(f->watch);
    loop_watch_free(f->victim);
    close(f->pair[0]);
    close(f->pair[1]);
    loop_free(f->loop);
    return 0;
}

static void note(struct fixture *f, char c) {
    assert_true(f->fired + 1 < sizeof f->order);
    f->order[f->fired++] = c;
}

static void on_a(void *user) {
    struct fixture *f = user;
    note(f, 'a');
    f->fired_at = clock_monotonic(&f->clock);
}

static void on_b(void *user) {
    note(user, 'b');
}

static void on_stop(void *user) {
    struct fixture *f = user;
    note(f, 's');
    loop_stop(f->loop);
}

static void a_loop_with_nothing_to_wait_for_ends(void **state) {
    struct fixture *f = *state;
    assert_false(loop_run(f->loop));
    assert_false(loop_run(f->loop));
}

static void a_timer_never_fires_before_it_is_due(void **state) {
    struct fixture *f = *state;
    timer_init(&f->timer, on_a, f);
    int64_t due = clock_monotonic(&f->clock) + 2300;
    timer_start(f->timers, &f->timer, due);
    assert_false(loop_run(f->loop));
    assert_string_equal(f->order, "a");
    assert_true(f->fired_at >= due);
}

static void timers_fire_in_the_order_they_are_due(void **state) {
    struct fixture *f = *state;
    int64_t now = clock_monotonic(&f->clock);
    timer_init(&f->timer, on_a, f);
    timer_init(&f->other, on_b, f);
    timer_start(f->timers, &f->timer, now + 2000);
    timer_start(f->timers, &f->other, now + 1000);
    assert_false(loop_run(f->loop));
    assert_string_equal(f->order, "ba");
}

static void start_other(void *user) {
    struct fixture *f = user;
    note(f, '1');
    timer_start(f->timers, &f->other, clock_monotonic(&f->clock));
}

static void a_timer_started_by_the_last_callback_still_fires(void **state) {
    struct fixture *f = *state;
    timer_init(&f->timer, start_other, f);
    timer_init(&f->other, on_b, f);
    timer_start(f->timers, &f->timer, 0);
    assert_false(loop_run(f->loop));
    assert_string_equal(f->order, "1b");
}

static void stop_other(void *user) {
    struct fixture *f = user;
    note(f, '1');
    timer_stop(f->timers, &f->other);
}

static void a_stopped_timer_keeps_the_loop_neither_waiting_nor_running(void **state) {
    struct fixture *f = *state;
    timer_init(&f->timer, stop_other, f);
    timer_init(&f->other, on_b, f);
    timer_start(f->timers, &f->timer, 0);
    timer_start(f->timers, &f->other, clock_monotonic(&f->clock) + 3600 * MICROSECONDS);
    assert_false(loop_run(f->loop));
    assert_string_equal(f->order, "1");
}

static void stopping_says_so_and_the_loop_can_run_again(void **state) {
    struct fixture *f = *state;
    timer_init(&f->timer, on_stop, f);
    timer_init(&f->other, on_b, f);
    timer_start(f->timers, &f->timer, 0);
    timer_start(f->timers, &f->other, clock_monotonic(&f->clock) + 1000);
    assert_true(loop_run(f->loop));
    assert_false(loop_run(f->loop));
    assert_string_equal(f->order, "sb");
}

static void stopping_beforehand_ends_the_next_run_after_one_turn(void **state) {
    struct fixture *f = *state;
    timer_init(&f->timer, on_a, f);
    timer_start(f->timers, &f->timer, clock_monotonic(&f->clock) + 3600 * MICROSECONDS);
    loop_stop(f->loop);
    assert_true(loop_run(f->loop));
    assert_string_equal(f->order, "");
}

static void turns_grow_while_the_loop_runs(void **state) {
    struct fixture *f = *state;
    uint64_t before = loop_turns(f->loop);
    timer_init(&f->timer, on_stop, f);
    timer_start(f->timers, &f->timer, 0);
    assert_true(loop_run(f->loop));
    assert_true(loop_turns(f->loop) > before);
}

static void note_waits(void *user) {
    struct fixture *f = user;
    note(f, '0' + (char)waits);
    loop_stop(f->loop);
}

static void start_at_once(void *user, unsigned events) {
    struct fixture *f = user;
    (void)events;
    loop_watch_events(f->watch, 0);
    waits = 0;
    timer_start(f->timers, &f->timer, clock_monotonic(&f->clock));
}

static void what_a_callback_starts_for_now_is_not_waited_for(void **state) {
    struct fixture *f = *state;
    timer_init(&f->timer, note_waits, f);
    f->watch = loop_watch_fd(f->loop, f->pair[0], LOOP_WRITE, start_at_once, f);
    assert_non_null(f->watch);
    assert_true(loop_run(f->loop));
    assert_string_equal(f->order, "0");
}

static void start_other_at_once(void *user) {
    struct fixture *f = user;
    waits = 0;
    timer_start(f->timers, &f->other, clock_monotonic(&f->clock));
}

static void what_a_timer_starts_for_now_is_not_waited_for(void **state) {
    struct fixture *f = *state;
    timer_init(&f->timer, start_other_at_once, f);
    timer_init(&f->other, note_waits, f);
    timer_start(f->timers, &f->timer, 0);
    assert_true(loop_run(f->loop));
    assert_string_equal(f->order, "0");
}

static void put_off(void *user) {
    struct fixture *f = user;
    note(f, '1');
    timer_start(f->timers, &f->timer, clock_monotonic(&f->clock) + 60 * MICROSECONDS);
    timer_start(f->timers, &f->other, clock_monotonic(&f->clock) + 120 * MICROSECONDS);
}

/* libev's timer stays where it was set for a moment that nobody waits for any more. */
static void a_timer_that_was_put_off_fires_when_it_is_due_and_the_next_one_too(void **state) {
    struct fixture *f = *state;
    struct timer later;
    timer_init(&later, put_off, f);
    timer_init(&f->timer, on_a, f);
    timer_init(&f->other, on_b, f);
    int64_t began = clock_monotonic(&f->clock);
    timer_start(f->timers, &later, began + MICROSECONDS);
    timer_start(f->timers, &f->timer, began + 3 * MICROSECONDS);
    assert_false(loop_run(f->loop));
    assert_string_equal(f->order, "1ab");
    assert_true(f->fired_at >= began + 61 * MICROSECONDS);
    assert_in_range(clock_monotonic(&f->clock), began + 121 * MICROSECONDS, began + 130 * MICROSECONDS);
}

static void note_readiness(void *user, unsigned events) {
    struct fixture *f = user;
    (void)events;
    note(f, 'r');
    loop_stop(f->loop);
}

static void start_itself(void *user) {
    struct fixture *f = user;
    timer_start(f->timers, &f->timer, clock_monotonic(&f->clock));
}

static void a_timer_that_is_always_due_keeps_no_descriptor_from_its_turn(void **state) {
    struct fixture *f = *state;
    timer_init(&f->timer, start_itself, f);
    timer_start(f->timers, &f->timer, 0);
    f->watch = loop_watch_fd(f->loop, f->pair[0], LOOP_WRITE, note_readiness, f);
    assert_non_null(f->watch);
    assert_true(loop_run(f->loop));
    assert_string_equal(f->order, "r");
    timer_stop(f->timers, &f->timer);
}

static void fault_36_what_fell_due_while_the_process_stood_still_fires_before_a_ready_descriptor(void **state) {
    struct fixture *f = *state;
    int64_t began = clock_monotonic(&f->clock);
    timer_init(&f->timer, on_a, f);
    timer_init(&f->other, on_b, f);
    timer_start(f->timers, &f->timer, began + 600 * MICROSECONDS);
    timer_start(f->timers, &f->other, began + 901 * MICROSECONDS);
    f->watch = loop_watch_fd(f->loop, f->pair[0], LOOP_WRITE, note_readiness, f);
    assert_non_null(f->watch);
    assert_true(loop_stood_until(f->loop) == NEVER);
    stand_still = 900 * MICROSECONDS;
    assert_true(loop_run(f->loop));
    assert_string_equal(f->order, "ar");
    assert_in_range(loop_ready_since(f->loop), began, began + MICROSECONDS);
    assert_in_range(loop_stood_until(f->loop), began + 900 * MICROSECONDS, began + 901 * MICROSECONDS);
    timer_stop(f->timers, &f->other);
}

static void a_loop_that_waits_for_long_has_not_stood_still(void **state) {
    struct fixture *f = *state;
    int64_t due = clock_monotonic(&f->clock) + 3600 * MICROSECONDS;
    timer_init(&f->timer, on_a, f);
    timer_start(f->timers, &f->timer, due);
    assert_false(loop_run(f->loop));
    assert_in_range(loop_ready_since(f->loop), due, due + MICROSECONDS);
    assert_true(loop_stood_until(f->loop) == NEVER);
}

static void on_ready(void *user, unsigned events) {
    struct fixture *f = user;
    f->events = events;
    note(f, 'r');
    loop_stop(f->loop);
}

static void a_descriptor_is_told_to_be_ready_for_what_was_asked(void **state) {
    struct fixture *f = *state;
    f->watch = loop_watch_fd(f->loop, f->pair[0], LOOP_READ | LOOP_WRITE, on_ready, f);
    assert_non_null(f->watch);
    assert_true(loop_run(f->loop));
    assert_int_equal(f->events, LOOP_WRITE);
    loop_watch_events(f->watch, LOOP_READ);
    assert_int_equal(write(f->pair[1], "x", 1), 1);
    assert_true(loop_run(f->loop));
    assert_int_equal(f->events, LOOP_READ);
    loop_watch_events(f->watch, 0);
    assert_false(loop_run(f->loop));
    loop_watch_events(f->watch, LOOP_READ);
    assert_true(loop_run(f->loop));
}

static void a_regular_file_is_always_ready(void **state) {
    struct fixture *f = *state;
    int fd = open(SOURCE_DIR "/CMakeLists.txt", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    f->watch = loop_watch_fd(f->loop, fd, LOOP_READ, on_ready, f);
    assert_non_null(f->watch);
    assert_true(loop_run(f->loop));
    loop_watch_free(f->watch);
    f->watch = NULL;
    close(fd);
}

static void end_both(void *user, unsigned events) {
    struct fixture *f = user;
    (void)events;
    note(f, 'e');
    loop_watch_free(f->watch);
    loop_watch_free(f->victim);
    f->watch = f->victim = NULL;
}

static void a_callback_may_end_its_own_and_other_ready_watches(void **state) {
    struct fixture *f = *state;
    f->watch = loop_watch_fd(f->loop, f->pair[0], LOOP_WRITE, end_both, f);
    f->victim = loop_watch_fd(f->loop, f->pair[1], LOOP_WRITE, end_both, f);
    assert_non_null(f->watch);
    assert_non_null(f->victim);
    assert_false(loop_run(f->loop));
    assert_string_equal(f->order, "e");
}

static void a_signal_arrives_as_a_callback(void **state) {
    struct fixture *f = *state;
    f->watch = loop_watch_signal(f->loop, SIGUSR1, on_stop, f);
    assert_non_null(f->watch);
    timer_init(&f->timer, on_a, f);
    timer_start(f->timers, &f->timer, clock_monotonic(&f->clock) + 3600 * MICROSECONDS);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_true(loop_run(f->loop));
    assert_string_equal(f->order, "s");
}

static void a_watched_signal_alone_is_nothing_to_wait_for(void **state) {
    struct fixture *f = *state;
    f->watch = loop_watch_signal(f->loop, SIGUSR1, on_stop, f);
    assert_non_null(f->watch);
    assert_false(loop_run(f->loop));
}

static void nothing_is_freed_twice(void **state) {
    (void)state;
    loop_watch_free(NULL);
    loop_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_loop_with_nothing_to_wait_for_ends),
        TEST(a_timer_never_fires_before_it_is_due),
        TEST(timers_fire_in_the_order_they_are_due),
        TEST(a_timer_started_by_the_last_callback_still_fires),
        TEST(a_stopped_timer_keeps_the_loop_neither_waiting_nor_running),
        TEST(stopping_says_so_and_the_loop_can_run_again),
        TEST(stopping_beforehand_ends_the_next_run_after_one_turn),
        TEST(turns_grow_while_the_loop_runs),
        TEST(what_a_callback_starts_for_now_is_not_waited_for),
        TEST(what_a_timer_starts_for_now_is_not_waited_for),
        TEST(a_timer_that_was_put_off_fires_when_it_is_due_and_the_next_one_too),
        TEST(a_timer_that_is_always_due_keeps_no_descriptor_from_its_turn),
        TEST(fault_36_what_fell_due_while_the_process_stood_still_fires_before_a_ready_descriptor),
        TEST(a_loop_that_waits_for_long_has_not_stood_still),
        TEST(a_descriptor_is_told_to_be_ready_for_what_was_asked),
        TEST(a_regular_file_is_always_ready),
        TEST(a_callback_may_end_its_own_and_other_ready_watches),
        TEST(a_signal_arrives_as_a_callback),
        TEST(a_watched_signal_alone_is_nothing_to_wait_for),
        cmocka_unit_test(nothing_is_freed_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
