/* How long a transfer may take: in all, and without a byte in either direction. A slow transfer isn't silent. The timer
 * is set once, mostly; when it fires, it looks at what has moved since. */
#include "http_private.h"
#include "loop.h"

#define LOOK_AGAIN (3 * MICROSECONDS) /* between two looks at what the kernel still has to send of a request */
#define TIME_TO_READ MICROSECONDS /* for bytes that came while the process stood still */

static int64_t whole_until(const struct http_transfer *t) {
    return t->began + t->request.timeout;
}

static int64_t silent_until(const struct http_transfer *t) {
    return t->request.silence ? t->moved_at + t->request.silence + (t->answered ? 0 : t->request.wait) : NEVER;
}

/* By what is known now. If the process stood still, what the transfer waits for may already be in its socket, if it has
 * one: what was sent to nobody has nothing to read, and isn't sent any more. */
static int64_t late_at(const struct http_transfer *t) {
    int64_t whole = whole_until(t), silent = silent_until(t), late = silent < whole ? silent : whole;
    int64_t stood = loop_stood_until(t->http->loop);
    bool is_to_read = t->place == AT_CONNECTION && stood != NEVER && stood > t->moved_at && late < stood + TIME_TO_READ;
    return is_to_read ? stood + TIME_TO_READ : late;
}

/* The kernel takes bytes faster than a slow network does. Two looks at how much it still has to send show whether bytes
 * move. */
static void look_at_kernel(struct http_transfer *t, int64_t now) {
    bool asks = t->place == AT_CONNECTION && t->answered == 0;
    size_t left = asks ? connection_unacknowledged(t->connection->line) : 0;
    if (left > 0 && t->in_kernel == 0) {
        t->moved_at = now + LOOK_AGAIN - t->request.silence - t->request.wait;
    } else if (left < t->in_kernel) {
        t->moved_at = now;
    }
    t->in_kernel = left;
}

const char *http_deadline_look(struct http_transfer *t) {
    int64_t now = clock_monotonic(&t->http->clock), late = late_at(t);
    if (now >= late && now < whole_until(t)) {
        look_at_kernel(t, now);
        late = late_at(t);
    }
    if (now < late) {
        timer_start(t->http->timers, &t->deadline, late);
        return NULL;
    }
    if (t->place != AT_CONNECTION) {
        return "there was no connection in time";
    }
    return now >= whole_until(t) ? "the response didn't come in time" : "the connection fell silent";
}

bool http_deadline_has_passed(const struct http_transfer *t, int64_t now) {
    return now >= whole_until(t) || now >= silent_until(t);
}

void http_deadline_begin(struct http_transfer *t) {
    t->began = t->moved_at = clock_monotonic(&t->http->clock);
    t->in_kernel = 0;
    int64_t whole = whole_until(t), silent = silent_until(t);
    timer_start(t->http->timers, &t->deadline, silent < whole ? silent : whole);
}

void http_deadline_moved(struct http_transfer *t) {
    t->moved_at = clock_monotonic(&t->http->clock);
    int64_t late = late_at(t);
    if (late < t->deadline.due) { /* for example because a long poll's answer has begun */
        timer_start(t->http->timers, &t->deadline, late);
    }
}
