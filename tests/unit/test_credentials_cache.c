#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "credentials_cache.h"
#include "fake_credentials.h"
#include "kept_log.h"

#include <stdlib.h>

#define MINUTE (60 * MICROSECONDS)

/* A source that answers as it is told, at once or when it is let, and a clock. */
struct source {
    int64_t now;
    struct random random;
    struct log log;
    const char *id; /* NULL: the failure */
    int64_t life; /* from now on */
    struct credentials_failure failure;
    bool later;
    credentials_fetched *done;
    void *user;
    unsigned asked, cancelled, released;
    struct credentials_provider provider;
};

static int64_t source_now(void *ctx) {
    return ((struct source *)ctx)->now;
}

static void source_answer(struct source *s) {
    /* In memory of its own, so that what is kept of it beyond the callback is seen. */
    char *id = s->id ? strdup(s->id) : NULL;
    const struct credentials c = {.access_key_id = span_cstr(id),
                                  .secret_access_key = SPAN("s"),
                                  .expires = s->life == NEVER ? NEVER : s->now + s->life};
    credentials_fetched *done = s->done;
    s->done = NULL;
    done(s->user, id ? &c : NULL, id ? NULL : &s->failure);
    free(id);
}

static void source_fetch(void *impl, credentials_fetched *done, void *user) {
    struct source *s = impl;
    assert_null(s->done);
    s->asked++;
    s->done = done;
    s->user = user;
    if (!s->later) {
        source_answer(s);
    }
}

static void source_cancel(void *impl) {
    struct source *s = impl;
    s->cancelled++;
    s->done = NULL;
}

static void source_release(void *impl) {
    ((struct source *)impl)->released++;
}

static void start(struct source *s, bool expired_ones_count) {
    s->now = 1000000 * MICROSECONDS;
    random_seed(&s->random, 3);
    s->log = test_log();
    s->life = s->life ? s->life : 60 * MINUTE;
    s->failure.class = s->failure.message ? s->failure.class : CALL_RETRY;
    s->failure.message = s->failure.message ? s->failure.message : "down";
    struct credentials_source source = {s, source_fetch, source_cancel, source_release};
    const struct credentials_cache_options options = {.name = "test",
                                                      .expired_ones_count = expired_ones_count,
                                                      .clock = {source_now, source_now, s},
                                                      .random = &s->random,
                                                      .log = &s->log};
    assert_true(credentials_cache_new(&source, &options, &s->provider));
    assert_null(source.impl);
}

static void end(struct source *s) {
    credentials_provider_release(&s->provider);
    assert_int_equal(s->released, 1);
}

/* What is given at once: an id, "" for a failure, "-" for a wait, which is cancelled. */
static const char *given(struct source *s) {
    static char text[64];
    struct fake_asker a = {.answers = 0};
    fake_ask(&a, &s->provider);
    (void)snprintf(text, sizeof text, "%s", a.wait.pending ? "-" : a.id);
    credentials_cancel(&s->provider, &a.wait);
    return text;
}

static void all_who_wait_share_one_question(void **state) {
    (void)state;
    struct source s = {.id = "A", .later = true};
    start(&s, false);
    struct fake_asker a = {.answers = 0}, b = {.answers = 0}, c = {.answers = 0};
    fake_ask(&a, &s.provider);
    fake_ask(&b, &s.provider);
    fake_ask(&c, &s.provider);
    assert_true(a.wait.pending && b.wait.pending && c.wait.pending);
    credentials_cancel(&s.provider, &b.wait);
    source_answer(&s);
    assert_int_equal(s.asked, 1);
    assert_string_equal(a.id, "A");
    assert_string_equal(c.id, "A");
    assert_int_equal(b.answers, 0);
    assert_string_equal(given(&s), "A");
    assert_int_equal(s.asked, 1);
    end(&s);
}

static void new_ones_are_fetched_ahead_while_those_held_are_given(void **state) {
    (void)state;
    struct source s = {.id = "A"};
    start(&s, false);
    assert_string_equal(given(&s), "A");
    s.id = "B";
    s.later = true;
    s.now += 39 * MINUTE;
    assert_string_equal(given(&s), "A");
    assert_int_equal(s.asked, 1);
    s.now += 7 * MINUTE; /* 14 minutes are left */
    assert_string_equal(given(&s), "A");
    assert_string_equal(given(&s), "A");
    assert_int_equal(s.asked, 2);
    source_answer(&s);
    assert_string_equal(given(&s), "B");
    assert_int_equal(s.asked, 2);
    end(&s);
}

static void in_the_last_ten_minutes_who_asks_waits(void **state) {
    (void)state;
    struct source s = {.id = "A"};
    start(&s, false);
    assert_string_equal(given(&s), "A");
    s.id = "B";
    s.later = true;
    s.now += 51 * MINUTE;
    struct fake_asker a = {.answers = 0};
    fake_ask(&a, &s.provider);
    assert_true(a.wait.pending);
    source_answer(&s);
    assert_string_equal(a.id, "B");
    end(&s);
}

