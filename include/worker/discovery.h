/* Finds, before the first message, what is there at AWS: both tables, the queue and the DLQ. Checks that they fit the
 * settings and each other. */
#pragma once

#include "call.h"
#include "compiler.h"
#include "outcome.h"
#include "platform.h"
#include "sqs.h"
#include "table_shape.h"
#include "update.h"

#include <stdbool.h>

#define QUEUE_URL_SIZE 1024
#define QUEUE_NAME_SIZE 260 /* a queue's name has at most 80 characters; a topic or event source has up to 256 */

struct discovery_options {
    const char *table; /* TABLE_NAME; NULL: no table wanted (dlq, redrive; enqueue) */
    const char *audit_table; /* AUDIT_LOG_TABLE; NULL likewise */
    enum audit_mode audit; /* ENABLE_AUDIT_LOG */
    unsigned audit_ttl_days; /* AUDIT_LOG_TTL_DAYS; 0: none */
    const char *queue; /* QUEUE_URL: a URL or a name; NULL: no queue wanted (apply; dlq, where DLQ_URL is set) */
    const char *dlq; /* DLQ_URL: a URL or a name; NULL: the target of the queue's redrive policy */
    bool without_dlq; /* it isn't looked for (enqueue) */
    unsigned visibility; /* VISIBILITY_TIMEOUT in seconds; 0: the queue's, at least 10 */
    unsigned max_attempts; /* MAX_ATTEMPTS, for the warning about the queue's own maxReceiveCount */
    bool in_turn; /* the tables are described one after the other, over one connection (lambda: a second handshake costs
                     more) */
    bool tries_transaction; /* tries a transaction that can have no effect on the tables (run) */
    int64_t patience; /* microseconds to wait for services that can't be reached, which the log says; NEVER: for ever
                         (run) */
};

struct queue_facts {
    char url[QUEUE_URL_SIZE];
    char name[QUEUE_NAME_SIZE];
    struct sqs_queue_attributes attributes;
};

struct discovery_facts {
    struct table_shape table;
    struct table_shape audit_table; /* its name is set even where it doesn't exist */
    bool audit_table_exists;
    struct queue_facts queue, dlq; /* empty without a queue */
    unsigned visibility; /* seconds, as it will be used */
};

struct discovery;

/* done: it ended well, with facts that live as long as the discovery, or by a cause. By then all problems are in the
 * log, each in a sentence that names the setting. Of several causes it is the one that most needs somebody to act
 * (outcome_worse()). */
typedef void discovery_done(void *user, struct outcome outcome, const struct discovery_facts *facts);

/* Starts looking. options and platform are borrowed until done or discovery_free(). NULL: no memory. */
MUST_USE struct discovery *discovery_start(const struct platform *platform, const struct discovery_options *options,
                                           discovery_done *done, void *user);
/* VISIBILITY_TIMEOUT has changed (0: not set); the facts already reported are changed with it. */
void discovery_set_visibility(struct discovery *d, unsigned seconds);
/* Stops waiting for services that can't be reached: the log says which and why, and done follows from the loop. */
void discovery_give_up(struct discovery *d);
/* Ends it; before done, there is no callback. Takes NULL. */
void discovery_free(struct discovery *d);
