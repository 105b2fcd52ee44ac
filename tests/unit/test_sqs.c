#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_service.h"
#include "sqs.h"

#define URL "http://127.0.0.1:1/000000000000/q"

struct fixture {
    struct fake_service *service;
    struct sqs *sqs;
    struct sqs_api port;
    /* What done was told. */
    unsigned calls;
    struct call_result result;
    struct sqs_message *messages[SQS_BATCH_MAX];
    size_t count, corrupt;
    bool has_answer;
    struct sqs_entry_result entries[SQS_BATCH_MAX];
    struct sqs_queue_attributes attributes;
    char url[256];
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->service = fake_service_new("sqs", "AmazonSQS.");
    f->sqs = sqs_new(f->service->client, f->service->digest);
    assert_non_null(f->sqs);
    f->port = sqs_api(f->sqs);
    *state = f;
    return 0;
}

static void free_messages(struct fixture *f) {
    for (size_t i = 0; i < f->count && f->messages[i]; i++) {
        sqs_message_free(f->messages[i]);
        f->messages[i] = NULL;
    }
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    free_messages(f);
    fake_service_free(f->service);
    sqs_free(f->sqs);
    free(f);
    return 0;
}

static void told(struct fixture *f, const struct call_result *result) {
    f->calls++;
    f->result = *result;
}

static void received(void *user, const struct call_result *result, struct sqs_message **messages, size_t count,
                     size_t corrupt) {
    struct fixture *f = user;
    told(f, result);
    memcpy(f->messages, messages, count * sizeof *messages);
    f->count = count;
    f->corrupt = corrupt;
}

static void batch_done(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                       size_t count) {
    struct fixture *f = user;
    told(f, result);
    f->has_answer = entries != NULL;
    if (entries) {
        memcpy(f->entries, entries, count * sizeof *entries);
    }
    f->count = 0;
}

static void attributes_done(void *user, const struct call_result *result,
                            const struct sqs_queue_attributes *attributes) {
    struct fixture *f = user;
    told(f, result);
    f->has_answer = attributes != NULL;
    if (attributes) {
        f->attributes = *attributes;
    }
}

static void url_done(void *user, const struct call_result *result, const char *url) {
    struct fixture *f = user;
    told(f, result);
    f->has_answer = url != NULL;
    (void)snprintf(f->url, sizeof f->url, "%s", url ? url : "");
}

/* Which call; each gives NULL where there is no memory. */
enum which { RECEIVE, DELETE, CHANGE, SEND, ATTRIBUTES, GET_URL, KINDS };

static struct call *start(struct fixture *f, enum which which) {
    static const struct span handle = {"h", 1};
    static const struct sqs_visibility_entry visibility = {{"h", 1}, 7};
    static const struct sqs_send_entry send = {.body = {"b", 1}};
    static const struct sqs_receive_request receive = {
        .queue_url = URL, .max_messages = 10, .wait_seconds = 20, .visibility_seconds = 30, .max_response = 12345};
    static const struct call_options options = {.deadline = NEVER};
    const struct sqs_api *p = &f->port;
    switch (which) {
    case RECEIVE: return p->receive(p->ctx, &receive, &options, received, f);
    case DELETE: return p->delete_batch(p->ctx, URL, &handle, 1, &options, batch_done, f);
    case CHANGE: return p->change_visibility_batch(p->ctx, URL, &visibility, 1, &options, batch_done, f);
    case SEND: return p->send_batch(p->ctx, URL, &send, 1, &options, batch_done, f);
    case ATTRIBUTES: return p->get_attributes(p->ctx, URL, &options, attributes_done, f);
    case GET_URL: return p->get_queue_url(p->ctx, "q", "", &options, url_done, f);
    case KINDS: break;
    }
    return NULL;
}

static const char *const names[KINDS] = {"ReceiveMessage",   "DeleteMessageBatch", "ChangeMessageVisibilityBatch",
                                         "SendMessageBatch", "GetQueueAttributes", "GetQueueUrl"};

#define RECEIVED                                                                                                       \
    "{\"Messages\":[{\"MessageId\":\"i\",\"ReceiptHandle\":\"h\",\"Body\":\"b2\",\"MD5OfBody\":"                       \
    "\"fbfba2e45c2045dc5cab22a5afe83d9d\"},"                                                                           \
    "{\"MessageId\":\"j\",\"ReceiptHandle\":\"h\",\"Body\":\"b2\",\"MD5OfBody\":\"wrong\"}]}"