static void fault_19_those_held_are_used_on_while_the_source_is_down_for_an_hour(void **state) {
    (void)state;
    struct source s = {.id = "A"};
    start(&s, false);
    assert_string_equal(given(&s), "A");
    s.id = NULL;
    /* Somebody asks every second, until an hour after their end. */
    for (int second = 0; second < 2 * 3600; second++) {
        s.now += MICROSECONDS;
        assert_string_equal(given(&s), "A");
    }
    /* From 15 or 20 minutes before the end on: sooner before it, then every 5 to 10 minutes. */
    assert_true(s.asked >= 8 && s.asked <= 24);
    assert_non_null(strstr(logged, "The credentials can't be renewed; those held are used on"));
    assert_null(strstr(strstr(logged, "can't be renewed") + 1, "can't be renewed"));
    s.id = "B";
    s.now += 10 * MINUTE;
    assert_string_equal(given(&s), "B");
    assert_non_null(strstr(logged, "The credentials were renewed"));
    end(&s);
}

static void fault_19_refused_ones_are_fetched_anew_at_once_and_never_given_before(void **state) {
    (void)state;
    struct source s = {.id = "A", .later = true};
    start(&s, false);
    assert_string_equal(given(&s), "-");
    source_answer(&s);
    s.now += 2 * MICROSECONDS;
    s.id = "B";
    credentials_invalidate(&s.provider, SPAN("another"));
    assert_string_equal(given(&s), "A");
    credentials_invalidate(&s.provider, SPAN("A"));
    struct fake_asker a = {.answers = 0}, b = {.answers = 0};
    fake_ask(&a, &s.provider);
    credentials_invalidate(&s.provider, SPAN("A"));
    fake_ask(&b, &s.provider);
    assert_int_equal(s.asked, 2);
    source_answer(&s);
    assert_string_equal(a.id, "B");
    assert_string_equal(b.id, "B");
    credentials_invalidate(&s.provider, SPAN("A"));
    assert_string_equal(given(&s), "B");
    assert_int_equal(s.asked, 2);
    end(&s);
}

static void fault_19_keys_that_change_every_two_seconds_are_followed(void **state) {
    (void)state;
    static const char *const ids[] = {"A", "B"};
    struct source s = {.id = "A", .life = 2 * MICROSECONDS};
    start(&s, false);
    for (int change = 1; change < 1000; change++) {
        assert_string_equal(given(&s), s.id);
        const char *old = s.id;
        s.id = ids[change % 2];
        s.now += 2 * MICROSECONDS;
        credentials_invalidate(&s.provider, span_cstr(old));
    }
    end(&s);
}

static void refused_ones_are_not_given_while_the_source_is_down(void **state) {
    (void)state;
    struct source s = {.id = "A"};
    start(&s, false);
    assert_string_equal(given(&s), "A");
    s.now += MINUTE;
    s.id = NULL;
    credentials_invalidate(&s.provider, SPAN("A"));
    struct fake_asker a = {.answers = 0};
    fake_ask(&a, &s.provider);
    assert_int_equal(a.class, CALL_RETRY);
    assert_string_equal(a.message, "down");
    /* It is asked again after 1, 2, 4 seconds, up to once a minute. */
    for (int ms = 0; ms < 10 * 60 * 10; ms++) {
        s.now += 100 * MILLISECOND;
        assert_string_equal(given(&s), "");
    }
    assert_true(s.asked >= 15 && s.asked <= 18);
    s.id = "B";
    s.now += MINUTE;
    assert_string_equal(given(&s), "B");
    end(&s);
}

static void where_new_ones_are_refused_too_the_source_is_asked_ever_more_rarely(void **state) {
    (void)state;
    static const char *const ids[] = {"A", "B"};
    struct source s = {.id = "A"};
    start(&s, false);
    assert_string_equal(given(&s), "A");
    s.now += MINUTE;
    for (int i = 0; i < 10 * 60 * 10; i++) {
        const char *held = s.id;
        s.id = s.asked % 2 ? ids[1] : ids[0];
        credentials_invalidate(&s.provider, span_cstr(held));
        unsigned before = s.asked;
        (void)given(&s);
        s.id = before == s.asked ? held : s.id;
        s.now += 100 * MILLISECOND;
    }
    assert_true(s.asked >= 10 && s.asked <= 20);
    end(&s);
}

