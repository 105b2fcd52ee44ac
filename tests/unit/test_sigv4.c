#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "compiler.h"
#include "sigv4.h"
#include "signing_cases.h"

#include <dirent.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 16)

struct fixture {
    struct digest *digest;
    struct buf canonical, names, to_sign, authorization;
};

static int setup(void **state) {
    static struct fixture f;
    f = (struct fixture){.digest = digest_new()};
    buf_init(&f.canonical, TEXT_MAX);
    buf_init(&f.names, TEXT_MAX);
    buf_init(&f.to_sign, TEXT_MAX);
    buf_init(&f.authorization, TEXT_MAX);
    *state = &f;
    return f.digest ? 0 : -1;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    buf_free(&f->canonical);
    buf_free(&f->names);
    buf_free(&f->to_sign);
    buf_free(&f->authorization);
    digest_free(f->digest);
    return 0;
}

static void hash_body(struct fixture *f, struct span body, struct sigv4_request *request) {
    uint8_t hash[SHA256_SIZE];
    assert_true(digest_sha256(f->digest, body, hash));
    hex_encode(hash, sizeof hash, request->body_hash);
}

static void canonicalize(struct fixture *f, const struct sigv4_request *request) {
    buf_reset(&f->canonical);
    buf_reset(&f->names);
    assert_true(sigv4_canonical_request(request, &f->canonical, &f->names));
}

static void sign(struct fixture *f, const struct sigv4_scope *scope, const char *date, const char *secret,
                 char ret_signature[static SIGV4_SIGNATURE_SIZE]) {
    uint8_t key[SHA256_SIZE];
    buf_reset(&f->to_sign);
    assert_true(sigv4_string_to_sign(f->digest, scope, date, buf_span(&f->canonical), &f->to_sign));
    assert_true(sigv4_key(f->digest, scope, date, span_cstr(secret), key));
    assert_true(sigv4_signature(f->digest, key, buf_span(&f->to_sign), ret_signature));
}

static void each_stage_is_what_botocore_makes_of_the_request(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(SIGNING_CASES); i++) {
        const struct signing_case *c = &SIGNING_CASES[i];
        struct sigv4_header headers[ARRAY_LENGTH(c->headers)];
        size_t count = 0;
        for (; count < ARRAY_LENGTH(c->headers) && c->headers[count][0]; count++) {
            headers[count] = (struct sigv4_header){span_cstr(c->headers[count][0]), span_cstr(c->headers[count][1])};
        }
        struct sigv4_request request = {.method = span_cstr(c->method),
                                        .path = span_cstr(c->path),
                                        .query = span_cstr(c->query),
                                        .headers = headers,
                                        .header_count = count};
        hash_body(f, span_cstr(c->body), &request);
        canonicalize(f, &request);
        assert_string_equal(f->canonical.data, c->canonical_request);
        const struct sigv4_scope scope = {span_cstr(c->region), span_cstr(c->service)};
        char signature[SIGV4_SIGNATURE_SIZE];
        sign(f, &scope, c->date, SIGNING_SECRET, signature);
        assert_string_equal(f->to_sign.data, c->string_to_sign);
        assert_string_equal(signature, c->signature);
    }
}

static void the_authorization_names_who_signs_what(void **state) {
    struct fixture *f = *state;
    const struct sigv4_scope scope = {SPAN("us-east-1"), SPAN("sqs")};
    assert_true(sigv4_authorization(&scope, "20150830T123600Z", SPAN("AKID"), SPAN("host;x-amz-date"), "abc",
                                    &f->authorization));
    assert_string_equal(f->authorization.data, "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/sqs/aws4_request, "
                                               "SignedHeaders=host;x-amz-date, Signature=abc");
}

