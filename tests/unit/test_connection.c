#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection_private.h"
#include "loop.h"
#include "loopback_server.h"
#include "test_certificate.h"
#include "url.h"

#include <malloc.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>

/* What connection.h takes for granted of libcurl is tested here against the library itself, beside its own promises. */

#define LINES_MAX 70 /* more than a multi handle gets */
#define SOCKETS_RESERVED 64
#define SOCKETS_PER_DIAL 5

struct world;

struct line {
    struct world *w;
    struct connection *c;
    bool dialed, is_open;
    bool closes_in_callback, leaves_unread; /* what it does in ready */
    enum http_error error;
    char why[256];
};

struct world {
    struct loop *loop;
    struct connector *connector;
    struct test_certificate certificate;
    struct server server;
    char origin[64];
    struct line lines[LINES_MAX];
    size_t count, dialed;
    struct timer patience;
    unsigned lingered;
    bool is_late;
    bool by_libcurl; /* as where the environment names a proxy, though not for this server: libcurl speaks TLS then */
    /* What was seen before the first read. */
    void (*take_over)(struct connection *c, CURLcode code);
    bool had_tls_before, had_socket_before;
};

static const struct server_answer SILENCE = {.text = NULL};

static int setup(void **state) {
    struct world *w = calloc(1, sizeof *w);
    if (!w) {
        return -1;
    }
    signal(SIGPIPE, SIG_IGN);
    w->server.fd = -1;
    w->loop = loop_new();
    *state = w;
    return w->loop ? 0 : -1;
}

static int setup_by_libcurl(void **state) {
    int result = setup(state);
    if (result == 0) {
        ((struct world *)*state)->by_libcurl = true;
    }
    return result;
}

static int teardown(void **state) {
    struct world *w = *state;
    for (size_t i = 0; i < w->count; i++) {
        if (w->lines[i].c) {
            connection_close(w->lines[i].c);
        }
    }
    connector_free(w->connector);
    server_close(&w->server);
    if (w->loop) {
        timer_stop(loop_timers(w->loop), &w->patience);
    }
    loop_free(w->loop);
    certificate_free(&w->certificate);
    free(w);
    return 0;
}

static void begin(struct world *w, bool tls, const struct server_answer *answer) {
    assert_true(server_open(&w->server, w->loop, answer, 1));
    if (tls) {
        certificate_make(&w->certificate, "IP:127.0.0.1");
        w->server.tls = certificate_server(&w->certificate);
    }
    w->connector = connector_new(w->loop, tls ? w->certificate.ca_file : NULL, "test");
    assert_non_null(w->connector);
    w->connector->has_proxy = w->by_libcurl;
    (void)snprintf(w->origin, sizeof w->origin, "%s://127.0.0.1:%u/", tls ? "https" : "http", w->server.port);
}

static void close_line(struct line *l) {
    connection_close(l->c);
    l->c = NULL;
}

static void on_dialed(void *user, enum http_error error, const char *why) {
    struct line *l = user;
    assert_false(l->dialed);
    l->dialed = true;
    l->is_open = error == HTTP_FINE;
    l->error = error;
    (void)snprintf(l->why, sizeof l->why, "%s", why);
    l->w->dialed++;
    if (l->closes_in_callback) {
        close_line(l);
    }
    loop_stop(l->w->loop);
}

static void on_ready(void *user, unsigned events) {
    struct line *l = user;
    (void)events;
    char byte;
    if (l->closes_in_callback) {
        close_line(l);
    } else if (l->leaves_unread ? l->c->tls && SSL_peek(l->c->tls, &byte, 1) <= 0 : connection_is_quiet(l->c)) {
        return; /* TLS's own talk */
    }
    loop_stop(l->w->loop);
}

static void on_late(void *user) {
    struct world *w = user;
    w->is_late = true;
    loop_stop(w->loop);
}

