#include "update_fixture.h"

#include "typed_value.h"

static const uint64_t seed[2] = {1, 2};

struct reading {
    struct value_tape tape;
    struct value_size size;
    struct failure failure;
    enum typed_status status;
};

static struct reading check(const char *text) {
    struct reading r;
    struct tape_error error;
    struct value_path path = path_root("v");
    failure_init(&r.failure);
    assert_int_equal(tape_read(span_cstr(text), seed, &r.tape, &error), TAPE_READ);
    assert_true(tape_sort(&r.tape, TAPE_ROOT));
    r.status = typed_value_check(&r.tape, TAPE_ROOT, &path, STORED_DEPTH_MAX, &r.size, &r.failure);
    return r;
}

static void done(struct reading *r) {
    failure_free(&r->failure);
    tape_free(&r->tape);
}

static void a_typed_value_is_written_in_its_one_form_and_measured(void **state) {
    (void)state;
    static const struct {
        const char *text, *sent, *normal; /* NULL: the same */
        size_t item;
        unsigned depth;
    } cases[] = {
        {"{\"S\":\"\\u0061b\"}", "{\"S\":\"ab\"}", NULL, 2, 0},
        {"{\"S\":\"\"}", "{\"S\":\"\"}", NULL, 0, 0},
        {"{\"N\":\"+0015.50\"}", "{\"N\":\"15.5\"}", NULL, 3, 0},
        {"{\"N\":\".5\"}", "{\"N\":\"0.5\"}", NULL, 2, 0},
        {"{\"N\":\"5.\"}", "{\"N\":\"5\"}", NULL, 2, 0},
        {"{\"N\":\"-1.e2\"}", "{\"N\":\"-100\"}", NULL, 3, 0},
        {"{\"N\":\"1e5\"}", "{\"N\":\"1E5\"}", "{\"N\":\"100000\"}", 2, 0},
        {"{\"N\":\"\\u0031\"}", "{\"N\":\"1\"}", NULL, 2, 0},
        {"{\"B\":\"AP8=\"}", "{\"B\":\"AP8=\"}", NULL, 2, 0},
        {"{\"B\":\"\\/\\/8=\"}", "{\"B\":\"//8=\"}", NULL, 2, 0},
        {"{\"B\":\"\"}", "{\"B\":\"\"}", NULL, 0, 0},
        {"{\"BOOL\":true}", "{\"BOOL\":true}", NULL, 1, 0},
        {"{\"BOOL\":false}", "{\"BOOL\":false}", NULL, 1, 0},
        {"{\"NULL\":true}", "{\"NULL\":true}", NULL, 1, 0},
        {"{\"SS\":[\"b\",\"a\",\"\"]}", "{\"SS\":[\"\",\"a\",\"b\"]}", NULL, 2, 0},
        {"{\"SS\":[\"\\u0022\"]}", "{\"SS\":[\"\\\"\"]}", NULL, 1, 0},
        {"{\"NS\":[\"9\",\"10.0\",\"1e5\"]}", "{\"NS\":[\"10\",\"1E5\",\"9\"]}", "{\"NS\":[\"10\",\"100000\",\"9\"]}",
         6, 0},
        {"{\"BS\":[\"Yg==\",\"YQ==\"]}", "{\"BS\":[\"YQ==\",\"Yg==\"]}", NULL, 2, 0},
        {"{\"L\":[]}", "{\"L\":[]}", NULL, 3, 1},
        {"{\"M\":{}}", "{\"M\":{}}", NULL, 3, 1},
        {"{\"M\":{\"b\":{\"N\":\"1\"},\"a\":{\"L\":[{\"S\":\"x\"},{\"SS\":[\"y\"]}]}}}",
         "{\"M\":{\"a\":{\"L\":[{\"S\":\"x\"},{\"SS\":[\"y\"]}]},\"b\":{\"N\":\"1\"}}}", NULL,
         3 + 2 + 2 + 2 + 3 + 2 + 2, 2},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct reading r = check(cases[i].text);
        if (r.status != TYPED_FINE)
            fail_msg("%s: %s", cases[i].text, r.failure.message.data);
        struct buf out;
        buf_init(&out, SIZE_MAX);
        assert_true(typed_value_append(&r.tape, TAPE_ROOT, NUMBERS_SHORT, &out));
        assert_buf(&out, cases[i].sent);
        assert_true(r.size.text >= out.len);
        size_t sent = out.len;
        buf_reset(&out);
        assert_true(typed_value_append(&r.tape, TAPE_ROOT, NUMBERS_NORMAL, &out));
        assert_buf(&out, cases[i].normal ? cases[i].normal : cases[i].sent);
        assert_int_equal(r.size.zeros, out.len - sent);
        assert_int_equal(r.size.item, cases[i].item);
        assert_int_equal(r.size.depth, cases[i].depth);
        buf_free(&out);
        done(&r);
    }
}

