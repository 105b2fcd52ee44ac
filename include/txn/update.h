/* An update message: from the bytes of an SQS body to a transaction of DynamoDB, with everything checked that can be
 * checked without the network. Pure: no I/O, no clock. The manual page table-updater-message(5) is the contract; the
 * formats of log_id and request_hash are frozen. */
#pragma once

#include "audit_key.h"
#include "buf.h"
#include "compiler.h"
#include "digest.h"
#include "failure.h"
#include "span.h"
#include "table_shape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum audit_mode { AUDIT_OFF, AUDIT_ON, AUDIT_ALWAYS }; /* ENABLE_AUDIT_LOG=false, true, always */

/* What all messages are read against. Fixed after start; borrowed by every update. */
struct update_context {
    const struct table_shape *table;
    const char *audit_table; /* its name */
    bool audit_table_exists;
    bool audit_ends_early; /* audit records expire while the queue may still deliver their messages */
    enum audit_mode audit;
    unsigned audit_ttl_days; /* 0: records don't expire */
    const char *user_agent; /* table-updater/<version> */
    struct digest *digest;
    uint64_t hash_seed[2];
};

/* One message as it was delivered. All is borrowed and must outlive the update made from it. */
struct delivery {
    struct span body;
    char *body_space; /* body.data, where what the body wraps may be written over it, so that a large one isn't held
                         twice; NULL: it may not */
    struct span message_id; /* the default idempotency key; random for a message without a queue */
    struct span error_envelope; /* the message attribute ErrorEnvelope, absent where there is none */
};

/* Where a message came from: what the DLQ's envelope keeps. Taken from the message's own envelope where it is one of
 * our DLQ messages come back, else absent (the delivery itself is the source). */
struct update_source {
    struct span body, message_id, queue, sent_at, idempotency_key, group_id;
};

struct update_parts; /* private */

struct update {
    struct failure failure; /* type ERROR_NONE: the message is fit to run */
    bool readable; /* JSON of the right shape: a failure of it can have an audit record */
    bool audited; /* an audit record is asked for (by the message or the setting), and there is a table for it */
    bool conditional; /* it has a condition_expression */
    bool create_if_missing; /* a record that isn't there is created: it takes no guard */
    bool repeats; /* applied twice it would do more than once: only the audit record prevents that */
    bool confirm_refusal; /* audited, but refused by a rule or an index that may be new: it may have been applied */
    bool of_index; /* its only failure is of the keys of the table's indexes, which may have changed since */
    bool own_key; /* the idempotency key is a member of the message, not the MessageId or an event's */
    bool unwrapped; /* the message was one of our DLQ messages; source is its own */
    struct update_source source;
    struct span
        idempotency_key; /* also of a message that failed, where it has one that can be used; else the default */
    struct span id; /* as the message spells it, JSON text on one line; for details and responses. Absent: it doesn't
                       fit the key */
    struct span record; /* the record's key in normal form, {"id":{"S":"x"}}: two updates of one record have the same
                           bytes. Absent like id */
    char log_id[LOG_ID_SIZE]; /* hex SHA-256 of table name, NUL, idempotency key; empty where it isn't readable */
    char request_hash[68]; /* "v1:" or "v2:" and hex SHA-256 of what the message means; empty where it isn't audited, or
                              is refused without confirm_refusal */
    struct buf request; /* the TransactWriteItems request, once built */
    bool request_hashed; /* request_sha256 is known: it comes with the token of an audited one */
    uint8_t request_sha256[SHA256_SIZE];
    struct update_parts *parts;
};

/* Reads a message. Always gives an update, fit or with its failure, unless there is no memory (NULL).
 * Free with update_free(). */
MUST_USE struct update *update_read(const struct update_context *ctx, const struct delivery *delivery);
/* Reads the same message again, as update_read() did: no second request can be built from an update. What u was read
 * from must still be there. Takes u over; NULL: no memory, and u is as it was. */
MUST_USE struct update *update_read_again(const struct update_context *ctx, struct update *u);
void update_free(struct update *u);
/* The update message itself, as JSON text: the delivered body, or what that wraps. Valid as long as u. */
struct span update_body(const struct update *u);

/* Builds u->request: the canonical transaction with its token, and the audit record's timestamp from wall. Only for an
 * update that is fit, and only once: it frees what only building needs. False: no memory (may be tried again), or, with
 * u->failure set, a limit that only the built request shows (4,096 bytes of a bound condition). */
MUST_USE bool update_build(const struct update_context *ctx, struct update *u, int64_t wall);
/* Frees the built request of an update that has its verdict: a large one isn't held beside its DLQ message. */
void update_free_request(struct update *u);
/* Gives the built request the next token in place, and leaves it unhashed (after IdempotentParameterMismatchException
 * on an audited one). */
void update_next_token(const struct update_context *ctx, struct update *u);

enum stored_hash {
    HASH_SAME, /* this message was applied already */
    HASH_OTHER, /* the key was used for another message: ValidationError on idempotency_key */
    HASH_UNKNOWN /* a version we don't know, or none: taken as applied already, with a warning */
};
/* What an audit record that stands already says of u; stored is its request_hash, absent where it has none. */
enum stored_hash update_compare_hash(const struct update *u, struct span stored);

/* Sets u->failure to the ValidationError of a reused idempotency key. */
void update_fail_reused_key(struct update *u);

/* Sets u->failure to the ValidationError of an update (by_audit: of its audit record) that DynamoDB refused with this
 * sentence, which may be empty. The field is the only path that the sentence can mean, or else the member. ARNs are
 * left out of the sentence. */
void update_fail_refused(const struct update_context *ctx, struct update *u, struct span sentence, bool by_audit);
/* Sets u->failure for a condition that is false, or a record that isn't there. */
void update_fail_condition(struct update *u, bool has_record);

/* Appends the success response. False: out has failed. */
bool update_append_success(const struct update *u, int64_t wall, struct buf *out);

/* Appends the GetItem request that reads the audit record of u, strongly consistent, only its log_id and request_hash.
 */
bool update_append_confirm_request(const struct update_context *ctx, const struct update *u, struct buf *out);
/* Appends the PutItem request of the audit record of a failure, for one that is readable and audited. What an item
 * can't hold (an id or values that are what failed) is left out. False: no memory, or out has failed. */
bool update_append_failure_record(const struct update_context *ctx, const struct update *u, int64_t wall,
                                  struct buf *out);
