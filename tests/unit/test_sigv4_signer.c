#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "sigv4.h"
#include "signing_cases.h"

#include <string.h>

#define TEXT_MAX ((size_t)1 << 16)
#define JSON_TYPE "application/x-amz-json-1.0"

struct fixture {
    struct digest *digest;
    struct sigv4_signer *signer;
    struct buf out, expected;
};

static int setup(void **state) {
    static struct fixture f;
    f = (struct fixture){.digest = digest_new()};
    buf_init(&f.out, TEXT_MAX);
    buf_init(&f.expected, TEXT_MAX);
    const struct sigv4_scope scope = {SPAN("us-east-1"), SPAN("dynamodb")};
    f.signer = f.digest
                   ? sigv4_signer_new(f.digest, &scope, SPAN("/base path/"), SPAN(JSON_TYPE), SPAN("localhost:8000"))
                   : NULL;
    *state = &f;
    return f.signer ? 0 : -1;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    sigv4_signer_free(f->signer);
    digest_free(f->digest);
    buf_free(&f->out);
    buf_free(&f->expected);
    return 0;
}

/* What the three stages make of the same request. */
static void sign_in_stages(struct fixture *f, const struct sigv4_post *post) {
    const struct sigv4_scope scope = {SPAN("us-east-1"), SPAN("dynamodb")};
    struct sigv4_header headers[5] = {{SPAN("Host"), SPAN("localhost:8000")},
                                      {SPAN("Content-Type"), SPAN(JSON_TYPE)},
                                      {SPAN("X-Amz-Target"), post->target},
                                      {SPAN("X-Amz-Date"), span_cstr(post->date)},
                                      {SPAN("X-Amz-Security-Token"), post->session_token}};
    struct sigv4_request request = {.method = SPAN("POST"),
                                    .path = SPAN("/base path/"),
                                    .headers = headers,
                                    .header_count = post->session_token.len ? 5 : 4};
    uint8_t hash[SHA256_SIZE], key[SHA256_SIZE];
    char signature[SIGV4_SIGNATURE_SIZE];
    struct buf canonical, names, to_sign;
    buf_init(&canonical, TEXT_MAX);
    buf_init(&names, TEXT_MAX);
    buf_init(&to_sign, TEXT_MAX);
    assert_true(digest_sha256(f->digest, post->body, hash));
    hex_encode(hash, sizeof hash, request.body_hash);
    assert_true(sigv4_canonical_request(&request, &canonical, &names));
    assert_true(sigv4_string_to_sign(f->digest, &scope, post->date, buf_span(&canonical), &to_sign));
    assert_true(sigv4_key(f->digest, &scope, post->date, post->secret_access_key, key));
    assert_true(sigv4_signature(f->digest, key, buf_span(&to_sign), signature));
    buf_reset(&f->expected);
    assert_true(
        sigv4_authorization(&scope, post->date, post->access_key_id, buf_span(&names), signature, &f->expected));
    buf_free(&canonical);
    buf_free(&names);
    buf_free(&to_sign);
}

static void check(struct fixture *f, const struct sigv4_post *post) {
    buf_reset(&f->out);
    assert_true(sigv4_sign_post(f->signer, post, &f->out));
    sign_in_stages(f, post);
    assert_string_equal(f->out.data, f->expected.data);
}

static void the_short_cut_signs_as_the_stages_do_whatever_changes(void **state) {
    struct fixture *f = *state;
    static const char *const dates[] = {"20240229T235959Z", "20240301T000000Z", "20240301T000001Z", "20240229T235959Z"};
    static const char *const secrets[] = {"secret", "", "secret2", "secret"};
    static const char *const tokens[] = {"", "to/ken+=="};
    static const char *const bodies[] = {"", "{}", "{\"a\":[1,2]}"};
    for (size_t d = 0; d < ARRAY_LENGTH(dates); d++) {
        for (size_t s = 0; s < ARRAY_LENGTH(secrets); s++) {
            for (size_t t = 0; t < ARRAY_LENGTH(tokens); t++) {
                for (size_t b = 0; b < ARRAY_LENGTH(bodies); b++) {
                    const struct sigv4_post post = {.date = dates[d],
                                                    .target = SPAN("DynamoDB_20120810.TransactWriteItems"),
                                                    .access_key_id = SPAN("AKID"),
                                                    .secret_access_key = span_cstr(secrets[s]),
                                                    .session_token = span_cstr(tokens[t]),
                                                    .body = span_cstr(bodies[b])};
                    check(f, &post);
                }
            }
        }
    }
}

