#include "update_fixture.h"

static char *body_of(const char *id) {
    return text_of("{\"id\":%s,\"attributes\":{\"x\":1}}", id);
}

static void assert_record(const struct fixture *f, const char *id, const char *record) {
    char *body = body_of(id);
    struct update *u = read_fit(f, body);
    assert_span(u->record, record);
    update_free(u);
    free(body);
}

static void assert_id_invalid(const struct fixture *f, const char *id, const char *field) {
    char *body = body_of(id);
    assert_invalid(f, body, field);
    free(body);
}

static void ids_of_one_record_have_one_normal_form(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_record(&f, "\"a\\u0062\\/\\u0000\"", "{\"id\":{\"S\":\"ab/\\u0000\"}}");
    assert_record(&f, "\"1\"", "{\"id\":{\"S\":\"1\"}}");
    f.table.partition.type = KEY_NUMBER;
    assert_record(&f, "1", "{\"id\":{\"N\":\"1\"}}");
    assert_record(&f, "1.0", "{\"id\":{\"N\":\"1\"}}");
    assert_record(&f, "10e-1", "{\"id\":{\"N\":\"1\"}}");
    assert_record(&f, "-0", "{\"id\":{\"N\":\"0\"}}");
    f.table.partition.type = KEY_BINARY;
    assert_record(&f, "\"AP8=\"", "{\"id\":{\"B\":\"AP8=\"}}");
    assert_record(&f, "\"\\u0041P8\\u003d\"", "{\"id\":{\"B\":\"AP8=\"}}");
    memcpy(f.table.partition.name, "k\"", 3);
    assert_record(&f, "\"++//\"", "{\"k\\\"\":{\"B\":\"++//\"}}");
    fixture_done(&f);
}

static void an_id_that_does_not_fit_the_key_is_a_validation_error(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_id_invalid(&f, "1", "id");
    assert_id_invalid(&f, "{\"id\":\"a\"}", "id");
    f.table.partition.type = KEY_NUMBER;
    assert_id_invalid(&f, "\"1\"", "id");
    assert_id_invalid(&f, "123456789012345678901234567890123456789", "id");
    assert_id_invalid(&f, "1e126", "id");
    f.table.partition.type = KEY_BINARY;
    assert_id_invalid(&f, "1", "id");
    assert_id_invalid(&f, "\"A\"", "id");
    assert_id_invalid(&f, "\"AP8\"", "id");
    assert_id_invalid(&f, "\"AP9=\"", "id");
    assert_id_invalid(&f, "\"_-8=\"", "id");
    fixture_done(&f);
}

static void of_a_table_that_is_not_known_any_key_is_fit(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.table = (struct table_shape){.any_key = true};
    assert_record(&f, "\"a\\u0062\"", "{\"\":{\"S\":\"ab\"}}");
    assert_record(&f, "1.0", "{\"\":{\"N\":\"1\"}}");
    assert_record(&f, "{\"pk\":\"a\",\"at\":1e1}", "{\"at\":{\"N\":\"10\"},\"pk\":{\"S\":\"a\"}}");
    assert_record(&f, "{\"at\":10,\"pk\":\"a\"}", "{\"at\":{\"N\":\"10\"},\"pk\":{\"S\":\"a\"}}");
    assert_id_invalid(&f, "{\"pk\":\"a\"}", "id");
    assert_id_invalid(&f, "{\"a\":1,\"b\":2,\"c\":3}", "id");
    assert_id_invalid(&f, "{\"a\":1,\"b\":true}", "id.b");
    assert_id_invalid(&f, "1e126", "id");
    /* What the worker's settings decide isn't decided here. */
    struct update *u = read_fit(&f, "{\"id\":\"a\",\"increment\":{\"n\":1}}");
    assert_span(update_body(u), "{\"id\":\"a\",\"increment\":{\"n\":1}}");
    update_free(u);
    fixture_done(&f);
}

