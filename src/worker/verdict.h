/* What DynamoDB's answer to a transaction means for its message. Pure: the contract's "Outcome by reason position" in
 * one place. */
#pragma once

#include "dynamodb.h"
#include "cause.h"
#include "update.h"

enum verdict_kind {
    VERDICT_APPLIED, /* committed now */
    VERDICT_APPLIED_BEFORE, /* the audit record stands already, for the same message */
    VERDICT_APPLIED_UNKNOWN, /* it stands already, with a hash we can't compare: taken as applied, with a warning */
    VERDICT_KEY_REUSED, /* it stands already, for another message; or the token is taken, and the key is the producer's
                         */
    VERDICT_NOT_FOUND,
    VERDICT_CONDITION_FALSE,
    VERDICT_REFUSED, /* DynamoDB's validation found what ours did not foresee, and its sentence names the item */
    VERDICT_REFUSED_VAGUELY, /* the same, but what it says may be true of every message: counts where others succeed */
    VERDICT_NAMED, /* a reason that names the item for good */
    VERDICT_BY_ITSELF, /* failed in a way that may be its own: counts where others succeed */
    VERDICT_CONFLICT, /* another transaction has the item */
    VERDICT_THROTTLED,
    VERDICT_NEW_TOKEN, /* audited, and the token was used for other bytes: the audit record decides under a new one */
    VERDICT_NO_ANSWER, /* a request went out, and nothing came back that DynamoDB says of it: a proxy's page, a reset,
                          silence. What stands on the way may do that to one message alone; it says nothing about what
                          became of it */
    VERDICT_TOKEN_TAKEN, /* not audited, and the MessageId's token was used for other bytes: again when it has expired
                          */
    VERDICT_ENVIRONMENT /* says nothing about the message */
};

struct verdict {
    enum verdict_kind kind;
    struct span code; /* of the answer; the exception's or the reason's name. Borrowed from the result */
    struct span message; /* DynamoDB's sentence (of a refusal); borrowed */
    bool by_audit; /* the audit record's action bears the reason */
    int status; /* HTTP, where the answer isn't DynamoDB's; else 0 */
    enum cause cause; /* of what isn't known to be the message's own: why everybody may fail so */
};

/* result of the transaction that was built from u. */
struct verdict verdict_of(const struct update *u, const struct transact_result *result);
/* A failed call of any kind that isn't a transaction, as a failure of the environment. */
struct verdict verdict_of_call(const struct call_result *result);
/* What a failed call of any kind says about the environment. */
enum cause cause_of(const struct call_result *result);
/* Microseconds that a failed call asks us to wait, as far as we heed it: 20 seconds at most. Hours of it may come from
 * a proxy that knows nothing of the service, and leases end meanwhile. */
int64_t heeded_wait(const struct call_result *result);
/* Whether the kind is an answer of a DynamoDB that works for us. */
bool verdict_shows_health(enum verdict_kind kind);
/* Whether one message of its own could cause it, and nothing but others' success tells. (VERDICT_THROTTLED: its record
 * may be hot.) */
bool verdict_may_be_its_own(enum verdict_kind kind);
/* The failure in a word or two, for the log: the code, else the status, else what happened to the connection. */
#define VERDICT_TEXT_SIZE (CALL_CODE_SIZE + 24)
void verdict_describe(const struct verdict *v, char ret_text[static VERDICT_TEXT_SIZE]);
