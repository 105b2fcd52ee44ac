#include "update_fixture.h"

#include "record_key.h"

static void assert_key(const struct table_shape *table, const char *record, size_t key_size, const char *expected,
                       size_t size) {
    struct buf out;
    buf_init(&out, 1000);
    assert_true(record_key_append_json(table, span_cstr(record), &out));
    assert_buf(&out, expected);
    assert_int_equal(record_key_size(table, span_cstr(record), key_size), size);
    buf_free(&out);
}

static void the_key_of_a_record_is_one_string(void **state) {
    (void)state;
    struct table_shape table = {.partition = {"id", KEY_STRING}};
    assert_key(&table, "{\"id\":{\"S\":\"user-1\"}}", 8, "\"user-1\"", 6);
    assert_key(&table, "{\"id\":{\"S\":\"a\\\"\\\\\"}}", 5, "\"a\\\"\\\\\"", 3);
    assert_key(&table, "{\"id\":{\"N\":\"15.5\"}}", 5, "\"15.5\"", 4);
    assert_key(&table, "{\"id\":{\"B\":\"AAE=\"}}", 4, "\"AAE=\"", 4);
}

static void a_key_of_two_attributes_is_an_object_sorted_by_name(void **state) {
    (void)state;
    struct table_shape table = {.partition = {"pk", KEY_STRING}, .sort = {"sk", KEY_NUMBER}};
    assert_key(&table, "{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"5\"}}", 8, "\"{\\\"pk\\\":\\\"p\\\",\\\"sk\\\":5}\"", 17);
    assert_key(&table, "{\"pk\":{\"S\":\"\\\"\"},\"sk\":{\"N\":\"5\"}}", 8,
               "\"{\\\"pk\\\":\\\"\\\\\\\"\\\",\\\"sk\\\":5}\"", 18);
    table.sort = (struct key_attribute){"a", KEY_BINARY};
    assert_key(&table, "{\"pk\":{\"S\":\"p\"},\"a\":{\"B\":\"AA==\"}}", 8,
               "\"{\\\"a\\\":\\\"AA==\\\",\\\"pk\\\":\\\"p\\\"}\"", 21);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_a_record_is_one_string),
        cmocka_unit_test(a_key_of_two_attributes_is_an_object_sorted_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
