#include "sink_service.h"

#include "clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const struct span names[SINK_OPERATIONS] = {
    [SINK_RECEIVE] = {"ReceiveMessage", 14},
    [SINK_DELETE] = {"DeleteMessageBatch", 18},
    [SINK_CHANGE_VISIBILITY] = {"ChangeMessageVisibilityBatch", 28},
    [SINK_SEND] = {"SendMessageBatch", 16},
    [SINK_GET_QUEUE_URL] = {"GetQueueUrl", 11},
    [SINK_GET_QUEUE_ATTRIBUTES] = {"GetQueueAttributes", 18},
    [SINK_TRANSACT] = {"TransactWriteItems", 18},
    [SINK_GET_ITEM] = {"GetItem", 7},
    [SINK_BATCH_GET_ITEM] = {"BatchGetItem", 12},
    [SINK_PUT_ITEM] = {"PutItem", 7},
    [SINK_DESCRIBE_TABLE] = {"DescribeTable", 13},
    [SINK_DESCRIBE_TTL] = {"DescribeTimeToLive", 18},
    [SINK_TRIAL] = {"TransactionAtStart", 18},
};

bool sink_service_init(struct sink_service *s, const struct sink_options *options) {
    struct clock clock = clock_system();
    *s = (struct sink_service){.options = options, .sent_at = clock_wall(&clock) / MILLISECOND};
    return stock_init(&s->stock, options) && relay_init(&s->relay, options->relay ? options->messages : 0) &&
           bodies_init(&s->bodies, options->body_size, options->audited, options->all_members);
}

void sink_service_free(struct sink_service *s) {
    stock_free(&s->stock);
    relay_free(&s->relay);
    bodies_free(&s->bodies);
}

const char *sink_operation_name(enum sink_operation operation) {
    return names[operation].data;
}

enum sink_operation sink_operation_of(const struct sink_request *request) {
    const char *dot = request->target.len ? memrchr(request->target.data, '.', request->target.len) : NULL;
    if (!dot)
        return span_equal(request->line, SPAN("GET /counts HTTP/1.1")) ? SINK_COUNTS : SINK_UNKNOWN;
    struct span name = span_of(dot + 1, request->target.len - (size_t)(dot + 1 - request->target.data));
    for (unsigned i = 0; i < SINK_OPERATIONS; i++)
        if (span_equal(name, names[i]))
            return i == SINK_TRANSACT && sink_dynamodb_is_trial(request->body) ? SINK_TRIAL : (enum sink_operation)i;
    return SINK_UNKNOWN;
}

static bool is_dynamodb(enum sink_operation operation) {
    return operation >= SINK_TRANSACT && operation < SINK_OPERATIONS;
}

static bool write_file(const char *path, struct span text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool wrote = fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len;
    return (fd < 0 || close(fd) == 0) && wrote;
}

static void keep_sample(const struct sink_service *s, enum sink_operation operation, struct span whole) {
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s.http", s->options->samples, names[operation].data);
    if (len < 0 || (size_t)len >= sizeof path || !write_file(path, whole))
        perror("sink: a sample was not written");
}

int64_t sink_service_arrived(struct sink_service *s, enum sink_operation operation,
                             const struct sink_request *request) {
    if (operation >= SINK_OPERATIONS)
        return 0;
    s->operations[operation].requests++;
    s->operations[operation].bytes += request->size;
    if (s->options->samples && request->size > s->operations[operation].largest) {
        s->operations[operation].largest = request->size;
        keep_sample(s, operation, span_of(request->line.data, request->size));
    }
    if (operation == SINK_DESCRIBE_TABLE || operation == SINK_DESCRIBE_TTL || operation == SINK_TRIAL)
        return 0;
    if (!is_dynamodb(operation))
        return s->options->sqs_latency;
    if (s->options->slow_one_in && ++s->slow_turn % s->options->slow_one_in == 0)
        return s->options->slow_latency;
    return s->options->dynamodb_latency;
}

bool sink_service_answer(struct sink_service *s, enum sink_operation operation, const struct sink_request *request,
                         int64_t arrived, struct buf *out, struct span *ret_answer, int64_t *ret_wait) {
    sink_http_begin(out);
    int status = 200;
    const char *headers = "Content-Type: application/x-amz-json-1.0\r\n";
    if (operation == SINK_UNKNOWN) {
        status = 404;
        buf_append_cstr(out, "{\"__type\":\"UnknownOperationException\"}");
    } else if (operation == SINK_COUNTS) {
        headers = "Content-Type: application/json\r\n";
        sink_report(s, out);
    } else if (is_dynamodb(operation)) {
        if (operation == SINK_BATCH_GET_ITEM || operation == SINK_DESCRIBE_TTL)
            headers = "Content-Type: application/x-amz-json-1.0\r\nx-amzn-requestid: SINK\r\n";
        else if (operation != SINK_DESCRIBE_TABLE && operation != SINK_TRIAL) /* of "{}" */
            headers = "Content-Type: application/x-amz-json-1.0\r\nx-amz-crc32: 2745614147\r\n";
        status = sink_dynamodb_answer(s, operation, request->body, arrived, out);
    } else if (!sink_sqs_answer(s, operation, request->body, arrived, out, ret_wait)) {
        return false;
    }
    *ret_answer = sink_http_end(out, status, headers);
    return true;
}
