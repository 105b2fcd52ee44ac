#include "id_choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t seed[2] = {3, 4};

static const struct table_shape by_string = {.partition = {"id", KEY_STRING}},
                                by_number = {.partition = {"n", KEY_NUMBER}},
                                by_bytes = {.partition = {"b", KEY_BINARY}},
                                by_both = {.partition = {"p", KEY_STRING}, .sort = {"s", KEY_NUMBER}};

static enum id_choice_status status_of(const char *text, const struct table_shape *table, char why[static 200]) {
    struct id_choice c;
    struct buf told;
    buf_init(&told, 199);
    enum id_choice_status status = id_choice_init(&c, span_cstr(text), table, seed, &told);
    memcpy(why, told.data ? told.data : "", told.len + 1);
    id_choice_free(&c);
    buf_free(&told);
    return status;
}

static bool is_same(const char *given, const struct table_shape *table, const char *id) {
    struct id_choice c;
    struct buf why;
    bool ok;
    buf_init(&why, 200);
    assert_int_equal(id_choice_init(&c, span_cstr(given), table, seed, &why), ID_CHOICE_FINE);
    bool same = id_choice_is(&c, span_cstr(id), &ok);
    assert_true(ok);
    id_choice_free(&c);
    buf_free(&why);
    return same;
}

static void an_id_is_another_spelling_of_itself(void **state) {
    (void)state;
    static const struct {
        const char *given;
        const struct table_shape *table;
        const char *id;
    } same[] = {
        {"user-1", NULL, "\"user-1\""},
        {"user-1", NULL, "\"user\\u002d1\""},
        {"\"user-1\"", NULL, "\"user-1\""},
        {"1", NULL, "1.0"},
        {"1.0", NULL, "1e0"},
        {"1e2", NULL, "100"},
        {"-0", NULL, "0"},
        {"1", NULL, "\"1\""},
        {"{\"p\":\"a\",\"s\":1}", NULL, "{\"s\":1.00,\"p\":\"\\u0061\"}"},
        {"user-1", &by_string, "\"user-1\""},
        {"5", &by_string, "\"5\""},
        {"5", &by_string, "5"}, /* it fails for just that */
        {"5.0", &by_number, "5"},
        {"AAE=", &by_bytes, "\"AAE=\""},
        {"{\"s\":1,\"p\":\"a\"}", &by_both, "{\"p\":\"a\",\"s\":1e0}"},
        {"1e999", NULL, "1e999"},
        {"true", NULL, "\"true\""},
        {"", NULL, "\"\""},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!is_same(same[i].given, same[i].table, same[i].id))
            fail_msg("%s is not %s", same[i].given, same[i].id);
}

static void another_id_is_another(void **state) {
    (void)state;
    static const struct {
        const char *given;
        const struct table_shape *table;
        const char *id;
    } others[] = {
        {"user-1", NULL, "\"user-2\""},  {"1", NULL, "2"},
        {"1.0", NULL, "\"1\""},          {"{\"p\":\"a\"}", NULL, "{\"p\":\"a\",\"s\":1}"},
        {"a", NULL, "{\"a\":\"a\"}"},    {"5", &by_number, "\"6\""},
        {"AAE=", &by_bytes, "\"AAI=\""}, {"x", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_same(others[i].given, others[i].table, others[i].id))
            fail_msg("%s is %s", others[i].given, others[i].id);
}

static void what_fits_no_key_of_the_table_is_refused_with_the_reason(void **state) {
    (void)state;
    static const struct {
        const char *given;
        const struct table_shape *table;
        const char *why;
    } unfit[] = {
        {"user-1", &by_number, "takes a number"},     {"user-1", &by_bytes, "base64"},
        {"user-1", &by_both, "an object of p and s"}, {"{\"p\":\"a\"}", &by_both, "the table's key needs it"},
        {"", &by_string, "must not be empty"},
    };
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++) {
        char why[200];
        assert_int_equal(status_of(unfit[i].given, unfit[i].table, why), ID_CHOICE_UNFIT);
        if (!strstr(why, unfit[i].why))
            fail_msg("\"%s\" lacks \"%s\"", why, unfit[i].why);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_another_spelling_of_itself),
        cmocka_unit_test(another_id_is_another),
        cmocka_unit_test(what_fits_no_key_of_the_table_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
