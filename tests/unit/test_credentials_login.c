#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_local.h"
#include "fake_environment.h"
#include "fake_world.h"

#define TOKEN(until)                                                                                                   \
    "{\"accessToken\":{\"accessKeyId\":\"ASIA\",\"secretAccessKey\":\"s\",\"sessionToken\":\"t\",\"accountId\":"       \
    "\"123456789012\","                                                                                                \
    "\"expiresAt\":\"" until                                                                                           \
    "\"},\"tokenType\":\"aws_sigv4\",\"refreshToken\":\"x\",\"dpopKey\":\"y\",\"clientId\":\"z\"}"

static void the_keys_of_the_last_login_are_taken_while_they_last(void **state) {
    (void)state;
    struct fake_world *w = fake_world_new();
    struct fake_home home;
    char name[128], why[SETTING_WHY_SIZE] = "";
    /* SHA-256 of "arn:aws:iam::1:user/me". */
    (void)fake_home_make(&home);
    (void)snprintf(name, sizeof name, "%s.json", "da19974a351c10e6ddab0fe8d7b1fb3a289211121e24f211c7eb19ed08e30e3a");
    const struct environment e = FAKE_ENVIRONMENT({"HOME", home.path}, {"AWS_LOGIN_CACHE_DIRECTORY", "~/.aws"});
    struct credentials_plan plan = {.profile = "dev", .login_session = SPAN("arn:aws:iam::1:user/me")};
    struct credentials_source source = {0};
    assert_true(credentials_login_new(&plan, &e, &w->world, &source, why));
    assert_false(FETCH(w, &source, {200, ""}));
    fake_world_expect_why(w, "No such file or directory): type aws login --profile dev");
    assert_int_equal(w->class, CALL_AUTH);
    fake_home_write(&home, name, TOKEN("2024-01-08T02:34:32Z"));
    assert_true(FETCH(w, &source, {200, ""}));
    assert_string_equal(w->id, "ASIA");
    assert_string_equal(w->account, "123456789012");
    fake_home_write(&home, name, TOKEN("2024-01-08T01:34:32Z"));
    assert_false(FETCH(w, &source, {200, ""}));
    assert_string_equal(w->why, "the credentials of the last login have expired: type aws login --profile dev");
    fake_home_write(&home, name, "{\"accessToken\":\"x\"}");
    assert_false(FETCH(w, &source, {200, ""}));
    fake_world_expect_why(w, "is no login's cache: it has no accessKeyId: type aws login");
    fake_home_unlink(&home, name);
    credentials_source_release(&source);
    const struct environment homeless = FAKE_ENVIRONMENT({"HOME", NULL});
    assert_false(credentials_login_new(&plan, &homeless, &w->world, &source, why));
    assert_non_null(strstr(why, "AWS_LOGIN_CACHE_DIRECTORY are not set"));
    fake_home_remove(&home);
    free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_of_the_last_login_are_taken_while_they_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
