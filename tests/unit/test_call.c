#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "call.h"
#include "compiler.h"
#include "fake_http.h"

#define THROTTLED "{\"__type\":\"x#ThrottlingException\"}"
#define SERVER_ERROR "{\"__type\":\"x#InternalServerError\"}"
#define EXPIRED "{\"__type\":\"x#ExpiredTokenException\"}"
#define IN_PROGRESS "{\"__type\":\"x#TransactionInProgressException\"}"
#define SKEWED "{\"__type\":\"x#InvalidSignatureException\"}"
#define SECOND MICROSECONDS

struct fixture {
    struct fake fake;
    struct aws_client *client;
    size_t done, released, decoded;
    int64_t done_at;
    struct call_result result;
    char body[128];
    enum call_class decode_to; /* CALL_OK: leaves it alone */
    struct call *call;
    struct buf *answer; /* where the answer stands */
    size_t answer_at_the_end; /* bytes that it took when the call was done */
    bool forgets_body;
    bool in_start;
    bool cancels_in_done, starts_in_done;
};

static const struct call_options WITHOUT_DEADLINE = {.deadline = NEVER};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) {
        return -1;
    }
    fake_init(&f->fake);
    struct aws_client_options options = fake_client_options(&f->fake);
    f->client = aws_client_new(&options);
    *state = f;
    return f->client ? 0 : -1;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    aws_client_free(f->client);
    fake_done(&f->fake);
    free(f);
    return 0;
}

static void decode(void *user, struct span body, struct call_result *result) {
    struct fixture *f = user;
    (void)body;
    f->decoded++;
    if (f->decode_to != CALL_OK) {
        result->class = f->decode_to;
    }
}

static void release(void *user) {
    struct fixture *f = user;
    f->released++;
}

static struct call *start(struct fixture *f, const struct call_options *options);

static void on_done(void *user, const struct call_result *result, struct span body) {
    struct fixture *f = user;
    assert_false(f->in_start);
    f->done++;
    f->done_at = f->fake.monotonic;
    f->result = *result;
    f->answer_at_the_end = f->answer ? f->answer->capacity : 0;
    (void)snprintf(f->body, sizeof f->body, "%.*s", (int)body.len, body.data);
    if (f->cancels_in_done) {
        call_cancel(f->call);
    }
    if (f->starts_in_done) {
        f->starts_in_done = false;
        (void)start(
            f, &WITHOUT_DEADLINE); /* an assertion would jump out of the client; the test sees whether it was sent */
    }
}

static struct call *start(struct fixture *f, const struct call_options *options) {
    const struct aws_operation operation = {.name = "TransactWriteItems",
                                            .body = SPAN("{\"x\":1}"),
                                            .max_response = 1000,
                                            .attempt_timeout = 10 * SECOND,
                                            .decode = decode,
                                            .forgets_body = f->forgets_body,
                                            .release = release};
    f->in_start = true;
    f->call = aws_call(f->client, &operation, options, on_done, f);
    f->in_start = false;
    return f->call;
}

static void begin(struct fixture *f) {
    assert_non_null(start(f, &WITHOUT_DEADLINE));
}

/* That it is over, with this class after so many requests. */
static void check(struct fixture *f, enum call_class class, unsigned attempts) {
    assert_int_equal(f->done, 1);
    assert_int_equal(f->released, 1);
    assert_int_equal(f->result.class, class);
    assert_int_equal(f->result.attempts, attempts);
    assert_int_equal(aws_client_stats(f->client).calls, 0);
    assert_int_equal(timers_next(&f->fake.timers), NEVER);
}

static void a_request_carries_all_that_the_service_needs(void **state) {
    struct fixture *f = *state;
    (void)snprintf(f->fake.session_token, sizeof f->fake.session_token, "tok/en==");
    begin(f);
    assert_int_equal(f->fake.request_count, 1);
    struct http_transfer *t = &f->fake.requests[0];
    assert_string_equal(t->url, "https://dynamodb.us-east-1.amazonaws.com/");
    static const char expected[] =
        "Host: dynamodb.us-east-1.amazonaws.com\nContent-Type: application/x-amz-json-1.0\n"
        "X-Amz-Target: DynamoDB_20120810.TransactWriteItems\nAccept-Encoding: identity\nX-Amz-Date: 19941106T084937Z\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=AKID1/19941106/us-east-1/dynamodb/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=";
    assert_memory_equal(t->headers, expected, sizeof expected - 1);
    assert_non_null(strstr(t->headers, "\nX-Amz-Security-Token: tok/en==\n"));
    assert_true(span_is(t->body, "{\"x\":1}"));
    assert_int_equal(t->max_response, 1000);
    assert_int_equal(t->timeout, 10 * SECOND);
    fake_respond_with(&f->fake, 0, 200, "{}");
    check(f, CALL_OK, 1);
    assert_string_equal(f->body, "{}");
    assert_int_equal(f->result.answered, FAKE_START);
    assert_int_equal(f->decoded, 1);
}

