/* The body of a response: bounded by its own ceiling and by the budget for all bodies. */
#include "http_private.h"

#define FIRST_RESERVE_MAX ((int64_t)256 * 1024)

void http_body_begin(struct http_transfer *t, size_t max) {
    buf_init(&t->body, max); /* http_answer_take() lends it storage */
    t->counted = 0; /* what is lent costs nothing */
}

void http_body_uncount(struct http_transfer *t) {
    t->budget->bytes -= t->counted;
    t->counted = 0;
}

/* Whether the body may grow by n bytes; if not, t->error says why. */
static bool make_room(struct http_transfer *t, size_t n) {
    struct http_budget *budget = t->budget;
    size_t max = t->request.max_response;
    if (n > max - t->body.len) {
        t->error = HTTP_TOO_LARGE;
        return false;
    }
    size_t wanted = t->body.len + n;
    size_t others = budget->bytes - t->counted;
    if (wanted > t->body.capacity && (others > budget->max || wanted > budget->max - others)) {
        t->error = HTTP_OVER_BUDGET;
        return false;
    }
    if (!buf_reserve(&t->body, n)) {
        t->error = t->body.failure == BUF_FULL ? HTTP_TOO_LARGE : HTTP_NO_MEMORY;
        return false;
    }
    t->counted = t->body.lent ? 0 : t->body.capacity;
    budget->bytes = others + t->counted;
    return true;
}

bool http_body_take(struct http_transfer *t, struct span piece) {
    int64_t announced = t->answer->parser.length;
    if (t->body.len == 0 && announced > (int64_t)piece.len) {
        /* Growing in small steps would copy a lot. But a server's announcement alone must not make us reserve much. */
        size_t first = (size_t)(announced < FIRST_RESERVE_MAX ? announced : FIRST_RESERVE_MAX);
        if (first > piece.len && !make_room(t, first)) {
            return false;
        }
    }
    return make_room(t, piece.len) && buf_append_span(&t->body, piece);
}
