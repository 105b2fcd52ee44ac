#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lambda_answer.h"

static void a_response_to_a_request_has_its_status_and_its_type(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1024);
    assert_true(lambda_append_http(412, SPAN("{\"a\":\"\xC3\xA9\"}"), &out));
    assert_string_equal(out.data, "{\"statusCode\":412,\"headers\":{\"Content-Type\":\"application/json\"},\"body\":"
                                  "\"{\\\"a\\\":\\\"\xC3\xA9\\\"}\",\"isBase64Encoded\":false}");
    buf_free(&out);
}

static void a_function_error_has_a_type_and_a_sentence(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1024);
    assert_true(lambda_append_error(SPAN("T"), SPAN("not \"so\"\n"), &out));
    assert_string_equal(out.data, "{\"errorMessage\":\"not \\\"so\\\"\\n\",\"errorType\":\"T\"}");
    buf_free(&out);
}

static void what_has_no_room_is_no_answer(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 20);
    assert_false(lambda_append_http(200, SPAN("{}"), &out));
    buf_reset(&out);
    assert_false(lambda_append_error(SPAN("T"), SPAN("a sentence"), &out));
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_to_a_request_has_its_status_and_its_type),
        cmocka_unit_test(a_function_error_has_a_type_and_a_sentence),
        cmocka_unit_test(what_has_no_room_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
