#include "breaker.h"

#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND MICROSECONDS

static struct random dice;

static const struct breaker_failure ENVIRONMENT = {.kind = VERDICT_ENVIRONMENT, .cause = CAUSE_UNREACHABLE};
static const struct breaker_failure DENIED = {.kind = VERDICT_BY_ITSELF, .cause = CAUSE_DENIED};
static const struct breaker_failure THROTTLED = {.kind = VERDICT_THROTTLED, .cause = CAUSE_THROTTLED};
static const struct breaker_failure STARVED = {.kind = VERDICT_THROTTLED, .cause = CAUSE_THROTTLED, .starved = true};
static const struct breaker_jobs ONE_STALLED = {.stalled = 1};

static struct breaker opened(const struct breaker_failure *failure, int64_t now) {
    struct breaker b;
    breaker_init(&b, 0);
    (void)breaker_open(&b, failure, &dice, now);
    return b;
}

/* Lets probes fail one after the other, each answered at once, for so long; returns how many there were. */
static unsigned probes_within(struct breaker *b, int64_t *now, int64_t duration, int64_t *ret_longest) {
    unsigned probes = 0;
    int64_t last = *now, end = *now + duration;
    for (*ret_longest = 0; b->probe_at <= end; probes++) {
        *now = b->probe_at;
        *ret_longest = *now - last > *ret_longest ? *now - last : *ret_longest;
        last = *now;
        assert_true(breaker_fall_due(b, *now) & DUE_PROBE);
        assert_true(breaker_may_probe(b, 0));
        assert_int_equal(breaker_begin_probe(b, &ONE_STALLED, true, &dice, *now), PROBE_MESSAGE);
        (void)breaker_probe_failed(b, CAUSE_UNREACHABLE, &dice, *now);
    }
    *now = end;
    return probes;
}

static void probes_are_a_second_apart_and_never_more_than_a_quarter_of_a_minute(void **state) {
    (void)state;
    static const struct {
        const char *what;
        const struct breaker_failure *failure;
        int64_t worked_at; /* before it opened; its last probe is long ago */
        unsigned in_first_second, in_ten_seconds;
    } cases[] = {
        {"after something has worked, three follow quickly", &ENVIRONMENT, 20 * SECOND, 3, 12},
        {"where nothing has worked, one does", &ENVIRONMENT, 0, 1, 10},
        {"which may be the message's own fault", &DENIED, 20 * SECOND, 3, 12},
        {"throttled, they grow rare at once", &THROTTLED, 20 * SECOND, 1, 10},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        for (unsigned round = 0; round < 50; round++) {
            struct breaker b;
            struct breaker_failure failure = *cases[i].failure;
            int64_t now = 30 * SECOND, longest;
            failure.worked_at = cases[i].worked_at;
            breaker_init(&b, 10 * SECOND);
            (void)breaker_open(&b, &failure, &dice, now);
            unsigned first = probes_within(&b, &now, SECOND, &longest);
            unsigned next = probes_within(&b, &now, 9 * SECOND, &longest);
            if (first < 1 || first > cases[i].in_first_second || first + next > cases[i].in_ten_seconds)
                fail_msg("%s: %u, then %u", cases[i].what, first, next);
            unsigned in_an_hour = probes_within(&b, &now, 3600 * SECOND, &longest);
            assert_in_range(in_an_hour, 3600 / 15, 3600);
            assert_true(longest <= 15 * SECOND);
        }
}

/* Each time it opens anew the first probes come no sooner for it. */
static void one_that_opens_time_and_again_probes_no_more_often_for_it(void **state) {
    (void)state;
    struct breaker b;
    int64_t now = 0, probed = 0;
    breaker_init(&b, 0);
    for (unsigned i = 0; i < 1000; i++) {
        struct breaker_failure failure = ENVIRONMENT; /* nothing has worked since the last probe */
        struct breaker_closing closing;
        (void)breaker_open(&b, &failure, &dice, now);
        if (i > 0)
            assert_true(b.probe_at >= probed + SECOND);
        probed = now = b.probe_at;
        (void)breaker_fall_due(&b, now);
        assert_int_equal(breaker_begin_probe(&b, &ONE_STALLED, true, &dice, now), PROBE_MESSAGE);
        assert_true(breaker_close(&b, now, &closing));
        assert_int_equal(closing.probes, 1);
    }
}

static void it_is_announced_after_five_seconds_or_five_probes_and_once(void **state) {
    (void)state;
    struct breaker b = opened(&ENVIRONMENT, 0);
    assert_int_equal(b.announce_at, 5 * SECOND);
    assert_int_equal(breaker_fall_due(&b, 5 * SECOND - 1) & DUE_ANNOUNCEMENT, 0);
    assert_int_equal(breaker_fall_due(&b, 5 * SECOND) & DUE_ANNOUNCEMENT, DUE_ANNOUNCEMENT);
    assert_true(breaker_announces(&b));
    assert_false(breaker_announces(&b));
    b = opened(&ENVIRONMENT, 0);
    for (unsigned i = 1; i <= 6; i++) {
        assert_int_equal(breaker_begin_probe(&b, &ONE_STALLED, true, &dice, i), PROBE_MESSAGE);
        assert_int_equal(breaker_probe_failed(&b, CAUSE_DENIED, &dice, i), i == 5);
    }
    assert_int_equal(b.trouble.cause, CAUSE_DENIED);
    struct breaker_closing closing;
    assert_true(breaker_close(&b, 7 * SECOND, &closing));
    assert_true(closing.announced);
    assert_int_equal(closing.seconds, 7);
    assert_int_equal(closing.probes, 6);
    assert_false(breaker_close(&b, 7 * SECOND, &closing));
    assert_false(breaker_announces(&b));
    assert_int_equal(b.announce_at, NEVER);
}

/* Causes that take turns are one trouble. */
static void a_cause_has_changed_once_it_was_met_twice_in_a_row(void **state) {
    (void)state;
    struct breaker b = opened(&ENVIRONMENT, 0);
    char before[VERDICT_TEXT_SIZE] = "";
    assert_false(breaker_note_cause(&b, "Timeout", before));
    assert_true(breaker_announces(&b));
    static const struct {
        const char *code;
        const char *before; /* where the log is to hear of it */
    } steps[] = {{"Timeout", NULL},  {"500", NULL}, {"Timeout", NULL}, {"500", NULL},
                 {"500", "Timeout"}, {"500", NULL}, {"503", NULL},     {"503", "500"}};
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
        assert_int_equal(breaker_note_cause(&b, steps[i].code, before), steps[i].before != NULL);
        if (steps[i].before)
            assert_string_equal(before, steps[i].before);
    }
}