static void dates_are_utc_to_the_second(void **state) {
    static const struct {
        int64_t wall;
        const char *date;
    } cases[] = {
        {0, "19700101T000000Z"},
        {-1, "19700101T000000Z"},
        {1440938160 * MICROSECONDS + 999999, "20150830T123600Z"},
        {951827696 * MICROSECONDS, "20000229T123456Z"},
        {INT64_MAX, "99991231T235959Z"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char date[SIGV4_DATE_SIZE];
        sigv4_date(cases[i].wall, date);
        assert_string_equal(date, cases[i].date);
    }
}

static void a_request_beyond_the_bounds_is_refused(void **state) {
    struct fixture *f = *state;
    struct sigv4_header headers[SIGV4_HEADERS_MAX + 1];
    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++) {
        headers[i] = (struct sigv4_header){SPAN("x"), SPAN("y")};
    }
    struct sigv4_request request = {
        .method = SPAN("GET"), .path = SPAN("/"), .headers = headers, .header_count = ARRAY_LENGTH(headers)};
    assert_false(sigv4_canonical_request(&request, &f->canonical, &f->names));
    request.header_count--;
    canonicalize(f, &request);
    char query[2 * SIGV4_PARAMETERS_MAX + 2];
    for (size_t i = 0; i < sizeof query; i++) {
        query[i] = i % 2 ? '&' : 'a';
    }
    request.query = span_of(query, 2 * SIGV4_PARAMETERS_MAX);
    canonicalize(f, &request);
    request.query = span_of(query, 2 * SIGV4_PARAMETERS_MAX + 1);
    assert_false(sigv4_canonical_request(&request, &f->canonical, &f->names));
    char secret[SIGV4_SECRET_MAX + 1] = {0};
    uint8_t key[SHA256_SIZE];
    const struct sigv4_scope scope = {SPAN("r"), SPAN("s")};
    assert_false(sigv4_key(f->digest, &scope, "20150830T123600Z", span_of(secret, sizeof secret), key));
}

/* The public vectors of awslabs/aws-c-auth (tests/aws-signing-test-suite/v4), where they are at hand: SIGV4_VECTORS
 * names their folder. */

static char *read_text(const char *folder, const char *name, const char *file) {
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
    FILE *in = fopen(path, "rb");
    char *text = calloc(1, TEXT_MAX);
    assert_non_null(in);
    assert_non_null(text);
    size_t len = fread(text, 1, TEXT_MAX - 1, in);
    assert_true(len < TEXT_MAX - 1);
    fclose(in);
    return text;
}

static const char *text_of(struct json_object *object, const char *name) {
    struct json_object *member = NULL;
    return json_object_object_get_ex(object, name, &member) ? json_object_get_string(member) : NULL;
}

static bool is_set(struct json_object *object, const char *name) {
    struct json_object *member = NULL;
    return json_object_object_get_ex(object, name, &member) && json_object_get_boolean(member);
}

struct vector {
    struct sigv4_request request;
    struct sigv4_header headers[SIGV4_HEADERS_MAX];
    struct span body;
    char date[SIGV4_DATE_SIZE];
};

/* Takes the request apart in its text; continuation lines stay in their header's value. */
static void parse_request(struct span text, struct vector *v) {
    const char *end = text.data + text.len;
    const char *line_end = memchr(text.data, '\n', text.len);
    assert_non_null(line_end);
    const char *space = memchr(text.data, ' ', (size_t)(line_end - text.data));
    const char *version = line_end - strlen(" HTTP/1.1");
    v->request.method = span_of(text.data, (size_t)(space - text.data));
    struct span target = span_of(space + 1, (size_t)(version - space - 1));
    const char *question = memchr(target.data, '?', target.len);
    v->request.path = span_of(target.data, question ? (size_t)(question - target.data) : target.len);
    v->request.query = question ? span_of(question + 1, (size_t)(target.data + target.len - question - 1)) : SPAN("");
    const char *at = line_end + 1;
    while (at < end && *at != '\n') {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        while (stop && stop + 1 < end && (stop[1] == ' ' || stop[1] == '\t')) {
            stop = memchr(stop + 1, '\n', (size_t)(end - stop - 1));
        }
        stop = stop ? stop : end;
        const char *colon = memchr(at, ':', (size_t)(stop - at));
        assert_non_null(colon);
        assert_true(v->request.header_count + 3 < SIGV4_HEADERS_MAX);
        v->headers[v->request.header_count++] =
            (struct sigv4_header){span_of(at, (size_t)(colon - at)), span_of(colon + 1, (size_t)(stop - colon - 1))};
        at = stop + 1;
    }
    v->body = at < end ? span_of(at + 1, (size_t)(end - at - 1)) : SPAN("");
}