static void a_receive_gives_messages_that_are_the_receivers(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer script[] = {{200, RECEIVED}};
    fake_service_script(f->service, script, 1);
    assert_non_null(start(f, RECEIVE));
    assert_int_equal(f->calls, 0);
    fake_service_run(f->service);
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->result.class, CALL_OK);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->corrupt, 1);
    assert_string_equal(f->result.message, "j: its body doesn't fit its MD5");
    assert_true(span_is(f->messages[0]->body, "b2"));
    assert_string_equal(f->service->target, "AmazonSQS.ReceiveMessage");
    assert_int_equal(f->service->max_response, 12345);
    assert_true(f->service->silence == 10 * MICROSECONDS);
    assert_true(f->service->wait == 20 * MICROSECONDS);
    assert_true(f->service->timeout >= 5 * 60 * MICROSECONDS);
}

static void each_call_says_what_it_is(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer ok[] = {
        [RECEIVE] = {200, "{}"},
        [DELETE] = {200, "{\"Successful\":[{\"Id\":\"0\"}]}"},
        [CHANGE] = {200, "{\"Failed\":[{\"Id\":\"0\",\"Code\":\"ReceiptHandleIsInvalid\",\"SenderFault\":true}]}"},
        [SEND] = {200, "{\"Successful\":[{\"Id\":\"0\"}]}"}, /* without an id of the message: not acknowledged */
        [ATTRIBUTES] = {200, "{\"Attributes\":{\"QueueArn\":\"a\",\"ApproximateNumberOfMessages\":\"0\","
                             "\"ApproximateNumberOfMessagesNotVisible\":\"0\",\"ApproximateNumberOfMessagesDelayed\":"
                             "\"0\"}}"},
        [GET_URL] = {200, "{\"QueueUrl\":\"" URL "\"}"},
    };
    for (enum which w = RECEIVE; w < KINDS; w++) {
        fake_service_script(f->service, &ok[w], 1);
        f->calls = 0;
        assert_non_null(start(f, w));
        fake_service_run(f->service);
        assert_int_equal(f->calls, 1);
        assert_int_equal(f->result.class, CALL_OK);
        assert_int_equal(f->result.attempts, 1);
        assert_memory_equal(f->service->target, "AmazonSQS.", 10);
        assert_string_equal(f->service->target + 10, names[w]);
        assert_true(w == RECEIVE || f->has_answer);
        assert_non_null(strstr(f->service->body, w == GET_URL ? "{\"QueueName\":\"q\"}" : "{\"QueueUrl\":\"" URL "\""));
        if (w == DELETE || w == CHANGE || w == SEND) {
            assert_int_equal(f->entries[0].ok, w == DELETE);
            assert_string_equal(f->entries[0].code, w == CHANGE ? "ReceiptHandleIsInvalid" : "");
        }
    }
    assert_string_equal(f->url, URL);
    assert_string_equal(f->attributes.arn, "a");
}

static void a_200_that_is_garbage_is_tried_again_and_never_the_services_word(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer garbage[] = {
        {200, "<html>"}, {200, ""}, {200, "{\"Messages\":7,\"Successful\":7"}, {200, "<html>"}};
    for (enum which w = RECEIVE; w < KINDS; w++) {
        fake_service_script(f->service, garbage, ARRAY_LENGTH(garbage));
        f->calls = 0;
        assert_non_null(start(f, w));
        fake_service_run(f->service);
        assert_int_equal(f->calls, 1);
        assert_int_equal(f->result.class, CALL_RETRY);
        assert_false(f->result.from_service);
        assert_string_equal(f->result.code, "");
        assert_int_equal(f->result.attempts, 3);
        assert_int_equal(f->result.status, 200);
        assert_false(f->has_answer);
        assert_int_equal(f->count, 0);
    }
}

static void fault_35_an_answer_of_another_shape_is_a_fault_on_the_way_that_says_what_it_lacks(void **state) {
    struct fixture *f = *state;
    static const char *const lacks[KINDS] = {"it has no Messages, and isn't empty", "it names no entry of the batch",
                                             "it names no entry of the batch",      "it names no entry of the batch",
                                             "it has no Attributes of a queue",     "it has no QueueUrl"};
    static const char *const bodies[] = {"{\"status\":\"ok\"}", "{\"errors\":[{}]}", "<html></html>", "", "[]", "{}"};
    for (enum which w = RECEIVE; w < KINDS; w++) {
        for (size_t i = 0; i < ARRAY_LENGTH(bodies) - (w == RECEIVE); i++) {
            const struct fake_answer script[] = {{200, bodies[i]}, {200, bodies[i]}, {200, bodies[i]}};
            fake_service_script(f->service, script, ARRAY_LENGTH(script));
            f->calls = 0;
            assert_non_null(start(f, w));
            fake_service_run(f->service);
            assert_int_equal(f->calls, 1);
            assert_int_equal(f->result.class, CALL_RETRY);
            assert_true(f->result.foreign && !f->result.from_service && !f->has_answer);
            char expected[256];
            (void)snprintf(expected, sizeof expected, "HTTP status 200 from 127.0.0.1:1 that isn't the service's: %s",
                           lacks[w]);
            assert_string_equal(f->result.message, expected);
        }
    }
}