static void what_may_be_received_follows_from_what_fails(void **state) {
    (void)state;
    enum { CLOSED, OPEN };
    static const struct {
        bool open, has_worked;
        unsigned strangers;
        bool only_suspects, full, proven;
        unsigned ms; /* since it opened: the first extra one may come after 5 s */
        enum receiving receiving;
    } cases[] = {
        {CLOSED, false, 0, false, false, false, 0, RECEIVE_ONE},
        {CLOSED, true, 0, false, false, true, 0, RECEIVE_FREELY},
        {CLOSED, true, 0, false, true, true, 0, RECEIVE_FREELY}, /* room is for the budget to say */
        {CLOSED, true, 1, true, false, true, 0, RECEIVE_WHAT_FITS},
        {CLOSED, true, 1, true, true, true, 0, RECEIVE_ONE_MORE},
        {CLOSED, true, 2, true, true, true, 4999, RECEIVE_NOTHING},
        {CLOSED, true, 2, true, true, true, 5000, RECEIVE_ONE_MORE},
        {OPEN, true, 1, false, false, true, 3600000, RECEIVE_NOTHING}, /* an outage */
        {OPEN, true, 1, true, false, true, 0, RECEIVE_ONE_MORE}, /* mostly it is that message */
        {OPEN, true, 2, true, false, true, 4999, RECEIVE_NOTHING}, /* or an outage after all */
        {OPEN, true, 2, true, false, true, 5000, RECEIVE_ONE_MORE},
        {OPEN, false, 1, true, false, false, 4999, RECEIVE_NOTHING}, /* nothing has worked yet */
        {OPEN, false, 1, true, false, false, 5000, RECEIVE_ONE_MORE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct breaker b = opened(&DENIED, 0);
        b.trouble.active = cases[i].open;
        b.has_worked = cases[i].has_worked;
        b.strangers = cases[i].strangers;
        int64_t now = cases[i].ms * MILLISECOND;
        enum receiving is = breaker_receiving(&b, cases[i].only_suspects, cases[i].full, cases[i].proven, now);
        if (is != cases[i].receiving)
            fail_msg("case %zu: %d instead of %d", i, (int)is, (int)cases[i].receiving);
        breaker_stop(&b);
        assert_int_equal(breaker_receiving(&b, cases[i].only_suspects, cases[i].full, cases[i].proven, now),
                         RECEIVE_NOTHING);
    }
}

static void one_more_comes_after_five_seconds_and_then_ever_more_rarely_up_to_a_minute(void **state) {
    (void)state;
    static const int64_t intervals[] = {5, 10, 20, 40, 60, 60, 60};
    struct breaker b = opened(&DENIED, 0);
    int64_t now = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(intervals); i++) {
        now += intervals[i] * SECOND;
        assert_int_equal(b.next_extra, now);
        assert_int_equal(breaker_fall_due(&b, now - 1) & DUE_EXTRA, 0);
        assert_true(breaker_fall_due(&b, now) & DUE_EXTRA);
        breaker_received_extra(&b, now);
    }
    /* Where one is free it costs no interval, and with the second that fails they begin anew. */
    breaker_worked(&b);
    breaker_stranger(&b, now);
    breaker_received_extra(&b, now);
    assert_int_equal(b.next_extra, now + 60 * SECOND);
    breaker_stranger(&b, now + SECOND);
    assert_int_equal(b.next_extra, now + 6 * SECOND);
}

