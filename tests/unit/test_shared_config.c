#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_environment.h"
#include "shared_config.h"

static int make_home(void **state) {
    struct fake_home *home = calloc(1, sizeof *home);
    assert_non_null(home);
    (void)fake_home_make(home);
    *state = home;
    return 0;
}

static int remove_home(void **state) {
    fake_home_remove(*state);
    free(*state);
    return 0;
}

static void load_fine(const struct environment *e, struct shared_config *ret_config) {
    char why[SETTING_WHY_SIZE] = "";
    if (!shared_config_load(e, NULL, ret_config, why)) {
        fail_msg("%s", why);
    }
}

static void expect_fault(const struct environment *e, const char *part) {
    char why[SETTING_WHY_SIZE] = "";
    struct shared_config c;
    assert_false(shared_config_load(e, NULL, &c, why));
    if (!strstr(why, part)) {
        fail_msg("\"%s\" lacks \"%s\"", why, part);
    }
}

static void no_files_and_no_home_are_fine(void **state) {
    const struct fake_home *home = *state;
    struct shared_config c;
    const struct environment nothing = FAKE_ENVIRONMENT({NULL, NULL});
    load_fine(&nothing, &c);
    assert_string_equal(c.profile, "default");
    assert_null(c.config.path);
    assert_null(shared_config_get(&c, "region").data);
    shared_config_free(&c);

    const struct environment empty_home = FAKE_ENVIRONMENT({"HOME", home->path});
    load_fine(&empty_home, &c);
    assert_null(c.config.file);
    assert_null(c.credentials.file);
    shared_config_free(&c);
    shared_config_free(&c);
}

static void the_files_of_the_home_are_read(void **state) {
    const struct fake_home *home = *state;
    fake_home_write(home, "config", "[default]\nregion = config\noutput = json\n");
    fake_home_write(home, "credentials", "[default]\nregion = credentials\nempty =\n");
    const struct environment e = FAKE_ENVIRONMENT({"HOME", home->path});
    struct shared_config c;
    load_fine(&e, &c);
    assert_true(span_is(shared_config_get(&c, "region"), "credentials"));
    assert_true(span_is(shared_config_get(&c, "output"), "json"));
    assert_null(shared_config_get(&c, "empty").data);
    shared_config_free(&c);
}

static void a_profile_that_is_set_to_nothing_is_none(void **state) {
    const struct fake_home *home = *state;
    static const char *const names[] = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        const struct environment e = FAKE_ENVIRONMENT({"HOME", home->path}, {names[i], ""});
        char part[64];
        (void)snprintf(part, sizeof part, "%s is set, and empty", names[i]);
        expect_fault(&e, part);
    }
}