static void a_transient_failure_is_tried_again_after_a_jittered_pause(void **state) {
    struct fixture *f = *state;
    begin(f);
    fake_respond_with(&f->fake, 0, 500, SERVER_ERROR);
    assert_int_equal(f->done, 0);
    fake_pass(&f->fake, 25 * MILLISECOND);
    assert_int_equal(f->fake.request_count, 2);
    fake_respond_with(&f->fake, 1, 200, "{}");
    check(f, CALL_OK, 2);
    assert_int_equal(aws_client_stats(f->client).retries, 1);
}

static void a_body_whose_hash_is_known_is_signed_by_it_as_it_would_be_without(void **state) {
    struct fixture *f = *state;
    uint8_t hash[SHA256_SIZE];
    assert_true(digest_sha256(f->fake.digest, SPAN("{\"x\":1}"), hash));
    begin(f);
    fake_respond_with(&f->fake, 0, 200, "{}");
    const struct call_options known = {.deadline = NEVER, .body_sha256 = hash};
    assert_non_null(start(f, &known));
    assert_string_equal(f->fake.requests[1].headers, f->fake.requests[0].headers);
    fake_respond_with(&f->fake, 1, 200, "{}");
    hash[0] ^= 1; /* the body isn't hashed once more */
    assert_non_null(start(f, &known));
    assert_string_not_equal(f->fake.requests[2].headers, f->fake.requests[0].headers);
    call_cancel(f->call);
}

static void the_attempts_of_a_call_are_bounded(void **state) {
    static const struct {
        const char *body;
        int status;
        unsigned max_attempts, made;
        enum call_class class;
    } cases[] = {
        {SERVER_ERROR, 500, 0, 4, CALL_RETRY},  {THROTTLED, 400, 0, 4, CALL_THROTTLED},
        {THROTTLED, 400, 1, 1, CALL_THROTTLED}, {"<html>", 403, 2, 2, CALL_RETRY},
        {"<html>", 502, 7, 7, CALL_RETRY},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        f->fake.request_count = f->done = f->released = 0;
        assert_non_null(start(f, &(struct call_options){.deadline = NEVER, .max_attempts = cases[i].max_attempts}));
        for (size_t k = 0; k < cases[i].made; k++) {
            assert_int_equal(f->done, 0);
            assert_int_equal(f->fake.request_count, k + 1);
            fake_respond_with(&f->fake, k, cases[i].status, cases[i].body);
            fake_pass(&f->fake, 20 * SECOND);
        }
        check(f, cases[i].class, cases[i].made);
        assert_string_equal(f->body, cases[i].body);
    }
}

static void a_permanent_refusal_is_told_at_once(void **state) {
    struct fixture *f = *state;
    begin(f);
    fake_respond_with(&f->fake, 0, 400, "{\"__type\":\"x#ValidationException\",\"message\":\"bad\"}");
    check(f, CALL_PERMANENT, 1);
    assert_string_equal(f->result.code, "ValidationException");
    assert_string_equal(f->result.message, "bad");
    assert_true(f->result.from_service);
}

static void denied_access_is_told_at_once(void **state) {
    struct fixture *f = *state;
    begin(f);
    fake_respond_with(&f->fake, 0, 400, "{\"__type\":\"x#AccessDeniedException\"}");
    check(f, CALL_DENIED, 1);
    assert_int_equal(f->fake.invalidated, 0);
}