static void where_the_receive_for_one_more_fails_the_next_comes_soon_but_not_time_and_again(void **state) {
    (void)state;
    struct breaker b = opened(&DENIED, 0);
    int64_t now = 0;
    for (size_t i = 0; i < 4; i++) { /* 40 s lie before the next one then */
        now = b.next_extra;
        breaker_received_extra(&b, now);
        breaker_extra_ended(&b, false, now);
    }
    now = b.next_extra;
    breaker_received_extra(&b, now);
    assert_int_equal(b.next_extra, now + 60 * SECOND);
    breaker_extra_ended(&b, true, now + SECOND);
    assert_int_equal(b.next_extra, now + 6 * SECOND);
    now = b.next_extra;
    assert_true(breaker_fall_due(&b, now) & DUE_EXTRA);
    breaker_received_extra(&b, now);
    breaker_extra_ended(&b, true, now + SECOND); /* all receives fail, it seems */
    assert_int_equal(b.next_extra, now + 60 * SECOND);
    /* After one that came, the next that fails is alone again. */
    breaker_extra_ended(&b, false, now + SECOND);
    breaker_extra_ended(&b, true, now + 2 * SECOND);
    assert_int_equal(b.next_extra, now + 7 * SECOND);
    /* It never comes later for it. */
    breaker_extra_ended(&b, false, now + 3 * SECOND);
    breaker_extra_ended(&b, true, now + 3 * SECOND);
    assert_int_equal(b.next_extra, now + 7 * SECOND);
    breaker_stop(&b);
    breaker_extra_ended(&b, false, now);
    breaker_extra_ended(&b, true, now);
    assert_int_equal(breaker_receiving(&b, true, false, true, now + 60 * SECOND), RECEIVE_NOTHING);
}

static void it_opens_where_all_inside_have_failed_and_nothing_else_could_tell(void **state) {
    (void)state;
    static const struct {
        struct breaker_jobs jobs;
        bool opens, plans;
    } cases[] = {
        {{.stalled = 0}, false, false},
        {{.stalled = 3}, true, false},
        {{.stalled = 3, .others_go_on = true}, false, true},
        {{.stalled = 3, .works_meanwhile = true}, false, true}, /* they wait for a success of their own kind */
        {{.stalled = 3, .works_meanwhile = true, .probes_running = 1}, false, false}, /* its answer plans the next */
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct breaker b;
        breaker_init(&b, 0);
        bool opens = breaker_review(&b, &cases[i].jobs, &dice, SECOND);
        if (opens != cases[i].opens || (b.probe_at != NEVER) != cases[i].plans)
            fail_msg("case %zu: %s, and %s", i, opens ? "opens" : "stays closed",
                     b.probe_at == NEVER ? "plans nothing" : "plans a probe");
        breaker_stop(&b);
        assert_false(breaker_review(&b, &cases[i].jobs, &dice, SECOND));
        assert_int_equal(breaker_next(&b), NEVER);
    }
}

