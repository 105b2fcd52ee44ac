/* Between the files of the stream worker. */
#pragma once

#include "applier.h"
#include "message_splitter.h"
#include "stream_worker.h"

/* One line, until its response stands in the output. */
struct line {
    struct job job; /* first: the applier gives it back to us */
    TAILQ_ENTRY(line) in_order;
    size_t number;
    struct buf body;
    char key[33]; /* its default idempotency key */
    struct update *update;
    struct buf response; /* where it is known */
    bool finished;
};
TAILQ_HEAD(line_list, line);

struct stream_worker {
    struct platform platform;
    struct stream_worker_options options;
    struct update_context own_context; /* with the table as the last look found it */
    const struct update_context *context; /* … this one */
    struct stream_worker_host host;
    struct applier applier;
    struct message_splitter splitter;
    struct line_list lines; /* in the order of the input */
    unsigned line_count;
    size_t body_bytes;
    uint64_t arrivals;
    struct buf output;
    size_t output_at;
    struct stream_counts counts;
    bool input_over, stopping, ended, warned_of_repeats;
    struct outcome outcome;
    uint64_t verdicts_seen;
    int64_t last_progress;
    int64_t stop_until; /* once stopping: when what was begun has had its time */
    struct timer changed_timer, end_timer, tick;
};

/* stream_lines.c */
/* The next turn takes what there is. */
void stream_changed_soon(struct stream_worker *w);
/* NULL: no memory. */
struct line *stream_line_new(struct stream_worker *w, size_t number, struct span body);
void stream_line_free(struct stream_worker *w, struct line *line);
/* Its end is reported from the loop. */
void stream_is_over(struct stream_worker *w, struct outcome outcome);
/* No memory for a response is the one thing that can't be answered on its line. */
void stream_out_of_memory(struct stream_worker *w, const struct line *line);
/* False: no memory. */
bool stream_append_response(struct stream_worker *w, const struct line *line);
/* Responses leave in the order of the input. */
void stream_put_out(struct stream_worker *w);
/* A line's response is known. */
void stream_finish(struct stream_worker *w, struct line *line);

/* stream_end.c */
/* Ends a stop. Where what was begun could be finished, the lines that are left are one piece, from one line to the end.
 */
void stream_end_stopped(struct stream_worker *w);
/* The environment's fault, after a while without any answer that shows health. */
void stream_give_up(struct stream_worker *w);
/* What was begun is finished, and every line before it, so that nothing is applied behind a line that isn't. The rest
 * is left. */
void stream_leave_the_rest(struct stream_worker *w);
