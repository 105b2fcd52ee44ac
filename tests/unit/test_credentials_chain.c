#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "credentials_sources.h"
#include "fake_credentials.h"

/* A source that answers as it is told, at once or when it is let. */
struct source {
    const char *id; /* NULL: the failure */
    struct credentials_failure failure;
    bool later;
    struct credentials_wait *waiting;
    unsigned asked, invalidated, cancelled, released;
};

static void source_answer(struct source *s, struct credentials_wait *wait) {
    struct credentials c = {.access_key_id = span_cstr(s->id), .secret_access_key = SPAN("s"), .expires = NEVER};
    wait->pending = false;
    wait->ready(wait->user, s->id ? &c : NULL, s->id ? NULL : &s->failure);
}

static void source_get(void *impl, struct credentials_wait *wait) {
    struct source *s = impl;
    s->asked++;
    if (s->later) {
        wait->pending = true;
        s->waiting = wait;
    } else {
        source_answer(s, wait);
    }
}

static void source_let(struct source *s) {
    struct credentials_wait *wait = s->waiting;
    s->waiting = NULL;
    source_answer(s, wait);
}

static void source_cancel(void *impl, struct credentials_wait *wait) {
    struct source *s = impl;
    assert_ptr_equal(wait, s->waiting);
    wait->pending = false;
    s->waiting = NULL;
    s->cancelled++;
}

static void source_invalidate(void *impl, struct span access_key_id) {
    (void)access_key_id;
    ((struct source *)impl)->invalidated++;
}

static void source_release(void *impl) {
    ((struct source *)impl)->released++;
}

static struct credentials_provider chain_of(struct source *sources, size_t count) {
    struct credentials_provider links[4], chain;
    for (size_t i = 0; i < count; i++) {
        links[i] = (struct credentials_provider){&sources[i], source_get, source_cancel, source_invalidate, source_release};
    }
    assert_true(credentials_chain_new(links, count, &chain));
    assert_null(links[0].impl);
    return chain;
}

#define NONE(why) {.failure = {CALL_AUTH, why}}

static void the_first_that_has_credentials_is_kept_to(void **state) {
    (void)state;
    struct source s[] = {NONE("none in a"), {.id = "B"}, {.id = "C"}};
    struct credentials_provider chain = chain_of(s, 3);
    struct fake_asker a = {.answers = 0};
    credentials_invalidate(&chain, SPAN("B"));
    fake_ask(&a, &chain);
    assert_string_equal(a.id, "B");
    fake_ask(&a, &chain);
    assert_int_equal(a.answers, 2);
    assert_int_equal(s[0].asked, 1);
    assert_int_equal(s[1].asked, 2);
    assert_int_equal(s[2].asked, 0);
    credentials_invalidate(&chain, SPAN("B"));
    assert_int_equal(s[1].invalidated, 1);
    assert_int_equal(s[0].invalidated + s[2].invalidated, 0);

    s[1].id = NULL;
    s[1].failure = (struct credentials_failure){CALL_AUTH, "refused"};
    fake_ask(&a, &chain);
    assert_int_equal(a.class, CALL_AUTH);
    assert_string_equal(a.message, "refused");
    assert_int_equal(s[2].asked, 0);
    credentials_provider_release(&chain);
    assert_int_equal(s[0].released & s[1].released & s[2].released, 1);
}

static void a_source_that_is_down_is_not_passed_over(void **state) {
    (void)state;
    static const enum call_class classes[] = {CALL_RETRY, CALL_DENIED};
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++) {
        struct source s[] = {{.failure = {classes[i], "down"}}, {.id = "B"}};
        struct credentials_provider chain = chain_of(s, 2);
        struct fake_asker a = {.answers = 0};
        fake_ask(&a, &chain);
        assert_int_equal(a.class, classes[i]);
        assert_string_equal(a.message, "down");
        assert_int_equal(s[1].asked, 0);
        s[0].id = "A";
        fake_ask(&a, &chain);
        assert_string_equal(a.id, "A");
        credentials_provider_release(&chain);
    }
}

