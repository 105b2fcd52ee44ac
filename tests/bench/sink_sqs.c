#include "clock.h"
#include "digest.h"
#include "json_reader.h"
#include "sink_scan.h"
#include "sink_service.h"

#include <inttypes.h>

#define BATCH_MAX 10
#define ACCOUNT "000000000000"

/* As long as those of SQS. */
static const char handle_filler[] =
    "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0aHPt1yZ8s3vXbMq2d5Vwq0uTnR7fKc9LhEoPzGsWjIxAmBkDyNtUvC4e6iFgHlQrOpJ1Y8ZaSdXf2cVbG"
    "3nMhKjLqWrEtYuIoP5"
    "aSdFgHjKlZxCvBnM6qWeRtYuIoP7aSdFgHjKlZxCvBnM8qWeRtYuIoP9aSdFgHjKlZxCvBnM0QwErTyUiOpAsDfGhJkLzXcVbNmqWeRtYuIoPaSdFg"
    "HjKlZxCvBnMqWeRtYu1"
    "IoP2aSdFgHjKlZxCvBnM3qWeRtYuIoP4aSdFgHjKlZxCvBnM5qWeRtYuIoP6aSdFgHjKlZxCvBnM7qWeRtYuIoP8aSdFgHjKlZxCvBnM9q==";

static void append_message(struct sink_service *s, uint64_t number, unsigned receives, bool first, struct buf *out) {
    char md5[BODY_MD5_SIZE];
    buf_printf(out,
               "%s{\"MessageId\":\"%08x" MESSAGE_MARK "%012" PRIx64 "\",\"ReceiptHandle\":\"%012" PRIu64
               "%s\",\"Body\":\"",
               first ? "" : ",", receives, number, number, handle_filler);
    bool done = s->relay.messages ? relay_append(&s->relay, number, out, md5)
                                  : bodies_append(&s->bodies, stock_is_valid(&s->stock, number),
                                                  stock_record(&s->stock, number), out, md5);
    if (!done)
        buf_append_cstr(out, "no memory"); /* does not fit its MD5 then */
    buf_printf(out,
               "\",\"MD5OfBody\":\"%s\",\"Attributes\":{\"SentTimestamp\":\"%" PRId64
               "\",\"ApproximateReceiveCount\":\"%u\"}}",
               md5, s->sent_at, receives);
}

/* False: nothing is there, and may come within *ret_wait. */
static bool receive(struct sink_service *s, struct span body, int64_t arrived, struct buf *out, int64_t *ret_wait) {
    uint64_t max = 1, seconds = 0, number;
    struct span rest = body;
    if (!scan_number(&rest, SPAN("\"MaxNumberOfMessages\""), &max) || max > BATCH_MAX)
        max = max > BATCH_MAX ? BATCH_MAX : 1;
    rest = body;
    if (!scan_number(&rest, SPAN("\"WaitTimeSeconds\""), &seconds))
        seconds = 0;
    struct clock clock = clock_system();
    int64_t now = clock_monotonic(&clock), end = arrived + s->options->sqs_latency + (int64_t)seconds * MICROSECONDS;
    unsigned receives;
    uint64_t count = 0;
    while (count < max && stock_take(&s->stock, now, &number, &receives)) {
        buf_append_cstr(out, count == 0 ? "{\"Messages\":[" : "");
        append_message(s, number, receives, count == 0, out);
        count++;
    }
    if (count == 0 && now < end) {
        int64_t wait = stock_wait(&s->stock, now);
        *ret_wait = wait >= 0 && wait < end - now ? wait : end - now;
        return false;
    }
    buf_append_cstr(out, count > 0 ? "]}" : "{}");
    return true;
}

static void append_successful(struct span body, struct buf *out) {
    struct span id;
    buf_append_cstr(out, "{\"Successful\":[");
    for (bool first = true; scan_string(&body, SPAN("\"Id\""), &id); first = false)
        buf_printf(out, "%s{\"Id\":\"%.*s\"}", first ? "" : ",", (int)id.len, id.data);
    buf_append_cstr(out, "],\"Failed\":[]}");
}

static bool next_handle(struct span *rest, uint64_t *ret_number) {
    struct span handle;
    if (!scan_string(rest, SPAN("\"ReceiptHandle\""), &handle))
        return false;
    if (!scan_digits(span_of(handle.data, handle.len < 12 ? handle.len : 12), ret_number))
        *ret_number = UINT64_MAX;
    return true;
}

static void delete_batch(struct sink_service *s, struct span body, int64_t arrived, struct buf *out) {
    uint64_t number;
    for (struct span rest = body; next_handle(&rest, &number);) {
        stock_delete(&s->stock, number, arrived);
        relay_delete(&s->relay, number);
    }
    append_successful(body, out);
}

static void change_visibility(struct sink_service *s, struct span body, struct buf *out) {
    /* The k-th handle goes with the k-th timeout, in whatever order an entry has them. */
    struct span timeouts = body, handles = body;
    uint64_t timeout, number;
    while (next_handle(&handles, &number) && scan_number(&timeouts, SPAN("\"VisibilityTimeout\""), &timeout))
        if (timeout == 0)
            stock_return(&s->stock, number);
    append_successful(body, out);
}

