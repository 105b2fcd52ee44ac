#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_fixture.h"

static const struct server_answer OK = OK_ANSWER;

static struct http_connection *newest(const struct fixture *f) {
    return TAILQ_FIRST(&f->http->pool.connections);
}

/* All that the client remembers was so much longer ago. (A clock that is put ahead would put off libcurl's timers.) */
static void let_pass(struct fixture *f, int64_t time) {
    struct http *http = f->http;
    for (size_t i = 0; i < http->pool.hosts.count; i++) {
        struct http_host *h = &http->pool.hosts.hosts[i];
        h->proved -= h->proved == NEVER ? 0 : time;
        h->looked -= h->looked == NEVER ? 0 : time;
    }
    struct http_connection *c;
    TAILQ_FOREACH(c, &http->pool.connections, in_all) {
        c->ages_at -= time;
        c->idle_since -= time;
    }
    struct http_transfer *t;
    TAILQ_FOREACH(t, &http->in_flight, in_list) {
        t->waits_since -= time;
    }
}

static void those_that_wait_are_served_in_the_order_they_came(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 1}, &OK, 1);
    static const char *const bodies[] = {"first", "second", "third", "fourth"};
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct http_request request = post(f, bodies[i]);
        (void)start(f, &request);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        await(f, i + 1);
        for (size_t k = 0; k < ARRAY_LENGTH(bodies); k++) {
            assert_int_equal(f->outcomes[k].done, k <= i);
        }
    }
    assert_int_equal(f->server.accepted, 1);
}

static void an_idle_connection_gives_way_to_one_to_another_server(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 1}, &OK, 1);
    struct server other;
    assert_true(server_open(&other, f->loop, &OK, 1));
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", other.port);
    for (size_t i = 0; i < 3; i++) {
        struct http_request request = post(f, "x"), elsewhere = post(f, "x");
        elsewhere.url = url;
        /* Both at once: the second has to wait for the connection of the first to be closed. */
        (void)start(f, &request);
        (void)start(f, &elsewhere);
        await(f, 2 * (i + 1));
    }
    assert_int_equal(f->server.requests, 3);
    assert_int_equal(other.requests, 3);
    assert_int_equal(f->http->pool.connection_count, 1);
    server_close(&other);
}

static void many_at_once_shake_few_hands(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < MAX_OUTCOMES; i++) {
        (void)start(f, &request);
    }
    assert_in_range(f->http->pool.connection_count, 1, MAX_OUTCOMES / 2);
    await(f, MAX_OUTCOMES);
    assert_in_range(f->server.accepted, 1, MAX_OUTCOMES);
}

static void where_nobody_listens_each_that_waits_is_told_so(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    server_close(&f->server);
    f->server = (struct server){.fd = -1};
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < MAX_OUTCOMES; i++) {
        (void)start(f, &request);
    }
    await(f, MAX_OUTCOMES);
    for (size_t i = 0; i < MAX_OUTCOMES; i++) {
        assert_int_equal(f->outcomes[i].error, HTTP_UNREACHABLE);
        assert_string_not_equal(f->outcomes[i].message, "");
    }
    assert_int_equal(f->http->pool.connection_count, 0);
}

static void where_no_answer_comes_each_that_waits_gets_a_connection_of_its_own(void **state) {
    struct fixture *f = *state;
    const struct server_answer silent = {.text = NULL};
    begin(f, &(struct http_options){0}, &silent, 1);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < MAX_OUTCOMES; i++) {
        (void)start(f, &request);
    }
    for (size_t i = 0; i < 100 && f->server.requests < MAX_OUTCOMES; i++) {
        linger(f, 20 * MILLISECOND);
    }
    assert_int_equal(f->server.requests, MAX_OUTCOMES);
}

static void what_cannot_be_opened_makes_room_for_those_that_wait_for_another_server(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 1}, &OK, 1);
    struct server gone;
    assert_true(server_open(&gone, f->loop, &OK, 1));
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", gone.port);
    server_close(&gone);
    struct http_request request = post(f, "x"), elsewhere = post(f, "x");
    elsewhere.url = url;
    struct outcome *unreachable = start(f, &elsewhere), *waits = start(f, &request);
    await(f, 2);
    assert_int_equal(unreachable->error, HTTP_UNREACHABLE);
    assert_int_equal(waits->status, 200);
}

static void an_old_connection_gives_way_to_a_new_one(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->status, 200);
    /* As old as it may be, and used and opened a moment ago. */
    struct http_connection *first = newest(f);
    let_pass(f, 10 * MICROSECONDS);
    assert_int_equal(run(f, &request)->status, 200);
    assert_ptr_equal(newest(f), first);
    first->ages_at = clock_monotonic(&f->http->clock) - 1;
    assert_int_equal(run(f, &request)->status, 200);
    assert_int_equal(f->server.accepted, 2);
    assert_int_equal(f->http->pool.connection_count, 1);
}

