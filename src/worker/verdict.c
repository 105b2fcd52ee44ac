#include "verdict.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum cause cause_of(const struct call_result *result) {
    switch (result->class) {
    case CALL_AUTH: return CAUSE_CREDENTIALS;
    case CALL_DENIED: return CAUSE_DENIED;
    case CALL_CLOCK: return CAUSE_CLOCK;
    case CALL_THROTTLED: return CAUSE_THROTTLED;
    case CALL_PERMANENT: return result->from_service ? CAUSE_MISSING : CAUSE_UNREACHABLE;
    default: return CAUSE_UNREACHABLE;
    }
}

bool verdict_shows_health(enum verdict_kind kind) {
    switch (kind) {
    case VERDICT_BY_ITSELF:
    case VERDICT_REFUSED_VAGUELY:
    case VERDICT_NO_ANSWER:
    case VERDICT_THROTTLED:
    case VERDICT_ENVIRONMENT: return false;
    default: return true;
    }
}

bool verdict_may_be_its_own(enum verdict_kind kind) {
    return kind == VERDICT_BY_ITSELF || kind == VERDICT_REFUSED_VAGUELY || kind == VERDICT_NO_ANSWER ||
           kind == VERDICT_THROTTLED;
}

void verdict_describe(const struct verdict *v, char ret_text[static VERDICT_TEXT_SIZE]) {
    int len = (int)(v->code.len < CALL_CODE_SIZE ? v->code.len : CALL_CODE_SIZE);
    if (len > 0)
        (void)snprintf(ret_text, VERDICT_TEXT_SIZE, "%.*s%s", len, v->code.data,
                       v->by_audit ? " of the audit record" : "");
    else if (v->status)
        (void)snprintf(ret_text, VERDICT_TEXT_SIZE, "HTTP status %d, not DynamoDB's", v->status);
    else if (v->message.len)
        (void)snprintf(ret_text, VERDICT_TEXT_SIZE, "%.*s",
                       (int)(v->message.len < VERDICT_TEXT_SIZE ? v->message.len : VERDICT_TEXT_SIZE), v->message.data);
    else
        (void)snprintf(ret_text, VERDICT_TEXT_SIZE, "no answer");
}

/* Whether a refusal is about this item. A sentence that could be said of any message (no transactions here, another
 * key, another account) has none of these words. */
static bool names_the_item(struct span sentence) {
    static const char *const words[] = {"size",    "index key", "indexkey", "path",
                                        "operand", "nesting",   "number",   "digits"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        size_t len = strlen(words[i]);
        for (size_t at = 0; at + len <= sentence.len; at++)
            if (!strncasecmp(sentence.data + at, words[i], len))
                return true;
    }
    return false;
}

static enum verdict_kind of_refusal(struct span sentence) {
    return names_the_item(sentence) ? VERDICT_REFUSED : VERDICT_REFUSED_VAGUELY;
}

static struct verdict of_kind(enum verdict_kind kind, const char *code) {
    return (struct verdict){.kind = kind, .code = span_cstr(code), .cause = CAUSE_UNREACHABLE};
}

static enum verdict_kind of_stored_hash(const struct update *u, const struct cancellation_reason *audit) {
    struct span stored = {NULL, 0};
    if (audit->has_request_hash)
        stored = span_cstr(audit->request_hash);
    switch (update_compare_hash(u, stored)) {
    case HASH_SAME: return VERDICT_APPLIED_BEFORE;
    case HASH_OTHER: return VERDICT_KEY_REUSED;
    case HASH_UNKNOWN: break;
    }
    return VERDICT_APPLIED_UNKNOWN;
}

/* What a reason other than a failed condition means. It is the same for both actions, except that an unknown reason of
 * the audit record's is a conflict, which is tried again. */
