#include "update_fixture.h"
#include "verdict.h"

#include "retry.h"

static const char SAME[] = "v1:ce96d6154895746206cd459ddea48be4badd8f6c65866c23c5d9272dd21098a7";
static const char OTHER[] = "v1:0096d6154895746206cd459ddea48be4badd8f6c65866c23c5d9272dd2109800";
static const char FUTURE[] = "v3:whatever";

static void make_update(struct update *u, bool audited, bool own_key) {
    *u = (struct update){.audited = audited, .own_key = own_key};
    memcpy(u->request_hash, SAME, sizeof SAME);
}

static void set_reason(struct cancellation_reason *r, const char *code, bool has_item, const char *hash) {
    *r = (struct cancellation_reason){.has_item = has_item, .has_request_hash = hash != NULL};
    snprintf(r->code, sizeof r->code, "%s", code);
    if (hash)
        snprintf(r->request_hash, sizeof r->request_hash, "%s", hash);
}

#define CCF "ConditionalCheckFailed"

static const char *const REASONS[] = {"None",
                                      CCF,
                                      "TransactionConflict",
                                      "ProvisionedThroughputExceeded",
                                      "ThrottlingError",
                                      "ItemCollectionSizeLimitExceeded",
                                      "ValidationError",
                                      "SomethingNew"};

/* What a pair means; with CCF of the audit record, its hash is the same. */
static enum verdict_kind expected(const char *update, const char *audit) {
    static const struct {
        const char *code;
        enum verdict_kind kind;
    } common[] = {{"TransactionConflict", VERDICT_CONFLICT},
                  {"ProvisionedThroughputExceeded", VERDICT_THROTTLED},
                  {"ThrottlingError", VERDICT_THROTTLED},
                  {"ItemCollectionSizeLimitExceeded", VERDICT_NAMED},
                  {"ValidationError", VERDICT_REFUSED_VAGUELY}};
    bool by_audit = strcmp(audit, "None") != 0;
    if (!strcmp(audit, CCF))
        return VERDICT_APPLIED_BEFORE;
    if (!by_audit && !strcmp(update, CCF))
        return VERDICT_CONDITION_FALSE;
    for (size_t i = 0; i < ARRAY_LENGTH(common); i++)
        if (!strcmp(by_audit ? audit : update, common[i].code))
            return common[i].kind;
    return by_audit ? VERDICT_CONFLICT : !strcmp(update, "None") ? VERDICT_NO_ANSWER : VERDICT_BY_ITSELF;
}

static void every_pair_of_reasons_is_read_by_position_the_audits_first(void **state) {
    (void)state;
    struct update u;
    make_update(&u, true, false);
    for (size_t a = 0; a < ARRAY_LENGTH(REASONS); a++)
        for (size_t b = 0; b < ARRAY_LENGTH(REASONS); b++) {
            struct transact_result r = {.call = {.class = CALL_PERMANENT, .from_service = true, .status = 400},
                                        .reason_count = 2};
            set_reason(&r.reasons[0], REASONS[a], true, NULL);
            set_reason(&r.reasons[1], REASONS[b], true, SAME);
            struct verdict v = verdict_of(&u, &r);
            if (v.kind != expected(REASONS[a], REASONS[b]))
                fail_msg("[%s, %s] is %d, not %d", REASONS[a], REASONS[b], v.kind, expected(REASONS[a], REASONS[b]));
            assert_int_equal(v.by_audit, strcmp(REASONS[b], "None") != 0 && strcmp(REASONS[b], CCF) != 0);
        }
}

static void one_reason_is_the_updates_own(void **state) {
    (void)state;
    struct update u;
    make_update(&u, false, false);
    for (size_t a = 0; a < ARRAY_LENGTH(REASONS); a++) {
        struct transact_result r = {.call = {.class = CALL_PERMANENT, .from_service = true, .status = 400},
                                    .reason_count = 1};
        set_reason(&r.reasons[0], REASONS[a], true, NULL);
        assert_int_equal(verdict_of(&u, &r).kind, expected(REASONS[a], "None"));
    }
}

static void a_record_that_is_missing_is_told_from_a_condition_that_is_false(void **state) {
    (void)state;
    struct update u;
    make_update(&u, true, false);
    for (int has_item = 0; has_item < 2; has_item++) {
        struct transact_result r = {.call = {.class = CALL_PERMANENT, .from_service = true}, .reason_count = 2};
        set_reason(&r.reasons[0], CCF, has_item, NULL);
        set_reason(&r.reasons[1], "None", false, NULL);
        assert_int_equal(verdict_of(&u, &r).kind, has_item ? VERDICT_CONDITION_FALSE : VERDICT_NOT_FOUND);
    }
}

