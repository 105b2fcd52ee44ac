#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "profile.h"

static struct profile_file *parse(enum profile_kind kind, const char *text) {
    struct profile_file *file = NULL;
    struct profile_fault fault;
    assert_int_equal(profile_parse(kind, span_cstr(text), &file, &fault), PROFILE_FINE);
    return file;
}

/* What a setting is; NULL: absent. */
struct lookup {
    const char *text, *profile, *name, *value;
};

static void check(enum profile_kind kind, const struct lookup *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct lookup *c = &cases[i];
        struct profile_file *file = parse(kind, c->text);
        struct span value = profile_get(file, c->profile, c->name);
        if (c->value) {
            if (!span_is(value, c->value)) {
                fail_msg("case %zu: \"%.*s\" instead of \"%s\"", i, (int)value.len, value.data ? value.data : "",
                         c->value);
            }
        } else {
            assert_null(value.data);
        }
        profile_free(file);
    }
}

static void a_config_file_has_default_and_prefixed_profiles(void **state) {
    (void)state;
    static const struct lookup cases[] = {
        {"[default]\nregion = eu-west-1\n", "default", "region", "eu-west-1"},
        {"[profile a]\nregion=b", "a", "region", "b"},
        {"[profile   a\t]\nregion=b", "a", "region", "b"},
        {"  [profile a]\nregion=b", "a", "region", "b"},
        {"[profile \"two words\"]\nregion=b", "two words", "region", "b"},
        {"[profile 'q']\nregion=b", "q", "region", "b"},
        {"[a]\nregion=b", "a", "region", NULL},
        {"[Profile a]\nregion=b", "a", "region", NULL},
        {"[profilea]\nregion=b", "a", "region", NULL},
        {"[profile]\nregion=b", "", "region", NULL},
        {"[profile a]\nregion=b", "A", "region", NULL},
        {"[profile A]\nregion=b", "A", "region", "b"},
        {"[sso-session a]\nregion=b\n[profile a]\nx=y", "a", "region", NULL},
        {"[default]\nregion=1\n[profile default]\nregion=2", "default", "region", "2"},
        {"[profile default]\nregion=2\n[default]\nregion=1\noutput=json", "default", "region", "2"},
        {"[profile default]\nregion=2\n[default]\nregion=1\noutput=json", "default", "output", NULL},
    };
    check(PROFILE_CONFIG, cases, ARRAY_LENGTH(cases));
}

static void a_credentials_file_has_bare_names(void **state) {
    (void)state;
    static const struct lookup cases[] = {
        {"[a]\naws_access_key_id = K\n", "a", "aws_access_key_id", "K"},
        {"[default]\naws_access_key_id = K\n", "default", "aws_access_key_id", "K"},
        {"[profile a]\naws_access_key_id = K\n", "a", "aws_access_key_id", NULL},
        {"[services a]\nx = K\n", "services a", "x", "K"},
    };
    check(PROFILE_CREDENTIALS, cases, ARRAY_LENGTH(cases));
}

static void values_lose_white_space_and_comments_only(void **state) {
    (void)state;
    static const struct lookup cases[] = {
        {"[default]\nk = a=b==\n", "default", "k", "a=b=="},
        {"[default]\nk=v # c", "default", "k", "v"},
        {"[default]\nk=v\t; c", "default", "k", "v"},
        {"[default]\nk=v#c;d", "default", "k", "v#c;d"},
        {"[default]\nk= # all of it", "default", "k", ""},
        {"[default]\nk=#no comment", "default", "k", "#no comment"},
        {"[default]\n# k=1\n; k=2\n  # k=3\nk=4", "default", "k", "4"},
        {"[default] # c\nk=v", "default", "k", "v"},
        {"[default];c\nk=v", "default", "k", "v"},
        {"[default]\r\nk = v \r\n", "default", "k", "v"},
        {"\n\n[default]\n\nk=v\n\n", "default", "k", "v"},
        {"[default]\nk=a b  c ", "default", "k", "a b  c"},
        {"[default]\nK_Ey=v", "default", "k_ey", "v"},
        {"[default]\nk=V", "default", "k", "V"},
        {"[default]\nk=1\nk=2", "default", "k", "2"},
        {"[default]\nk=1\n[profile a]\nk=3\n[default]\nk=2\nj=4", "default", "k", "2"},
    };
    check(PROFILE_CONFIG, cases, ARRAY_LENGTH(cases));
}