static void date_of(const char *iso, char ret_date[static SIGV4_DATE_SIZE]) {
    size_t n = 0;
    for (const char *c = iso; *c; c++) {
        if (*c != '-' && *c != ':') {
            assert_true(n + 1 < SIGV4_DATE_SIZE);
            ret_date[n++] = *c;
        }
    }
    ret_date[n] = '\0';
}

static void add_header(struct vector *v, const char *name, const char *value) {
    v->headers[v->request.header_count++] = (struct sigv4_header){span_cstr(name), span_cstr(value)};
}

static void check_text(const char *folder, const char *name, const char *file, const char *got) {
    char *expected = read_text(folder, name, file);
    if (strcmp(expected, got) != 0) {
        fail_msg("%s: %s differs:\n%s\nis not\n%s", name, file, got, expected);
    }
    free(expected);
}

static void check_vector(struct fixture *f, const char *folder, const char *name) {
    char *context_text = read_text(folder, name, "context.json"), *text = read_text(folder, name, "request.txt");
    struct json_object *context = json_tokener_parse(context_text), *credentials = NULL;
    assert_non_null(context);
    assert_true(json_object_object_get_ex(context, "credentials", &credentials));
    struct vector v = {0};
    v.request.headers = v.headers;
    parse_request(span_cstr(text), &v);
    date_of(text_of(context, "timestamp"), v.date);
    v.request.keep_path = !is_set(context, "normalize");
    hash_body(f, v.body, &v.request);
    add_header(&v, "X-Amz-Date", v.date);
    if (is_set(context, "sign_body")) {
        add_header(&v, "x-amz-content-sha256", v.request.body_hash);
    }
    if (text_of(credentials, "token") && !is_set(context, "omit_session_token")) {
        add_header(&v, "X-Amz-Security-Token", text_of(credentials, "token"));
    }
    canonicalize(f, &v.request);
    check_text(folder, name, "header-canonical-request.txt", f->canonical.data);
    const struct sigv4_scope scope = {span_cstr(text_of(context, "region")), span_cstr(text_of(context, "service"))};
    char signature[SIGV4_SIGNATURE_SIZE];
    sign(f, &scope, v.date, text_of(credentials, "secret_access_key"), signature);
    check_text(folder, name, "header-string-to-sign.txt", f->to_sign.data);
    check_text(folder, name, "header-signature.txt", signature);
    buf_reset(&f->authorization);
    assert_true(sigv4_authorization(&scope, v.date, span_cstr(text_of(credentials, "access_key_id")),
                                    buf_span(&f->names), signature, &f->authorization));
    char *signed_request = read_text(folder, name, "header-signed-request.txt");
    if (!strstr(signed_request, f->authorization.data)) {
        fail_msg("%s: %s is not in\n%s", name, f->authorization.data, signed_request);
    }
    free(signed_request);
    json_object_put(context);
    free(context_text);
    free(text);
}

static void each_stage_of_the_public_vectors_is_met(void **state) {
    struct fixture *f = *state;
    const char *folder = getenv("SIGV4_VECTORS");
    DIR *dir = folder ? opendir(folder) : NULL;
    if (!dir) {
        skip();
    }
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] != '.') {
            check_vector(f, folder, entry->d_name);
            count++;
        }
    }
    closedir(dir);
    assert_true(count >= 38);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_stage_is_what_botocore_makes_of_the_request),
        TEST(the_authorization_names_who_signs_what),
        TEST(dates_are_utc_to_the_second),
        TEST(a_request_beyond_the_bounds_is_refused),
        TEST(each_stage_of_the_public_vectors_is_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
