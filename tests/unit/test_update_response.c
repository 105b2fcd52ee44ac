#include "update_fixture.h"

static void assert_response(const struct fixture *f, const char *body, const char *response) {
    struct update *u = read_fit(f, body);
    assert_true(update_build(&f->context, u, WALL));
    struct buf out;
    buf_init(&out, SIZE_MAX);
    assert_true(update_append_success(u, WALL, &out));
    assert_buf(&out, response);
    buf_free(&out);
    update_free(u);
}

static void a_success_names_the_id_as_written_and_the_attributes_as_they_came(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_response(&f, EXAMPLE,
                    "{\"success\":true,\"message\":\"Record updated successfully\",\"updated_id\":\"user-123\","
                    "\"updated_attributes\":[\"name\",\"email\",\"status\"],\"timestamp\":\"" WALL_TEXT "\"}");
    assert_response(&f,
                    "{\"attributes\":{\"z\":{\"attributes\":{\"q\":1}},\"\\u0061\\n\":[{\"attributes\":1}],\"b\":1},"
                    "\"id\":\"\\u0061\"}",
                    "{\"success\":true,\"message\":\"Record updated successfully\",\"updated_id\":\"\\u0061\","
                    "\"updated_attributes\":[\"z\",\"a\\n\",\"b\"],\"timestamp\":\"" WALL_TEXT "\"}");
    fixture_make_composite(&f);
    assert_response(
        &f, "{\"id\":{ \"sk\":1.0,\n\"pk\":\"p\"},\"attributes\":{\"x\":1}}",
        "{\"success\":true,\"message\":\"Record updated successfully\",\"updated_id\":{\"sk\":1.0,\"pk\":\"p\"},"
        "\"updated_attributes\":[\"x\"],\"timestamp\":\"" WALL_TEXT "\"}");
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_success_names_the_id_as_written_and_the_attributes_as_they_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
