#include "lambda_answer.h"

#include "json_writer.h"

static void member(struct json_writer *w, struct span name, struct span value) {
    json_name(w, name);
    json_string(w, value);
}

bool lambda_append_http(int status, struct span body, struct buf *out) {
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_name(&w, SPAN("statusCode"));
    json_integer(&w, status);
    json_name(&w, SPAN("headers"));
    json_object_begin(&w);
    member(&w, SPAN("Content-Type"), SPAN("application/json"));
    json_object_end(&w);
    member(&w, SPAN("body"), body);
    json_name(&w, SPAN("isBase64Encoded"));
    json_boolean(&w, false);
    json_object_end(&w);
    return buf_ok(out);
}

bool lambda_append_error(struct span type, struct span message, struct buf *out) {
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    member(&w, SPAN("errorMessage"), message);
    member(&w, SPAN("errorType"), type);
    json_object_end(&w);
    return buf_ok(out);
}
