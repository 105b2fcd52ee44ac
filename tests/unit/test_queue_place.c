#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "kept_log.h"
#include "queue_place.h"

static void an_origin_is_scheme_host_and_port(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"https://sqs.eu-west-1.amazonaws.com", "https://sqs.eu-west-1.amazonaws.com:443"},
        {"http://localhost:9324/path/of/it", "http://localhost:9324"},
        {"http://[::1]/x", "http://[::1]:80"},
        {"https://[::1]:8443", "https://[::1]:8443"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char origin[URL_ORIGIN_SIZE];
        url_origin(cases[i][0], origin);
        assert_string_equal(origin, cases[i][1]);
    }
}

static void a_host_of_sqs_says_its_region(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"sqs.eu-west-1.amazonaws.com", "eu-west-1"},
        {"sqs-fips.us-gov-east-1.amazonaws.com", "us-gov-east-1"},
        {"sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"},
        {"vpce-0a1b-x.sqs.eu-central-1.vpce.amazonaws.com", "eu-central-1"},
        {"eu-west-2.queue.amazonaws.com", "eu-west-2"},
        {"queue.amazonaws.com", "us-east-1"},
        {"localhost", ""},
        {"sqs", ""},
        {"sqs.example.com", ""},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct span region = queue_host_region(span_cstr(cases[i][0]));
        assert_int_equal(region.len, strlen(cases[i][1]));
        assert_memory_equal(region.len ? region.data : "", cases[i][1], region.len);
    }
}

static void a_queue_elsewhere_is_warned_of_with_both_places(void **state) {
    (void)state;
    static const struct {
        const char *queue, *endpoint, *first, *second; /* in the WARNING; NULL: there is none */
    } cases[] = {
        {NULL, "https://sqs.eu-west-1.amazonaws.com", NULL, NULL},
        {"updates", "https://sqs.eu-west-1.amazonaws.com", NULL, NULL},
        {"https://sqs.eu-west-1.amazonaws.com/1/q", "https://sqs.eu-west-1.amazonaws.com", NULL, NULL},
        {"https://eu-west-1.queue.amazonaws.com/1/q", "https://sqs.eu-west-1.amazonaws.com", NULL, NULL},
        {"https://sqs.eu-west-1.amazonaws.com/1/q", "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com", NULL, NULL},
        {"https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/q", "https://vpce-1-a.sqs.eu-west-1.vpce.amazonaws.com",
         NULL, NULL},
        {"https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/q", "https://sqs.eu-west-1.amazonaws.com",
         "VPC endpoint or a FIPS host, which is not asked: set AWS_ENDPOINT_URL_SQS where it is to be",
         "queue_host=vpce-1.sqs.eu-west-1.vpce.amazonaws.com"},
        {"https://sqs-fips.eu-west-1.amazonaws.com/1/q", "https://sqs.eu-west-1.amazonaws.com",
         "queue_host=sqs-fips.eu-west-1.amazonaws.com", "endpoint=https://sqs.eu-west-1.amazonaws.com:443"},
        {"https://sqs-fips.eu-west-1.amazonaws.com/1/q", "https://sqs-fips.eu-west-1.amazonaws.com", NULL, NULL},
        {"http://localhost:9324/0/q", "http://127.0.0.1:9325", NULL, NULL},
        {"http://LocalStack:4566/0/q", "http://localstack:4566", NULL, NULL},
        {"https://sqs.us-east-1.amazonaws.com/1/q", "https://sqs.eu-west-1.amazonaws.com", "queue_region=us-east-1",
         " region=eu-west-1"},
        {"https://sqs.us-east-1.amazonaws.com/1/q", "http://localhost:1", "queue_region=us-east-1",
         " region=eu-west-1"},
        {"https://sqs.eu-west-1.amazonaws.com/1/q", "http://localhost:1", "queue_host=sqs.eu-west-1.amazonaws.com",
         "endpoint=http://localhost:1"},
        {"http://sqs:9324/0/q", "http://localhost:9324", "queue_host=sqs", "endpoint=http://localhost:9324"},
        {"http://localhost:9324/0/q", "https://sqs.eu-west-1.amazonaws.com", "queue_host=localhost",
         "endpoint=https://sqs.eu-west-1.amazonaws.com:443"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct log log = test_log();
        queue_place_warn(&log, "QUEUE_URL", cases[i].queue, cases[i].endpoint, "eu-west-1");
        if (cases[i].first) {
            assert_non_null(strstr(logged, "WARNING QUEUE_URL "));
            assert_non_null(strstr(logged, cases[i].first));
            assert_non_null(strstr(logged, cases[i].second));
        } else {
            assert_string_equal(logged, "");
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(a_host_of_sqs_says_its_region),
        cmocka_unit_test(a_queue_elsewhere_is_warned_of_with_both_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