static void the_stored_hash_tells_a_repetition_from_a_reused_key(void **state) {
    (void)state;
    static const struct {
        const char *hash;
        enum verdict_kind kind;
    } cases[] = {{SAME, VERDICT_APPLIED_BEFORE},
                 {OTHER, VERDICT_KEY_REUSED},
                 {FUTURE, VERDICT_APPLIED_UNKNOWN},
                 {NULL, VERDICT_APPLIED_UNKNOWN}};
    struct update u;
    make_update(&u, true, false);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct transact_result r = {.call = {.class = CALL_PERMANENT, .from_service = true}, .reason_count = 2};
        set_reason(&r.reasons[0], CCF, true, NULL);
        set_reason(&r.reasons[1], CCF, true, cases[i].hash);
        assert_int_equal(verdict_of(&u, &r).kind, cases[i].kind);
    }
}

struct exception_case {
    int status; /* 0: no answer */
    const char *code;
    enum verdict_kind audited, unaudited, own_key;
    enum cause cause;
};

#define ALIKE(kind) kind, kind, kind

static const struct exception_case EXCEPTIONS[] = {
    {0, "", ALIKE(VERDICT_NO_ANSWER), CAUSE_UNREACHABLE},
    {502, "", ALIKE(VERDICT_NO_ANSWER), CAUSE_UNREACHABLE},
    {500, "", ALIKE(VERDICT_NO_ANSWER), CAUSE_UNREACHABLE},
    {403, "", ALIKE(VERDICT_NO_ANSWER), CAUSE_UNREACHABLE}, /* a proxy's */
    {413, "", ALIKE(VERDICT_NO_ANSWER), CAUSE_UNREACHABLE},
    {500, "InternalServerError", ALIKE(VERDICT_BY_ITSELF), CAUSE_UNREACHABLE},
    {500, "SomethingNew", ALIKE(VERDICT_BY_ITSELF), CAUSE_UNREACHABLE},
    {503, "ServiceUnavailable", ALIKE(VERDICT_NO_ANSWER), CAUSE_UNREACHABLE},
    {400, "SomethingNewException", ALIKE(VERDICT_BY_ITSELF), CAUSE_UNREACHABLE},
    {400, "AccessDeniedException", ALIKE(VERDICT_BY_ITSELF), CAUSE_DENIED},
    {400, "ExpiredTokenException", ALIKE(VERDICT_ENVIRONMENT), CAUSE_CREDENTIALS},
    {400, "UnrecognizedClientException", ALIKE(VERDICT_ENVIRONMENT), CAUSE_CREDENTIALS},
    {400, "ResourceNotFoundException", ALIKE(VERDICT_ENVIRONMENT), CAUSE_MISSING},
    {400, "ThrottlingException", ALIKE(VERDICT_THROTTLED), CAUSE_THROTTLED},
    {400, "ProvisionedThroughputExceededException", ALIKE(VERDICT_THROTTLED), CAUSE_THROTTLED},
    {400, "RequestLimitExceeded", ALIKE(VERDICT_THROTTLED), CAUSE_THROTTLED},
    {400, "TransactionInProgressException", ALIKE(VERDICT_CONFLICT), CAUSE_THROTTLED},
    {400, "ValidationException", ALIKE(VERDICT_REFUSED_VAGUELY), CAUSE_MISSING},
    {400, "IdempotentParameterMismatchException", VERDICT_NEW_TOKEN, VERDICT_TOKEN_TAKEN, VERDICT_KEY_REUSED,
     CAUSE_MISSING},
};

static void check_exception(const struct exception_case *c, bool audited, bool own_key, enum verdict_kind kind) {
    struct update u;
    make_update(&u, audited, own_key);
    struct transact_result r = {.call = {.status = c->status, .from_service = c->code[0] != '\0'}};
    snprintf(r.call.code, sizeof r.call.code, "%s", c->code);
    r.call.class = c->status ? retry_classify(c->status, c->code, c->code[0] != '\0') : CALL_RETRY;
    struct verdict v = verdict_of(&u, &r);
    if (v.kind != kind || v.cause != c->cause)
        fail_msg("%d %s is %d (cause %d), not %d (%d)", c->status, c->code, v.kind, v.cause, kind, c->cause);
    assert_true(span_is(v.code, c->code));
}

static void every_class_of_exception_has_its_verdict(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(EXCEPTIONS); i++) {
        check_exception(&EXCEPTIONS[i], true, false, EXCEPTIONS[i].audited);
        check_exception(&EXCEPTIONS[i], true, true, EXCEPTIONS[i].audited);
        check_exception(&EXCEPTIONS[i], false, false, EXCEPTIONS[i].unaudited);
        check_exception(&EXCEPTIONS[i], false, true, EXCEPTIONS[i].own_key);
    }
}

static void reasons_of_another_number_than_the_actions_name_no_item(void **state) {
    (void)state;
    struct update u;
    make_update(&u, true, false);
    struct transact_result r = {
        .call = {.class = CALL_PERMANENT, .from_service = true, .status = 400, .code = "TransactionCanceledException"},
        .reason_count = 1};
    set_reason(&r.reasons[0], CCF, true, NULL);
    assert_int_equal(verdict_of(&u, &r).kind, VERDICT_BY_ITSELF);
}