static void a_connection_that_is_always_busy_grows_old_too(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 1}, &OK, 1);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < 10; i++) {
        (void)start(f, &request);
    }
    await(f, 5);
    newest(f)->ages_at = clock_monotonic(&f->http->clock) - 1;
    await(f, 10);
    assert_int_equal(f->server.accepted, 2);
}

static void what_was_idle_for_long_is_closed(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < 4; i++) {
        (void)start(f, &request);
    }
    await(f, 4);
    let_pass(f, 26 * MICROSECONDS);
    size_t before = f->server.accepted;
    assert_int_equal(run(f, &request)->status, 200);
    assert_int_equal(f->server.accepted, before + 1);
    assert_int_equal(f->http->pool.connection_count, 1);
}

static void while_a_name_leads_nowhere_old_connections_live_on(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->status, 200);
    server_stop_listening(&f->server);
    for (size_t i = 0; i < 6; i++) {
        let_pass(f, 20 * MICROSECONDS);
        assert_int_equal(run(f, &request)->status, 200);
    }
    assert_int_equal(f->server.accepted, 1);
    assert_true(newest(f)->ages_at < clock_monotonic(&f->http->clock));
}

/* A stray copy of the first would be taken for the second. */
static const struct server_answer FINE_THEN_REFUSED[] = {OK_ANSWER,
                                                         {.text = "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n[]"}};

/* The loop hears of it in its next turn: too late for a request that is sent before. */
static void what_stands_in_the_socket_already_is_no_answer_to_the_next_request(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, FINE_THEN_REFUSED, ARRAY_LENGTH(FINE_THEN_REFUSED));
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->status, 200);
    send_stray(f, OK.text);
    assert_int_equal(run(f, &request)->status, 400);
    assert_int_equal(f->server.accepted, 2);
}

static void send_late(void *user) {
    struct fixture *f = user;
    struct clock clock = loop_clock(f->loop);
    while (clock_monotonic(&clock) - loop_ready_since(f->loop) < MILLISECOND) {
    }
    send_stray(f, OK.text);
    struct http_request request = post(f, "x");
    (void)start(f, &request);
}

/* The connection was idle when the loop looked at it, but the callback ran for long since. */
static void what_came_long_after_the_loop_s_look_is_no_answer_either(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, FINE_THEN_REFUSED, ARRAY_LENGTH(FINE_THEN_REFUSED));
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->status, 200);
    linger(f, MILLISECOND);
    linger(f, MILLISECOND);
    struct clock clock = loop_clock(f->loop);
    timer_init(&f->timer, send_late, f);
    timer_start(loop_timers(f->loop), &f->timer, clock_monotonic(&clock));
    await(f, 2);
    assert_int_equal(f->outcomes[1].status, 400);
    assert_int_equal(f->server.accepted, 2);
}

/* The connection that this answer came over is the newest of the idle ones. */
static void start_another(struct outcome *o) {
    struct fixture *f = o->f;
    struct http_origin *origin = f->http->pool.origins.origins;
    const struct http_connection *just_used = http_connection_newest(origin);
    struct http_request request = post(f, "x");
    if (f->started >= MAX_OUTCOMES) {
        return;
    }
    if (http_connection_newest(origin) == http_connection_oldest(origin)) {
        loop_stop(f->loop); /* one was lost: what is awaited doesn't come */
        return;
    }
    start(f, &request)->then = start_another;
    f->others += http_connection_newest(origin) == just_used;
}

/* A look of its own costs a call of the system. Where the machine is slow, the loop's look may often be too old. */
static void a_connection_that_was_idle_at_the_loop_s_look_goes_before_one_just_used(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    struct http_request request = post(f, "x");
    (void)start(f, &request);
    (void)start(f, &request);
    await(f, 2);
    linger(f, MILLISECOND);
    assert_int_equal(f->http->pool.connection_count, 2);
    start(f, &request)->then = start_another;
    await(f, MAX_OUTCOMES);
    assert_true(f->others > 0);
    assert_int_equal(f->http->pool.connection_count, 2);
}

static void a_request_is_not_sent_over_a_connection_that_was_closed_a_moment_ago(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->status, 200);
    assert_int_equal(shutdown(f->server.connections->fd, SHUT_WR), 0);
    assert_int_equal(run(f, &request)->status, 200);
    assert_int_equal(f->server.requests, 2);
    assert_int_equal(f->server.accepted, 2);
}