static void the_operation_may_see_an_answer_otherwise(void **state) {
    struct fixture *f = *state;
    f->decode_to = CALL_RETRY;
    begin(f);
    fake_respond_with(&f->fake, 0, 200, "{\"cut");
    fake_pass(&f->fake, SECOND);
    assert_int_equal(f->fake.request_count, 2);
    f->decode_to = CALL_PERMANENT;
    fake_respond_with(&f->fake, 1, 500, SERVER_ERROR);
    check(f, CALL_PERMANENT, 2);
    assert_int_equal(f->decoded, 2);
}

static void what_is_not_the_services_is_not_shown_to_the_operation(void **state) {
    struct fixture *f = *state;
    begin(f);
    fake_respond_with(&f->fake, 0, 503, "<html>");
    fake_pass(&f->fake, SECOND);
    fake_respond(&f->fake, 1, (struct http_response){.error = HTTP_BROKEN, .status = 200, .message = "cut"});
    assert_int_equal(f->decoded, 0);
    call_cancel(f->call);
}

static void fault_35_a_200_of_somebody_else_is_tried_again_and_told(void **state) {
    struct fixture *f = *state;
    begin(f);
    fake_respond(&f->fake, 0, (struct http_response){.status = 200, .body = SPAN("{}")});
    assert_int_equal(f->decoded, 0);
    assert_int_equal(f->done, 0);
    assert_int_equal(f->fake.log_lines, 3); /* that, and at DEBUG that it ended, and is tried again */
    fake_pass(&f->fake, SECOND);
    fake_respond_with(&f->fake, 1, 200, "{}");
    check(f, CALL_OK, 2);
}

static void a_wrong_checksum_is_tried_again(void **state) {
    struct fixture *f = *state;
    begin(f);
    struct http_response response = {.status = 200, .body = SPAN("{}")};
    response.header[HTTP_CRC32] = SPAN("1");
    fake_respond(&f->fake, 0, response);
    fake_pass(&f->fake, SECOND);
    fake_respond_with(&f->fake, 1, 200, "{}");
    check(f, CALL_OK, 2);
}

static void an_untrusted_server_is_named(void **state) {
    struct fixture *f = *state;
    assert_non_null(start(f, &(struct call_options){.deadline = NEVER, .max_attempts = 1}));
    fake_respond(&f->fake, 0, (struct http_response){.error = HTTP_UNTRUSTED, .message = "self-signed certificate"});
    check(f, CALL_RETRY, 1);
    assert_true(f->result.untrusted);
    assert_int_equal(f->result.status, 0);
}

static void retry_after_is_honoured(void **state) {
    struct fixture *f = *state;
    begin(f);
    struct http_response response = {.status = 503, .body = SPAN("")};
    response.header[HTTP_AMZ_RETRY_AFTER] = SPAN("3000");
    fake_respond(&f->fake, 0, response);
    fake_pass(&f->fake, 3 * SECOND - 1);
    assert_int_equal(f->fake.request_count, 1);
    fake_pass(&f->fake, 1);
    assert_int_equal(f->fake.request_count, 2);
    response.header[HTTP_AMZ_RETRY_AFTER] = SPAN("3600000");
    fake_respond(&f->fake, 1, response);
    fake_pass(&f->fake, 6 * SECOND);
    assert_int_equal(f->fake.request_count, 3);
    call_cancel(f->call);
}

static void fault_05_a_transaction_in_progress_is_tried_once_more_five_seconds_after_the_start(void **state) {
    struct fixture *f = *state;
    begin(f);
    fake_respond_with(&f->fake, 0, 400, IN_PROGRESS);
    fake_pass(&f->fake, 5 * SECOND - 1);
    assert_int_equal(f->fake.request_count, 1);
    fake_pass(&f->fake, SECOND);
    assert_int_equal(f->fake.request_count, 2);
    fake_respond_with(&f->fake, 1, 400, IN_PROGRESS);
    check(f, CALL_THROTTLED, 2);
    assert_string_equal(f->result.code, "TransactionInProgressException");
}

static void when_most_calls_fail_they_stop_trying_again(void **state) {
    struct fixture *f = *state;
    size_t calls = 0;
    while (f->fake.request_count < FAKE_REQUESTS_MAX - 4 && calls < FAKE_REQUESTS_MAX) {
        size_t before = f->fake.request_count;
        begin(f);
        calls++;
        for (size_t k = before; k < f->fake.request_count; k++) {
            fake_respond_with(&f->fake, k, 500, SERVER_ERROR);
            fake_pass(&f->fake, SECOND);
        }
    }
    assert_int_equal(f->done, calls);
    assert_int_equal(f->fake.request_count - calls, RETRY_BUDGET_FULL / RETRY_COST);
}