static void deeper_lines_belong_to_the_setting_above(void **state) {
    (void)state;
    static const struct lookup cases[] = {
        {"[default]\ns3 =\n  region = nested\n", "default", "region", NULL},
        {"[default]\ns3 =\n  region = nested\nregion = own\n", "default", "region", "own"},
        {"[default]\ns3 =\n\n  # c\n  region = nested\n", "default", "region", NULL},
        {"[default]\nk = a\n  region = b\n", "default", "region", NULL},
        {"[default]\nk = a\n  b # c\n", "default", "k", "a\n  b"},
        {"[default]\n  k = 1\n  region = 2\n", "default", "region", "2"},
        {"[default]\n  k = 1\nregion = 2\n", "default", "region", "2"},
        {"[x]\nk =\n no equals sign\n[default]\nk=v", "default", "k", "v"},
        {"[default]\ns3 =\n  a = b\n[profile p]\n  k = v", "p", "k", "v"},
    };
    check(PROFILE_CONFIG, cases, ARRAY_LENGTH(cases));
}

static void services_sections_nest_one_level(void **state) {
    (void)state;
    struct profile_file *file = parse(PROFILE_CONFIG, "[services local]\n"
                                                      "SQS =\n"
                                                      "  Endpoint_URL = http://127.0.0.1:1 # c\n"
                                                      "  endpoint_url = http://127.0.0.1:2\n"
                                                      "dynamodb = \n"
                                                      "\tendpoint_url=http://127.0.0.1:3\n"
                                                      "endpoint_url = http://no\n"
                                                      "[services other]\n"
                                                      "[profile local]\nsqs =\n  endpoint_url = http://no\n");
    assert_true(span_is(profile_get_service(file, SPAN("local"), "sqs", "endpoint_url"), "http://127.0.0.1:2"));
    assert_true(span_is(profile_get_service(file, SPAN("local"), "dynamodb", "endpoint_url"), "http://127.0.0.1:3"));
    assert_null(profile_get_service(file, SPAN("local"), "sts", "endpoint_url").data);
    assert_null(profile_get_service(file, SPAN("local"), "sqs", "region").data);
    assert_null(profile_get_service(file, SPAN("other"), "sqs", "endpoint_url").data);
    assert_true(profile_services_exist(file, SPAN("local")));
    assert_true(profile_services_exist(file, SPAN("other")));
    assert_false(profile_services_exist(file, SPAN("third")));
    profile_free(file);
}

static void an_empty_section_exists(void **state) {
    (void)state;
    struct profile_file *file = parse(PROFILE_CONFIG, "[profile a]\n[profile b]\nk=v\n[c]\n");
    assert_true(profile_exists(file, "a"));
    assert_true(profile_exists(file, "b"));
    assert_false(profile_exists(file, "c"));
    assert_false(profile_exists(file, "default"));
    profile_free(file);
}

static void a_file_that_is_not_there_holds_nothing(void **state) {
    (void)state;
    assert_false(profile_exists(NULL, "default"));
    assert_false(profile_services_exist(NULL, SPAN("x")));
    assert_null(profile_get(NULL, "default", "region").data);
    assert_null(profile_get_service(NULL, SPAN("x"), "sqs", "endpoint_url").data);
    profile_free(NULL);
}