static bool is_of_dlq(struct span body) {
    struct span rest = body, url;
    return scan_string(&rest, SPAN("\"QueueUrl\""), &url) && memmem(url.data, url.len, "/dead", 5) != NULL;
}

/* The MD5 of a text in JSON. False: no memory, or it is none. */
static bool text_md5(struct span raw, char ret_hex[static BODY_MD5_SIZE]) {
    unsigned char md5[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf text;
    buf_init(&text, raw.len); /* escapes are longer than what they stand for */
    bool done = json_unescape(raw, &text) &&
                EVP_Digest(buf_span(&text).data, text.len, md5, &len, EVP_md5(), NULL) == 1 && len == BODY_MD5_SIZE / 2;
    if (done)
        hex_encode(md5, len, ret_hex);
    buf_free(&text);
    return done;
}

/* Puts a message that was sent onto the queue. False: it has no number, or there is no memory. */
static bool relay_one(struct sink_service *s, struct span raw, const char md5[static BODY_MD5_SIZE]) {
    uint64_t number;
    bool is_new;
    if (!scan_record(&(struct span){raw.data, raw.len}, &number) || !relay_send(&s->relay, number, raw, md5, &is_new))
        return false;
    if (is_new)
        stock_add(&s->stock, number);
    return true;
}

/* The k-th id goes with the k-th body, in whatever order an entry has them. */
static void append_sent(struct sink_service *s, uint64_t first_number, bool relays, struct span body, struct buf *out) {
    struct span ids = body, bodies = body, id, raw;
    char md5[BODY_MD5_SIZE];
    buf_append_cstr(out, "{\"Successful\":[");
    for (uint64_t n = 0; scan_string(&ids, SPAN("\"Id\""), &id) && scan_text(&bodies, SPAN("\"MessageBody\""), &raw);
         n++) {
        if (!text_md5(raw, md5) || (relays && !relay_one(s, raw, md5)))
            md5[0] = '\0'; /* the client takes it as not sent */
        buf_printf(out,
                   "%s{\"Id\":\"%.*s\",\"MessageId\":\"dead0000-0000-4000-8000-%012" PRIx64
                   "\",\"MD5OfMessageBody\":\"%s\"}",
                   n ? "," : "", (int)id.len, id.data, first_number + n, md5);
    }
    buf_append_cstr(out, "],\"Failed\":[]}");
}

static void send_batch(struct sink_service *s, struct span body, struct buf *out) {
    uint64_t first_number = s->stock.counts.dead_lettered;
    bool relays = s->relay.messages && !is_of_dlq(body);
    const struct span member = SPAN("\"MessageBody\"");
    const char *at = memmem(body.data, body.len, member.data, member.len);
    while (at && !relays) {
        struct span entry = span_of(at + member.len, body.len - (size_t)(at + member.len - body.data));
        at = memmem(entry.data, entry.len, member.data, member.len);
        entry.len = at ? (size_t)(at - entry.data) : entry.len;
        uint64_t number = 0;
        bool known = scan_record(&entry, &number);
        stock_dead_letter(&s->stock, known, number);
    }
    append_sent(s, first_number, relays, body, out);
}

static void get_queue_url(const struct sink_service *s, struct span body, struct buf *out) {
    struct span name;
    if (!scan_string(&body, SPAN("\"QueueName\""), &name))
        name = SPAN("updates");
    buf_printf(out, "{\"QueueUrl\":\"http://127.0.0.1:%u/" ACCOUNT "/%.*s\"}", s->port, (int)name.len, name.data);
}

static void get_attributes(const struct sink_service *s, struct span body, struct buf *out) {
    bool is_dlq = is_of_dlq(body);
    buf_printf(
        out,
        "{\"Attributes\":{\"QueueArn\":\"arn:aws:sqs:eu-central-1:" ACCOUNT
        ":%s\",\"ApproximateNumberOfMessages\":\"%" PRIu64 "\",\"ApproximateNumberOfMessagesNotVisible\":\"%" PRIu64
        "\",\"ApproximateNumberOfMessagesDelayed\":\"0\","
        "\"VisibilityTimeout\":\"600\",\"MessageRetentionPeriod\":\"1209600\",\"MaximumMessageSize\":\"%zu\"%s}}",
        is_dlq ? "dead" : "updates", is_dlq ? s->stock.counts.dead_lettered : stock_visible(&s->stock),
        is_dlq ? (uint64_t)0 : s->stock.in_flight, s->options->max_message_size,
        is_dlq ? ""
               : ",\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":\\\"arn:aws:sqs:eu-central-1:" ACCOUNT
                 ":dead\\\",\\\"maxReceiveCount\\\":1000}\"");
}

bool sink_sqs_answer(struct sink_service *s, enum sink_operation operation, struct span body, int64_t arrived,
                     struct buf *out, int64_t *ret_wait) {
    switch (operation) {
    case SINK_RECEIVE: return receive(s, body, arrived, out, ret_wait);
    case SINK_DELETE: delete_batch(s, body, arrived, out); break;
    case SINK_CHANGE_VISIBILITY: change_visibility(s, body, out); break;
    case SINK_SEND: send_batch(s, body, out); break;
    case SINK_GET_QUEUE_URL: get_queue_url(s, body, out); break;
    default: get_attributes(s, body, out);
    }
    return true;
}
