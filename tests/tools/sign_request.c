/* Signs requests, for tests that compare with another implementation of Signature Version 4.
 *
 * Reads one JSON object a line: {"method", "path", "query", "headers": [[name, value], …], "body", "date", "region",
 * "service", "access_key_id", "secret_access_key"}. Writes one a line: {"canonical_request", "string_to_sign",
 * "authorization", "short_cut"}, the last one the Authorization of the signer for POST requests, or "" where the
 * request is not of its form. */
#include "json_writer.h"
#include "sigv4.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define TEXT_MAX ((size_t)16 << 20)

struct job {
    struct json_object *input;
    struct sigv4_header headers[SIGV4_HEADERS_MAX];
    struct sigv4_request request;
    struct sigv4_scope scope;
};

static struct span text_of(struct json_object *object) {
    return span_of(json_object_get_string(object), (size_t)json_object_get_string_len(object));
}

static struct span member(const struct job *job, const char *name) {
    struct json_object *value = NULL;
    return json_object_object_get_ex(job->input, name, &value) ? text_of(value) : SPAN("");
}

static bool read_headers(struct job *job) {
    struct json_object *list = NULL;
    if (!json_object_object_get_ex(job->input, "headers", &list) ||
        json_object_array_length(list) > SIGV4_HEADERS_MAX) {
        return false;
    }
    size_t count = json_object_array_length(list);
    for (size_t i = 0; i < count; i++) {
        struct json_object *pair = json_object_array_get_idx(list, i);
        job->headers[i] = (struct sigv4_header){text_of(json_object_array_get_idx(pair, 0)),
                                                text_of(json_object_array_get_idx(pair, 1))};
    }
    job->request.headers = job->headers;
    job->request.header_count = count;
    return true;
}

static struct span header(const struct job *job, const char *name) {
    for (size_t i = 0; i < job->request.header_count; i++) {
        struct span candidate = job->headers[i].name;
        if (candidate.len == strlen(name) && strncasecmp(candidate.data, name, candidate.len) == 0) {
            return job->headers[i].value;
        }
    }
    return span_cstr(NULL);
}

static bool sign_short(struct digest *digest, const struct job *job, struct buf *out) {
    struct span type = header(job, "content-type"), host = header(job, "host"), target = header(job, "x-amz-target");
    if (!span_is(job->request.method, "POST") || job->request.query.len > 0 || !type.data || !host.data ||
        !target.data) {
        return true;
    }
    struct sigv4_signer *signer = sigv4_signer_new(digest, &job->scope, job->request.path, type, host);
    const struct sigv4_post post = {.date = member(job, "date").data,
                                    .target = target,
                                    .access_key_id = member(job, "access_key_id"),
                                    .secret_access_key = member(job, "secret_access_key"),
                                    .session_token = header(job, "x-amz-security-token"),
                                    .body = member(job, "body")};
    bool ok = signer && sigv4_sign_post(signer, &post, out);
    sigv4_signer_free(signer);
    return ok;
}

static bool sign_staged(struct digest *digest, struct job *job, struct buf *canonical, struct buf *to_sign,
                        struct buf *authorization) {
    const char *date = member(job, "date").data;
    uint8_t hash[SHA256_SIZE], key[SHA256_SIZE];
    char signature[SIGV4_SIGNATURE_SIZE];
    struct buf names;
    buf_init(&names, TEXT_MAX);
    bool ok = digest_sha256(digest, member(job, "body"), hash);
    hex_encode(hash, sizeof hash, job->request.body_hash);
    ok = ok && sigv4_canonical_request(&job->request, canonical, &names) &&
         sigv4_string_to_sign(digest, &job->scope, date, buf_span(canonical), to_sign) &&
         sigv4_key(digest, &job->scope, date, member(job, "secret_access_key"), key) &&
         sigv4_signature(digest, key, buf_span(to_sign), signature) &&
         sigv4_authorization(&job->scope, date, member(job, "access_key_id"), buf_span(&names), signature,
                             authorization);
    buf_free(&names);
    return ok;
}

static bool answer(struct digest *digest, struct json_object *input) {
    struct job job = {.input = input};
    struct buf texts[4], out;
    static const char *const names[] = {"canonical_request", "string_to_sign", "authorization", "short_cut"};
    for (size_t i = 0; i < 4; i++) {
        buf_init(&texts[i], TEXT_MAX);
    }
    buf_init(&out, TEXT_MAX);
    job.request = (struct sigv4_request){
        .method = member(&job, "method"), .path = member(&job, "path"), .query = member(&job, "query")};
    job.scope = (struct sigv4_scope){member(&job, "region"), member(&job, "service")};
    bool ok = member(&job, "date").len == SIGV4_DATE_SIZE - 1 && read_headers(&job) &&
              sign_staged(digest, &job, &texts[0], &texts[1], &texts[2]) && sign_short(digest, &job, &texts[3]);
    for (size_t i = 0; i < 4; i++) {
        buf_printf(&out, "%s\"%s\":", i ? "," : "{", names[i]);
        json_append_string(&out, buf_span(&texts[i]));
        buf_free(&texts[i]);
    }
    ok = ok && buf_ok(&out);
    if (ok) {
        (void)printf("%s}\n", out.data);
        (void)fflush(stdout);
    }
    buf_free(&out);
    return ok;
}

int main(void) {
    struct digest *digest = digest_new();
    char *line = NULL;
    size_t capacity = 0;
    bool ok = digest != NULL;
    while (ok && getline(&line, &capacity, stdin) > 0) {
        struct json_object *input = json_tokener_parse(line);
        ok = input && answer(digest, input);
        json_object_put(input);
    }
    free(line);
    digest_free(digest);
    return ok ? 0 : 1;
}