static void a_success_gives_the_budget_back(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < 60; i++) {
        f->fake.request_count = f->done = f->released = 0;
        begin(f);
        fake_respond_with(&f->fake, 0, 500, SERVER_ERROR);
        fake_pass(&f->fake, SECOND);
        fake_respond_with(&f->fake, 1, 200, "{}");
        check(f, CALL_OK, 2);
    }
}

static void refused_credentials_are_renewed_and_tried_once(void **state) {
    struct fixture *f = *state;
    f->fake.renews = true;
    begin(f);
    fake_respond_with(&f->fake, 0, 400, EXPIRED);
    assert_int_equal(f->fake.invalidated, 1);
    assert_string_equal(f->fake.last_invalidated, "AKID1");
    assert_int_equal(f->fake.request_count, 2);
    assert_non_null(strstr(f->fake.requests[1].headers, "Credential=AKID2/"));
    fake_respond_with(&f->fake, 1, 400, EXPIRED);
    check(f, CALL_AUTH, 2);
    assert_int_equal(f->fake.invalidated,
                     2); /* the provider hears of the second refusal too, and asks its source more rarely */
    assert_string_equal(f->result.code, "ExpiredTokenException");
}

static void the_same_credentials_are_not_sent_to_be_refused_again(void **state) {
    struct fixture *f = *state;
    begin(f);
    fake_respond_with(&f->fake, 0, 400, EXPIRED);
    assert_int_equal(f->fake.request_count, 1);
    fake_pass(&f->fake, 0);
    check(f, CALL_AUTH, 1);
    assert_string_equal(f->result.code, "ExpiredTokenException");
}

static void a_call_without_credentials_fails_later_from_the_loop(void **state) {
    static const enum call_class classes[] = {CALL_AUTH, CALL_RETRY};
    struct fixture *f = *state;
    f->fake.key_number = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++) {
        f->done = f->released = 0;
        f->fake.no_credentials = classes[i];
        begin(f);
        assert_int_equal(f->done, 0);
        fake_pass(&f->fake, 0);
        check(f, classes[i], 0);
        assert_string_equal(f->result.message, "there are no credentials");
    }
}

static void credentials_may_come_later(void **state) {
    struct fixture *f = *state;
    f->fake.asynchronous = true;
    begin(f);
    assert_int_equal(f->fake.request_count, 0);
    fake_pass(&f->fake, SECOND);
    fake_give_credentials(&f->fake);
    fake_respond_with(&f->fake, 0, 200, "{}");
    check(f, CALL_OK, 1);
}

static void malformed_credentials_are_never_sent(void **state) {
    struct fixture *f = *state;
    f->fake.malformed = true;
    begin(f);
    fake_pass(&f->fake, 0);
    check(f, CALL_AUTH, 0);
    assert_int_equal(f->fake.request_count, 0);
}

static void no_memory_for_a_request_is_a_transient_failure(void **state) {
    struct fixture *f = *state;
    f->fake.http_has_no_memory = true;
    begin(f);
    fake_pass(&f->fake, 0);
    check(f, CALL_RETRY, 0);
}

static void respond_with_date(struct fixture *f, size_t k, const char *body, const char *date) {
    struct http_response response = {.status = 400, .body = span_cstr(body)};
    response.header[HTTP_DATE] = span_cstr(date);
    fake_respond_marked(&f->fake, k, response);
}

static void fault_20_a_clock_that_is_off_is_corrected_from_the_services_date(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *date, *stamp;
        int64_t skew;
    } cases[] = {{"Sun, 06 Nov 1994 09:49:37 GMT", "X-Amz-Date: 19941106T094937Z\n", 3600 * SECOND},
                 {"Sun, 06 Nov 1994 07:49:37 GMT", "X-Amz-Date: 19941106T074937Z\n", -3600 * SECOND}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t first = f->fake.request_count;
        begin(f);
        respond_with_date(f, first, SKEWED, cases[i].date);
        assert_int_equal(f->fake.request_count, first + 2);
        assert_non_null(strstr(f->fake.requests[first + 1].headers, cases[i].stamp));
        fake_respond_with(&f->fake, first + 1, 200, "{}");
        assert_int_equal(f->result.class, CALL_OK);
        assert_int_equal(aws_client_stats(f->client).clock_skew, cases[i].skew);
    }
    assert_int_equal(f->fake.invalidated, 0);
    begin(f);
    assert_non_null(strstr(f->fake.requests[4].headers, cases[1].stamp));
    call_cancel(f->call);
}

