#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_connections.h"

#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct ev_loop *ev;
    struct http_connections all;
    int fd, peer;
    unsigned calls;
    int events;
};

static void on_ready(void *user, int fd, int events) {
    struct fixture *f = user;
    assert_int_equal(fd, f->fd);
    f->calls++;
    f->events = events;
}

static void open_pair(struct fixture *f) {
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    f->fd = pair[0];
    f->peer = pair[1];
}

static int setup(void **state) {
    static struct fixture f;
    f = (struct fixture){.ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV)};
    f.all = (struct http_connections){.ev = f.ev, .ready = on_ready, .user = &f};
    open_pair(&f);
    http_connections_opened(&f.all, f.fd);
    *state = &f;
    return f.ev ? 0 : -1;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    http_connections_closing(&f->all, f->fd);
    http_connections_free(&f->all);
    ev_loop_destroy(f->ev);
    close(f->fd);
    close(f->peer);
    return 0;
}

static unsigned turn(struct fixture *f) {
    f->calls = 0;
    ev_run(f->ev, EVRUN_NOWAIT);
    return f->calls;
}

static void send_byte(struct fixture *f) {
    assert_int_equal(write(f->peer, "x", 1), 1);
}

static void take_byte(struct fixture *f) {
    char c;
    assert_int_equal(read(f->fd, &c, 1), 1);
}

static void a_socket_is_watched_for_what_is_asked(void **state) {
    struct fixture *f = *state;
    assert_true(http_connections_watch(&f->all, f->fd, EV_READ | EV_WRITE));
    assert_int_equal(turn(f), 1);
    assert_int_equal(f->events, EV_WRITE);
    assert_true(http_connections_watch(&f->all, f->fd, EV_READ));
    assert_int_equal(turn(f), 0);
    send_byte(f);
    assert_int_equal(turn(f), 1);
    assert_int_equal(f->events, EV_READ);
}

static void one_that_was_not_opened_is_not_known(void **state) {
    struct fixture *f = *state;
    assert_false(http_connections_watch(&f->all, f->peer, EV_READ));
    assert_false(http_connections_watch(&f->all, 100000, EV_READ));
    assert_false(http_connections_watch(&f->all, -1, EV_READ));
    http_connections_closing(&f->all, f->fd);
    assert_false(http_connections_watch(&f->all, f->fd, EV_READ));
}

static void between_two_requests_nobody_hears_of_it_and_the_next_one_does(void **state) {
    struct fixture *f = *state;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(http_connections_watch(&f->all, f->fd, EV_READ));
        send_byte(f);
        assert_int_equal(turn(f), 1);
        take_byte(f);
        assert_true(http_connections_watch(&f->all, f->fd, 0));
        assert_int_equal(turn(f), 0);
    }
}

static void one_that_is_closed_by_its_peer_while_idle_wakes_the_loop_once(void **state) {
    struct fixture *f = *state;
    assert_true(http_connections_watch(&f->all, f->fd, EV_READ));
    assert_true(http_connections_watch(&f->all, f->fd, 0));
    assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
    assert_int_equal(turn(f), 0);
    assert_false(f->all.by_fd[f->fd]->is_watched);
    assert_true(http_connections_watch(&f->all, f->fd, EV_READ));
    assert_int_equal(turn(f), 1);
}

static void idle_ones_keep_no_loop_going(void **state) {
    struct fixture *f = *state;
    assert_true(http_connections_watch(&f->all, f->fd, EV_READ));
    assert_true(http_connections_watch(&f->all, f->fd, 0));
    assert_int_equal(ev_run(f->ev, 0), 0); /* it returns at once */
    assert_true(http_connections_watch(&f->all, f->fd, EV_READ));
    assert_int_not_equal(ev_run(f->ev, EVRUN_NOWAIT), 0);
}

/* The kernel forgets a socket that is closed, and the next one gets its number. */
static void a_new_socket_of_an_old_number_is_heard_of(void **state) {
    struct fixture *f = *state;
    for (unsigned i = 0; i < 8; i++) {
        bool with_a_turn_between = i & 1, without_a_word = i & 2, idle = i & 4;
        assert_true(http_connections_watch(&f->all, f->fd, EV_READ));
        if (idle)
            assert_true(http_connections_watch(&f->all, f->fd, 0));
        assert_int_equal(turn(f), 0);
        int number = f->fd;
        if (!without_a_word)
            http_connections_closing(&f->all, f->fd);
        close(f->fd);
        close(f->peer);
        if (with_a_turn_between)
            assert_int_equal(turn(f), 0);
        open_pair(f);
        assert_int_equal(f->fd, number);
        http_connections_opened(&f->all, f->fd);
        assert_true(http_connections_watch(&f->all, f->fd, EV_READ));
        send_byte(f);
        assert_int_equal(turn(f), 1);
        take_byte(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_socket_is_watched_for_what_is_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_was_not_opened_is_not_known, setup, teardown),
        cmocka_unit_test_setup_teardown(between_two_requests_nobody_hears_of_it_and_the_next_one_does, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_closed_by_its_peer_while_idle_wakes_the_loop_once, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_ones_keep_no_loop_going, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_socket_of_an_old_number_is_heard_of, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