/* What fails before a request is sent fails for everyone. */
static void what_was_never_sent_is_the_environments(void **state) {
    (void)state;
    struct update u;
    make_update(&u, true, false);
    struct transact_result r = {.call = {.class = CALL_RETRY, .unsent = true, .message = "no address"}};
    struct verdict v = verdict_of(&u, &r);
    assert_int_equal(v.kind, VERDICT_ENVIRONMENT);
    assert_false(verdict_may_be_its_own(v.kind));
    r.call.unsent = false;
    assert_true(verdict_may_be_its_own(verdict_of(&u, &r).kind));
}

static void a_refusal_that_names_the_item_is_told_from_one_that_may_be_everyones(void **state) {
    (void)state;
    static const struct {
        const char *sentence;
        enum verdict_kind kind;
    } cases[] = {
        {"Item size to update has exceeded the maximum allowed size", VERDICT_REFUSED},
        {"One or more parameter values were invalid: Type mismatch for Index Key n Expected: N Actual: S",
         VERDICT_REFUSED},
        {"A value specified for a secondary index key is not supported. IndexName: i, IndexKey: n", VERDICT_REFUSED},
        {"The document path provided in the update expression is invalid for update", VERDICT_REFUSED},
        {"An operand in the update expression has an incorrect data type", VERDICT_REFUSED},
        {"Nesting Levels have exceeded supported limits", VERDICT_REFUSED},
        {"Transactions are not supported on this table", VERDICT_REFUSED_VAGUELY},
        {"The provided key element does not match the schema", VERDICT_REFUSED_VAGUELY},
        {"", VERDICT_REFUSED_VAGUELY},
    };
    struct update u;
    make_update(&u, true, false);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct transact_result r = {
            .call = {.class = CALL_PERMANENT, .from_service = true, .status = 400, .code = "ValidationException"}};
        snprintf(r.call.message, sizeof r.call.message, "%s", cases[i].sentence);
        assert_int_equal(verdict_of(&u, &r).kind, cases[i].kind);
        struct transact_result reason = {.call = {.class = CALL_PERMANENT, .from_service = true}, .reason_count = 2};
        set_reason(&reason.reasons[0], "ValidationError", false, NULL);
        set_reason(&reason.reasons[1], "None", false, NULL);
        snprintf(reason.reasons[0].message, sizeof reason.reasons[0].message, "%s", cases[i].sentence);
        assert_int_equal(verdict_of(&u, &reason).kind, cases[i].kind);
    }
}

static void a_failure_is_described_by_its_code_its_status_or_what_happened(void **state) {
    (void)state;
    char text[VERDICT_TEXT_SIZE];
    verdict_describe(&(struct verdict){.code = SPAN("ThrottlingError"), .by_audit = true}, text);
    assert_string_equal(text, "ThrottlingError of the audit record");
    verdict_describe(&(struct verdict){.code = SPAN(""), .status = 413, .message = SPAN("HTTP status 413")}, text);
    assert_string_equal(text, "HTTP status 413, not DynamoDB's");
    verdict_describe(&(struct verdict){.code = SPAN(""), .message = SPAN("the connection was closed")}, text);
    assert_string_equal(text, "the connection was closed");
    verdict_describe(&(struct verdict){.code = SPAN("")}, text);
    assert_string_equal(text, "no answer");
}

static void only_answers_of_a_service_that_works_show_health(void **state) {
    (void)state;
    for (int kind = VERDICT_APPLIED; kind <= VERDICT_ENVIRONMENT; kind++)
        assert_int_equal(verdict_shows_health((enum verdict_kind)kind),
                         kind != VERDICT_BY_ITSELF && kind != VERDICT_REFUSED_VAGUELY && kind != VERDICT_NO_ANSWER &&
                             kind != VERDICT_THROTTLED && kind != VERDICT_ENVIRONMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_reasons_is_read_by_position_the_audits_first),
        cmocka_unit_test(one_reason_is_the_updates_own),
        cmocka_unit_test(a_record_that_is_missing_is_told_from_a_condition_that_is_false),
        cmocka_unit_test(the_stored_hash_tells_a_repetition_from_a_reused_key),
        cmocka_unit_test(every_class_of_exception_has_its_verdict),
        cmocka_unit_test(reasons_of_another_number_than_the_actions_name_no_item),
        cmocka_unit_test(what_was_never_sent_is_the_environments),
        cmocka_unit_test(a_refusal_that_names_the_item_is_told_from_one_that_may_be_everyones),
        cmocka_unit_test(a_failure_is_described_by_its_code_its_status_or_what_happened),
        cmocka_unit_test(only_answers_of_a_service_that_works_show_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