static void what_an_earlier_attempt_gave_is_forgotten(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer script[] = {{200, "garbage"}, {0, ""}, {200, RECEIVED}};
    fake_service_script(f->service, script, 3);
    assert_non_null(start(f, RECEIVE));
    fake_service_run(f->service);
    assert_int_equal(f->result.class, CALL_OK);
    assert_int_equal(f->result.attempts, 3);
    assert_int_equal(f->count, 1);
}

static void an_error_of_the_service_passes_through(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer script[] = {
        {400, "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"m\"}"}};
    for (enum which w = RECEIVE; w < KINDS; w++) {
        fake_service_script(f->service, script, 1);
        assert_non_null(start(f, w));
        fake_service_run(f->service);
        assert_int_equal(f->result.class, CALL_PERMANENT);
        assert_true(f->result.from_service);
        assert_string_equal(f->result.code, "QueueDoesNotExist");
        assert_false(f->has_answer);
    }
}

static void a_cancelled_call_calls_nobody_and_leaves_nothing(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer script[] = {{0, ""}};
    for (enum which w = RECEIVE; w < KINDS; w++) {
        struct call *call = start(f, w);
        assert_non_null(call);
        f->port.cancel(f->port.ctx, call);
        fake_service_script(f->service, script, 1);
        call = start(f, w);
        fake_service_answer(f->service); /* now it waits for its next attempt */
        f->port.cancel(f->port.ctx, call);
        fake_service_run(f->service);
    }
    assert_int_equal(f->calls, 0);
}

static void arguments_are_copied_before_the_call_returns(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer script[] = {{0, ""}, {200, "{\"Successful\":[{\"Id\":\"0\"}]}"}};
    fake_service_script(f->service, script, 2);
    char url[] = URL, handle[] = "handle";
    struct span handles[] = {{handle, 6}};
    struct call_options options = {.deadline = NEVER};
    assert_non_null(f->port.delete_batch(f->port.ctx, url, handles, 1, &options, batch_done, f));
    memset(url, 'x', sizeof url - 1);
    memset(handle, 'x', sizeof handle - 1);
    handles[0] = (struct span){NULL, 0};
    options.deadline = 0;
    fake_service_run(f->service);
    assert_string_equal(f->service->body,
                        "{\"QueueUrl\":\"" URL "\",\"Entries\":[{\"Id\":\"0\",\"ReceiptHandle\":\"handle\"}]}");
    assert_true(f->entries[0].ok);
}

#define MD5_B "92eb5ffee6ae2fec3ad71c777531578f"

static void a_letter_is_acknowledged_by_the_md5_of_what_was_sent_not_of_what_became_of_it(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer taken = {
        200, "{\"Successful\":[{\"Id\":\"0\",\"MessageId\":\"m\",\"MD5OfMessageBody\":\"" MD5_B "\"}]}"};
    static const struct call_options options = {.deadline = NEVER};
    for (const char *sent = "bc"; *sent; sent++) {
        char body[] = {*sent, '\0'};
        const struct sqs_send_entry entry = {.body = span_of(body, 1)};
        fake_service_script(f->service, &taken, 1);
        assert_non_null(f->port.send_batch(f->port.ctx, URL, &entry, 1, &options, batch_done, f));
        body[0] = *sent == 'b' ? 'c' : 'b';
        fake_service_run(f->service);
        assert_int_equal(f->result.class, CALL_OK);
        assert_true(f->has_answer);
        assert_int_equal(f->entries[0].ok, *sent == 'b');
        assert_string_equal(f->entries[0].code, "");
    }
}

static void a_batch_that_could_never_be_sent_is_not_begun(void **state) {
    struct fixture *f = *state;
    size_t size = (size_t)9 * 1024 * 1024;
    char *body = malloc(size);
    assert_non_null(body);
    memset(body, 'x', size);
    const struct sqs_send_entry entry = {.body = span_of(body, size)};
    assert_null(f->port.send_batch(f->port.ctx, URL, &entry, 1, NULL, batch_done, f));
    free(body);
    fake_service_run(f->service);
    assert_int_equal(f->calls, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_receive_gives_messages_that_are_the_receivers),
        CASE(each_call_says_what_it_is),
        CASE(a_200_that_is_garbage_is_tried_again_and_never_the_services_word),
        CASE(fault_35_an_answer_of_another_shape_is_a_fault_on_the_way_that_says_what_it_lacks),
        CASE(what_an_earlier_attempt_gave_is_forgotten),
        CASE(an_error_of_the_service_passes_through),
        CASE(a_cancelled_call_calls_nobody_and_leaves_nothing),
        CASE(arguments_are_copied_before_the_call_returns),
        CASE(a_letter_is_acknowledged_by_the_md5_of_what_was_sent_not_of_what_became_of_it),
        CASE(a_batch_that_could_never_be_sent_is_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