/* Runs until something stops the loop. */
static void run(struct world *w) {
    /* Only where a call was made to fail (tests/torture) does a test wait in vain. */
    const int64_t patience = (getenv("TORTURE_FAIL") ? 1 : 30) * MICROSECONDS;
    const struct clock clock = loop_clock(w->loop);
    timer_init(&w->patience, on_late, w);
    timer_start(loop_timers(w->loop), &w->patience, clock_monotonic(&clock) + patience);
    assert_true(loop_run(w->loop));
    assert_false(w->is_late);
    timer_stop(loop_timers(w->loop), &w->patience);
}

static void stop(void *user) {
    struct world *w = user;
    loop_stop(w->loop);
}

/* Runs for a moment. Tests that linger until something has come do so in vain only where a call was made to fail. */
static void linger(struct world *w) {
    struct timer timer;
    assert_true(++w->lingered < 1000 || !getenv("TORTURE_FAIL"));
    const struct clock clock = loop_clock(w->loop);
    timer_init(&timer, stop, w);
    timer_start(loop_timers(w->loop), &timer, clock_monotonic(&clock) + 5 * MILLISECOND);
    while (timer.running) {
        run(w);
    }
}

/* Until the server has ended its handshake with the last one that was opened. */
static void until_accepted(struct world *w) {
    while (!w->server.connections->accepted) {
        linger(w);
    }
}

static struct line *dial_to(struct world *w, const char *origin) {
    assert_true(w->count < LINES_MAX);
    struct line *l = &w->lines[w->count++];
    l->w = w;
    const struct connection_options options = {
        .origin = origin, .timeout = 10 * MICROSECONDS, .dialed = on_dialed, .ready = on_ready, .user = l};
    l->c = connection_dial(w->connector, &options);
    assert_non_null(l->c);
    return l;
}

static struct line *dial(struct world *w) {
    return dial_to(w, w->origin);
}

static void await_all(struct world *w) {
    while (w->dialed < w->count) {
        run(w);
    }
    for (size_t i = 0; i < w->count; i++) {
        assert_true(w->lines[i].is_open);
    }
}

static struct line *open_one(struct world *w) {
    struct line *l = dial(w);
    await_all(w);
    return l;
}

/* Sends it all; none of it has to wait. */
static void say(struct line *l, const char *text) {
    size_t sent = 0;
    assert_int_equal(connection_send(l->c, span_cstr(text), &sent), CONNECTION_MOVED);
    assert_int_equal(sent, strlen(text));
}

/* Asks, and waits until there is something to read of the answer. */
static void ask(struct line *l) {
    say(l, "GET / HTTP/1.1\r\n\r\n");
    l->leaves_unread = true;
    run(l->w);
    l->leaves_unread = false;
}

static void an_open_connection_has_carried_nothing_yet(void **state) {
    struct world *w = *state;
    begin(w, false, &SILENCE);
    (void)open_one(w);
    linger(w);
    assert_int_equal(w->server.accepted, 1);
    assert_int_equal(w->server.connections->in.len, 0);
}

static void over_tls_too_an_open_connection_has_carried_nothing_yet(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    (void)open_one(w);
    until_accepted(w);
    assert_int_equal(w->server.connections->in.len, 0);
}

static void libcurl_watches_no_socket_of_an_open_connection(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    (void)open_one(w);
    assert_true(TAILQ_EMPTY(&w->connector->used_watches));
    linger(w);
    assert_true(TAILQ_EMPTY(&w->connector->used_watches));
}

static SSL *tls_of(CURL *easy) {
    struct curl_tlssessioninfo *session = NULL;
    assert_int_equal(curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session), CURLE_OK);
    assert_int_equal(session->backend, CURLSSLBACKEND_OPENSSL);
    return session->internals;
}

/* In the place of connection.c's: looks at the handle, and hands it on. */
static void on_done(struct connection *c, CURLcode code) {
    struct world *w = ((struct line *)c->user)->w;
    curl_socket_t fd = CURL_SOCKET_BAD;
    w->had_tls_before = tls_of(c->easy) != NULL;
    w->had_socket_before = curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD;
    w->take_over(c, code);
}

