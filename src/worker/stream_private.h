/* Between the files of the stream worker. */
#pragma once

#include "applier.h"
#include "message_splitter.h"
#include "stream_worker.h"

/* One line, until its response stands in the output. */
struct line {
    struct job job; /* first member: the applier hands the job back, and we cast it */
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
    const struct update_context *context; /* points to own_context */
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
    int64_t stop_until; /* monotonic, once stopping: when the time for lines that were begun is over */
    struct timer changed_timer, end_timer, tick;
};

/* stream_lines.c */
/* Handles what has changed from the loop, and tells the host. */
void stream_changed_soon(struct stream_worker *w);
/* NULL: no memory. */
struct line *stream_line_new(struct stream_worker *w, size_t number, struct span body);
void stream_line_free(struct stream_worker *w, struct line *line);
/* The stream has ended; this is reported from the loop. */
void stream_is_over(struct stream_worker *w, struct outcome outcome);
/* Gives up: only a lack of memory can't be answered with a response on the line itself. */
void stream_out_of_memory(struct stream_worker *w, const struct line *line);
/* Appends a finished line's response to the output. False: no memory. */
bool stream_append_response(struct stream_worker *w, const struct line *line);
/* Moves the responses that are next in the order of the input to the output. */
void stream_put_out(struct stream_worker *w);
/* A line has ended: makes its response. */
void stream_finish(struct stream_worker *w, struct line *line);

/* stream_end.c */
/* Ends a stop. Where all lines begun could be finished, the lines left are all those from one line to the end. */
void stream_end_stopped(struct stream_worker *w);
/* Gives up because of the environment, after a while without any answer of a DynamoDB that works. */
void stream_give_up(struct stream_worker *w);
/* Leaves the lines behind the last one that was begun. That one and every line before it is still finished, so that no
 * line is applied after one that isn't. */
void stream_leave_the_rest(struct stream_worker *w);
