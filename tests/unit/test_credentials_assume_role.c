#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_sts.h"
#include "digest.h"
#include "fake_world.h"
#include "sts_answers.h"

/* Whoever signs: keys that are given at once, or later, or never. */
struct signer {
    unsigned number, refused;
    bool down;
    char last_refused[64];
};

static void signer_get(void *impl, struct credentials_wait *wait) {
    struct signer *s = impl;
    char id[32];
    (void)snprintf(id, sizeof id, "SIGNER%u", s->number);
    const struct credentials c = {.access_key_id = span_cstr(id),
                                  .secret_access_key = SPAN("secret"),
                                  .session_token = SPAN("tok"),
                                  .expires = NEVER};
    wait->ready(wait->user, s->down ? NULL : &c,
                s->down ? &(struct credentials_failure){CALL_RETRY, "signer down"} : NULL);
}

static void signer_cancel(void *impl, struct credentials_wait *wait) {
    (void)impl;
    wait->pending = false;
}

static void signer_invalidate(void *impl, struct span access_key_id) {
    struct signer *s = impl;
    fake_copy(s->last_refused, access_key_id);
    s->refused++;
    s->number++;
}

static void signer_release(void *impl) {
    (void)impl;
}

struct fixture {
    struct fake_world *w;
    struct signer signer;
    struct credentials_source source;
};

static const struct sts_place place = {.url = "https://sts.eu-west-1.amazonaws.com:443/", .region = "eu-west-1"};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->w = fake_world_new();
    f->w->world.digest = digest_new();
    assert_non_null(f->w->world.digest);
    const struct plan_role role = {
        .role_arn = SPAN("arn:r"), .session_name = SPAN("me"), .external_id = SPAN("a b&c"), .duration = 900};
    struct credentials_provider signer = {&f->signer, signer_get, signer_cancel, signer_invalidate, signer_release};
    assert_true(credentials_assume_role_new(&role, &signer, &place, &f->w->world, &f->source));
    assert_null(signer.impl);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    credentials_source_release(&f->source);
    digest_free(f->w->world.digest);
    free(f->w);
    free(f);
    return 0;
}

static void a_signed_call_brings_the_roles_keys(void **state) {
    struct fixture *f = *state;
    assert_true(FETCH(f->w, &f->source, {200, STS_ANSWER("ASIA1")}));
    assert_string_equal(f->w->id, "ASIA1");
    const struct fake_asked *a = &f->w->asked[0];
    assert_string_equal(a->body, "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Ar&RoleSessionName=me&ExternalId=a%"
                                 "20b%26c&DurationSeconds=900");
    assert_non_null(strstr(a->headers, "Host: sts.eu-west-1.amazonaws.com\n"));
    assert_non_null(strstr(a->headers, "X-Amz-Date: 20240108T015112Z\n"));
    assert_non_null(strstr(a->headers, "X-Amz-Security-Token: tok\n"));
    assert_non_null(strstr(a->headers,
                           "Authorization: AWS4-HMAC-SHA256 Credential=SIGNER0/20240108/eu-west-1/sts/aws4_request, "
                           "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="));
}

static void refused_signing_keys_are_renewed_once(void **state) {
    struct fixture *f = *state;
    assert_true(FETCH(f->w, &f->source, {403, STS_ERROR("ExpiredToken", "x")}, {200, STS_ANSWER("ASIA1")}));
    assert_int_equal(f->signer.refused, 1);
    assert_string_equal(f->signer.last_refused, "SIGNER0");
    assert_non_null(strstr(f->w->asked[1].headers, "Credential=SIGNER1/"));
    assert_false(FETCH(f->w, &f->source, {403, STS_ERROR("InvalidClientTokenId", "x")},
                       {403, STS_ERROR("InvalidClientTokenId", "y")}));
    assert_int_equal(f->w->class, CALL_AUTH);
    fake_world_expect_why(
        f->w, "the role arn:r: AWS STS (https://sts.eu-west-1.amazonaws.com:443/) refuses: InvalidClientTokenId: y");
    assert_int_equal(f->signer.refused, 2);
}

static void fault_20_a_clock_that_is_off_is_corrected_by_the_date_of_sts(void **state) {
    struct fixture *f = *state;
    static const char date[] = "Mon, 08 Jan 2024 04:00:00 GMT";
    assert_true(FETCH(f->w, &f->source, {403, STS_ERROR("SignatureDoesNotMatch", "Signature expired"), .date = date},
                      {200, STS_ANSWER("A")}));
    assert_int_equal(f->w->asked_count, 2);
    assert_non_null(strstr(f->w->asked[1].headers, "X-Amz-Date: 20240108T0400"));
    assert_int_equal(f->signer.refused, 0);
    /* Not twice: then it is something else. */
    static const char later[] = "Mon, 08 Jan 2024 09:00:00 GMT", latest[] = "Mon, 08 Jan 2024 19:00:00 GMT";
    assert_false(FETCH(f->w, &f->source, {403, STS_ERROR("RequestExpired", "x"), .date = later},
                       {403, STS_ERROR("RequestExpired", "y"), .date = latest}));
    fake_world_expect_why(f->w, "RequestExpired: y");
}

static void a_signer_without_keys_is_why_there_is_no_role(void **state) {
    struct fixture *f = *state;
    f->signer.down = true;
    assert_false(FETCH(f->w, &f->source, {200, ""}));
    assert_int_equal(f->w->class, CALL_RETRY);
    assert_string_equal(f->w->why, "the role arn:r: signer down");
    assert_int_equal(f->w->asked_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signed_call_brings_the_roles_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_signing_keys_are_renewed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fault_20_a_clock_that_is_off_is_corrected_by_the_date_of_sts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_signer_without_keys_is_why_there_is_no_role, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