static void a_clock_that_was_set_right_again_is_corrected_too(void **state) {
    struct fixture *f = *state;
    begin(f);
    respond_with_date(f, 0, SKEWED, "Sun, 06 Nov 1994 09:49:37 GMT");
    fake_respond_with(&f->fake, 1, 200, "{}");
    f->fake.wall += 3600 * SECOND;
    begin(f);
    respond_with_date(f, 2, "{\"__type\":\"x#RequestTimeTooSkewed\"}", "Sun, 06 Nov 1994 09:49:37 GMT");
    assert_non_null(strstr(f->fake.requests[3].headers, "X-Amz-Date: 19941106T094937Z\n"));
    assert_int_equal(aws_client_stats(f->client).clock_skew, 0);
    fake_respond_with(&f->fake, 3, 200, "{}");
    assert_int_equal(f->result.class, CALL_OK);
}

static void calls_that_were_under_way_are_corrected_by_the_same_measure(void **state) {
    struct fixture *f = *state;
    begin(f);
    begin(f);
    respond_with_date(f, 0, SKEWED, "Sun, 06 Nov 1994 09:49:37 GMT");
    respond_with_date(f, 1, SKEWED, "Sun, 06 Nov 1994 09:49:38 GMT");
    assert_int_equal(f->fake.request_count, 4);
    assert_int_equal(f->fake.log_lines, 1 + 2); /* at DEBUG each of them ended */
    fake_respond_with(&f->fake, 2, 200, "{}");
    fake_respond_with(&f->fake, 3, 200, "{}");
    assert_int_equal(f->done, 2);
    assert_int_equal(f->result.class, CALL_OK);
}

static void a_clock_that_can_not_be_corrected_is_the_clocks_fault(void **state) {
    struct fixture *f = *state;
    begin(f);
    respond_with_date(f, 0, SKEWED, "Sun, 06 Nov 1994 09:49:37 GMT");
    respond_with_date(f, 1, SKEWED, "Sun, 06 Nov 1994 12:49:37 GMT");
    check(f, CALL_CLOCK, 2);
    begin(f);
    fake_respond_with(&f->fake, 2, 403, "{\"__type\":\"x#RequestTimeTooSkewed\"}");
    assert_int_equal(f->result.class, CALL_CLOCK);
    assert_int_equal(f->result.attempts, 1);
}

static void a_wrong_signature_with_the_right_time_is_the_credentials_fault(void **state) {
    struct fixture *f = *state;
    begin(f);
    respond_with_date(f, 0, SKEWED, "Sun, 06 Nov 1994 08:53:37 GMT");
    fake_pass(&f->fake, 0);
    check(f, CALL_AUTH, 1);
    assert_int_equal(f->fake.invalidated, 1);
    assert_int_equal(aws_client_stats(f->client).clock_skew, 0);
}

static void done_comes_by_the_deadline_whatever_happens(void **state) {
    static const enum {
        NO_ANSWER,
        NO_CREDENTIALS,
        LONG_PAUSE,
        ALREADY_PASSED
    } cases[] = {NO_ANSWER, NO_CREDENTIALS, LONG_PAUSE, ALREADY_PASSED};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        f->fake.request_count = f->fake.cancelled = f->done = f->released = 0;
        f->fake.asynchronous = cases[i] == NO_CREDENTIALS;
        int64_t deadline = f->fake.monotonic + (cases[i] == ALREADY_PASSED ? 0 : 2 * SECOND);
        assert_non_null(start(f, &(struct call_options){.deadline = deadline}));
        if (cases[i] == LONG_PAUSE) {
            struct http_response response = {.status = 503, .body = SPAN("busy")};
            response.header[HTTP_RETRY_AFTER] = SPAN("2");
            fake_respond(&f->fake, 0, response);
            /* The wait would outlast the deadline, so the answer is told now, with its body. */
            check(f, CALL_RETRY, 1);
            assert_string_equal(f->body, "busy");
            assert_int_equal(f->result.status, 503);
        }
        fake_pass(&f->fake, 2 * SECOND);
        check(f, CALL_RETRY, cases[i] == NO_ANSWER || cases[i] == LONG_PAUSE);
        assert_true(f->done_at <= deadline);
        assert_int_equal(f->fake.cancelled, cases[i] == NO_ANSWER);
        assert_null(f->fake.waiting);
        assert_true(f->fake.request_count == 0 || cases[i] != ALREADY_PASSED);
    }
}

