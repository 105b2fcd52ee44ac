/* The end of a stream: what was begun is finished, and the log says from which line on lines are left. */
#include "stream_private.h"

#include <string.h>

/* The number of the first line without a response. Where all lines read have one, that of the input's next line. */
static size_t next_line(const struct stream_worker *w) {
    const struct line *line = TAILQ_FIRST(&w->lines);
    return line ? line->number : message_splitter_next_line(&w->splitter);
}

/* The last line that was begun: it may have been applied, though one before it has no response. NULL: there is none. */
static const struct line *last_begun(const struct stream_worker *w) {
    const struct line *line;
    TAILQ_FOREACH_REVERSE(line, &w->lines, line_list, in_order)
    if (line->finished || line->job.started > 0)
        return line;
    return NULL;
}

#define DONE_SIZE 200

/* Which lines after the first without a response have theirs: "7 9-12", as many as there is room for. */
static const char *done_behind(const struct stream_worker *w, char ret_text[static DONE_SIZE]) {
    const struct line *line, *next;
    size_t first = 0;
    struct buf text = {.data = ret_text, .capacity = DONE_SIZE, .max = DONE_SIZE - sizeof " …"};
    ret_text[0] = '\0';
    TAILQ_FOREACH(line, &w->lines, in_order) {
        next = TAILQ_NEXT(line, in_order);
        if (!line->finished)
            continue;
        first = first ? first : line->number;
        if (next && next->finished && next->number == line->number + 1)
            continue;
        size_t len = text.len;
        const char *before = len ? " " : "";
        bool fits = first < line->number ? buf_printf(&text, "%s%zu-%zu", before, first, line->number)
                                         : buf_printf(&text, "%s%zu", before, first);
        first = 0;
        if (!fits) {
            memcpy(ret_text + len, " …", sizeof " …");
            break;
        }
    }
    return ret_text[0] ? ret_text : "none";
}

/* At the end, writes the responses that come after a line without one. Only with line numbers: else they could be taken
 * for other lines' responses. */
static void answer_what_is_known(struct stream_worker *w) {
    struct line *line;
    TAILQ_FOREACH(line, &w->lines, in_order)
    if (line->finished && w->options.line_numbers && !stream_append_response(w, line))
        return; /* no memory; it is the end anyway */
}

/* Ends a stop. Where all lines begun could be finished, the lines left are all those from one line to the end. */
void stream_end_stopped(struct stream_worker *w) {
    const struct line *begun = last_begun(w);
    char done[DONE_SIZE];
    if (w->line_count == 0 && message_splitter_is_done(&w->splitter)) {
        stream_is_over(w, outcome_of(w->counts.failed ? ENDED_SOME_FAILED : ENDED_WELL));
        return;
    }
    if (begun)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "Stopped: all lines before this one are done; of those from it to the last one begun, some may have "
                  "been applied",
                  LOG_I("line", next_line(w)), LOG_I("last_begun", begun->number), LOG_C("done", done_behind(w, done)));
    else
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "Stopped: all lines before this one are done, and none from it on was begun: go on with it",
                  LOG_I("line", next_line(w)));
    answer_what_is_known(w);
    applier_stop(&w->applier);
    stream_is_over(w, outcome_of(ENDED_STOPPED));
}

/* Gives up because of the environment, after a while without any answer of a DynamoDB that works. */
void stream_give_up(struct stream_worker *w) {
    const struct applier *e = &w->applier;
    enum cause cause = e->breaker.trouble.active ? e->breaker.trouble.cause
                       : applier_unconfirmed(e)  ? e->confirming.cause
                                                 : CAUSE_UNREACHABLE;
    bool suspects = e->breaker.trouble.active && verdict_may_be_its_own(e->breaker.kind);
    const struct line *begun = last_begun(w);
    char done[DONE_SIZE];
    LOG_EVENT(w->platform.log, LOG_LEVEL_ERROR,
              suspects ? "Giving up: what is left fails, and nothing succeeds that would tell whether it is its own "
                         "fault. All lines before this one are "
                         "done; of those from it to the last one begun, some may have been applied"
                       : "Giving up: the environment fails for every message. All lines before this one are done; of "
                         "those from it to the last one "
                         "begun, some may have been applied",
              LOG_I("line", next_line(w)), LOG_I("last_begun", begun ? begun->number : next_line(w) - 1),
              LOG_C("done", done_behind(w, done)),
              LOG_C("failure", e->breaker.trouble.code[0] ? e->breaker.trouble.code : "none"));
    answer_what_is_known(w);
    applier_stop(&w->applier);
    stream_is_over(w, outcome_by(cause));
}

/* Leaves the lines behind the last one that was begun. That one and every line before it is still finished, so that no
 * line is applied after one that isn't. */
void stream_leave_the_rest(struct stream_worker *w) {
    struct line *line;
    TAILQ_FOREACH_REVERSE(line, &w->lines, line_list, in_order) {
        if (line->finished || line->job.started > 0)
            return;
        applier_withdraw(&w->applier, &line->job);
    }
}