static void the_first_read_binds_the_handle_to_its_connection(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    w->take_over = w->connector->done;
    w->connector->done = on_done;
    struct line *l = open_one(w);
    assert_true(w->had_socket_before);
    assert_false(w->had_tls_before);
    assert_non_null(l->c->tls);
    assert_ptr_equal(tls_of(l->c->easy), l->c->tls);
}

static void the_borrowed_ssl_stays_the_connections(void **state) {
    static const struct server_answer answer = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"};
    struct world *w = *state;
    begin(w, true, &answer);
    struct line *l = open_one(w);
    const SSL *tls = l->c->tls;
    for (size_t i = 0; i < 5; i++) {
        char text[256];
        size_t n = 0;
        ask(l);
        assert_int_equal(connection_receive(l->c, text, sizeof text, &n), CONNECTION_MOVED);
        assert_int_equal(n, strlen(answer.text));
        assert_ptr_equal(tls_of(l->c->easy), tls);
        (void)dial(w); /* others come, and stay */
        await_all(w);
    }
}

static void a_multi_handle_closes_none_of_its_connections_for_want_of_room(void **state) {
    struct world *w = *state;
    begin(w, false, &SILENCE);
    for (size_t i = 0; i < LINES_MAX; i++) {
        (void)open_one(w);
    }
    linger(w);
    size_t there = 0;
    for (const struct server_connection *c = w->server.connections; c; c = c->next) {
        there++;
    }
    assert_int_equal(there, LINES_MAX);
    for (size_t i = 0; i < LINES_MAX; i++) {
        assert_true(connection_is_quiet(w->lines[i].c));
        say(&w->lines[i], "x");
    }
}

/* Were there more, some couldn't be watched, and their connections not be opened. */
static void a_connection_needs_five_sockets_at_most_to_be_opened(void **state) {
    struct world *w = *state;
    begin(w, false, &SILENCE);
    char origin[64];
    (void)snprintf(origin, sizeof origin, "http://localhost:%u/", w->server.port);
    for (size_t i = 0; i < SOCKETS_RESERVED / SOCKETS_PER_DIAL; i++) {
        (void)dial_to(w, origin);
    }
    await_all(w);
    assert_int_equal(w->connector->watch_count, SOCKETS_RESERVED);
}