static void assert_string_limit(const struct fixture *f, const char *before, const char *after, size_t max,
                                const char *field) {
    for (size_t size = max; size <= max + 1; size++) {
        char *key = repeated("k", size);
        char *id = text_of("%s\"%s\"%s", before, key, after);
        char *body = body_of(id);
        if (size == max)
            assert_fit(f, body);
        else
            assert_invalid(f, body, field);
        free(body);
        free(id);
        free(key);
    }
}

static void a_partition_key_has_2048_bytes_and_a_sort_key_1024(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_string_limit(&f, "", "", 2048, "id");
    fixture_make_composite(&f);
    f.table.sort.type = KEY_STRING;
    assert_string_limit(&f, "{\"sk\":\"s\",\"pk\":", "}", 2048, "id.pk");
    assert_string_limit(&f, "{\"pk\":\"s\",\"sk\":", "}", 1024, "id.sk");
    fixture_done(&f);
}

static void a_binary_key_is_measured_by_its_bytes(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.table.partition.type = KEY_BINARY;
    char *units = repeated("AAAA", 682);
    char *fits = text_of("\"%sAAA=\"", units);
    char *exceeds = text_of("\"%sAAAA\"", units);
    char *body = body_of(fits);
    assert_fit(&f, body);
    free(body);
    assert_id_invalid(&f, exceeds, "id");
    free(exceeds);
    free(fits);
    free(units);
    fixture_done(&f);
}

static void a_composite_id_has_exactly_the_key_attributes(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_make_composite(&f);
    assert_record(&f, "{ \"sk\" : 2.50 , \"pk\" : \"a\" }", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"2.5\"}}");
    assert_id_invalid(&f, "\"a\"", "id");
    assert_id_invalid(&f, "5", "id");
    assert_id_invalid(&f, "{\"pk\":\"a\"}", "id.sk");
    assert_id_invalid(&f, "{\"sk\":1}", "id.pk");
    assert_id_invalid(&f, "{\"pk\":\"a\",\"sk\":1,\"x\":2}", "id.x");
    assert_id_invalid(&f, "{\"pk\":\"\",\"sk\":1}", "id.pk");
    assert_id_invalid(&f, "{\"pk\":\"a\",\"sk\":\"1\"}", "id.sk");
    assert_id_invalid(&f, "{\"pk\":null,\"sk\":1}", "id.pk");
    assert_id_invalid(&f, "{\"pk\":[\"a\"],\"sk\":1}", "id.pk");
    fixture_done(&f);
}

static void the_id_is_told_as_it_was_written_on_one_line(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.table.partition.type = KEY_NUMBER;
    struct update *u = read_fit(&f, "{\"id\": 1.50e0 ,\"attributes\":{\"x\":1}}");
    assert_span(u->id, "1.50e0");
    update_free(u);
    f.table.partition.type = KEY_STRING;
    u = read_fit(&f, "{\"id\":\"\\u0061\",\"attributes\":{\"x\":1}}");
    assert_span(u->id, "\"\\u0061\"");
    update_free(u);
    fixture_make_composite(&f);
    u = read_fit(&f, "{\"id\":{\n \"sk\" : 2.50,\n \"p\\u006b\" : \"a b\"\n},\"attributes\":{\"x\":1}}");
    assert_span(u->id, "{\"sk\":2.50,\"p\\u006b\":\"a b\"}");
    update_free(u);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_one_record_have_one_normal_form),
        cmocka_unit_test(of_a_table_that_is_not_known_any_key_is_fit),
        cmocka_unit_test(an_id_that_does_not_fit_the_key_is_a_validation_error),
        cmocka_unit_test(a_partition_key_has_2048_bytes_and_a_sort_key_1024),
        cmocka_unit_test(a_binary_key_is_measured_by_its_bytes),
        cmocka_unit_test(a_composite_id_has_exactly_the_key_attributes),
        cmocka_unit_test(the_id_is_told_as_it_was_written_on_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
