#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "http.h"
#include "loop.h"
#include "loopback_server.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>

#define OK_TEXT "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

struct fixture {
    struct loop *loop;
    struct http *http;
    struct http_port port;
    struct server server;
    EVP_PKEY *key;
    X509 *certificate;
    char ca_file[64];
    enum http_error error;
    int status;
    size_t finished, awaited;
};

static void add_extension(X509 *certificate, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* A certificate that vouches for itself, for the names given. */
static void make_certificate(struct fixture *f, const char *names) {
    f->key = EVP_EC_gen("P-256");
    f->certificate = X509_new();
    assert_non_null(f->key);
    assert_non_null(f->certificate);
    X509 *c = f->certificate;
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 3600);
    X509_set_pubkey(c, f->key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(c, X509_get_subject_name(c));
    add_extension(c, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(c, NID_subject_alt_name, names);
    assert_true(X509_sign(c, f->key, EVP_sha256()) > 0);
    (void)snprintf(f->ca_file, sizeof f->ca_file, "/tmp/test_http_dial.XXXXXX");
    int fd = mkstemp(f->ca_file);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, c), 1);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) {
        return -1;
    }
    signal(SIGPIPE, SIG_IGN);
    f->server.fd = -1;
    f->loop = loop_new();
    *state = f;
    return f->loop ? 0 : -1;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    http_free(f->http);
    server_close(&f->server);
    X509_free(f->certificate);
    EVP_PKEY_free(f->key);
    if (f->ca_file[0]) {
        unlink(f->ca_file);
    }
    loop_free(f->loop);
    free(f);
    return 0;
}

static void on_done(void *user, const struct http_response *response) {
    struct fixture *f = user;
    f->error = response->error;
    f->status = response->status;
    assert_true((response->error == HTTP_FINE) == (response->message[0] == '\0'));
    if (++f->finished == f->awaited) {
        loop_stop(f->loop);
    }
}

