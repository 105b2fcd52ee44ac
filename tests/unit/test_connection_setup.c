#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection_private.h"
#include "http_fixture.h"

#include "test_certificate.h"

static const struct server_answer OK = OK_ANSWER;

/* The fixture, whose server gets a certificate. */
struct world {
    void *fixture;
    struct test_certificate certificate;
};

static int make_world(void **state) {
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    return w ? setup(&w->fixture) : -1;
}

static int end_world(void **state) {
    struct world *w = *state;
    teardown(&w->fixture);
    certificate_free(&w->certificate);
    free(w);
    return 0;
}

/* A server for these names, and a client that trusts whom the file vouches for (NULL: whom the system trusts). */
static struct fixture *begin_trusting(struct world *w, const char *names, const char *ca_file,
                                      const struct server_answer *answer) {
    struct fixture *f = w->fixture;
    certificate_make(&w->certificate, names);
    begin(f, &(struct http_options){.ca_file = ca_file}, answer, 1);
    f->server.tls = certificate_server(&w->certificate);
    (void)snprintf(f->url, sizeof f->url, "https://127.0.0.1:%u/", f->server.port);
    return f;
}

static struct fixture *begin_trusted(struct world *w, const struct server_answer *answer) {
    return begin_trusting(w, "IP:127.0.0.1", w->certificate.ca_file, answer);
}

static void assert_untrusted(struct fixture *f) {
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->error, HTTP_UNTRUSTED);
    assert_int_equal(f->server.requests, 0);
}

/* So many requests at once, which are all answered well. */
static void assert_answered(struct fixture *f, size_t count, const struct http_request *request, int status) {
    size_t first = f->started;
    for (size_t i = 0; i < count; i++) {
        (void)start(f, request);
    }
    await(f, f->started);
    for (size_t i = first; i < f->started; i++) {
        assert_int_equal(f->outcomes[i].error, HTTP_FINE);
        assert_int_equal(f->outcomes[i].status, status);
    }
}

static void a_server_that_the_ca_file_vouches_for_is_trusted(void **state) {
    struct world *w = *state;
    struct fixture *f = begin_trusted(w, &OK);
    struct http_request request = post(f, "x");
    assert_answered(f, 1, &request, 200);
    char why[64];
    assert_true(http_trust_read(f->http, why, sizeof why));
}

static void a_server_that_nobody_vouches_for_is_not_trusted(void **state) {
    assert_untrusted(begin_trusting(*state, "IP:127.0.0.1", NULL, &OK));
}

static void a_certificate_for_another_host_is_not_trusted(void **state) {
    struct world *w = *state;
    assert_untrusted(begin_trusting(w, "IP:127.0.0.2,DNS:other.example.com", w->certificate.ca_file, &OK));
}