static void a_faulty_line_is_named_and_not_quoted(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t line;
        const char *reason;
    } cases[] = {
        {"k = v\n", 1, "before the first [section]"},
        {"[default]\n\nsecret\n", 3, "name = value"},
        {"[default]\n = secret\n", 2, "name = value"},
        {"[default\nk=v\n", 1, "closing bracket"},
        {"[default] x\n", 1, "closing bracket"},
        {"[]\n", 1, "no name"},
        {"[  ]\n", 1, "no name"},
        {"[default]\ns3 =\n  secret\n", 3, "nested"},
        {"[default]\ns3 =\n  [secret]\n", 3, "nested"},
        {"[x]\nsecret\n", 2, "name = value"},
        {"\xEF\xBB\xBF[default]\n", 1, "begins with a byte order mark; save it as UTF-8 without one"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct profile_file *file = NULL;
        struct profile_fault fault = {0, NULL};
        assert_int_equal(profile_parse(PROFILE_CONFIG, span_cstr(cases[i].text), &file, &fault), PROFILE_MALFORMED);
        assert_null(file);
        assert_int_equal(fault.line, cases[i].line);
        assert_non_null(strstr(fault.reason, cases[i].reason));
        assert_null(strstr(fault.reason, "secret"));
    }
}

static void a_nul_byte_is_refused(void **state) {
    (void)state;
    static const char text[] = "[default]\nk = a\0b\n";
    struct profile_file *file;
    struct profile_fault fault;
    assert_int_equal(profile_parse(PROFILE_CONFIG, span_of(text, sizeof text - 1), &file, &fault), PROFILE_MALFORMED);
    assert_int_equal(fault.line, 2);
}

static void size_and_number_of_settings_are_bounded(void **state) {
    (void)state;
    struct profile_file *file;
    struct profile_fault fault;
    char *text = malloc(PROFILE_FILE_MAX + 1);
    assert_non_null(text);
    memset(text, '#', PROFILE_FILE_MAX + 1);
    assert_int_equal(profile_parse(PROFILE_CONFIG, span_of(text, PROFILE_FILE_MAX + 1), &file, &fault),
                     PROFILE_MALFORMED);
    assert_non_null(strstr(fault.reason, "1 MiB"));
    assert_int_equal(profile_parse(PROFILE_CONFIG, span_of(text, PROFILE_FILE_MAX), &file, &fault), PROFILE_FINE);
    profile_free(file);

    size_t len = 10;
    memcpy(text, "[default]\n", len);
    for (size_t i = 1; i < PROFILE_SETTINGS_MAX; i++, len += 3) {
        memcpy(text + len, "a=\n", 3);
    }
    assert_int_equal(profile_parse(PROFILE_CONFIG, span_of(text, len), &file, &fault), PROFILE_FINE);
    profile_free(file);
    memcpy(text + len, "a=\n", 3);
    assert_int_equal(profile_parse(PROFILE_CONFIG, span_of(text, len + 3), &file, &fault), PROFILE_MALFORMED);
    assert_int_equal(fault.line, PROFILE_SETTINGS_MAX + 1);
    free(text);
}

static void a_value_knows_its_line(void **state) {
    (void)state;
    struct profile_file *file = parse(PROFILE_CONFIG, "[default]\r\n# x\nregion = a\n\n[services s]\nsqs =\n"
                                                      "  endpoint_url = b\n");
    struct profile_file *other = parse(PROFILE_CONFIG, "[default]\nregion = a\n");
    assert_int_equal(profile_line(file, profile_get(file, "default", "region")), 3);
    assert_int_equal(profile_line(file, profile_get_service(file, SPAN("s"), "sqs", "endpoint_url")), 7);
    assert_int_equal(profile_line(file, profile_get(other, "default", "region")), 0);
    assert_int_equal(profile_line(file, profile_get(file, "default", "none")), 0);
    assert_int_equal(profile_line(NULL, SPAN("x")), 0);
    profile_free(file);
    profile_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_knows_its_line),
        cmocka_unit_test(a_config_file_has_default_and_prefixed_profiles),
        cmocka_unit_test(a_credentials_file_has_bare_names),
        cmocka_unit_test(values_lose_white_space_and_comments_only),
        cmocka_unit_test(deeper_lines_belong_to_the_setting_above),
        cmocka_unit_test(services_sections_nest_one_level),
        cmocka_unit_test(an_empty_section_exists),
        cmocka_unit_test(a_file_that_is_not_there_holds_nothing),
        cmocka_unit_test(a_faulty_line_is_named_and_not_quoted),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(size_and_number_of_settings_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
