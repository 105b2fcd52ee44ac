/* The circuit breaker: do transactions fail for everyone, when is the next probe, may one more message come? Pure: it
 * is told what happened and what there is, and says what is to be done; the applier does it (applier_breaker.c), and
 * asks again when something falls due. No clock, no timers, no I/O, no allocation, O(1).
 *
 * From a failure that is not known to be the message's own until DynamoDB answers as one that works it is open: nothing
 * is started but probes, one at a time, and what was begun is kept. Mostly it is over in milliseconds, by the answer to
 * another transaction; it is announced when probes have failed. Where it may be the messages' own fault, one further
 * message is received now and then: its success tells. */
#pragma once

#include "random.h"
#include "receive_budget.h"
#include "trouble.h"
#include "verdict.h"

#include <stdbool.h>
#include <stdint.h>

struct breaker {
    struct trouble trouble; /* active: it is open */
    enum verdict_kind kind; /* of the failure that opened it, or of the last that may be a message's own */
    bool announced; /* in the log */
    bool throttled; /* the service is there, and admits nothing */
    bool paced; /* it was so at some time since it opened: the adaptive rate knows of it */
    bool newcomer; /* the next probe is for one that has just come in */
    bool looking; /* a look at the tables is the probe: there is no message to try */
    bool stopped; /* nothing is planned any more */
    bool has_worked; /* DynamoDB has answered as one that works, at some time */
    unsigned strangers; /* messages that failed for the first time since the last such answer */
    unsigned probes; /* since it opened */
    unsigned quick; /* of these, how many follow each other within less than a second */
    int64_t probed_at; /* monotonic: the last probe, or long ago */
    int64_t next_extra; /* when one more message may be received, in RECEIVE_ONE_MORE */
    int64_t extra_interval; /* … and how long after that the next */
    bool extra_failed; /* the last receive for one failed, and the next comes sooner for it */
    char told[VERDICT_TEXT_SIZE]; /* the cause that is in the log */
    /* When to ask breaker_fall_due(), for each; NEVER: nothing waits for it. */
    int64_t probe_at, announce_at, extra_at;
};

/* Something failed that may fail for everyone. */
struct breaker_failure {
    enum verdict_kind kind;
    enum cause cause;
    bool starved; /* nothing at all is admitted, for more than a few records */
    int64_t worked_at; /* monotonic: the last answer of a DynamoDB that works, or the start */
};

/* What waits inside, as the applier counts it. */
struct breaker_jobs {
    unsigned ready, stalled, probes_running;
    bool others_go_on; /* something is under way, or waits for something else than a probe */
    bool works_meanwhile; /* something has worked since the last of the stalled first failed by itself */
};

/* What a closing breaker leaves to do. */
struct breaker_closing {
    bool rate_resumes; /* the adaptive rate was told that nothing is admitted */
    bool announced; /* the log has heard of it */
    int64_t seconds; /* that it was open */
    unsigned probes;
};

enum breaker_probe {
    PROBE_NONE,
    PROBE_MESSAGE, /* the one that was found */
    PROBE_TABLES /* there is none: a look at the tables tells */
};

enum breaker_due { DUE_ANNOUNCEMENT = 1, DUE_EXTRA = 2, DUE_PROBE = 4 };

void breaker_init(struct breaker *b, int64_t now);
/* From here on nothing is planned or announced; why it fails is still noted. */
void breaker_stop(struct breaker *b);
/* When something falls due, at the earliest; NEVER. */
int64_t breaker_next(const struct breaker *b);
/* What is due now, once: a set of enum breaker_due. */
unsigned breaker_fall_due(struct breaker *b, int64_t now);

/* A message has failed for the first time. */
void breaker_stranger(struct breaker *b, int64_t now);
/* DynamoDB answered as one that works. */
static inline void breaker_worked(struct breaker *b) {
    b->has_worked = true;
    b->strangers = 0;
}
/* Notes why it fails now. True: the log says that the cause has changed, once it has failed so twice in a row (causes
 * that take turns are one trouble); *ret_before is what it said before. */
bool breaker_note_cause(struct breaker *b, const char *code, char ret_before[static VERDICT_TEXT_SIZE]);
/* It opens, where it isn't open. True: the adaptive rate is to know that nothing is admitted. */
bool breaker_open(struct breaker *b, const struct breaker_failure *failure, struct random *random, int64_t now);
/* DynamoDB answered as one that works. False: it wasn't open. */
bool breaker_close(struct breaker *b, int64_t now, struct breaker_closing *ret_closing);
/* A job failed or left. True: all that is inside has failed, and nothing else is under way that would tell: it is to
 * open. Else it plans a probe, where something waits for one. */
bool breaker_review(struct breaker *b, const struct breaker_jobs *jobs, struct random *random, int64_t now);
/* It has failed for a while, or probes did: true, once, where the log is to hear of it now. */
bool breaker_announces(struct breaker *b);

/* The time of a probe has come. False: those that are under way go on. */
bool breaker_may_probe(const struct breaker *b, unsigned probes_running);
/* Whether it is for the message that failed last. Else for one that wasn't tried yet, where it is open. */
bool breaker_probes_again(struct breaker *b);
/* It is to wait till then, for the rate. */
void breaker_delay_probe(struct breaker *b, int64_t at);
/* It begins, where a message was found for it; plans the next. */
enum breaker_probe breaker_begin_probe(struct breaker *b, const struct breaker_jobs *jobs, bool found,
                                       struct random *random, int64_t now);
/* It was answered, and it still fails. True: the log is to hear of it now. */
bool breaker_probe_failed(struct breaker *b, enum cause cause, struct random *random, int64_t now);
/* Whether an audit record may be read that couldn't be read before: while it is open that takes the place of a probe.
 */
bool breaker_takes_read(struct breaker *b, int64_t now);
/* A message came in: where all others fail, it is the one that tells. */
void breaker_joined(struct breaker *b, int64_t now);

/* What may be received. only_suspects: all that is inside failed as if by its own fault; full: there is no room for one
 * more; proven: DynamoDB has given a verdict since the start, or since it closed without one. */
enum receiving breaker_receiving(const struct breaker *b, bool only_suspects, bool full, bool proven, int64_t now);
/* One more was asked for in RECEIVE_ONE_MORE: the next may be a while later. */
void breaker_received_extra(struct breaker *b, int64_t now);
/* That receive has ended. Where it failed, another comes soon: a message that no receive can bring is hidden then, and
 * another comes. Once: where all receives fail, they keep to the intervals. */
void breaker_extra_ended(struct breaker *b, bool failed, int64_t now);
