/* The request body of DescribeTable and the like. */
#pragma once

#include "buf.h"
#include "json_writer.h"
#include "span.h"

#include <stdbool.h>

/* Appends {"TableName": name}. False: out has failed. */
static inline bool table_request_append(struct span name, struct buf *out) {
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_name(&w, SPAN("TableName"));
    json_string(&w, name);
    json_object_end(&w);
    return buf_ok(out);
}
