#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "test_certificate.h"
#include "tls_client.h"

#include <openssl/err.h>
#include <string.h>

struct world {
    struct tls_client client;
    struct test_certificate certificate;
    int64_t now;
    enum http_error error;
    char why[128];
};

static int64_t now_of(void *user) {
    return ((struct world *)user)->now;
}

static int setup(void **state) {
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    if (w) {
        certificate_make(&w->certificate, "DNS:example.com");
        tls_client_init(&w->client, (struct clock){.monotonic = now_of, .ctx = w}, w->certificate.ca_file, false);
    }
    return w ? 0 : -1;
}

static int teardown(void **state) {
    struct world *w = *state;
    tls_client_free(&w->client);
    certificate_free(&w->certificate);
    free(w);
    return 0;
}

static SSL *begin(struct world *w, const char *origin) {
    struct tls_peer *peer = tls_client_peer(&w->client, origin);
    assert_non_null(peer);
    return tls_client_begin(&w->client, peer, 0, &w->error, w->why, sizeof w->why);
}

static void it_asks_for_the_name_that_the_certificate_must_have(void **state) {
    static const struct {
        const char *origin, *name, *address;
    } cases[] = {
        {"https://example.com:443/", "example.com", NULL},
        {"https://example.com.:8443/", "example.com", NULL},
        {"https://a:1/", "a", NULL},
        {"https://127.0.0.1:443/", NULL, "127.0.0.1"},
        {"https://[::1]:443/", NULL, "0:0:0:0:0:0:0:1"},
        {"https://[fe80::1%25lo]:443/", NULL, "FE80:0:0:0:0:0:0:1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        SSL *tls = begin(*state, cases[i].origin);
        assert_non_null(tls);
        const char *named = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
        const char *must_have = X509_VERIFY_PARAM_get0_host(SSL_get0_param(tls), 0);
        char *address = X509_VERIFY_PARAM_get1_ip_asc(SSL_get0_param(tls));
        if (cases[i].name) {
            assert_string_equal(named, cases[i].name);
            assert_string_equal(must_have, cases[i].name);
            assert_null(address);
        } else {
            assert_null(named);
            assert_null(must_have);
            assert_string_equal(address, cases[i].address);
        }
        OPENSSL_free(address);
        SSL_free(tls);
    }
}

static void a_server_is_the_same_by_its_whole_origin(void **state) {
    struct world *w = *state;
    const struct tls_peer *peer = tls_client_peer(&w->client, "https://example.com:443/");
    assert_ptr_equal(tls_client_peer(&w->client, "https://example.com:443/"), peer);
    assert_ptr_not_equal(tls_client_peer(&w->client, "https://example.com:8443/"), peer);
}

static void those_who_are_trusted_are_read_again_after_an_hour_and_only_then(void **state) {
    struct world *w = *state;
    SSL *first = begin(w, "https://example.com:443/");
    assert_non_null(first);
    assert_int_equal(truncate(w->certificate.ca_file, 0), 0);
    w->now += 3599 * MICROSECONDS;
    SSL *second = begin(w, "https://example.com:443/");
    assert_non_null(second);
    w->now += MICROSECONDS;
    assert_null(begin(w, "https://example.com:443/"));
    assert_int_equal(w->error, HTTP_UNTRUSTED);
    assert_true(w->why[0] != '\0');
    SSL_free(first);
    SSL_free(second);
    certificate_write(&w->certificate);
    SSL *third = begin(w, "https://example.com:443/");
    assert_non_null(third);
    SSL_free(third);
    assert_int_equal(ERR_peek_error(), 0);
}

static void nothing_below_tls_1_2_is_offered(void **state) {
    SSL *tls = begin(*state, "https://example.com:443/");
    assert_non_null(tls);
    assert_int_equal(SSL_get_min_proto_version(tls), TLS1_2_VERSION);
    assert_int_equal(SSL_get_verify_mode(tls), SSL_VERIFY_PEER);
    SSL_free(tls);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(it_asks_for_the_name_that_the_certificate_must_have),
        TEST(a_server_is_the_same_by_its_whole_origin),
        TEST(those_who_are_trusted_are_read_again_after_an_hour_and_only_then),
        TEST(nothing_below_tls_1_2_is_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
