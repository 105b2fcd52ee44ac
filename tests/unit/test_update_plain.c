#include "update_plain.h"

#include "random.h"
#include "update_fixture.h"

#define MUTATIONS 40000
#define TEXT_MAX 600

/* Of each kind that is told at a glance, and of some that are not. */
static const char *const messages[] = {
    "{\"id\":\"a\",\"attributes\":{\"n\":1}}",
    " { \"id\" : \"a\" ,\r\n\t\"attributes\" : { \"n\" : -1.50 , \"s\":\"\" } } ",
    "{\"attributes\":{\"a\":\"\\u00e9\\\"\\n\",\"b\":\"h\xC3\xA9\",\"c\":true,\"d\":false,\"e\":null},\"id\":\"a\"}",
    "{\"id\":\"a\",\"attributes\":{\"l\":[],\"m\":{},\"x\":[1,[\"a\",{\"b\":[{}]}]],\"y\":{\"S\":\"x\",\"N\":\"1\"}}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":1},\"idempotency_key\":\"k\",\"enable_logging\":true}",
    "{\"id\":\"a\",\"attributes\":{\"n\":1},\"enable_logging\":false}",
    "{\"id\":12345678901234567890123456789012345678,\"attributes\":{\"n\":0.001}}",
};

static const char *const others[] = {
    "",
    "{}",
    "[]",
    "{\"id\":\"a\",\"attributes\":{}}",
    "{\"id\":\"\",\"attributes\":{\"n\":1}}",
    "{\"id\":\"a\",\"attributes\":{\"\":1}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":1,\"n\":2}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":{\"b\":1,\"b\":1,\"c\":1}}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":1},\"attributes\":{\"n\":1}}",
    "{\"id\":\"a\",\"attributes\":{\"id\":1}}",
    "{\"id\":\"a\",\"attributes\":{\"email\":1}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":{\"S\":\"x\"}}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":{\"$inc\":1}}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":1}} x",
    "{\"id\":\"a\",\"attributes\":{\"n\":1},}",
    "{\"id\":\"a\",\"attributes\":{\"n\":[1,]}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":01}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":1e300}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":123456789012345678901234567890123456789}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":\"\\ud800\"}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":\"\xFF\"}}",
    "{\"id\":\"a\",\"attributes\":{\"n\":1},\"idempotency_key\":\"\"}",
    "{\"id\":\"a\",\"attributes\":{\"n\":1},\"enable_logging\":null}",
    "{\"id\":\"a\",\"attributes\":{\"n\":1},\"atributes\":1}",
    "{\"id\":{\"id\":\"a\"},\"attributes\":{\"n\":1}}",
    "{\"attributes\":{\"n\":1}}",
    "{\"id\":\"a\"}",
};

/* Tables and settings that messages are read against. */
static void choose(struct fixture *f, unsigned choice) {
    static const enum key_type types[] = {KEY_STRING, KEY_NUMBER, KEY_BINARY};
    f->context.audit = (enum audit_mode)(choice % 3);
    f->context.audit_table_exists = choice / 3 % 4 != 0;
    switch (choice / 12 % 5) {
    case 0: break;
    case 1: fixture_add_index_key(f, "email", KEY_STRING); break;
    case 2: fixture_make_composite(f); break;
    case 3: f->table.partition.type = f->table.attributes[0].type = types[choice / 60 % 3]; break;
    default:
        memset(&f->table, 0, sizeof f->table);
        f->table.any_key = true;
        break;
    }
}

/* Without a pattern. */
static bool is_plain(const struct fixture *f, struct span text) {
    struct update_pattern pattern = {0};
    struct update_plain plain;
    return update_is_plain(&f->context, text, &pattern, &plain);
}

static void assert_fit_as_told(const struct fixture *f, struct span text, const struct update_plain *plain) {
    struct update *u = read_span(f, text);
    if (u->failure.type != ERROR_NONE) {
        fail_msg("%.*s: %s", (int)text.len, text.data, u->failure.message.data);
    }
    assert_int_equal(u->own_key, plain->has_key);
    assert_ptr_equal(update_body(u).data, text.data);
    assert_int_equal(update_body(u).len, text.len);
    assert_int_equal(plain->has_enable_logging, memmem(text.data, text.len, "enable_logging", 14) != NULL);
    update_free(u);
}