/* Time goes on, and no timer fires before what had come is read: after a standstill the HTTP client gives it a second.
 */
static void stand_still(struct fixture *f) {
    f->fake.monotonic += 900 * SECOND;
    f->fake.wall += 900 * SECOND;
}

static void begin_before_a_standstill(struct fixture *f) {
    f->fake.request_count = f->done = f->released = 0;
    assert_non_null(start(f, &(struct call_options){.deadline = f->fake.monotonic + 30 * SECOND}));
    assert_int_equal(f->fake.request_count, 1);
}

static void fault_36_what_came_during_a_standstill_is_the_answer_though_the_deadline_has_passed(void **state) {
    struct fixture *f = *state;
    begin_before_a_standstill(f);
    stand_still(f);
    fake_pass(&f->fake, SECOND - 1);
    fake_respond_with(&f->fake, 0, 200, "{}");
    check(f, CALL_OK, 1);
    assert_string_equal(f->body, "{}");
}

/* Its message may be another's by then. */
static void fault_36_after_a_standstill_nothing_is_sent_once_the_deadline_has_passed(void **state) {
    static const struct {
        const char *body, *date;
        int status;
        enum call_class class;
    } cases[] = {{EXPIRED, "", 400, CALL_AUTH},
                 {SKEWED, "Sun, 06 Nov 1994 12:49:37 GMT", 400, CALL_CLOCK},
                 {SERVER_ERROR, "", 500, CALL_RETRY},
                 {THROTTLED, "", 400, CALL_THROTTLED},
                 {"", "", 0, CALL_RETRY}};
    struct fixture *f = *state;
    f->fake.renews = true;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        begin_before_a_standstill(f);
        stand_still(f);
        struct http_response response = {.status = cases[i].status, .body = span_cstr(cases[i].body)};
        response.header[HTTP_DATE] = span_cstr(cases[i].date);
        response.error = cases[i].status ? HTTP_FINE : HTTP_TIMED_OUT;
        fake_respond_marked(&f->fake, 0, response);
        fake_pass(&f->fake, 60 * SECOND);
        check(f, cases[i].class, 1);
        assert_int_equal(f->fake.request_count, 1);
    }
    assert_int_equal(f->fake.invalidated, 1); /* what the answers tell of credentials and clock serves the next call */
    begin(f);
    assert_non_null(strstr(f->fake.requests[1].headers, "Credential=AKID2/"));
    call_cancel(f->call);
}

static void fault_36_a_pause_that_ends_with_a_standstill_sends_nothing_once_the_deadline_has_passed(void **state) {
    struct fixture *f = *state;
    begin_before_a_standstill(f);
    fake_respond_with(&f->fake, 0, 500, SERVER_ERROR);
    assert_int_equal(f->done, 0);
    stand_still(f);
    fake_pass(&f->fake, 60 * SECOND);
    check(f, CALL_RETRY, 1);
    assert_int_equal(f->fake.request_count, 1);
    assert_string_equal(f->result.message, "no answer before the call's deadline");
}

static void a_cancelled_call_frees_what_it_has_and_says_nothing(void **state) {
    struct fixture *f = *state;
    begin(f);
    call_cancel(f->call);
    assert_int_equal(f->fake.cancelled, 1);
    begin(f);
    fake_respond_with(&f->fake, 1, 500, SERVER_ERROR);
    call_cancel(f->call);
    f->fake.asynchronous = true;
    begin(f);
    call_cancel(f->call);
    f->fake.asynchronous = false;
    f->fake.key_number = 0;
    begin(f);
    call_cancel(f->call);
    call_cancel(NULL);
    fake_pass(&f->fake, 60 * SECOND);
    assert_int_equal(f->done, 0);
    assert_int_equal(f->released, 4);
    assert_null(f->fake.waiting);
    assert_int_equal(aws_client_stats(f->client).calls, 0);
}

