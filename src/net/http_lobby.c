#include "http_lobby.h"

#include "limiter.h"
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

/* Until this many bytes are there, the kernel doesn't wake us. No request is shorter; a client that sends a byte a
 * second is cut off before. */
static const int FEWEST_BYTES = 8;
/* If the head is longer, the server that takes the client over decides about it. */
#define HEAD_LOOKED_AT 4096
/* A client has at least this long before it must give way to another. An honest client sends its request as it
 * connects. */
static const int64_t GRACE = 250 * MILLISECOND;
static const int64_t LITTLE_LATER = 20 * MILLISECOND;
/* If only a part of a head is there, it is looked at again after the first pause, then at longer and longer intervals,
 * however many bytes come. */
static const int64_t FIRST_PAUSE = 20 * MILLISECOND, LONGEST_PAUSE = 320 * MILLISECOND;
static const unsigned ACCEPTS_A_TURN = 16;
#define LOOKS_A_TURN 64

struct guest {
    TAILQ_ENTRY(guest) link; /* of the list it is in */
    int fd;
    bool is_ready;
    int64_t since; /* monotonic */
    int64_t look_at; /* NEVER: look when the descriptor becomes ready */
    int64_t pause; /* between the last two looks at it */
};
TAILQ_HEAD(guests, guest);

struct http_lobby {
    struct loop *loop;
    struct clock clock;
    struct http_lobby_options options;
    int listener, epoll;
    struct loop_watch *listening, *watching;
    struct timer timer; /* the next look or deadline */
    struct timer pause; /* until more are let in */
    struct limiter limiter;
    struct guest *places;
    size_t used; /* of places, so far; used ones come back in free */
    struct guests waiting; /* for the rest of their request, in the order they came */
    struct guests ready; /* to be taken over, in the order they became ready */
    struct guests free; /* places that are no longer used */
    struct http_lobby_stats stats;
    void (*on_ready)(void *user);
    void *user;
};

static int64_t now_of(const struct http_lobby *l) {
    return clock_monotonic(&l->clock);
}

static void plan(struct http_lobby *l, int64_t due) {
    if (!l->timer.running || due < l->timer.due) {
        timer_start(loop_timers(l->loop), &l->timer, due);
    }
}

static void leave(struct http_lobby *l, struct guest *guest) {
    if (guest->is_ready) {
        TAILQ_REMOVE(&l->ready, guest, link);
    } else {
        TAILQ_REMOVE(&l->waiting, guest, link);
    }
    TAILQ_INSERT_HEAD(&l->free, guest, link);
    l->stats.guests--;
}

/* Closes the connection so that the kernel keeps nothing of it either. */
static void turn_away(struct http_lobby *l, struct guest *guest) {
    const struct linger at_once = {.l_onoff = 1};
    (void)setsockopt(guest->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)close(guest->fd);
    leave(l, guest);
}

static void cut(struct http_lobby *l, struct guest *guest) {
    l->stats.cut++;
    turn_away(l, guest);
}

/* Whether the head is complete: a line, and then an empty line. */
static bool is_whole(const char *head, size_t len) {
    size_t blank = 0;
    while (blank < len && (head[blank] == '\r' || head[blank] == '\n')) {
        blank++;
    }
    return memmem(head + blank, len - blank, "\n\r\n", 3) || memmem(head + blank, len - blank, "\n\n", 2);
}

static bool watch(struct http_lobby *l, struct guest *guest, int how, uint32_t events) {
    struct epoll_event event = {.events = events | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = guest};
    return epoll_ctl(l->epoll, how, guest->fd, &event) == 0;
}