/* By the pattern of messages before it the same is told as without one. */
static bool assert_told_right(const struct fixture *f, struct span text, struct update_pattern *pattern) {
    struct update_plain plain;
    bool told = update_is_plain(&f->context, text, pattern, &plain);
    assert_int_equal(told, is_plain(f, text));
    if (told) {
        assert_fit_as_told(f, text, &plain);
    }
    return told;
}

static void the_plainest_messages_are_told_at_a_glance(void **state) {
    (void)state;
    struct fixture f;
    struct update_pattern pattern = {0};
    fixture_init(&f);
    memset(&f.table, 0, sizeof f.table);
    f.table.any_key = true;
    for (size_t i = 0; i < ARRAY_LENGTH(messages); i++) {
        assert_true(assert_told_right(&f, span_cstr(messages[i]), &pattern));
        assert_true(assert_told_right(&f, span_cstr(messages[i]), &pattern));
    }
    fixture_done(&f);
}

static void what_is_not_fit_is_never_told_to_be(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_add_index_key(&f, "email", KEY_STRING);
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        if (is_plain(&f, span_cstr(others[i]))) {
            fail_msg("%s", others[i]);
        }
    }
    fixture_done(&f);
}

static void of_a_message_like_the_one_before_the_values_alone_count(void **state) {
    (void)state;
    static const struct {
        const char *message;
        bool told;
    } rows[] = {
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"n\":1},\"idempotency_key\":\"k\"}", true},
        {"{\"id\":\"user-17\",\"attributes\":{\"s\":\"\",\"n\":-20.5},\"idempotency_key\":\"a longer one\"}", true},
        {"{\"id\":17,\"attributes\":{\"s\":[1,\"x\"],\"n\":{\"a\":1,\"b\":2}},\"idempotency_key\":\"k\"}", true},
        {"{\"id\":\"\",\"attributes\":{\"s\":\"x\",\"n\":1},\"idempotency_key\":\"k\"}", false},
        {"{\"id\":\"a\",\"attributes\":{\"s\":{\"S\":\"x\"},\"n\":1},\"idempotency_key\":\"k\"}", false},
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"n\":01},\"idempotency_key\":\"k\"}", false},
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"s\":1},\"idempotency_key\":\"k\"}", false},
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"n\":1},\"idempotency_key\":\"\"}", false},
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"n\":1},\"idempotency_key\":\"k\"}}", false},
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"n\":1},\"idempotency_key\":\"k\"", false},
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"n\":1},\"idempotency_key\":\"k\",\"id\":1}", false},
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"n\":1", false},
        {"{\"id\"", false},
        {"", false},
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"n\":1},\"enable_logging\":true}", true},
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"n\":1},\"enable_logging\":false}", true},
        {"{\"id\":\"a\",\"attributes\":{\"s\":\"x\",\"n\":1},\"enable_logging\":null}", false},
    };
    struct fixture f;
    struct update_pattern pattern = {0};
    fixture_init(&f);
    memset(&f.table, 0, sizeof f.table);
    f.table.any_key = true;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(assert_told_right(&f, span_cstr(rows[i].message), &pattern), rows[i].told);
    }
    fixture_done(&f);
}

static void a_message_like_one_without_an_audit_record_may_ask_for_one(void **state) {
    (void)state;
    struct fixture f;
    struct update_pattern pattern = {0};
    fixture_init(&f);
    f.context.audit = AUDIT_OFF;
    f.context.audit_table_exists = false;
    assert_true(
        assert_told_right(&f, SPAN("{\"id\":\"a\",\"attributes\":{\"n\":1},\"enable_logging\":false}"), &pattern));
    assert_false(
        assert_told_right(&f, SPAN("{\"id\":\"a\",\"attributes\":{\"n\":1},\"enable_logging\":true}"), &pattern));
    assert_true(
        assert_told_right(&f, SPAN("{\"id\":\"a\",\"attributes\":{\"n\":1},\"enable_logging\":false}"), &pattern));
    fixture_done(&f);
}