static void a_call_may_be_cancelled_in_its_own_callback(void **state) {
    struct fixture *f = *state;
    f->cancels_in_done = true;
    begin(f);
    fake_respond_with(&f->fake, 0, 200, "{}");
    check(f, CALL_OK, 1);
}

static void the_next_call_may_start_in_a_callback(void **state) {
    struct fixture *f = *state;
    f->starts_in_done = true;
    begin(f);
    fake_respond_with(&f->fake, 0, 200, "{}");
    fake_respond_with(&f->fake, 1, 200, "{}");
    assert_int_equal(f->done, 2);
    assert_int_equal(f->released, 2);
}

static void a_client_can_be_freed_with_calls_in_flight(void **state) {
    struct fixture *f = *state;
    begin(f);
    begin(f);
    fake_respond_with(&f->fake, 1, 500, SERVER_ERROR);
    aws_client_free(f->client);
    f->client = NULL;
    assert_int_equal(f->done, 0);
    assert_int_equal(f->released, 2);
    assert_int_equal(timers_next(&f->fake.timers), NEVER);
}

static void without_options_a_call_has_the_clients_attempts_and_no_deadline(void **state) {
    struct fixture *f = *state;
    assert_non_null(start(f, NULL));
    for (size_t k = 0; k < 4; k++) {
        fake_respond_with(&f->fake, k, 500, SERVER_ERROR);
        fake_pass(&f->fake, 20 * SECOND);
    }
    check(f, CALL_RETRY, 4);
}

static void attempts_and_retries_are_logged_for_debugging_only(void **state) {
    struct fixture *f = *state;
    begin(f);
    fake_respond_with(&f->fake, 0, 500, SERVER_ERROR);
    assert_int_equal(f->fake.log_lines, 2);
    f->fake.log.level = LOG_LEVEL_INFO;
    fake_pass(&f->fake, SECOND);
    fake_respond_with(&f->fake, 1, 500, SERVER_ERROR);
    assert_int_equal(f->fake.log_lines, 2);
    call_cancel(f->call);
}

/* Whether an answer of this size still stood there when the call was done. */
static void assert_answer_left(struct fixture *f, size_t size, bool forgets, bool is_left) {
    struct buf answer;
    buf_init(&answer, size);
    for (size_t i = 0; i < size; i++) {
        buf_append_char(&answer, '1');
    }
    assert_true(buf_ok(&answer));
    f->answer = &answer;
    f->forgets_body = forgets;
    begin(f);
    fake_respond_marked(&f->fake, f->fake.request_count - 1,
                        (struct http_response){.status = 200, .body = buf_span(&answer), .storage = &answer});
    assert_int_equal(f->result.class, CALL_OK);
    assert_int_equal(f->body[0], is_left ? '1' : '\0');
    assert_int_equal(f->answer_at_the_end > 0, is_left);
    f->answer = NULL;
    buf_free(&answer);
}

