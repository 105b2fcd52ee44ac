#include "clock.h"
#include "sink_scan.h"
#include "sink_service.h"

/* The token stands at the end in what table-updater sends, and anywhere in what others do. */
static struct span token_of(struct span body) {
    const size_t near_end = 96;
    struct span token = {NULL, 0},
                end = body.len > near_end ? span_of(body.data + body.len - near_end, near_end) : body;
    if (!scan_string(&end, SPAN("\"ClientRequestToken\""), &token) &&
        !scan_string(&body, SPAN("\"ClientRequestToken\""), &token))
        token = (struct span){NULL, 0};
    return token;
}

bool sink_dynamodb_is_trial(struct span body) {
    static const char condition[] = "attribute_exists(#0) AND attribute_not_exists(#0)";
    const size_t near_begin = 1024;
    return memmem(body.data, body.len < near_begin ? body.len : near_begin, condition, sizeof condition - 1) != NULL;
}

static int cancel(struct buf *out) {
    buf_append_cstr(
        out, "{\"__type\":\"com.amazonaws.dynamodb.v20120810#TransactionCanceledException\",\"Message\":\"Transaction "
             "cancelled\","
             "\"CancellationReasons\":[{\"Code\":\"ConditionalCheckFailed\"},{\"Code\":\"ConditionalCheckFailed\"}]}");
    return 400;
}

/* The audit record's key: the one log_id with a value. False: there is none, or no memory. */
static bool keep_record(struct sink_service *s, struct span body) {
    struct span rest = body, log_id;
    bool is_new;
    return scan_string(&rest, SPAN("\"log_id\":{\"S\""), &log_id) && tokens_add(&s->relay.records, log_id, &is_new);
}

static void transact(struct sink_service *s, struct span body, int64_t arrived, struct buf *out) {
    uint64_t number = 0;
    if (s->relay.messages && !keep_record(s, body))
        buf_append_cstr(out, "no record"); /* a garbled answer: the client will say so */
    struct span rest = body;
    bool known = s->options->hot_one_in ? scan_message(&rest, &number) : scan_record(&rest, &number);
    struct clock clock = clock_system();
    if (!stock_apply(&s->stock, known, number, token_of(body), arrived, clock_monotonic(&clock)))
        buf_append_cstr(out, "no memory"); /* a garbled answer: the client will say so */
    buf_append_cstr(out, "{}");
}

static void describe_table(struct span body, struct buf *out) {
    struct span name;
    if (!scan_string(&body, SPAN("\"TableName\""), &name))
        name = SPAN("");
    const char *key = memmem(name.data, name.len, "audit", 5) ? "log_id" : "id";
    buf_printf(out,
               "{\"Table\":{\"TableName\":\"%.*s\",\"TableStatus\":\"ACTIVE\",\"KeySchema\":[{\"AttributeName\":\"%s\","
               "\"KeyType\":\"HASH\"}],"
               "\"AttributeDefinitions\":[{\"AttributeName\":\"%s\",\"AttributeType\":\"S\"}]}}",
               (int)(name.len < 255 ? name.len : 255), name.data, key, key);
}

int sink_dynamodb_answer(struct sink_service *s, enum sink_operation operation, struct span body, int64_t arrived,
                         struct buf *out) {
    if (operation == SINK_TRIAL)
        return cancel(out);
    if (operation == SINK_TRANSACT)
        transact(s, body, arrived, out);
    else if (operation == SINK_DESCRIBE_TABLE)
        describe_table(body, out);
    else if (operation == SINK_DESCRIBE_TTL)
        buf_append_cstr(out, "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"DISABLED\"}}");
    else if (operation == SINK_BATCH_GET_ITEM)
        relay_look_up(&s->relay, body, out);
    else
        buf_append_cstr(out, "{}"); /* no such item; or it was put */
    return 200;
}