/* One byte or two are others, are left out, or stand there twice; or a piece of another message comes in. */
static struct span mutate(struct random *random, char text[static TEXT_MAX]) {
    static const char bytes[] = "{}[]\":,\\ \n0123456789eE.-atfnuSN$\x01\x7F\xC3\xA9\xFF";
    const char *from = messages[random_below(random, ARRAY_LENGTH(messages))];
    size_t len = strlen(from);
    memcpy(text, from, len);
    for (uint64_t times = random_below(random, 3); times > 0; times--) {
        size_t at = (size_t)random_below(random, len);
        const char *other = messages[random_below(random, ARRAY_LENGTH(messages))];
        size_t begin = (size_t)random_below(random, strlen(other)), piece = strlen(other + begin);
        piece = piece < 30 ? piece : 30;
        switch (random_below(random, 4)) {
        case 0: text[at] = bytes[random_below(random, sizeof bytes)]; break;
        case 1: memmove(text + at, text + at + 1, --len - at); break;
        case 2: memmove(text + at + 1, text + at, len++ - at); break;
        default:
            memmove(text + at + piece, text + at, len - at);
            memcpy(text + at, other + begin, piece);
            len += piece;
            break;
        }
    }
    return span_of(text, len);
}

static void whatever_is_told_at_a_glance_is_fit(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 3);
    for (unsigned i = 0; i < MUTATIONS / 200; i++) {
        struct fixture f;
        struct update_pattern pattern = {0};
        char text[TEXT_MAX];
        fixture_init(&f);
        choose(&f, (unsigned)random_below(&random, 180));
        for (unsigned k = 0; k < 200; k++) {
            (void)assert_told_right(&f, mutate(&random, text), &pattern);
        }
        fixture_done(&f);
    }
}

/* {"id":"a","attributes":{NAME:VALUE,…}} with as many of them. */
static void append_message(struct buf *out, unsigned count, const char *value) {
    buf_reset(out);
    (void)buf_append_cstr(out, "{\"id\":\"a\",\"attributes\":{");
    for (unsigned i = 0; i < count; i++) {
        (void)buf_printf(out, "%s\"n%u\":%s", i ? "," : "", i, value);
    }
    assert_true(buf_append_cstr(out, "}}"));
}

static void what_comes_near_a_bound_is_left_to_the_reading(void **state) {
    (void)state;
    struct fixture f;
    struct buf message, value;
    struct update_pattern pattern = {0};
    fixture_init(&f);
    buf_init(&message, 100000);
    buf_init(&value, 50000);
    append_message(&message, 64, "1");
    assert_true(is_plain(&f, buf_span(&message)));
    append_message(&message, 65, "1");
    assert_false(is_plain(&f, buf_span(&message)));
    append_message(&message, 1, "[[[[[[[[]]]]]]]]");
    assert_true(is_plain(&f, buf_span(&message)));
    (void)assert_told_right(&f, buf_span(&message), &pattern);
    append_message(&message, 1, "[[[[[[[[[]]]]]]]]]");
    assert_false(is_plain(&f, buf_span(&message)));
    const size_t sizes[] = {32000, 33000};
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        buf_reset(&value);
        (void)buf_append_char(&value, '[');
        while (value.len < sizes[i] && buf_ok(&value)) { /* what grows most in an item */
            (void)buf_append_cstr(&value, "1,");
        }
        assert_true(buf_append_cstr(&value, "1]"));
        append_message(&message, 1, value.data);
        assert_int_equal(is_plain(&f, buf_span(&message)), sizes[i] < 32768);
        (void)assert_told_right(&f, buf_span(&message), &pattern);
    }
    buf_free(&value);
    buf_free(&message);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plainest_messages_are_told_at_a_glance),
        cmocka_unit_test(what_is_not_fit_is_never_told_to_be),
        cmocka_unit_test(of_a_message_like_the_one_before_the_values_alone_count),
        cmocka_unit_test(a_message_like_one_without_an_audit_record_may_ask_for_one),
        cmocka_unit_test(whatever_is_told_at_a_glance_is_fit),
        cmocka_unit_test(what_comes_near_a_bound_is_left_to_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