static void fault_28_a_large_answer_that_was_read_is_not_held_while_its_receiver_works(void **state) {
    struct fixture *f = *state;
    assert_answer_left(f, 1 << 20, true, false);
    assert_answer_left(f, 100, true, true); /* the next one needs the room again */
    assert_answer_left(f, 1 << 20, false, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Times and statuses of two attempts; the second is cut by the call's deadline. */
static void how_far_a_date_is_off_is_noted_where_that_is_asked_for(void **state) {
    struct fixture *f = *state;
    for (int noted = 0; noted < 2; noted++) {
        struct aws_client_options options = fake_client_options(&f->fake);
        options.notes_dates = noted;
        aws_client_free(f->client);
        f->client = aws_client_new(&options);
        assert_non_null(f->client);
        size_t first = f->fake.request_count;
        begin(f);
        respond_with_date(f, first, "{\"__type\":\"x#ValidationException\"}", "Sun, 06 Nov 1994 08:50:37 GMT");
        const struct aws_client_stats stats = aws_client_stats(f->client);
        assert_int_equal(stats.dated, noted);
        assert_int_equal(stats.date_offset, noted ? 60 * SECOND + SECOND / 2 : 0);
    }
}

static void each_attempt_is_told_with_its_outcome_and_counted(void **state) {
    struct fixture *f = *state;
    struct metrics metrics = {0};
    struct aws_client_options options = fake_client_options(&f->fake);
    options.metrics = &metrics;
    options.counted_as = METRICS_DYNAMODB;
    aws_client_free(f->client);
    f->client = aws_client_new(&options);
    assert_non_null(f->client);
    assert_non_null(start(f, &(struct call_options){.deadline = f->fake.monotonic + 10 * SECOND}));
    fake_pass(&f->fake, 30 * MILLISECOND);
    fake_respond_marked(&f->fake, 0, (struct http_response){.status = 500, .body = SPAN(SERVER_ERROR)});
    char line[512];
    (void)snprintf(line, sizeof line, "%s", f->fake.told);
    assert_non_null(strstr(line, "service=dynamodb operation=TransactWriteItems status=500 code=InternalServerError "
                                 "ms=30 request_id=0VB2E5VOKS8EXAMPLE attempt=1"));
    fake_pass(&f->fake, 10 * SECOND);
    check(f, CALL_RETRY, 2);
    assert_non_null(strstr(f->fake.told, "status=0 code=\"no answer\""));
    assert_non_null(strstr(f->fake.told, "request_id=none attempt=2"));
    assert_int_equal(metrics.requests[METRICS_DYNAMODB][CALL_RETRY], 2);
    assert_int_equal(metrics.retries[METRICS_DYNAMODB][CALL_RETRY], 1);
    begin(f);
    fake_respond_with(&f->fake, 2, 200, "{}");
    assert_int_equal(metrics.requests[METRICS_DYNAMODB][CALL_OK], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_request_carries_all_that_the_service_needs),
        TEST(a_transient_failure_is_tried_again_after_a_jittered_pause),
        TEST(a_body_whose_hash_is_known_is_signed_by_it_as_it_would_be_without),
        TEST(the_attempts_of_a_call_are_bounded),
        TEST(a_permanent_refusal_is_told_at_once),
        TEST(denied_access_is_told_at_once),
        TEST(fault_35_a_200_of_somebody_else_is_tried_again_and_told),
        TEST(the_operation_may_see_an_answer_otherwise),
        TEST(fault_28_a_large_answer_that_was_read_is_not_held_while_its_receiver_works),
        TEST(what_is_not_the_services_is_not_shown_to_the_operation),
        TEST(a_wrong_checksum_is_tried_again),
        TEST(an_untrusted_server_is_named),
        TEST(retry_after_is_honoured),
        TEST(fault_05_a_transaction_in_progress_is_tried_once_more_five_seconds_after_the_start),
        TEST(when_most_calls_fail_they_stop_trying_again),
        TEST(a_success_gives_the_budget_back),
        TEST(refused_credentials_are_renewed_and_tried_once),
        TEST(the_same_credentials_are_not_sent_to_be_refused_again),
        TEST(a_call_without_credentials_fails_later_from_the_loop),
        TEST(credentials_may_come_later),
        TEST(malformed_credentials_are_never_sent),
        TEST(no_memory_for_a_request_is_a_transient_failure),
        TEST(fault_20_a_clock_that_is_off_is_corrected_from_the_services_date),
        TEST(a_clock_that_was_set_right_again_is_corrected_too),
        TEST(calls_that_were_under_way_are_corrected_by_the_same_measure),
        TEST(a_clock_that_can_not_be_corrected_is_the_clocks_fault),
        TEST(a_wrong_signature_with_the_right_time_is_the_credentials_fault),
        TEST(done_comes_by_the_deadline_whatever_happens),
        TEST(fault_36_what_came_during_a_standstill_is_the_answer_though_the_deadline_has_passed),
        TEST(fault_36_after_a_standstill_nothing_is_sent_once_the_deadline_has_passed),
        TEST(fault_36_a_pause_that_ends_with_a_standstill_sends_nothing_once_the_deadline_has_passed),
        TEST(a_cancelled_call_frees_what_it_has_and_says_nothing),
        TEST(a_call_may_be_cancelled_in_its_own_callback),
        TEST(the_next_call_may_start_in_a_callback),
        TEST(a_client_can_be_freed_with_calls_in_flight),
        TEST(without_options_a_call_has_the_clients_attempts_and_no_deadline),
        TEST(attempts_and_retries_are_logged_for_debugging_only),
        TEST(how_far_a_date_is_off_is_noted_where_that_is_asked_for),
        TEST(each_attempt_is_told_with_its_outcome_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
