/* What transfers need only once their answers begin, shared by all. */
#include "http_private.h"

#include <stdlib.h>

#define IDLE_ANSWERS_MAX 64 /* those of answers that came at once are used one after the other */

static struct http_answer *find(struct http_answers *answers) {
    struct http_answer *a = answers->idle;
    if (!a) {
        return calloc(1, sizeof *a);
    }
    answers->idle = a->next;
    answers->idle_count--;
    return a;
}

static void answer_free(struct http_answer *a) {
    http_parser_free(&a->parser);
    free(a);
}

bool http_answer_take(struct http_transfer *t) {
    if (t->answer) {
        return true;
    }
    t->answer = find(t->answers);
    if (!t->answer) {
        return false;
    }
    http_parser_reset(&t->answer->parser);
    buf_init_lent(&t->body, t->answer->small_body, sizeof t->answer->small_body, t->request.max_response);
    return true;
}

void http_answer_return(struct http_transfer *t) {
    struct http_answers *answers = t->answers;
    struct http_answer *a = t->answer;
    buf_free(&t->body); /* else in time each would hold the buffer of ten messages */
    t->answer = NULL;
    if (!a) {
        return;
    }
    if (answers->idle_count >= IDLE_ANSWERS_MAX) {
        answer_free(a);
        return;
    }
    http_parser_free(&a->parser);
    a->next = answers->idle;
    answers->idle = a;
    answers->idle_count++;
}

void http_answers_free(struct http_answers *answers) {
    while (answers->idle) {
        struct http_answer *a = answers->idle;
        answers->idle = a->next;
        answer_free(a);
    }
}
