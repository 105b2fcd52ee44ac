/* The faults of transactions that chance makes, and the answers that tests make for themselves. */
#include "dynamodb_response.h"
#include "sim_dynamodb_private.h"

#include <stdio.h>
#include <string.h>

void sim_answer_exception(struct transact_result *r, int status, const char *code) {
    r->reason_count = 0;
    sim_call_fail(&r->call, status, code, "an exception of the test's own");
}

void sim_answer_reasons(struct transact_result *r) {
    struct cancellation c = {.count = r->reason_count};
    memcpy(c.reasons, r->reasons, sizeof c.reasons);
    sim_call_fail(&r->call, 400, "TransactionCanceledException", "Transaction cancelled");
    r->call.class = dynamodb_cancellation_class(&c);
}

void sim_answer_cancelled(struct transact_result *r, const char *update, const char *audit) {
    memset(r->reasons, 0, sizeof r->reasons);
    r->reason_count = audit ? 2 : 1;
    snprintf(r->reasons[0].code, sizeof r->reasons[0].code, "%s", update);
    if (audit)
        snprintf(r->reasons[1].code, sizeof r->reasons[1].code, "%s", audit);
    sim_answer_reasons(r);
}

static bool happens(struct dynamodb_call *call, unsigned per_mille, uint64_t *count) {
    bool it_does = sim_happens(call->db->world, per_mille);
    *count += it_does;
    return it_does;
}

bool sim_transaction_fails(struct dynamodb_call *call, bool audited) {
    struct sim_dynamodb *db = call->db;
    struct transact_result *answer = &call->answer;
    if (happens(call, db->conflicts, &db->happened.conflicts))
        sim_answer_cancelled(answer, "TransactionConflict", audited ? "None" : NULL);
    else if (happens(call, db->throttles, &db->happened.throttles))
        sim_answer_exception(answer, 400, "ProvisionedThroughputExceededException");
    else if (happens(call, db->errors, &db->happened.errors))
        sim_answer_exception(answer, 500, "InternalServerError");
    else if (happens(call, db->in_progress, &db->happened.in_progress))
        sim_answer_exception(answer, 400, "TransactionInProgressException");
    else if (happens(call, db->limits, &db->happened.limits))
        sim_answer_exception(answer, 400, "RequestLimitExceeded");
    else if (happens(call, db->denials, &db->happened.denials))
        sim_answer_exception(answer, 400, "AccessDeniedException");
    else if (happens(call, db->validations, &db->happened.validations))
        sim_answer_exception(answer, 400, "ValidationException");
    else
        return false;
    return true;
}

bool sim_transaction_mixes(struct dynamodb_call *call) {
    static const char *const codes[] = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"};
    struct sim_dynamodb *db = call->db;
    struct random *random = &db->world->random;
    if (!happens(call, db->mixtures, &db->happened.mixtures))
        return false;
    size_t certain = (size_t)random_below(random, call->action_count);
    for (size_t i = 0; i < call->action_count; i++) {
        if (i != certain && random_below(random, 2))
            continue;
        struct cancellation_reason *reason = &call->answer.reasons[i];
        *reason = (struct cancellation_reason){0};
        snprintf(reason->code, sizeof reason->code, "%s", codes[random_below(random, ARRAY_LENGTH(codes))]);
    }
    return true;
}