static void an_absent_token_is_none(void **state) {
    struct fixture *f = *state;
    const struct sigv4_post post = {.date = "20240229T235959Z",
                                    .target = SPAN("A.B"),
                                    .access_key_id = SPAN("AKID"),
                                    .secret_access_key = SPAN("s"),
                                    .body = SPAN("{}")};
    check(f, &post);
}

static void a_hash_that_is_known_already_signs_as_the_body_does(void **state) {
    struct fixture *f = *state;
    uint8_t hash[SHA256_SIZE];
    struct sigv4_post post = {.date = "20240229T235959Z",
                              .target = SPAN("A.B"),
                              .access_key_id = SPAN("AKID"),
                              .secret_access_key = SPAN("s"),
                              .body = SPAN("{}")};
    assert_true(digest_sha256(f->digest, post.body, hash));
    post.body_sha256 = hash;
    check(f, &post);
}

static void it_signs_as_botocore_does(void **state) {
    struct fixture *f = *state;
    size_t checked = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(SIGNING_CASES); i++) {
        const struct signing_case *c = &SIGNING_CASES[i];
        const char *host = NULL, *target = NULL, *token = "";
        for (size_t k = 0; k < ARRAY_LENGTH(c->headers) && c->headers[k][0]; k++) {
            host = strcmp(c->headers[k][0], "Host") == 0 ? c->headers[k][1] : host;
            target = strcmp(c->headers[k][0], "X-Amz-Target") == 0 ? c->headers[k][1] : target;
            token = strcmp(c->headers[k][0], "X-Amz-Security-Token") == 0 ? c->headers[k][1] : token;
        }
        if (!target) {
            continue;
        }
        const struct sigv4_scope scope = {span_cstr(c->region), span_cstr(c->service)};
        struct sigv4_signer *signer = sigv4_signer_new(f->digest, &scope, SPAN(""), SPAN(JSON_TYPE), span_cstr(host));
        assert_non_null(signer);
        const struct sigv4_post post = {.date = c->date,
                                        .target = span_cstr(target),
                                        .access_key_id = SPAN("AKID"),
                                        .secret_access_key = SPAN(SIGNING_SECRET),
                                        .session_token = span_cstr(token),
                                        .body = span_cstr(c->body)};
        buf_reset(&f->out);
        assert_true(sigv4_sign_post(signer, &post, &f->out));
        assert_non_null(strstr(f->out.data, c->signature));
        sigv4_signer_free(signer);
        checked++;
    }
    assert_int_equal(checked, 2);
}

static void a_full_buffer_is_a_failure(void **state) {
    struct fixture *f = *state;
    struct buf small;
    buf_init(&small, 40);
    const struct sigv4_post post = {.date = "20240229T235959Z",
                                    .target = SPAN("A.B"),
                                    .access_key_id = SPAN("AKID"),
                                    .secret_access_key = SPAN("s"),
                                    .body = SPAN("{}")};
    assert_false(sigv4_sign_post(f->signer, &post, &small));
    buf_free(&small);
    sigv4_signer_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_short_cut_signs_as_the_stages_do_whatever_changes),
        TEST(an_absent_token_is_none),
        TEST(a_hash_that_is_known_already_signs_as_the_body_does),
        TEST(it_signs_as_botocore_does),
        TEST(a_full_buffer_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