/* Looks at the bytes that are there without reading them. ended: no more will come. */
static void look(struct http_lobby *l, struct guest *guest, bool ended, int64_t now) {
    char head[HEAD_LOOKED_AT];
    l->stats.looks++;
    ssize_t n = recv(guest->fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0 && ((size_t)n == sizeof head || is_whole(head, (size_t)n))) {
        guest->is_ready = true;
        guest->look_at = NEVER;
        TAILQ_REMOVE(&l->waiting, guest, link);
        TAILQ_INSERT_TAIL(&l->ready, guest, link);
        return;
    }
    bool more_may_come = n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
    if (!more_may_come || ended || !watch(l, guest, EPOLL_CTL_MOD, 0)) {
        turn_away(l, guest);
        return;
    }
    guest->pause = guest->pause ? guest->pause * 2 : FIRST_PAUSE;
    guest->pause = guest->pause > LONGEST_PAUSE ? LONGEST_PAUSE : guest->pause;
    guest->look_at = now + guest->pause;
    plan(l, guest->look_at);
}

static void tell(struct http_lobby *l) {
    if (http_lobby_ready(l)) {
        l->on_ready(l->user);
    }
}

/* Cuts off the clients whose time is over, and looks at those whose turn it is. Returns when the next of the list is
 * due. */
static int64_t go_round(struct http_lobby *l, struct guests *list, int64_t now) {
    int64_t due = NEVER;
    struct guest *guest, *next;
    for (guest = TAILQ_FIRST(list); guest; guest = next) {
        next = TAILQ_NEXT(guest, link);
        int64_t deadline = guest->since + l->options.longest;
        if (deadline <= now) {
            cut(l, guest);
            continue;
        }
        due = deadline < due ? deadline : due;
        if (guest->look_at <= now + LITTLE_LATER / 2) {
            look(l, guest, false, now);
        } else {
            due = guest->look_at < due ? guest->look_at : due;
        }
    }
    return due;
}

static void on_timer(void *user) {
    struct http_lobby *l = user;
    int64_t now = now_of(l), ready_due = go_round(l, &l->ready, now), due = go_round(l, &l->waiting, now);
    due = ready_due < due ? ready_due : due;
    if (due != NEVER) {
        plan(l, due);
    }
    tell(l);
}

static void on_wake(void *user, unsigned events) {
    struct http_lobby *l = user;
    (void)events;
    struct epoll_event woken[LOOKS_A_TURN];
    int count = epoll_wait(l->epoll, woken, LOOKS_A_TURN, 0);
    int64_t now = now_of(l);
    for (int i = 0; i < count; i++) {
        struct guest *guest = woken[i].data.ptr;
        if (!guest->is_ready) {
            look(l, guest, woken[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR), now);
        }
    }
    tell(l);
}

static void pause_until(struct http_lobby *l, int64_t due) {
    loop_watch_events(l->listening, 0);
    timer_start(loop_timers(l->loop), &l->pause, due);
}

static void on_pause_over(void *user) {
    struct http_lobby *l = user;
    loop_watch_events(l->listening, LOOP_READ);
}

static bool is_full(const struct http_lobby *l) {
    return l->stats.guests == l->options.guests;
}

/* Whether there is room for one more, or a waiting client has been there long enough to give way. A client whose
 * request is complete gives way to nobody. */
static bool has_room(const struct http_lobby *l, int64_t now) {
    const struct guest *first = TAILQ_FIRST(&l->waiting);
    return !is_full(l) || (first && now - first->since >= GRACE);
}

static struct guest *enter(struct http_lobby *l, int fd, int64_t now) {
    struct guest *guest = TAILQ_FIRST(&l->free);
    if (guest) {
        TAILQ_REMOVE(&l->free, guest, link);
    } else {
        guest = &l->places[l->used++];
    }
    *guest = (struct guest){.fd = fd, .since = now, .look_at = NEVER};
    TAILQ_INSERT_TAIL(&l->waiting, guest, link);
    l->stats.guests++;
    l->stats.accepted++;
    return guest;
}

