#include "value_path.h"

#include "update_fixture.h"

static void a_field_is_the_dotted_path_from_its_member(void **state) {
    (void)state;
    struct failure f;
    failure_init(&f);
    struct value_path member = path_root("attributes");
    struct value_path tags = path_member(&member, (struct json_string){SPAN("t\\u0061gs"), true});
    struct value_path second = path_element(&tags, 12);
    struct value_path name = path_member(&second, json_string_of("na\"me"));
    path_refuse(&name, &f, "has %d faults", 2);
    assert_int_equal(f.type, ERROR_VALIDATION);
    assert_buf(&f.details, "\"field\":\"attributes.tags[12].na\\\"me\",\"reason\":\"has 2 faults\"");
    path_refuse(&member, &f, "is wrong");
    assert_buf(&f.details, "\"field\":\"attributes\",\"reason\":\"is wrong\"");
    failure_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_the_dotted_path_from_its_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