static void a_server_is_known_by_its_name_or_its_address(void **state) {
    static const struct {
        const char *host, *names;
        bool is_known;
    } cases[] = {
        {"localhost", "DNS:localhost", true},
        {"localhost", "DNS:LocalHost", true},
        {"127.0.0.1", "DNS:localhost,IP:127.0.0.1", true},
        {"localhost", "IP:127.0.0.1", false},
        {"127.0.0.1", "DNS:127.0.0.1", false},
        {"localhost", "DNS:local*", false},
        {"localhost", "DNS:localhost.example.com", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct world *w = *state;
        struct fixture *f = begin_trusting(w, cases[i].names, w->certificate.ca_file, &OK);
        (void)snprintf(f->url, sizeof f->url, "https://%s:%u/", cases[i].host, f->server.port);
        struct http_request request = post(f, "x");
        const struct outcome *o = run(f, &request);
        assert_int_equal(o->error, cases[i].is_known ? HTTP_FINE : HTTP_UNTRUSTED);
        assert_true(cases[i].is_known || strstr(o->message, " mismatch"));
        assert_int_equal(end_world(state), 0);
        assert_int_equal(make_world(state), 0);
    }
}

static void a_certificate_that_has_expired_is_not_trusted_and_the_words_say_so(void **state) {
    struct world *w = *state;
    struct fixture *f = begin_trusted(w, &OK);
    certificate_expire(&w->certificate);
    SSL_CTX_free(f->server.tls);
    f->server.tls = certificate_server(&w->certificate);
    struct http_request request = post(f, "x");
    const struct outcome *o = run(f, &request);
    assert_int_equal(o->error, HTTP_UNTRUSTED);
    assert_string_equal(o->message, "SSL certificate problem: certificate has expired");
}

static void without_its_ca_file_nobody_is_trusted(void **state) {
    assert_untrusted(begin_trusting(*state, "IP:127.0.0.1", "/nonexistent/ca.pem", &OK));
}

/* To where nobody is trusted any more, which a connection that is there need not hear of. */
static void the_file_of_those_who_are_trusted_is_read_again_after_an_hour(void **state) {
    static const struct server_answer answer = {
        .text = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", .after = SERVER_CLOSES};
    struct world *w = *state;
    struct fixture *f = begin_trusted(w, &answer);
    struct http_request request = post(f, "x");
    assert_answered(f, 1, &request, 200);
    assert_int_equal(truncate(w->certificate.ca_file, 0), 0);
    assert_answered(f, 1, &request, 200);
    f->http->pool.connector->tls.trust_read_at -= 3600 * MICROSECONDS;
    const struct outcome *o = run(f, &request);
    assert_int_equal(o->error, HTTP_UNTRUSTED);
    assert_string_not_equal(o->message, "");
}

static void a_server_without_tls_is_unreachable_not_untrusted(void **state) {
    struct fixture *f = begin_trusted(*state, &OK);
    SSL_CTX_free(f->server.tls);
    f->server.tls = NULL;
    f->server.greeting = "220 mail.example.com ESMTP\r\n";
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->error, HTTP_UNREACHABLE);
}

static void a_server_that_hangs_up_in_the_handshake_is_unreachable_and_the_words_say_so(void **state) {
    struct fixture *f = begin_trusted(*state, &OK);
    f->server.hangs_up = true;
    struct http_request request = post(f, "x");
    const struct outcome *o = run(f, &request);
    assert_int_equal(o->error, HTTP_UNREACHABLE);
    assert_memory_equal(o->message, "TLS handshake: ", sizeof "TLS handshake: " - 1);
}

static void a_server_without_a_certificate_is_unreachable_and_the_words_say_so(void **state) {
    struct fixture *f = begin_trusted(*state, &OK);
    SSL_CTX_free(f->server.tls);
    f->server.tls = SSL_CTX_new(TLS_server_method());
    struct http_request request = post(f, "x");
    const struct outcome *o = run(f, &request);
    assert_int_equal(o->error, HTTP_UNREACHABLE);
    assert_non_null(strstr(o->message, "handshake failure"));
}

static void a_handshake_without_end_is_given_up_in_time(void **state) {
    struct fixture *f = begin_trusted(*state, &OK);
    SSL_CTX_free(f->server.tls);
    f->server.tls = NULL; /* it waits for the rest of a request */
    struct http_request request = post(f, "x");
    request.connect_timeout = 20 * MILLISECOND;
    const struct outcome *o = run(f, &request);
    assert_int_equal(o->error, HTTP_TIMED_OUT);
    assert_memory_equal(o->message, "TLS handshake: ", sizeof "TLS handshake: " - 1);
}

static void a_new_connection_resumes_the_tls_session_of_an_earlier_one(void **state) {
    const struct server_answer answer = {.text = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
                                         .after = SERVER_CLOSES};
    struct fixture *f = begin_trusted(*state, &answer);
    struct http_request request = post(f, "x");
    assert_answered(f, 1, &request, 200);
    /* Two at once, so that a handle of its own is needed. */
    assert_answered(f, 2, &request, 200);
    assert_int_equal(f->server.accepted, 3);
    assert_true(f->server.resumed >= 1);
}

/* So many requests, each over a connection of its own. */
static struct fixture *ask_anew(struct world *w, int version, size_t tickets, size_t count) {
    static const struct server_answer answer = {
        .text = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", .after = SERVER_CLOSES};
    struct fixture *f = begin_trusted(w, &answer);
    assert_int_equal(SSL_CTX_set_max_proto_version(f->server.tls, version), 1);
    assert_int_equal(SSL_CTX_set_num_tickets(f->server.tls, tickets), 1);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < count; i++) {
        assert_answered(f, 1, &request, 200);
    }
    assert_int_equal(f->server.accepted, count);
    return f;
}

static void a_server_that_gives_a_session_for_each_it_took_sees_one_whole_handshake(void **state) {
    const struct fixture *f = ask_anew(*state, TLS1_3_VERSION, 1, 9);
    assert_int_equal(f->server.resumed, 8);
}

static void sessions_of_tls_1_2_are_resumed_again_and_again(void **state) {
    const struct fixture *f = ask_anew(*state, TLS1_2_VERSION, 1, 9);
    assert_int_equal(f->server.resumed, 8);
}

/* Who listens on the way would see by it that two connections are one client's. */
static void no_session_of_tls_1_3_is_resumed_twice(void **state) {
    struct fixture *f = ask_anew(*state, TLS1_3_VERSION, 2, 1);
    SSL_CTX_set_num_tickets(f->server.tls, 0);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < 4; i++) {
        assert_answered(f, 1, &request, 200);
    }
    assert_int_equal(f->server.resumed, 2);
}

static void assert_comes_whole(struct world *w, const struct server_answer *answer, size_t rounds) {
    struct fixture *f = begin_trusted(w, answer);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < rounds; i++) {
        assert_answered(f, 4, &request, 200);
    }
    for (size_t i = 0; i < f->started; i++) {
        assert_int_equal(f->outcomes[i].body_len, answer->padding);
    }
}