/* Lets one in. False: no more for now. */
static bool let_in(struct http_lobby *l, int64_t now) {
    int64_t wait = 0;
    if (!has_room(l, now)) {
        pause_until(l, now + LITTLE_LATER);
        return false;
    }
    if (!limiter_take(&l->limiter, now, &wait)) {
        pause_until(l, now + (wait > LITTLE_LATER ? wait : LITTLE_LATER));
        return false;
    }
    int fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) {
        return true;
    }
    if (fd < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            pause_until(l, now + MICROSECONDS); /* mostly: no descriptors left */
        }
        return false;
    }
    if (is_full(l)) {
        cut(l, TAILQ_FIRST(&l->waiting));
    }
    struct guest *guest = enter(l, fd, now);
    if (!watch(l, guest, EPOLL_CTL_ADD, EPOLLIN)) {
        turn_away(l, guest);
        pause_until(l, now + MICROSECONDS);
        return false;
    }
    return true;
}

static void on_client(void *user, unsigned events) {
    struct http_lobby *l = user;
    (void)events;
    int64_t now = now_of(l);
    for (unsigned i = 0; i < ACCEPTS_A_TURN && let_in(l, now); i++) {
    }
    const struct guest *first = TAILQ_FIRST(&l->waiting);
    if (first) {
        plan(l, first->since + l->options.longest);
    }
}

struct http_lobby *http_lobby_new(struct loop *loop, int listener, const struct http_lobby_options *options,
                                  void (*ready)(void *user), void *user) {
    struct http_lobby *l = calloc(1, sizeof *l);
    if (!l) {
        (void)close(listener);
        return NULL;
    }
    *l = (struct http_lobby){.loop = loop,
                             .clock = loop_clock(loop),
                             .options = *options,
                             .listener = listener,
                             .epoll = epoll_create1(EPOLL_CLOEXEC),
                             .on_ready = ready,
                             .user = user};
    TAILQ_INIT(&l->waiting);
    TAILQ_INIT(&l->ready);
    TAILQ_INIT(&l->free);
    limiter_init(&l->limiter, options->guests_per_second, now_of(l));
    timer_init(&l->timer, on_timer, l);
    timer_init(&l->pause, on_pause_over, l);
    l->places = calloc(options->guests, sizeof *l->places);
    /* Accepted sockets inherit this from the listener. Without it each byte wakes us, which costs time but does no
     * harm. */
    (void)setsockopt(listener, SOL_SOCKET, SO_RCVLOWAT, &FEWEST_BYTES, sizeof FEWEST_BYTES);
    bool fine = l->epoll >= 0 && l->places;
    l->watching = fine ? loop_watch_fd(loop, l->epoll, LOOP_READ, on_wake, l) : NULL;
    l->listening = l->watching ? loop_watch_fd(loop, listener, LOOP_READ, on_client, l) : NULL;
    if (!l->listening) {
        http_lobby_free(l);
        return NULL;
    }
    return l;
}

void http_lobby_free(struct http_lobby *l) {
    if (!l) {
        return;
    }
    struct guests *const lists[] = {&l->waiting, &l->ready};
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        while (!TAILQ_EMPTY(lists[i])) {
            turn_away(l, TAILQ_FIRST(lists[i]));
        }
    }
    loop_watch_free(l->listening);
    loop_watch_free(l->watching);
    timer_stop(loop_timers(l->loop), &l->timer);
    timer_stop(loop_timers(l->loop), &l->pause);
    if (l->epoll >= 0) {
        (void)close(l->epoll);
    }
    (void)close(l->listener);
    free(l->places);
    free(l);
}

bool http_lobby_ready(const struct http_lobby *l) {
    return !TAILQ_EMPTY(&l->ready);
}

bool http_lobby_take(struct http_lobby *l, struct http_guest *ret) {
    struct guest *guest = TAILQ_FIRST(&l->ready);
    const int any = 1;
    if (!guest) {
        return false;
    }
    (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, guest->fd, NULL);
    (void)setsockopt(guest->fd, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof any);
    *ret = (struct http_guest){guest->fd, guest->since};
    leave(l, guest);
    return true;
}

struct http_lobby_stats http_lobby_stats(const struct http_lobby *l) {
    return l->stats;
}