static void variables_name_files_and_profile(void **state) {
    const struct fake_home *home = *state;
    fake_home_write(home, "other", "[profile a]\nregion = 1\n[profile b]\nregion = 2\n");
    const struct {
        const char *profile, *default_profile, *region;
    } cases[] = {{"a", NULL, "1"}, {NULL, "b", "2"}, {"a", "b", "1"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct environment e = FAKE_ENVIRONMENT(
            {"AWS_CONFIG_FILE", "~/.aws/other"}, {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"},
            {"AWS_PROFILE", cases[i].profile}, {"AWS_DEFAULT_PROFILE", cases[i].default_profile}, {"HOME", home->path});
        struct shared_config c;
        load_fine(&e, &c);
        assert_true(span_is(shared_config_get(&c, "region"), cases[i].region));
        shared_config_free(&c);
    }
}

static void a_named_file_may_be_missing(void **state) {
    (void)state;
    const struct environment e = FAKE_ENVIRONMENT({"AWS_CONFIG_FILE", "/nowhere/config"},
                                                  {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null/credentials"});
    struct shared_config c;
    load_fine(&e, &c);
    assert_string_equal(c.config.path, "/nowhere/config");
    assert_null(c.config.file);
    shared_config_free(&c);
}

static void a_named_profile_has_to_exist(void **state) {
    const struct fake_home *home = *state;
    fake_home_write(home, "config", "[profile a]\n[b]\n");
    fake_home_write(home, "credentials", "[c]\n");
    const struct {
        const char *variable, *profile;
        bool exists;
    } cases[] = {{"AWS_PROFILE", "a", true},  {"AWS_PROFILE", "c", true},          {"AWS_PROFILE", "b", false},
                 {"AWS_PROFILE", "d", false}, {"AWS_DEFAULT_PROFILE", "d", false}, {"AWS_PROFILE", "default", false},
                 {"AWS_PROFILE", "A", false}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct environment e = FAKE_ENVIRONMENT({cases[i].variable, cases[i].profile}, {"HOME", home->path});
        struct shared_config c;
        if (cases[i].exists) {
            load_fine(&e, &c);
            shared_config_free(&c);
        } else {
            expect_fault(&e, cases[i].variable);
        }
    }
}

static void a_file_that_cannot_be_read_is_a_fault_that_names_it(void **state) {
    const struct fake_home *home = *state;
    char folder[96];
    (void)snprintf(folder, sizeof folder, "%s/.aws", home->path);
    const struct environment is_folder = FAKE_ENVIRONMENT({"AWS_CONFIG_FILE", folder});
    expect_fault(&is_folder, "AWS_CONFIG_FILE: ");
    expect_fault(&is_folder, "no regular file");

    fake_home_write(home, "config", "[default]\nsecret\n");
    const struct environment malformed = FAKE_ENVIRONMENT({"HOME", home->path});
    expect_fault(&malformed, ".aws/config, line 2: ");

    size_t size = PROFILE_FILE_MAX + 100;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '\n', size);
    fake_home_write_bytes(home, "config", text, size);
    free(text);
    expect_fault(&malformed, "1 MiB");
}

#define NOBODY 65534

static void a_closed_file_is_a_fault_and_a_closed_home_is_none(void **state) {
    const struct fake_home *home = *state;
    char folder[96], path[128];
    (void)snprintf(folder, sizeof folder, "%s/.aws", home->path);
    (void)snprintf(path, sizeof path, "%s/config", folder);
    fake_home_write(home, "config", "[default]\n");
    bool root = geteuid() == 0; /* nothing is closed to root */
    if (root) {
        assert_int_equal(
            chown(home->path, NOBODY, NOBODY) | chown(folder, NOBODY, NOBODY) | chown(path, NOBODY, NOBODY), 0);
        assert_int_equal(seteuid(NOBODY), 0);
    }
    const struct environment e = FAKE_ENVIRONMENT({"HOME", home->path});
    assert_int_equal(chmod(path, 0), 0);
    expect_fault(&e, "Permission denied");

    assert_int_equal(chmod(home->path, 0), 0);
    struct shared_config c;
    load_fine(&e, &c);
    shared_config_free(&c);
    const struct environment given = FAKE_ENVIRONMENT({"AWS_CONFIG_FILE", path});
    expect_fault(&given, "Permission denied");
    assert_int_equal(chmod(home->path, 0700), 0);
    if (root) {
        assert_int_equal(seteuid(0), 0);
    }
}

static void a_value_knows_its_file(void **state) {
    const struct fake_home *home = *state;
    fake_home_write(home, "config", "[default]\noutput = json\n");
    fake_home_write(home, "credentials", "# x\n\n[default]\nregion = credentials\n");
    const struct environment e = FAKE_ENVIRONMENT({"HOME", home->path});
    struct shared_config c;
    const char *path = NULL;
    size_t line = 0;
    load_fine(&e, &c);
    assert_true(shared_config_place(&c, shared_config_get(&c, "region"), &path, &line));
    assert_string_equal(path, c.credentials.path);
    assert_int_equal(line, 4);
    assert_true(shared_config_place(&c, shared_config_get(&c, "output"), &path, &line));
    assert_string_equal(path, c.config.path);
    assert_int_equal(line, 2);
    assert_false(shared_config_place(&c, SPAN("json"), &path, &line));
    shared_config_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_value_knows_its_file, make_home, remove_home),
        cmocka_unit_test_setup_teardown(no_files_and_no_home_are_fine, make_home, remove_home),
        cmocka_unit_test_setup_teardown(the_files_of_the_home_are_read, make_home, remove_home),
        cmocka_unit_test_setup_teardown(variables_name_files_and_profile, make_home, remove_home),
        cmocka_unit_test_setup_teardown(a_profile_that_is_set_to_nothing_is_none, make_home, remove_home),
        cmocka_unit_test(a_named_file_may_be_missing),
        cmocka_unit_test_setup_teardown(a_named_profile_has_to_exist, make_home, remove_home),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_a_fault_that_names_it, make_home, remove_home),
        cmocka_unit_test_setup_teardown(a_closed_file_is_a_fault_and_a_closed_home_is_none, make_home, remove_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
