/* The circuit breaker decides whether transactions fail for every message, when the next probe is, and whether one more
 * message may be received. Pure: it is told what happened, and says what is to be done. The applier does it
 * (applier_breaker.c), and asks again when something falls due. No clock, no timers, no I/O, no allocation, O(1).
 *
 * It opens on a failure that isn't known to be the message's own, and closes when DynamoDB answers as one that works.
 * While it is open only probes are started, one after the other and few at once, and all jobs are kept. Mostly the
 * answer to another transaction closes it within milliseconds; the log hears of it only when it lasts, or when probes
 * have failed. Where the failures may be the messages' own fault, one more message is received now and then: its
 * success would tell. */
#pragma once

#include "random.h"
#include "receive_budget.h"
#include "trouble.h"
#include "verdict.h"

#include <stdbool.h>
#include <stdint.h>

struct breaker {
    struct trouble trouble; /* active: it is open */
    enum verdict_kind kind; /* of the last failure that was reported */
    bool announced; /* in the log */
    bool throttled; /* the last failure was a throttle: the service is there, but admits nothing */
    bool paced; /* since it opened, the adaptive rate was told that nothing is admitted */
    bool newcomer; /* the next probe is for a message that has just come in */
    bool looking; /* a look at the tables is the probe: there is no message to try */
    bool stopped; /* nothing is planned any more */
    bool has_worked; /* DynamoDB has answered as one that works, at some time */
    unsigned strangers; /* messages that failed for the first time since the last such answer */
    unsigned probes; /* since it opened */
    unsigned quick; /* how many of the first probes may follow each other within less than a second */
    int64_t probed_at; /* monotonic: the last probe, or long ago */
    int64_t next_extra; /* when one more message may be received, under RECEIVE_ONE_MORE */
    int64_t extra_interval; /* how long after that the next one may be received */
    bool extra_failed; /* the last receive for one more failed, so that the next comes sooner */
    char told[VERDICT_TEXT_SIZE]; /* the cause that is in the log */
    /* When each of these falls due (see breaker_fall_due()); NEVER: it isn't planned. */
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
    bool others_go_on; /* some job is under way, or waits for something else than a probe */
    bool works_meanwhile; /* some transaction has worked since a message last failed by itself for the first time */
};

/* What a closing breaker leaves to do. */
struct breaker_closing {
    bool rate_resumes; /* the adaptive rate is to go on: it was told that nothing is admitted */
    bool announced; /* the log has heard of it */
    int64_t seconds; /* how long it was open */
    unsigned probes;
};

enum breaker_probe {
    PROBE_NONE,
    PROBE_MESSAGE, /* a transaction of the message that was found */
    PROBE_TABLES /* there is no message: a look at the tables is to tell */
};

enum breaker_due { DUE_ANNOUNCEMENT = 1, DUE_EXTRA = 2, DUE_PROBE = 4 };

void breaker_init(struct breaker *b, int64_t now);
/* From now on nothing is planned or announced; causes are still noted. */
void breaker_stop(struct breaker *b);
/* When the next thing falls due; NEVER: nothing will. */
int64_t breaker_next(const struct breaker *b);
/* What is due now, as a set of enum breaker_due; each is told once. */
unsigned breaker_fall_due(struct breaker *b, int64_t now);

/* A message has failed that hadn't failed before. */
void breaker_stranger(struct breaker *b, int64_t now);
/* DynamoDB answered as one that works. */
static inline void breaker_worked(struct breaker *b) {
    b->has_worked = true;
    b->strangers = 0;
}
/* Notes why transactions fail now. True: the log is to say that the cause has changed, and *ret_before is the cause
 * that it has told. A new cause must come twice in a row: causes that take turns count as one trouble. */
bool breaker_note_cause(struct breaker *b, const char *code, char ret_before[static VERDICT_TEXT_SIZE]);
/* Opens it, where it isn't open. True: the adaptive rate is to be told that nothing is admitted. */
bool breaker_open(struct breaker *b, const struct breaker_failure *failure, struct random *random, int64_t now);
/* DynamoDB answered as one that works. False: it wasn't open. */
bool breaker_close(struct breaker *b, int64_t now, struct breaker_closing *ret_closing);
/* A job has failed or left. True: all jobs inside have failed, and nothing else under way could tell more: the breaker
 * is to open. False: a probe is planned, where jobs wait for one. */
bool breaker_review(struct breaker *b, const struct breaker_jobs *jobs, struct random *random, int64_t now);
/* It has been open for a while, or several probes have failed. True, once: the log is to hear of it now. */
bool breaker_announces(struct breaker *b);

/* Whether another probe may begin. False: enough are under way. */
bool breaker_may_probe(const struct breaker *b, unsigned probes_running);
/* Whether the next probe is for the message that failed last. Else, while the breaker is open, it is for one that
 * wasn't tried yet. */
bool breaker_probes_again(struct breaker *b);
/* The next probe has to wait until then, for MAX_RATE. */
void breaker_delay_probe(struct breaker *b, int64_t at);
/* A probe begins. found: there is a message for it. Plans the next one. */
enum breaker_probe breaker_begin_probe(struct breaker *b, const struct breaker_jobs *jobs, bool found,
                                       struct random *random, int64_t now);
/* A probe was answered: DynamoDB still fails. True: the log is to hear of it now. */
bool breaker_probe_failed(struct breaker *b, enum cause cause, struct random *random, int64_t now);
/* Whether an audit record may be read that couldn't be read before. While the breaker is open, such a read takes the
 * place of a probe. */
bool breaker_takes_read(struct breaker *b, int64_t now);
/* A message came in. Where all others fail, its answer tells whether DynamoDB works. */
void breaker_joined(struct breaker *b, int64_t now);

/* What may be received. only_suspects: all jobs inside failed as if by their own fault. full: there is no room for one
 * more. proven: DynamoDB has given a verdict since the start, or since the breaker closed without one. */
enum receiving breaker_receiving(const struct breaker *b, bool only_suspects, bool full, bool proven, int64_t now);
/* One more message was asked for under RECEIVE_ONE_MORE: the next may come only after a while. */
void breaker_received_extra(struct breaker *b, int64_t now);
/* That receive has ended. Where it failed, the next comes soon: it may bring another message, as one that no receive
 * can bring is hidden now. This happens once: where all receives fail, they keep to their intervals. */
void breaker_extra_ended(struct breaker *b, bool failed, int64_t now);
