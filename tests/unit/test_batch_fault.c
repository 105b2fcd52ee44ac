#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "batch_fault.h"
#include "retry.h"

static enum batch_fault fault_of(int status, const char *code) {
    struct call_result result = {.status = status, .from_service = code[0] != '\0'};
    snprintf(result.code, sizeof result.code, "%s", code);
    result.class = retry_classify(status, code, result.from_service);
    return batch_fault_of(&result);
}

static void what_names_an_entry_is_its_own_fault_however_it_is_spelled(void **state) {
    (void)state;
    static const char *const names[] = {
        "BatchEntryIdsNotDistinct", "BatchRequestTooLong",    "EmptyBatchRequest",           "InvalidBatchEntryId",
        "InvalidIdFormat",          "InvalidMessageContents", "InvalidParameterValue",       "MessageNotInflight",
        "MessageTooLong",           "ReceiptHandleIsInvalid", "TooManyEntriesInBatchRequest"};
    static const char *const spellings[][2] = {
        {"", ""}, {"AWS.SimpleQueueService.", ""}, {"", "Exception"}}; /* around it */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < sizeof spellings / sizeof *spellings; k++) {
            char code[CALL_CODE_SIZE];
            snprintf(code, sizeof code, "%s%s%s", spellings[k][0], names[i], spellings[k][1]);
            assert_true(batch_fault_names_entry(code));
            assert_int_equal(fault_of(400, code), BATCH_FAULT_OF_ENTRIES);
            assert_int_equal(fault_of(500, code), BATCH_FAULT_PERHAPS);
        }
}

static void whatever_else_sqs_says_passes(void **state) {
    (void)state;
    static const char *const codes[] = {"AccessDenied",
                                        "AccountBlocked",
                                        "AWS.SimpleQueueService.NonExistentQueue",
                                        "ExpiredToken",
                                        "InternalError",
                                        "InvalidAction",
                                        "InvalidAddress",
                                        "InvalidClientTokenId",
                                        "KmsAccessDenied",
                                        "MissingParameter",
                                        "NotSignedUp",
                                        "OverLimit",
                                        "QueueDoesNotExist",
                                        "RequestThrottled",
                                        "SerializationException",
                                        "ServiceUnavailable",
                                        "SomethingNew",
                                        "UnknownOperationException",
                                        "UnsupportedOperation",
                                        "Exception",
                                        "MessageTooLongAgo",
                                        "AMessageTooLong"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_false(batch_fault_names_entry(codes[i]));
        assert_int_equal(fault_of(400, codes[i]), BATCH_FAULT_PASSES);
    }
    assert_false(batch_fault_names_entry(""));
}

static void an_answer_without_a_code_tells_by_its_status(void **state) {
    (void)state;
    static const struct {
        int status;
        enum batch_fault fault;
    } cases[] = {{0, BATCH_FAULT_PERHAPS},      {200, BATCH_FAULT_PERHAPS},    {302, BATCH_FAULT_PERHAPS},
                 {400, BATCH_FAULT_ON_THE_WAY}, {403, BATCH_FAULT_ON_THE_WAY}, {413, BATCH_FAULT_TOO_LARGE},
                 {429, BATCH_FAULT_PASSES},     {500, BATCH_FAULT_PERHAPS},    {503, BATCH_FAULT_PERHAPS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(fault_of(cases[i].status, ""), cases[i].fault);
    assert_int_equal(fault_of(413, "RequestEntityTooLarge"), BATCH_FAULT_TOO_LARGE);
}

/* What fails before a request is sent, or for who sends it, is no entry's. */
static void without_trust_or_credentials_it_passes(void **state) {
    (void)state;
    struct call_result untrusted = {.class = CALL_RETRY, .untrusted = true}, nobody = {.class = CALL_AUTH};
    assert_int_equal(batch_fault_of(&untrusted), BATCH_FAULT_PASSES);
    assert_int_equal(batch_fault_of(&nobody), BATCH_FAULT_PASSES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_names_an_entry_is_its_own_fault_however_it_is_spelled),
        cmocka_unit_test(whatever_else_sqs_says_passes),
        cmocka_unit_test(an_answer_without_a_code_tells_by_its_status),
        cmocka_unit_test(without_trust_or_credentials_it_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