static void a_response_larger_than_a_tls_record_comes_whole(void **state) {
    const struct server_answer answer = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", .padding = 90000};
    assert_comes_whole(*state, &answer, 3);
}

/* They are all in the socket at once: nothing comes on it any more to say that some were left unread. */
static void a_response_in_many_small_tls_records_comes_whole(void **state) {
    const struct server_answer answer = {
        .text = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", .padding = 5000, .record = 7};
    assert_comes_whole(*state, &answer, 3);
}

static void a_response_in_small_tls_records_that_ends_with_the_connection_comes_whole(void **state) {
    const struct server_answer answer = {
        .text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", .padding = 5000, .record = 500, .after = SERVER_CLOSES};
    assert_comes_whole(*state, &answer, 1);
}

/* More than a socket takes at once: what OpenSSL could not send is given to it again. */
static void a_request_of_many_tls_records_is_sent_whole(void **state) {
    struct fixture *f = begin_trusted(*state, &OK);
    size_t size = 8 << 20;
    char *body = malloc(size);
    assert_non_null(body);
    for (size_t i = 0; i < size; i++) {
        body[i] = (char)('a' + i % 23);
    }
    struct http_request request = post(f, "");
    request.body = span_of(body, size);
    assert_answered(f, 3, &request, 200);
    assert_int_equal(f->server.requests, 3);
    struct span last = buf_span(&f->server.last_request);
    assert_true(last.len > size);
    assert_memory_equal(last.data + last.len - size, body, size);
    free(body);
}

/* OpenSSL has read them already when the response is complete: the socket says nothing of them. */
static void tls_records_after_a_response_are_no_answer_to_the_next_request(void **state) {
    const struct server_answer answer = {
        .text = "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        .record = 20};
    struct fixture *f = begin_trusted(*state, &answer);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < 3; i++) {
        assert_answered(f, 1, &request, 400);
    }
    assert_int_equal(f->server.accepted, 3);
}

static void a_server_that_wants_to_negotiate_anew_is_refused(void **state) {
    struct fixture *f = begin_trusted(*state, &OK);
    struct http_request request = post(f, "x");
    assert_int_equal(SSL_CTX_set_max_proto_version(f->server.tls, TLS1_2_VERSION), 1);
    assert_answered(f, 1, &request, 200);
    SSL *tls = f->server.connections->tls;
    assert_int_equal(SSL_renegotiate(tls), 1);
    assert_int_equal(SSL_do_handshake(tls), 1); /* asks for it */
    for (unsigned i = 0; f->server.connections && i < 1000; i++) {
        linger(f, MILLISECOND); /* until it has its answer, and hangs up */
    }
    assert_null(f->server.connections);
    assert_answered(f, 1, &request, 200);
    assert_int_equal(f->server.accepted, 2);
}

#define SETUP_TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        SETUP_TEST(a_server_that_the_ca_file_vouches_for_is_trusted),
        SETUP_TEST(a_server_that_nobody_vouches_for_is_not_trusted),
        SETUP_TEST(a_certificate_for_another_host_is_not_trusted),
        SETUP_TEST(a_server_is_known_by_its_name_or_its_address),
        SETUP_TEST(a_certificate_that_has_expired_is_not_trusted_and_the_words_say_so),
        SETUP_TEST(without_its_ca_file_nobody_is_trusted),
        SETUP_TEST(the_file_of_those_who_are_trusted_is_read_again_after_an_hour),
        SETUP_TEST(a_server_without_tls_is_unreachable_not_untrusted),
        SETUP_TEST(a_server_that_hangs_up_in_the_handshake_is_unreachable_and_the_words_say_so),
        SETUP_TEST(a_server_without_a_certificate_is_unreachable_and_the_words_say_so),
        SETUP_TEST(a_handshake_without_end_is_given_up_in_time),
        SETUP_TEST(a_server_that_gives_a_session_for_each_it_took_sees_one_whole_handshake),
        SETUP_TEST(sessions_of_tls_1_2_are_resumed_again_and_again),
        SETUP_TEST(no_session_of_tls_1_3_is_resumed_twice),
        SETUP_TEST(a_new_connection_resumes_the_tls_session_of_an_earlier_one),
        SETUP_TEST(a_response_larger_than_a_tls_record_comes_whole),
        SETUP_TEST(a_response_in_many_small_tls_records_comes_whole),
        SETUP_TEST(a_response_in_small_tls_records_that_ends_with_the_connection_comes_whole),
        SETUP_TEST(tls_records_after_a_response_are_no_answer_to_the_next_request),
        SETUP_TEST(a_request_of_many_tls_records_is_sent_whole),
        SETUP_TEST(a_server_that_wants_to_negotiate_anew_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
