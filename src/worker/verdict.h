/* What DynamoDB's answer to a transaction means for its message. Pure: the contract's "Outcome by reason position" in
 * one place. */
#pragma once

#include "dynamodb.h"
#include "cause.h"
#include "update.h"

enum verdict_kind {
    VERDICT_APPLIED, /* committed now */
    VERDICT_APPLIED_BEFORE, /* the audit record stands already, for the same message */
    VERDICT_APPLIED_UNKNOWN, /* the audit record stands already, with a hash that we can't compare: taken as applied,
                                with a warning */
    VERDICT_KEY_REUSED, /* its audit record is another message's; or its token is taken, and the producer chose the key
                         */
    VERDICT_NOT_FOUND,
    VERDICT_CONDITION_FALSE,
    VERDICT_REFUSED, /* DynamoDB's validation refused what ours allowed, and its sentence names something of the item */
    VERDICT_REFUSED_VAGUELY, /* the same, but its sentence may hold for every message: it counts where others succeed */
    VERDICT_NAMED, /* a reason that names the item for good */
    VERDICT_BY_ITSELF, /* failed in a way that may be its own fault: it counts where others succeed */
    VERDICT_CONFLICT, /* another transaction works on the item */
    VERDICT_THROTTLED,
    VERDICT_NEW_TOKEN, /* audited, and the token was used for other bytes: the audit record decides under a new one */
    VERDICT_NO_ANSWER, /* a request went out, and no answer of DynamoDB's about it came back: a proxy's page, a reset,
                          silence, or a 503. Something on the network path may do that to one message alone. Whether the
                          transaction was applied isn't known */
    VERDICT_TOKEN_TAKEN, /* not audited, and the MessageId's token was used for other bytes: it has to expire first */
    VERDICT_ENVIRONMENT /* says nothing about the message */
};

struct verdict {
    enum verdict_kind kind;
    struct span code; /* the exception's or the reason's name; borrowed from the result */
    struct span message; /* DynamoDB's sentence (of a refusal); borrowed */
    bool by_audit; /* the reason is that of the audit record's action */
    int status; /* HTTP, where the answer isn't DynamoDB's; else 0 */
    enum cause cause; /* where it may not be the message's own fault: why all messages may fail so */
};

/* What the result means of the transaction that was built from u. */
struct verdict verdict_of(const struct update *u, const struct transact_result *result);
/* A failed call, seen as a failure of the environment. */
struct verdict verdict_of_call(const struct call_result *result);
/* What a failed call says about the environment. */
enum cause cause_of(const struct call_result *result);
/* How many microseconds a failed call asks us to wait, at most 20 seconds: hours may come from a proxy that knows
 * nothing of the service, and leases would end meanwhile. */
int64_t heeded_wait(const struct call_result *result);
/* Whether such a verdict shows a DynamoDB that works for us. */
bool verdict_shows_health(enum verdict_kind kind);
/* Whether one message alone may cause it, so that only others' success tells. (VERDICT_THROTTLED: its record may be
 * hot.) */
bool verdict_may_be_its_own(enum verdict_kind kind);
/* The failure in a word or two, for the log: the code, else the status, else what happened to the connection. */
#define VERDICT_TEXT_SIZE (CALL_CODE_SIZE + 24)
void verdict_describe(const struct verdict *v, char ret_text[static VERDICT_TEXT_SIZE]);