static void records_that_openssl_has_read_are_pending_though_the_socket_is_empty(void **state) {
    static const struct server_answer answer = {.text = "a record, and another, and a third", .record = 12};
    struct world *w = *state;
    begin(w, true, &answer);
    struct line *l = open_one(w);
    ask(l);
    char text[100], byte;
    size_t all = 0;
    for (size_t n = 0; all < strlen(answer.text); all += n) {
        assert_int_equal(connection_receive(l->c, text + all, sizeof text - all, &n), CONNECTION_MOVED);
        assert_in_range(n, 1, 12);
        assert_int_equal(connection_has_pending(l->c), all + n < strlen(answer.text));
        assert_int_equal(recv(l->c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1);
        assert_int_equal(errno, EAGAIN);
    }
    assert_memory_equal(text, answer.text, all);
    size_t n = 1;
    assert_int_equal(connection_receive(l->c, text, sizeof text, &n), CONNECTION_WAITS);
    assert_int_equal(n, 0);
}

static void no_more_is_received_than_there_is_room_for(void **state) {
    static const struct server_answer answer = {.text = "one record", .record = 0};
    struct world *w = *state;
    begin(w, true, &answer);
    struct line *l = open_one(w);
    ask(l);
    char text[8] = "........";
    size_t n = 0;
    assert_int_equal(connection_receive(l->c, text, 4, &n), CONNECTION_MOVED);
    assert_int_equal(n, 4);
    assert_memory_equal(text, "one ....", 8);
    assert_true(connection_has_pending(l->c));
}

/* libcurl has OpenSSL take an end without a word for one in good order: such an answer may have been cut. */
static void a_connection_that_was_closed_gives_no_byte_whether_tls_said_so_or_not(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    for (size_t i = 0; i < 2; i++) {
        struct line *l = open_one(w);
        while (!w->server.connections->accepted) {
            linger(w);
        }
        if (i) {
            assert_in_range(SSL_shutdown(w->server.connections->tls), 0, 1);
        }
        server_drop(w->server.connections);
        run(w);
        char byte;
        size_t n = 1;
        assert_false(connection_is_quiet(l->c));
        assert_int_equal(connection_receive(l->c, &byte, 1, &n), CONNECTION_MOVED);
        assert_int_equal(n, 0);
    }
}

static void what_could_not_be_sent_goes_from_another_place(void **state) {
    static const struct server_answer answer = {.text = "thanks"};
    static const char head[] = "POST / HTTP/1.1\r\nContent-Length: 6000000\r\n\r\n";
    const size_t size = sizeof head - 1 + 6000000, piece = 16384;
    struct world *w = *state;
    begin(w, true, &answer);
    struct line *l = open_one(w);
    char *all = malloc(size), *places[2] = {malloc(piece), malloc(piece)};
    assert_true(all && places[0] && places[1]);
    for (size_t i = 0; i < size; i++) {
        all[i] = i < sizeof head - 1 ? head[i] : (char)('a' + i % 23);
    }
    size_t waits = 0;
    for (size_t at = 0, sent = 0, turn = 0; at < size; at += sent, turn++) {
        size_t len = size - at < piece ? size - at : piece;
        char *place = places[turn % 2];
        memcpy(place, all + at, len);
        enum connection_io io = connection_send(l->c, span_of(place, len), &sent);
        memset(place, '!', piece);
        assert_true(io == CONNECTION_MOVED || io == CONNECTION_WAITS);
        if (io == CONNECTION_WAITS) {
            assert_int_equal(sent, 0);
            waits++;
            linger(w); /* the server reads */
        }
    }
    assert_true(waits > 0);
    while (w->server.requests == 0) {
        linger(w);
    }
    assert_int_equal(w->server.last_request.len, size);
    assert_memory_equal(w->server.last_request.data, all, size);
    free(all);
    free(places[0]);
    free(places[1]);
}

static void what_is_held_goes_with_what_is_sent_next_or_when_it_is_let_go(void **state) {
    struct world *w = *state;
    begin(w, false, &SILENCE);
    struct line *l = open_one(w);
    while (!w->server.connections) {
        linger(w);
    }
    const struct server_connection *server = w->server.connections;
    loop_watch_events(server->watch, 0);
    char byte;
    connection_hold(l->c, true);
    say(l, "a");
    assert_int_equal(recv(server->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1);
    connection_hold(l->c, false);
    assert_int_equal(recv(server->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), 1);
}

static void the_session_of_one_connection_serves_another(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    const struct line *first = open_one(w);
    while (!SSL_SESSION_is_resumable(SSL_get_session(first->c->tls))) {
        linger(w); /* it comes after the handshake */
    }
    assert_int_equal(w->server.resumed, 0);
    (void)open_one(w);
    until_accepted(w);
    assert_int_equal(w->server.resumed, 1);
}

static void without_a_proxy_libcurl_keeps_nothing_of_an_open_connection(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    struct line *l = open_one(w);
    assert_null(l->c->easy);
    assert_null(l->c->group);
    assert_int_equal(w->connector->kept, CURL_SOCKET_BAD);
    linger(w);
    say(l, "x");
}

static void a_session_that_comes_late_serves_the_next_connection(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    SSL_CTX_set_num_tickets(w->server.tls, 0);
    struct line *l = open_one(w);
    until_accepted(w);
    SSL *server = w->server.connections->tls;
    assert_int_equal(SSL_new_session_ticket(server), 1);
    assert_int_equal(SSL_do_handshake(server), 1);
    linger(w);
    assert_true(connection_is_quiet(l->c));
    say(l, "x");
    (void)open_one(w);
    until_accepted(w);
    assert_int_equal(w->server.resumed, 1);
}

static void one_that_has_taken_in_a_session_holds_no_buffers(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    const struct line *l = open_one(w);
    while (!SSL_SESSION_is_resumable(SSL_get_session(l->c->tls))) {
        linger(w);
    }
    struct mallinfo2 before = mallinfo2();
    assert_int_equal(SSL_free_buffers(l->c->tls), 1);
    struct mallinfo2 after = mallinfo2();
    assert_int_equal(after.uordblks, before.uordblks);
}

/* Takes the server's next record, and leaves the server without a way to send. */
static size_t next_record(SSL *server, const char *text, char *record, size_t size) {
    BIO *out = BIO_new(BIO_s_mem());
    assert_non_null(out);
    SSL_set0_wbio(server, out);
    assert_int_equal(SSL_write(server, text, (int)strlen(text)), strlen(text));
    int len = BIO_read(out, record, (int)size);
    assert_in_range(len, strlen(text), size - 1);
    return (size_t)len;
}

static void a_record_may_come_in_any_two_pieces(void **state) {
    static const char text[] = "HTTP/1.1 200 OK";
    struct world *w = *state;
    begin(w, true, &SILENCE);
    SSL_CTX_set_num_tickets(w->server.tls, 0);
    struct line *l = open_one(w);
    until_accepted(w);
    const struct server_connection *server = w->server.connections;
    const int at_once = 1;
    assert_int_equal(setsockopt(server->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once), 0);
    char record[100], got[100];
    size_t len = 2, n = 0;
    for (size_t first = 1; first < len; first++) {
        len = next_record(server->tls, text, record, sizeof record);
        assert_int_equal(send(server->fd, record, first, 0), first);
        assert_int_equal(connection_receive(l->c, got, sizeof got, &n), CONNECTION_WAITS);
        assert_int_equal(send(server->fd, record + first, len - first, 0), len - first);
        assert_int_equal(connection_receive(l->c, got, sizeof got, &n), CONNECTION_MOVED);
        assert_int_equal(n, strlen(text));
        assert_memory_equal(got, text, n);
    }
    say(l, "x");
}

static void one_that_is_reset_is_broken_and_says_so(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    struct line *l = open_one(w);
    const struct linger at_once = {.l_onoff = 1};
    assert_int_equal(setsockopt(w->server.connections->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    server_drop(w->server.connections);
    char byte;
    size_t n = 1;
    assert_int_equal(connection_receive(l->c, &byte, 1, &n), CONNECTION_BROKEN);
    assert_int_equal(n, 0);
    assert_non_null(strstr(connection_why(l->c), "reset"));
}

static void what_is_no_tls_is_broken_and_says_so(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    struct line *l = open_one(w);
    static const char noise[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    assert_int_equal(send(w->server.connections->fd, noise, sizeof noise - 1, 0), sizeof noise - 1);
    run(w);
    char byte;
    size_t n = 1;
    assert_int_equal(connection_receive(l->c, &byte, 1, &n), CONNECTION_BROKEN);
    assert_true(connection_why(l->c)[0] != '\0');
    assert_int_equal(ERR_peek_error(), 0);
}

static void one_that_is_closed_says_goodbye(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    struct line *l = open_one(w);
    until_accepted(w);
    close_line(l);
    while (w->server.connections) {
        linger(w);
    }
    assert_int_equal(w->server.ended_in_order, 1);
}

static void all_connections_share_one_context(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    const struct line *a = open_one(w), *b = open_one(w);
    assert_ptr_equal(SSL_get_SSL_CTX(a->c->tls), SSL_get_SSL_CTX(b->c->tls));
}

static void libcurl_parses_the_certificates_once_for_several_connections(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    const struct line *a = open_one(w), *b = open_one(w);
    assert_ptr_equal(SSL_CTX_get_cert_store(SSL_get_SSL_CTX(a->c->tls)),
                     SSL_CTX_get_cert_store(SSL_get_SSL_CTX(b->c->tls)));
}

static void closing_one_closes_it_at_once_and_no_other(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    struct line *a = open_one(w), *b = open_one(w);
    linger(w);
    close_line(a);
    while (w->server.connections && w->server.connections->next) {
        linger(w);
    }
    assert_non_null(w->server.connections);
    assert_true(connection_is_quiet(b->c));
    say(b, "x");
}

static void one_that_is_being_opened_can_be_closed(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    struct line *l = dial(w);
    assert_int_equal(w->connector->dialing, 1);
    close_line(l);
    assert_int_equal(w->connector->dialing, 0);
    linger(w);
    assert_false(l->dialed);
}

static void one_may_be_closed_in_its_own_callbacks(void **state) {
    struct world *w = *state;
    begin(w, true, &SILENCE);
    struct line *first = dial(w);
    first->closes_in_callback = true;
    await_all(w);
    assert_null(first->c);
    struct line *second = open_one(w);
    linger(w);
    second->closes_in_callback = true;
    server_drop(w->server.connections);
    while (second->c) {
        run(w);
    }
}

static void one_that_nobody_answers_says_why(void **state) {
    struct world *w = *state;
    begin(w, false, &SILENCE);
    server_stop_listening(&w->server);
    struct line *l = dial(w);
    run(w);
    assert_int_equal(l->error, HTTP_UNREACHABLE);
    assert_true(l->why[0] != '\0');
    assert_int_equal(w->connector->dialing, 0);
}

/* Whether it comes before the connection is there, or just after. */
static void one_over_which_the_server_speaks_first_is_none_or_not_quiet(void **state) {
    struct world *w = *state;
    begin(w, false, &SILENCE);
    w->server.greeting = "220 mail.example.com ESMTP\r\n";
    struct line *l = dial(w);
    l->leaves_unread = true;
    while (!l->dialed) {
        run(w);
    }
    if (l->is_open) {
        run(w);
        assert_false(connection_is_quiet(l->c));
    } else {
        assert_int_equal(l->error, HTTP_BROKEN);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define BY_LIBCURL(name)                                                                                               \
    { #name "_by_libcurl", name, setup_by_libcurl, teardown, NULL }
#define BOTH_WAYS(name) TEST(name), BY_LIBCURL(name)

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(an_open_connection_has_carried_nothing_yet),
        BOTH_WAYS(over_tls_too_an_open_connection_has_carried_nothing_yet),
        BOTH_WAYS(libcurl_watches_no_socket_of_an_open_connection),
        BY_LIBCURL(the_first_read_binds_the_handle_to_its_connection),
        BY_LIBCURL(the_borrowed_ssl_stays_the_connections),
        BOTH_WAYS(a_multi_handle_closes_none_of_its_connections_for_want_of_room),
        TEST(a_connection_needs_five_sockets_at_most_to_be_opened),
        TEST(records_that_openssl_has_read_are_pending_though_the_socket_is_empty),
        BOTH_WAYS(no_more_is_received_than_there_is_room_for),
        BOTH_WAYS(a_connection_that_was_closed_gives_no_byte_whether_tls_said_so_or_not),
        BOTH_WAYS(what_could_not_be_sent_goes_from_another_place),
        BOTH_WAYS(what_is_held_goes_with_what_is_sent_next_or_when_it_is_let_go),
        BOTH_WAYS(the_session_of_one_connection_serves_another),
        TEST(without_a_proxy_libcurl_keeps_nothing_of_an_open_connection),
        TEST(a_session_that_comes_late_serves_the_next_connection),
        TEST(one_that_has_taken_in_a_session_holds_no_buffers),
        BOTH_WAYS(a_record_may_come_in_any_two_pieces),
        BOTH_WAYS(one_that_is_reset_is_broken_and_says_so),
        BOTH_WAYS(what_is_no_tls_is_broken_and_says_so),
        BOTH_WAYS(one_that_is_closed_says_goodbye),
        TEST(all_connections_share_one_context),
        BY_LIBCURL(libcurl_parses_the_certificates_once_for_several_connections),
        BOTH_WAYS(closing_one_closes_it_at_once_and_no_other),
        BOTH_WAYS(one_that_is_being_opened_can_be_closed),
        BOTH_WAYS(one_may_be_closed_in_its_own_callbacks),
        BOTH_WAYS(one_that_nobody_answers_says_why),
        BOTH_WAYS(one_over_which_the_server_speaks_first_is_none_or_not_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