static void a_probe_is_for_a_message_or_for_the_tables_where_there_is_none(void **state) {
    (void)state;
    static const struct {
        bool open, found, plans; /* plans: another follows */
        struct breaker_jobs jobs;
        enum breaker_probe probe;
    } cases[] = {
        {true, true, true, {.stalled = 1}, PROBE_MESSAGE},
        {true, false, false, {.stalled = 0}, PROBE_TABLES}, /* its answer plans the next */
        {true, false, true, {.stalled = 1}, PROBE_NONE}, /* it has no time left: another may soon */
        {true, false, true, {.ready = 1}, PROBE_NONE},
        {true, false, false, {.probes_running = 1}, PROBE_NONE},
        {false, true, true, {.stalled = 1}, PROBE_MESSAGE},
        {false, false, true, {.stalled = 1}, PROBE_NONE},
        {false, false, false, {.stalled = 0}, PROBE_NONE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct breaker b = opened(&ENVIRONMENT, 0);
        b.trouble.active = cases[i].open;
        b.probe_at = NEVER;
        enum breaker_probe is = breaker_begin_probe(&b, &cases[i].jobs, cases[i].found, &dice, SECOND);
        if (is != cases[i].probe || (b.probe_at != NEVER) != cases[i].plans)
            fail_msg("case %zu: %d, and %s", i, (int)is, b.probe_at == NEVER ? "plans nothing" : "plans another");
        assert_int_equal(breaker_may_probe(&b, 0), is != PROBE_TABLES);
    }
    struct breaker b = opened(&ENVIRONMENT, 0);
    for (unsigned running = 0; running < 8; running++)
        assert_int_equal(breaker_may_probe(&b, running), running < 4);
}

static void every_other_probe_is_for_the_message_that_failed_last_but_not_before_a_new_one(void **state) {
    (void)state;
    struct breaker b = opened(&DENIED, 0);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(breaker_probes_again(&b), i % 2);
        (void)breaker_begin_probe(&b, &ONE_STALLED, true, &dice, i * SECOND);
    }
    (void)breaker_begin_probe(&b, &ONE_STALLED, true, &dice, 8 * SECOND);
    breaker_joined(&b, 8 * SECOND + 1);
    assert_false(breaker_probes_again(&b));
    assert_true(breaker_probes_again(&b));
}

static void a_new_message_is_tried_at_once_where_it_can_tell(void **state) {
    (void)state;
    static const struct {
        const struct breaker_failure *failure;
        bool one_is_free;
        int64_t since_probe, wait; /* wait: until it is tried; NEVER: as planned */
    } cases[] = {
        {&ENVIRONMENT, true, 2 * SECOND, NEVER}, /* what all meet, it meets too */
        {&DENIED, true, 1, 0},
        {&DENIED, false, 2 * SECOND, 0},
        {&DENIED, false, 400 * MILLISECOND, 600 * MILLISECOND},
        {&THROTTLED, true, 1, 0}, /* one record may be hot */
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct breaker b = opened(cases[i].failure, 0);
        int64_t now = 100 * SECOND, planned = now + 7 * SECOND;
        b.has_worked = cases[i].one_is_free;
        b.probed_at = now - cases[i].since_probe;
        b.probe_at = planned;
        breaker_joined(&b, now);
        int64_t expected = cases[i].wait == NEVER ? planned : now + cases[i].wait;
        if (b.probe_at != expected)
            fail_msg("case %zu: %lld instead of %lld us", i, (long long)(b.probe_at - now),
                     (long long)(expected - now));
    }
}

static void a_read_takes_the_place_of_a_probe_where_one_message_alone_may_have_failed(void **state) {
    (void)state;
    struct breaker b;
    int64_t now = 100 * SECOND;
    breaker_init(&b, 0);
    assert_true(breaker_takes_read(&b, now)); /* closed */
    b = opened(&ENVIRONMENT, now - 10 * SECOND);
    assert_false(breaker_takes_read(&b, now)); /* it is certain that all fail */
    b = opened(&DENIED, now - 10 * SECOND);
    b.probe_at = now + 1;
    assert_true(breaker_takes_read(&b, now));
    assert_int_equal(b.probe_at, now + SECOND);
    assert_false(breaker_takes_read(&b, now + SECOND - 1));
    assert_true(breaker_takes_read(&b, now + SECOND));
}

