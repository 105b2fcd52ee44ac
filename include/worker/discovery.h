/* What stands at AWS before the first message: both tables, the queue, the DLQ, and whether they fit the settings and
 * each other. */
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
#define QUEUE_NAME_SIZE 260 /* 80 characters at most; what stands for a queue (a topic, an event source) has 256 */

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
    bool in_turn; /* the audit table after the other, over the same connection (lambda: a handshake costs it more) */
    bool tries_transaction; /* a transaction that can have no effect is tried on the tables (run) */
    int64_t patience; /* microseconds to wait for services that can't be reached; NEVER: for ever (run), saying so */
};

struct queue_facts {
    char url[QUEUE_URL_SIZE];
    char name[QUEUE_NAME_SIZE];
    struct sqs_queue_attributes attributes;
};

struct discovery_facts {
    struct table_shape table;
    struct table_shape audit_table; /* its name is set also where it doesn't exist */
    bool audit_table_exists;
    struct queue_facts queue, dlq; /* empty without a queue */
    unsigned visibility; /* seconds, as it will be used */
};

struct discovery;

/* done: it ended well, with facts (which live as long as the discovery), or by a cause. Problems have been logged by
 * then, all of them, each as a sentence that names the setting; of several causes it is the one that most needs
 * somebody's hand (outcome_worse()). */
typedef void discovery_done(void *user, struct outcome outcome, const struct discovery_facts *facts);

/* Starts looking. options and platform are borrowed until done or discovery_free(). NULL: no memory. */
MUST_USE struct discovery *discovery_start(const struct platform *platform, const struct discovery_options *options,
                                           discovery_done *done, void *user);
/* VISIBILITY_TIMEOUT is another one from now on (0: not set); the facts that were reported follow. */
void discovery_set_visibility(struct discovery *d, unsigned seconds);
/* Ends it, also before done (then without a callback). Takes NULL. */
void discovery_free(struct discovery *d);