static void where_there_may_be_others_those_held_are_given_until_they_come(void **state) {
    (void)state;
    struct source s = {.id = "A"};
    start(&s, false);
    assert_string_equal(given(&s), "A");
    s.id = NULL;
    credentials_invalidate(&s.provider, SPAN(""));
    assert_string_equal(given(&s), "A");
    assert_string_equal(given(&s), "A");
    assert_int_equal(s.asked, 2);
    s.id = "B";
    credentials_invalidate(&s.provider, SPAN(""));
    assert_string_equal(given(&s), "A");
    assert_string_equal(given(&s), "B");
    assert_int_equal(s.asked, 3);
    end(&s);
}

static void expired_ones_are_an_error_but_of_a_source_that_has_no_others(void **state) {
    (void)state;
    struct source s = {.id = "A", .life = -MINUTE};
    start(&s, false);
    struct fake_asker a = {.answers = 0};
    fake_ask(&a, &s.provider);
    assert_int_equal(a.class, CALL_RETRY);
    assert_non_null(strstr(a.message, "expired already"));
    end(&s);
    struct source imds = {.id = "A", .life = -MINUTE};
    start(&imds, true);
    for (int second = 0; second < 3600; second++) {
        imds.now += MICROSECONDS;
        assert_string_equal(given(&imds), "A");
    }
    assert_true(imds.asked >= 6 && imds.asked <= 13);
    assert_non_null(strstr(logged, "gives expired ones"));
    end(&imds);
}

static void keys_that_no_header_can_hold_are_refused(void **state) {
    (void)state;
    struct source s = {.id = "A\r\nX-Evil: 1"};
    start(&s, false);
    assert_string_equal(given(&s), "");
    end(&s);
}

static void a_source_without_credentials_is_asked_again_but_not_at_once(void **state) {
    (void)state;
    struct source s = {.failure = {CALL_AUTH, "none"}};
    start(&s, false);
    struct fake_asker a = {.answers = 0};
    for (int i = 0; i < 3; i++) {
        fake_ask(&a, &s.provider);
        assert_int_equal(a.class, CALL_AUTH);
        assert_string_equal(a.message, "none");
    }
    assert_int_equal(s.asked, 1);
    s.now += MICROSECONDS;
    s.id = "A";
    assert_string_equal(given(&s), "A");
    end(&s);
}

static struct fake_asker other; /* whom the callbacks below act on */

static void ask_for_the_other(struct fake_asker *a) {
    fake_ask(&other, a->provider);
}

static void cancel_the_other(struct fake_asker *a) {
    credentials_cancel(a->provider, &other.wait);
}

static void refuse(struct fake_asker *a) {
    credentials_invalidate(a->provider, SPAN("A"));
}

static void callbacks_may_ask_cancel_and_refuse(void **state) {
    (void)state;
    for (int later = 0; later < 2; later++) {
        void (*const acts[])(struct fake_asker *) = {ask_for_the_other, cancel_the_other, refuse};
        for (size_t i = 0; i < ARRAY_LENGTH(acts); i++) {
            struct source s = {.id = "A", .later = later == 1};
            start(&s, false);
            struct fake_asker a = {.then = acts[i]}, c = {.answers = 0};
            other = (struct fake_asker){.answers = 0};
            fake_ask(&a, &s.provider);
            if (acts[i] == cancel_the_other) {
                fake_ask(&other, &s.provider);
            }
            fake_ask(&c, &s.provider);
            if (later) {
                source_answer(&s);
                assert_int_equal(other.answers, acts[i] == ask_for_the_other);
            }
            assert_string_equal(a.id, "A");
            assert_string_equal(c.id, "A");
            end(&s);
        }
    }
}

static void a_question_under_way_ends_with_the_provider(void **state) {
    (void)state;
    struct source s = {.id = "A", .later = true};
    start(&s, false);
    assert_string_equal(given(&s), "-");
    end(&s);
    assert_int_equal(s.cancelled, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_who_wait_share_one_question),
        cmocka_unit_test(new_ones_are_fetched_ahead_while_those_held_are_given),
        cmocka_unit_test(in_the_last_ten_minutes_who_asks_waits),
        cmocka_unit_test(fault_19_those_held_are_used_on_while_the_source_is_down_for_an_hour),
        cmocka_unit_test(fault_19_refused_ones_are_fetched_anew_at_once_and_never_given_before),
        cmocka_unit_test(fault_19_keys_that_change_every_two_seconds_are_followed),
        cmocka_unit_test(refused_ones_are_not_given_while_the_source_is_down),
        cmocka_unit_test(where_new_ones_are_refused_too_the_source_is_asked_ever_more_rarely),
        cmocka_unit_test(where_there_may_be_others_those_held_are_given_until_they_come),
        cmocka_unit_test(expired_ones_are_an_error_but_of_a_source_that_has_no_others),
        cmocka_unit_test(keys_that_no_header_can_hold_are_refused),
        cmocka_unit_test(a_source_without_credentials_is_asked_again_but_not_at_once),
        cmocka_unit_test(callbacks_may_ask_cancel_and_refuse),
        cmocka_unit_test(a_question_under_way_ends_with_the_provider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
