#include "update_fixture.h"

static void a_body_that_is_no_message_is_told_what_it_was_probably_meant_to_be(void **state) {
    (void)state;
    static const struct {
        const char *body, *hint; /* NULL: none */
    } cases[] = {
        {"\"{\\\"id\\\":\\\"a\\\",\\\"attributes\\\":{\\\"x\\\":1}}\"", "encoded twice"},
        {"{\\\"id\\\":\\\"a\\\"}", "escaped once too often"},
        {"eyJpZCI6ImEiLCJhdHRyaWJ1dGVzIjp7IngiOjF9fQ==", "base64 of JSON"},
        {"\"eyJpZCI6ImEiLCJhdHRyaWJ1dGVzIjp7IngiOjF9fQ==\"", "base64 of JSON"},
        {"H4sIAAAAAAAAA6tWykxRslJKVNJRSiwpKcpMKi1JLVayqlaqULIyrK0FAJ6qYnsdAAAA", "base64 of what gzip compressed"},
        {"\x1F\x8B\x08", "gzip"},
        {"<message><id>a</id></message>", "XML"},
        {"{'id': 'a', 'attributes': {'x': None}}", "json.dumps"},
        {"[object Object]", "JSON.stringify"},
        {"\xEF\xBB\xBF{\"id\":\"a\",\"attributes\":{\"x\":1}}", "byte order mark"},
        {" \n", "empty"},
        {"[{\"id\":\"a\",\"attributes\":{\"x\":1}}]", "a message of its own"},
        {"[\"software.amazon.payloadoffloading.PayloadS3Pointer\",{\"s3BucketName\":\"b\",\"s3Key\":\"k\"}]",
         "the SQS Extended Client has put into S3"},
        {"[\"com.amazon.sqs.javamessaging.MessageS3Pointer\",{\"s3BucketName\":\"b\",\"s3Key\":\"k\"}]",
         "the SQS Extended Client has put into S3"},
        {"[\"x\"]", "It is an array"},
        {"[]", "It is an array"},
        {"{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Time\":\"t\",\"Bucket\":\"b\"}",
         "test event that S3 sends"},
        {"{\"body\":\"W10=\",\"content-encoding\":\"utf-8\",\"content-type\":\"application/"
         "json\",\"headers\":{},\"properties\":{}}",
         "Celery"},
        {"{\"Records\":[]}", "Records"},
        {"{\"Type\":\"SubscriptionConfirmation\",\"Message\":\"\"}", "open its SubscribeURL"},
        {"{\"Type\":\"UnsubscribeConfirmation\",\"Message\":\"\"}", "has ended"},
        {"{\"Type\":\"Notification\",\"Message\":\"\"}", "not whole"},
        {"{\"id\":\"a\",\"detail\":{}}", "not whole"},
        {"{\"TableName\":\"users\",\"Key\":{\"id\":{\"S\":\"a\"}}}", "request to DynamoDB"},
        {"{\"id\":\"a\",\"attributes\":{\"x\":1},\"condition_expresion\":\"y\"}", NULL},
        {"{\"id\":\"a\",\"attributes\":{\"x\":tru}}", NULL},
        {"hello", NULL},
        {"\"hello\"", NULL},
        {"5", NULL},
        {"etc", NULL},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct update *u = read_text(&f, cases[i].body);
        assert_int_equal(u->failure.type, ERROR_INVALID_INPUT);
        bool found = cases[i].hint ? strstr(u->failure.message.data, cases[i].hint) != NULL
                                   : !strstr(u->failure.message.data, ". ");
        if (!found)
            fail_msg("%s: %s", cases[i].body, u->failure.message.data);
        update_free(u);
    }
    fixture_done(&f);
}

static void a_condition_in_sql_is_told_dynamodbs_words(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"email IS NULL", "attribute_not_exists(name)"},     {"email is not null", "attribute_not_exists(name)"},
        {"name LIKE 'A%'", "begins_with(name, 'x')"},        {"name = John Doe", "a text stands in quotes"},
        {"first name = 'x'", "blanks stands in backquotes"}, {"a NOT IN (1)", "NOT stands in front"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *body = text_of("{\"id\":\"a\",\"attributes\":{\"x\":1},\"condition_expression\":\"%s\"}", cases[i][0]);
        struct update *u = read_text(&f, body);
        assert_int_equal(u->failure.type, ERROR_VALIDATION);
        if (!strstr(u->failure.message.data, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], u->failure.message.data);
        update_free(u);
        free(body);
    }
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_that_is_no_message_is_told_what_it_was_probably_meant_to_be),
        cmocka_unit_test(a_condition_in_sql_is_told_dynamodbs_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
