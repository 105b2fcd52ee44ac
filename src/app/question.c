#include "question.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

static bool is_yes(struct question *q) {
    while (q->len > 0 && q->answer[q->len - 1] <= ' ') {
        q->len--;
    }
    q->answer[q->len] = '\0';
    return strcasecmp(q->answer, "y") == 0 || strcasecmp(q->answer, "yes") == 0;
}

static void on_input(void *user, unsigned events) {
    (void)events;
    struct question *q = user;
    char piece[64];
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    bool ends = n <= 0;
    for (ssize_t i = 0; i < n && !ends; i++) {
        ends = piece[i] == '\n';
        /* A longer answer than any yes is a no. */
        if (q->len < ANSWER_SIZE - 1) {
            q->answer[q->len++] = piece[i];
        }
    }
    if (ends) {
        bool yes = n > 0 && is_yes(q);
        if (n <= 0) {
            (void)fputc('\n', stderr);
        }
        question_done(q);
        q->answered(q->ctx, yes);
    }
}

bool question_ask(struct question *q, struct loop *loop, const char *text, void (*answered)(void *ctx, bool yes),
                  void *ctx) {
    *q = (struct question){.answered = answered, .ctx = ctx};
    (void)fprintf(stderr, "%s [y/N] ", text);
    (void)fflush(stderr);
    q->input = loop_watch_fd(loop, STDIN_FILENO, LOOP_READ, on_input, q);
    return q->input != NULL;
}

void question_done(struct question *q) {
    loop_watch_free(q->input);
    q->input = NULL;
}