static void where_none_has_any_all_are_named_and_asked_again_next_time(void **state) {
    (void)state;
    struct source s[] = {NONE("none in a"), NONE("none in b")};
    struct credentials_provider chain = chain_of(s, 2);
    struct fake_asker a = {.answers = 0};
    for (unsigned n = 1; n <= 2; n++) {
        fake_ask(&a, &chain);
        assert_int_equal(a.class, CALL_AUTH);
        assert_string_equal(a.message, "none in a; none in b");
        assert_int_equal(s[0].asked, n);
    }
    s[0].id = "A";
    fake_ask(&a, &chain);
    assert_string_equal(a.id, "A");
    credentials_provider_release(&chain);
}

static void all_who_wait_share_one_question(void **state) {
    (void)state;
    struct source s[] = {{.failure = {CALL_AUTH, "none"}, .later = true}, {.id = "B", .later = true}};
    struct credentials_provider chain = chain_of(s, 2);
    struct fake_asker a = {.answers = 0}, b = {.answers = 0}, c = {.answers = 0};
    fake_ask(&a, &chain);
    fake_ask(&b, &chain);
    source_let(&s[0]);
    fake_ask(&c, &chain);
    assert_true(a.wait.pending && b.wait.pending && c.wait.pending);
    credentials_cancel(&chain, &b.wait);
    assert_false(b.wait.pending);
    source_let(&s[1]);
    assert_int_equal(s[0].asked + s[1].asked, 2);
    assert_string_equal(a.id, "B");
    assert_string_equal(c.id, "B");
    assert_int_equal(b.answers, 0);
    credentials_provider_release(&chain);
}

static void the_last_who_leaves_takes_the_question_back(void **state) {
    (void)state;
    struct source s[] = {{.id = "A", .later = true}};
    struct credentials_provider chain = chain_of(s, 1);
    struct fake_asker a = {.answers = 0}, b = {.answers = 0};
    fake_ask(&a, &chain);
    fake_ask(&b, &chain);
    credentials_cancel(&chain, &a.wait);
    assert_int_equal(s[0].cancelled, 0);
    credentials_cancel(&chain, &b.wait);
    assert_int_equal(s[0].cancelled, 1);
    fake_ask(&a, &chain);
    source_let(&s[0]);
    assert_string_equal(a.id, "A");
    credentials_provider_release(&chain);
}

static struct fake_asker other; /* whom the callbacks below act on */

static void ask_for_the_other(struct fake_asker *a) {
    fake_ask(&other, a->provider);
}

static void cancel_the_other(struct fake_asker *a) {
    credentials_cancel(a->provider, &other.wait);
}

static void a_question_from_inside_a_callback_is_answered_after_it(void **state) {
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct source s[] = {{.id = "A", .later = later == 1}};
        struct credentials_provider chain = chain_of(s, 1);
        struct fake_asker a = {.then = ask_for_the_other};
        other = (struct fake_asker){.answers = 0};
        fake_ask(&a, &chain);
        if (later) {
            source_let(&s[0]);
            assert_int_equal(other.answers, 0);
            source_let(&s[0]);
        }
        assert_int_equal(a.answers, 1);
        assert_string_equal(a.id, "A");
        assert_int_equal(other.answers, 1);
        assert_string_equal(other.id, "A");
        assert_int_equal(s[0].asked, 2);
        credentials_provider_release(&chain);
    }
}

static void one_who_is_cancelled_from_inside_a_callback_is_not_called(void **state) {
    (void)state;
    struct source s[] = {{.id = "A", .later = true}};
    struct credentials_provider chain = chain_of(s, 1);
    struct fake_asker a = {.then = cancel_the_other}, c = {.answers = 0};
    other = (struct fake_asker){.answers = 0};
    fake_ask(&a, &chain);
    fake_ask(&other, &chain);
    fake_ask(&c, &chain);
    source_let(&s[0]);
    assert_int_equal(other.answers, 0);
    assert_false(other.wait.pending);
    assert_int_equal(c.answers, 1);
    credentials_provider_release(&chain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_has_credentials_is_kept_to),
        cmocka_unit_test(a_source_that_is_down_is_not_passed_over),
        cmocka_unit_test(where_none_has_any_all_are_named_and_asked_again_next_time),
        cmocka_unit_test(all_who_wait_share_one_question),
        cmocka_unit_test(the_last_who_leaves_takes_the_question_back),
        cmocka_unit_test(a_question_from_inside_a_callback_is_answered_after_it),
        cmocka_unit_test(one_who_is_cancelled_from_inside_a_callback_is_not_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