static void what_is_no_typed_value_is_refused_where_it_is_wrong(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\"x\"", "v"},
        {"{}", "v"},
        {"{\"S\":\"x\",\"N\":\"1\"}", "v"},
        {"{\"X\":\"x\"}", "v"},
        {"{\"s\":\"x\"}", "v"},
        {"{\"S\":1}", "v"},
        {"{\"N\":1}", "v"},
        {"{\"N\":\"\"}", "v"},
        {"{\"N\":\"one\"}", "v"},
        {"{\"N\":\".\"}", "v"},
        {"{\"N\":\"+-1\"}", "v"},
        {"{\"N\":\" 1\"}", "v"},
        {"{\"N\":\"1e\"}", "v"},
        {"{\"N\":\"1e+\"}", "v"},
        {"{\"N\":\"0x1\"}", "v"},
        {"{\"N\":\"1e126\"}", "v"},
        {"{\"N\":\"123456789012345678901234567890123456789\"}", "v"},
        {"{\"B\":\"A\"}", "v"},
        {"{\"B\":\"AB==\"}", "v"},
        {"{\"B\":\"A\\u0042==\"}", "v"},
        {"{\"B\":7}", "v"},
        {"{\"BOOL\":\"true\"}", "v"},
        {"{\"BOOL\":null}", "v"},
        {"{\"NULL\":false}", "v"},
        {"{\"NULL\":null}", "v"},
        {"{\"M\":[]}", "v"},
        {"{\"M\":{\"a\":\"x\"}}", "v.a"},
        {"{\"M\":{\"\":{\"S\":\"x\"}}}", "v"},
        {"{\"M\":{\"a\":{\"N\":\"x\"}}}", "v.a"},
        {"{\"L\":{}}", "v"},
        {"{\"L\":[{\"S\":\"x\"},\"y\"]}", "v[1]"},
        {"{\"SS\":\"a\"}", "v"},
        {"{\"SS\":[]}", "v"},
        {"{\"SS\":[\"a\",\"b\",\"a\"]}", "v"},
        {"{\"SS\":[\"a\",\"\\u0061\"]}", "v"},
        {"{\"SS\":[\"a\",1]}", "v[1]"},
        {"{\"SS\":[\"a\",[]]}", "v[1]"},
        {"{\"NS\":[\"1\",\"1.0\"]}", "v"},
        {"{\"NS\":[\"100000\",\"1e5\"]}", "v"},
        {"{\"NS\":[\"1\",\"x\"]}", "v[1]"},
        {"{\"NS\":[1]}", "v[0]"},
        {"{\"BS\":[\"AA==\",\"A\\u0041==\"]}", "v"},
        {"{\"BS\":[\"AA==\",\"AA=\"]}", "v[1]"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct reading r = check(cases[i][0]);
        char *field = text_of("\"field\":\"%s\",", cases[i][1]);
        if (r.status != TYPED_REFUSED || !strstr(r.failure.details.data, field))
            fail_msg("%s gives %s", cases[i][0], r.failure.details.data ? r.failure.details.data : "nothing");
        free(field);
        done(&r);
    }
}

static void a_typed_value_nests_as_deep_as_is_allowed(void **state) {
    (void)state;
    for (size_t depth = 30; depth <= 33; depth++) {
        char *open = repeated("{\"L\":[", depth), *close = repeated("]}", depth);
        char *text = text_of("%s%s", open, close);
        struct reading r = check(text);
        assert_int_equal(r.status, depth <= STORED_DEPTH_MAX ? TYPED_FINE : TYPED_REFUSED);
        if (r.status == TYPED_REFUSED)
            assert_non_null(strstr(r.failure.details.data, "\"field\":\"v\","));
        done(&r);
        free(text);
        free(close);
        free(open);
    }
}

static void the_kind_is_known_by_the_name_of_the_only_member(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum typed_kind kind;
    } cases[] = {{"{\"S\":1}", TYPED_S},
                 {"{\"BOOL\":{}}", TYPED_BOOL},
                 {"{\"\\u0042S\":1}", TYPED_BS},
                 {"{\"a\":1}", TYPED_NONE},
                 {"{}", TYPED_NONE},
                 {"[]", TYPED_NONE},
                 {"\"S\"", TYPED_NONE},
                 {"{\"S\":1,\"T\":1}", TYPED_NONE}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct value_tape tape;
        struct tape_error error;
        assert_int_equal(tape_read(span_cstr(cases[i].text), seed, &tape, &error), TAPE_READ);
        assert_int_equal(typed_value_kind(&tape, TAPE_ROOT), cases[i].kind);
        tape_free(&tape);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_typed_value_is_written_in_its_one_form_and_measured),
        cmocka_unit_test(what_is_no_typed_value_is_refused_where_it_is_wrong),
        cmocka_unit_test(a_typed_value_nests_as_deep_as_is_allowed),
        cmocka_unit_test(the_kind_is_known_by_the_name_of_the_only_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