/* What one record meets, or what came while it was open over something else, is no throttle of the table's. */
static void the_adaptive_rate_hears_once_that_nothing_is_admitted(void **state) {
    (void)state;
    struct breaker b;
    struct breaker_closing closing;
    breaker_init(&b, 0);
    assert_false(breaker_open(&b, &ENVIRONMENT, &dice, 0));
    assert_false(breaker_open(&b, &THROTTLED, &dice, 1));
    assert_true(breaker_open(&b, &STARVED, &dice, 2));
    assert_false(breaker_open(&b, &STARVED, &dice, 3));
    assert_int_equal(b.trouble.since, 0);
    assert_true(breaker_close(&b, 4, &closing));
    assert_true(closing.rate_resumes);
    (void)breaker_open(&b, &THROTTLED, &dice, 5);
    assert_true(breaker_close(&b, 6, &closing));
    assert_false(closing.rate_resumes);
    breaker_stop(&b);
    assert_false(breaker_open(&b, &STARVED, &dice, 7));
    assert_false(b.trouble.active);
    assert_int_equal(b.trouble.cause, CAUSE_THROTTLED); /* what it failed of last is known all the same */
}

/* Whatever comes in whatever order: what is due comes again only when it was planned anew, a probe waits for its
 * second, and a closed one has nothing to announce. */
static void whatever_happens_nothing_is_due_twice(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct random random;
        struct breaker b;
        struct breaker_closing closing;
        char before[VERDICT_TEXT_SIZE];
        int64_t now = 0;
        random_seed(&random, seed);
        breaker_init(&b, now);
        for (unsigned step = 0; step < 500; step++) {
            const struct breaker_failure *const failures[] = {&ENVIRONMENT, &DENIED, &THROTTLED, &STARVED};
            struct breaker_jobs jobs = {.stalled = (unsigned)random_below(&random, 3)};
            now += (int64_t)random_below(&random, 2 * SECOND);
            switch (random_below(&random, 7)) {
            case 0: (void)breaker_open(&b, failures[random_below(&random, 4)], &random, now); break;
            case 1: (void)breaker_close(&b, now, &closing); break;
            case 2: breaker_joined(&b, now); break;
            case 3: breaker_stranger(&b, now); break;
            case 4: (void)breaker_review(&b, &jobs, &random, now); break;
            case 5: breaker_worked(&b); break;
            default: (void)breaker_note_cause(&b, random_below(&random, 2) ? "500" : "503", before); break;
            }
            if (breaker_fall_due(&b, now) & DUE_PROBE && breaker_may_probe(&b, 0))
                (void)breaker_begin_probe(&b, &jobs, jobs.stalled > 0, &random, now);
            b.looking = false;
            assert_true(breaker_next(&b) > now);
            assert_true(b.trouble.active || b.announce_at == NEVER);
            assert_true(b.extra_interval <= 60 * SECOND);
        }
    }
}

int main(void) {
    random_seed(&dice, 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probes_are_a_second_apart_and_never_more_than_a_quarter_of_a_minute),
        cmocka_unit_test(one_that_opens_time_and_again_probes_no_more_often_for_it),
        cmocka_unit_test(it_is_announced_after_five_seconds_or_five_probes_and_once),
        cmocka_unit_test(a_cause_has_changed_once_it_was_met_twice_in_a_row),
        cmocka_unit_test(what_may_be_received_follows_from_what_fails),
        cmocka_unit_test(one_more_comes_after_five_seconds_and_then_ever_more_rarely_up_to_a_minute),
        cmocka_unit_test(where_the_receive_for_one_more_fails_the_next_comes_soon_but_not_time_and_again),
        cmocka_unit_test(it_opens_where_all_inside_have_failed_and_nothing_else_could_tell),
        cmocka_unit_test(a_probe_is_for_a_message_or_for_the_tables_where_there_is_none),
        cmocka_unit_test(every_other_probe_is_for_the_message_that_failed_last_but_not_before_a_new_one),
        cmocka_unit_test(a_new_message_is_tried_at_once_where_it_can_tell),
        cmocka_unit_test(a_read_takes_the_place_of_a_probe_where_one_message_alone_may_have_failed),
        cmocka_unit_test(the_adaptive_rate_hears_once_that_nothing_is_admitted),
        cmocka_unit_test(whatever_happens_nothing_is_due_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