static struct verdict of_reason(const struct cancellation_reason *reason, bool by_audit) {
    static const struct {
        const char *code;
        enum verdict_kind kind;
    } table[] = {
        {"TransactionConflict", VERDICT_CONFLICT},
        {"ProvisionedThroughputExceeded", VERDICT_THROTTLED},
        {"ThrottlingError", VERDICT_THROTTLED},
        {"RequestLimitExceeded", VERDICT_THROTTLED},
        {"ItemCollectionSizeLimitExceeded", VERDICT_NAMED},
        {"ValidationError", VERDICT_REFUSED},
    };
    struct verdict v = of_kind(by_audit ? VERDICT_CONFLICT : VERDICT_BY_ITSELF, reason->code);
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
        if (!strcmp(reason->code, table[i].code))
            v.kind = table[i].kind;
    v.by_audit = by_audit;
    v.message = span_cstr(reason->message);
    if (v.kind == VERDICT_REFUSED) {
        v.kind = of_refusal(v.message);
        v.cause = CAUSE_MISSING;
    }
    return v;
}

static bool is_none(const struct cancellation_reason *reason) {
    return !strcmp(reason->code, "None");
}

/* The audit record's reason is read first: where it says "already applied", that may well have made the Update's own
 * condition false. */
static struct verdict of_reasons(const struct update *u, const struct transact_result *result) {
    const struct cancellation_reason *update = &result->reasons[0];
    if (u->audited && result->reason_count > 1) {
        const struct cancellation_reason *audit = &result->reasons[1];
        if (!strcmp(audit->code, "ConditionalCheckFailed"))
            return of_kind(of_stored_hash(u, audit), audit->code);
        if (!is_none(audit))
            return of_reason(audit, true);
    }
    if (!strcmp(update->code, "ConditionalCheckFailed"))
        return of_kind(update->has_item || u->create_if_missing ? VERDICT_CONDITION_FALSE : VERDICT_NOT_FOUND,
                       update->code);
    if (is_none(update))
        return of_kind(VERDICT_NO_ANSWER, result->call.code); /* cancelled without a reason */
    return of_reason(update, false);
}

struct verdict verdict_of_call(const struct call_result *result) {
    struct verdict v = of_kind(VERDICT_ENVIRONMENT, result->code);
    v.message = span_cstr(result->message);
    v.cause = cause_of(result);
    v.status = result->from_service ? 0 : result->status;
    return v;
}

struct verdict verdict_of(const struct update *u, const struct transact_result *result) {
    const struct call_result *call = &result->call;
    if (call->class == CALL_OK)
        return of_kind(VERDICT_APPLIED, "");
    if (result->reason_count == (u->audited ? 2u : 1u))
        return of_reasons(u, result);

    struct verdict v = verdict_of_call(call);
    if (!call->from_service) {
        if (!call->unsent &&
            (call->class == CALL_RETRY || call->class == CALL_THROTTLED || call->class == CALL_PERMANENT))
            v.kind = VERDICT_NO_ANSWER;
        return v;
    }
    if (!strcmp(call->code, "IdempotentParameterMismatchException"))
        v.kind = u->audited ? VERDICT_NEW_TOKEN : u->own_key ? VERDICT_KEY_REUSED : VERDICT_TOKEN_TAKEN;
    else if (!strcmp(call->code, "ValidationException")) {
        v.kind = of_refusal(v.message);
        v.cause = CAUSE_MISSING;
    } else if (!strcmp(call->code, "ResourceNotFoundException"))
        v.cause = CAUSE_MISSING;
    else if (!strcmp(call->code, "TransactionInProgressException"))
        v.kind = VERDICT_CONFLICT; /* before the throttles, as the client classes it as one */
    else if (call->class == CALL_DENIED)
        v.kind = VERDICT_BY_ITSELF;
    else if (call->class == CALL_THROTTLED)
        v.kind = VERDICT_THROTTLED;
    else if (call->status == 500 || (call->class == CALL_PERMANENT && call->code[0])) {
        v.kind = VERDICT_BY_ITSELF;
        v.cause = CAUSE_UNREACHABLE;
    } else if (call->class == CALL_RETRY) {
        v.kind = VERDICT_NO_ANSWER; /* a 503 of its own, say */
    }
    return v;
}

int64_t heeded_wait(const struct call_result *result) {
    static const int64_t most = 20 * MICROSECONDS;
    return result->retry_after < most ? result->retry_after : most;
}