static void start_the_same_again(struct outcome *o) {
    struct fixture *f = o->f;
    if (f->started < MAX_OUTCOMES) {
        struct http_request request = post(f, "x");
        start(f, &request)->then = start_the_same_again;
    }
}

static void while_all_connections_are_busy_a_name_is_looked_at_too(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 1}, &OK, 1);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < 3; i++) {
        start(f, &request)->then = start_the_same_again;
    }
    await(f, 5);
    /* The connection is too old, and it was long ago that the name led anywhere. */
    let_pass(f, 20 * MICROSECONDS);
    newest(f)->ages_at = clock_monotonic(&f->http->clock) - 1;
    await(f, MAX_OUTCOMES);
    assert_int_equal(f->http->pool.connection_count, 1);
    assert_true(newest(f)->ages_at > clock_monotonic(&f->http->clock));
}

static void at_the_limit_the_only_connection_is_not_given_up_for_a_look_at_its_name(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 1}, &OK, 1);
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->status, 200);
    server_stop_listening(&f->server);
    for (size_t i = 0; i < 6; i++) {
        let_pass(f, 20 * MICROSECONDS);
        assert_int_equal(run(f, &request)->status, 200);
    }
}

static void at_the_limit_one_server_does_not_keep_another_s_requests_waiting_for_ever(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 1}, &OK, 1);
    struct server other;
    assert_true(server_open(&other, f->loop, &OK, 1));
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", other.port);
    struct http_request request = post(f, "x"), elsewhere = post(f, "x");
    elsewhere.url = url;
    start(f, &request)->then = start_the_same_again;
    start(f, &request)->then = start_the_same_again;
    struct outcome *o = start(f, &elsewhere);
    await(f, 5);
    assert_false(o->done);
    let_pass(f, 2 * MICROSECONDS);
    await(f, 40);
    assert_true(o->done);
    assert_int_equal(o->status, 200);
    server_close(&other);
}

static void idle_connections_can_be_dropped_and_busy_ones_stay(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 5}, &OK, 1);
    struct http_request request = post(f, "x");
    (void)start(f, &request);
    await(f, 1);
    assert_int_equal(f->http->pool.connection_count, 1);
    http_drop_idle(f->http);
    assert_int_equal(f->http->pool.connection_count, 0);
    (void)start(f, &request);
    http_drop_idle(f->http);
    await(f, 2);
    assert_int_equal(f->server.accepted, 2);
    assert_int_equal(f->outcomes[1].error, HTTP_FINE);
}

/* Runs until no connection is being opened, and none is still to be. */
static void await_opened(struct fixture *f) {
    const struct http_origin *o = f->http->pool.origins.origins;
    for (size_t i = 0; i < 1000 && (o->dialing > 0 || o->ahead > 0); i++) {
        linger(f, MILLISECOND);
    }
    assert_int_equal(o->dialing + o->ahead, 0);
}

/* As the requests of post(), which go through no proxy, but as those to AWS, which may. */
static struct http_request post_through(const struct fixture *f) {
    struct http_request request = post(f, "x");
    request.direct = false;
    return request;
}

static void connections_opened_ahead_serve_the_next_requests(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    f->port.open_ahead(f->port.ctx, f->url, 20);
    await_opened(f);
    assert_int_equal(http_stats(f->http).connections, 20);
    struct http_request request = post_through(f);
    for (size_t i = 0; i < 20; i++) {
        (void)start(f, &request);
    }
    await(f, 20);
    assert_int_equal(http_stats(f->http).connections, 20);
    assert_int_equal(f->server.accepted, 20);
}

static void few_are_opened_ahead_at_once_and_no_more_than_there_may_be(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 10}, &OK, 1);
    f->port.open_ahead(f->port.ctx, f->url, 64);
    assert_int_equal(f->http->pool.connection_count, 4);
    for (size_t i = 0; i < 100 && f->server.accepted < 10; i++) {
        linger(f, MILLISECOND);
    }
    linger(f, 20 * MILLISECOND);
    assert_int_equal(f->server.accepted, 10);
    assert_int_equal(f->http->pool.connection_count, 10);
}

static void those_that_requests_wait_for_count_among_those_opened_ahead(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    struct http_request request = post_through(f);
    f->port.open_ahead(f->port.ctx, f->url, 3);
    for (size_t i = 0; i < 3; i++) {
        (void)start(f, &request);
    }
    await(f, 3);
    await_opened(f);
    assert_int_equal(f->server.accepted, 3);
}