static void begin(struct fixture *f, const char *names, const char *ca_file, const struct server_answer *answer) {
    make_certificate(f, names);
    f->http = http_new(f->loop, &(struct http_options){.ca_file = ca_file ? ca_file : f->ca_file});
    assert_non_null(f->http);
    f->port = http_port(f->http);
    assert_true(server_open(&f->server, f->loop, answer, 1));
    f->server.tls = SSL_CTX_new(TLS_server_method());
    assert_non_null(f->server.tls);
    assert_int_equal(SSL_CTX_use_certificate(f->server.tls, f->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(f->server.tls, f->key), 1);
}

static void run_body(struct fixture *f, size_t at_once, struct span body) {
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", f->server.port);
    struct http_request request = {
        .method = HTTP_POST, .url = url, .body = body, .max_response = 100000, .timeout = 30 * MICROSECONDS, .direct = true};
    f->finished = 0;
    f->awaited = at_once;
    for (size_t i = 0; i < at_once; i++) {
        assert_non_null(f->port.start(f->port.ctx, &request, on_done, f));
    }
    assert_true(loop_run(f->loop));
}

static void run(struct fixture *f, size_t at_once) {
    run_body(f, at_once, SPAN("x"));
}

static void a_server_that_the_ca_file_vouches_for_is_trusted(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {.text = OK_TEXT};
    begin(f, "IP:127.0.0.1", NULL, &answer);
    run(f, 1);
    assert_int_equal(f->error, HTTP_FINE);
    assert_int_equal(f->status, 200);
    char why[64];
    assert_true(http_ca_file_check(f->ca_file, why, sizeof why));
}

static void a_server_that_nobody_vouches_for_is_not_trusted(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {.text = OK_TEXT};
    begin(f, "IP:127.0.0.1", NULL, &answer);
    http_free(f->http);
    f->http = http_new(f->loop, &(struct http_options){0});
    assert_non_null(f->http);
    f->port = http_port(f->http);
    run(f, 1);
    assert_int_equal(f->error, HTTP_UNTRUSTED);
    assert_int_equal(f->server.requests, 0);
}

static void a_certificate_for_another_host_is_not_trusted(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {.text = OK_TEXT};
    begin(f, "IP:127.0.0.2,DNS:other.example.com", NULL, &answer);
    run(f, 1);
    assert_int_equal(f->error, HTTP_UNTRUSTED);
    assert_int_equal(f->server.requests, 0);
}

static void without_its_ca_file_nobody_is_trusted(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {.text = OK_TEXT};
    begin(f, "IP:127.0.0.1", "/nonexistent/ca.pem", &answer);
    run(f, 1);
    assert_int_equal(f->error, HTTP_UNTRUSTED);
}

static void a_server_without_tls_is_unreachable_not_untrusted(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {.text = OK_TEXT};
    begin(f, "IP:127.0.0.1", NULL, &answer);
    SSL_CTX_free(f->server.tls);
    f->server.tls = NULL;
    f->server.greeting = "220 mail.example.com ESMTP\r\n";
    run(f, 1);
    assert_int_equal(f->error, HTTP_UNREACHABLE);
}

static void a_new_connection_resumes_the_tls_session_of_an_earlier_one(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {.text = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
                                         .after = SERVER_CLOSES};
    begin(f, "IP:127.0.0.1", NULL, &answer);
    run(f, 1);
    assert_int_equal(f->status, 200);
    /* Two at once, so that a handle of its own is needed. */
    run(f, 2);
    assert_int_equal(f->status, 200);
    assert_int_equal(f->server.accepted, 3);
    assert_true(f->server.resumed >= 1);
}

static void a_response_larger_than_a_tls_record_comes_whole(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", .padding = 90000};
    begin(f, "IP:127.0.0.1", NULL, &answer);
    for (size_t i = 0; i < 3; i++) {
        run(f, 4);
        assert_int_equal(f->error, HTTP_FINE);
    }
}

/* They are all in the socket at once: nothing comes on it any more to say that some were left unread. */
static void a_response_in_many_small_tls_records_comes_whole(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", .padding = 5000, .record = 7};
    begin(f, "IP:127.0.0.1", NULL, &answer);
    for (size_t i = 0; i < 3; i++) {
        run(f, 4);
        assert_int_equal(f->error, HTTP_FINE);
    }
}

static void a_response_in_small_tls_records_that_ends_with_the_connection_comes_whole(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {
        .text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", .padding = 5000, .record = 500, .after = SERVER_CLOSES};
    begin(f, "IP:127.0.0.1", NULL, &answer);
    run(f, 4);
    assert_int_equal(f->error, HTTP_FINE);
}

/* More than a socket takes at once: what OpenSSL could not send is given to it again. */
static void a_request_of_many_tls_records_is_sent_whole(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {.text = OK_TEXT};
    begin(f, "IP:127.0.0.1", NULL, &answer);
    size_t size = 8 << 20;
    char *body = malloc(size);
    assert_non_null(body);
    for (size_t i = 0; i < size; i++) {
        body[i] = (char)('a' + i % 23);
    }
    run_body(f, 3, span_of(body, size));
    assert_int_equal(f->error, HTTP_FINE);
    assert_int_equal(f->server.requests, 3);
    struct span last = buf_span(&f->server.last_request);
    assert_true(last.len > size);
    assert_memory_equal(last.data + last.len - size, body, size);
    free(body);
}

/* OpenSSL has read them already when the response is complete: the socket says nothing of them. */
static void tls_records_after_a_response_are_no_answer_to_the_next_request(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = {
        .text = "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", .record = 20};
    begin(f, "IP:127.0.0.1", NULL, &answer);
    for (size_t i = 0; i < 3; i++) {
        run(f, 1);
        assert_int_equal(f->error, HTTP_FINE);
        assert_int_equal(f->status, 400);
    }
    assert_int_equal(f->server.accepted, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_server_that_the_ca_file_vouches_for_is_trusted),
        TEST(a_server_that_nobody_vouches_for_is_not_trusted),
        TEST(a_certificate_for_another_host_is_not_trusted),
        TEST(without_its_ca_file_nobody_is_trusted),
        TEST(a_server_without_tls_is_unreachable_not_untrusted),
        TEST(a_new_connection_resumes_the_tls_session_of_an_earlier_one),
        TEST(a_response_larger_than_a_tls_record_comes_whole),
        TEST(a_response_in_many_small_tls_records_comes_whole),
        TEST(a_response_in_small_tls_records_that_ends_with_the_connection_comes_whole),
        TEST(tls_records_after_a_response_are_no_answer_to_the_next_request),
        TEST(a_request_of_many_tls_records_is_sent_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