static void none_is_opened_ahead_before_those_that_requests_wait_for(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 4}, &OK, 1);
    struct server other;
    assert_true(server_open(&other, f->loop, &OK, 1));
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", other.port);
    f->port.open_ahead(f->port.ctx, f->url, 64);
    struct http_request request = post_through(f);
    request.url = url;
    struct outcome *o = run(f, &request);
    assert_int_equal(o->status, 200);
    assert_int_equal(other.accepted, 1);
    server_close(&other);
}

static void nobody_hears_of_one_that_cannot_be_opened_ahead_and_no_more_follow(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    server_close(&f->server);
    f->server = (struct server){.fd = -1};
    f->port.open_ahead(f->port.ctx, f->url, 64);
    await_opened(f);
    assert_int_equal(f->http->pool.connection_count, 0);
    assert_int_equal(http_stats(f->http).connections, 0);
    /* A request that comes meanwhile is told by a connection of its own. */
    f->port.open_ahead(f->port.ctx, f->url, 64);
    struct http_request request = post_through(f);
    assert_int_equal(run(f, &request)->error, HTTP_UNREACHABLE);
    f->port.open_ahead(f->port.ctx, "no URL", 64);
    f->port.open_ahead(f->port.ctx, "http://user:password@127.0.0.1/", 64);
    assert_int_equal(f->http->pool.connection_count, 0);
}

static void one_opened_ahead_that_dies_at_its_first_use_is_no_failure(void **state) {
    static const struct server_answer answers[] = {{.text = NULL, .after = SERVER_CLOSES}, OK_ANSWER};
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, answers, ARRAY_LENGTH(answers));
    f->port.open_ahead(f->port.ctx, f->url, 1);
    await_opened(f);
    struct http_request request = post_through(f);
    assert_int_equal(run(f, &request)->status, 200);
    assert_int_equal(f->server.requests, 2);
}

static void those_opened_ahead_that_nobody_used_are_closed_as_others_are(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    f->port.open_ahead(f->port.ctx, f->url, 10);
    await_opened(f);
    struct http_request request = post_through(f);
    assert_int_equal(run(f, &request)->status, 200);
    assert_int_equal(f->http->pool.connection_count, 10);
    let_pass(f, 26 * MICROSECONDS);
    assert_int_equal(run(f, &request)->status, 200);
    assert_int_equal(f->http->pool.connection_count, 1);
}

static void a_client_ends_while_it_opens_connections_ahead(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    f->port.open_ahead(f->port.ctx, f->url, 64);
    for (size_t i = 0; i < 100 && f->server.accepted == 0; i++) {
        linger(f, MILLISECOND);
    }
    http_free(f->http);
    f->http = NULL;
    for (size_t i = 0; i < 100 && f->server.connections; i++) {
        linger(f, MILLISECOND);
    }
    assert_null(f->server.connections);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(those_that_wait_are_served_in_the_order_they_came),
        TEST(an_idle_connection_gives_way_to_one_to_another_server),
        TEST(many_at_once_shake_few_hands),
        TEST(where_nobody_listens_each_that_waits_is_told_so),
        TEST(where_no_answer_comes_each_that_waits_gets_a_connection_of_its_own),
        TEST(what_cannot_be_opened_makes_room_for_those_that_wait_for_another_server),
        TEST(an_old_connection_gives_way_to_a_new_one),
        TEST(a_connection_that_is_always_busy_grows_old_too),
        TEST(what_was_idle_for_long_is_closed),
        TEST(while_a_name_leads_nowhere_old_connections_live_on),
        TEST(what_stands_in_the_socket_already_is_no_answer_to_the_next_request),
        TEST(what_came_long_after_the_loop_s_look_is_no_answer_either),
        TEST(a_connection_that_was_idle_at_the_loop_s_look_goes_before_one_just_used),
        TEST(a_request_is_not_sent_over_a_connection_that_was_closed_a_moment_ago),
        TEST(while_all_connections_are_busy_a_name_is_looked_at_too),
        TEST(at_the_limit_the_only_connection_is_not_given_up_for_a_look_at_its_name),
        TEST(at_the_limit_one_server_does_not_keep_another_s_requests_waiting_for_ever),
        TEST(idle_connections_can_be_dropped_and_busy_ones_stay),
        TEST(connections_opened_ahead_serve_the_next_requests),
        TEST(few_are_opened_ahead_at_once_and_no_more_than_there_may_be),
        TEST(those_that_requests_wait_for_count_among_those_opened_ahead),
        TEST(none_is_opened_ahead_before_those_that_requests_wait_for),
        TEST(nobody_hears_of_one_that_cannot_be_opened_ahead_and_no_more_follow),
        TEST(one_opened_ahead_that_dies_at_its_first_use_is_no_failure),
        TEST(those_opened_ahead_that_nobody_used_are_closed_as_others_are),
        TEST(a_client_ends_while_it_opens_connections_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
