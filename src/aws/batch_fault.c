#include "batch_fault.h"

#include "compiler.h"

#include <string.h>

static const char SUFFIX[] = "Exception";

bool batch_fault_names_entry(const char *code) {
    static const char *const names[] = {
        "BatchEntryIdsNotDistinct", "BatchRequestTooLong",    "EmptyBatchRequest",           "InvalidBatchEntryId",
        "InvalidIdFormat",          "InvalidMessageContents", "InvalidParameterValue",       "MessageNotInflight",
        "MessageTooLong",           "ReceiptHandleIsInvalid", "TooManyEntriesInBatchRequest"};
    /* The query protocol puts a prefix before the names (AWS.SimpleQueueService.BatchRequestTooLong); the JSON protocol
     * puts a suffix behind some (InvalidParameterValueException). */
    const char *dot = strrchr(code, '.');
    const char *name = dot ? dot + 1 : code;
    size_t len = strlen(name), suffix = sizeof SUFFIX - 1;
    if (len > suffix && !strcmp(name + len - suffix, SUFFIX))
        len -= suffix;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strlen(names[i]) == len && !memcmp(names[i], name, len))
            return true;
    return false;
}

enum batch_fault batch_fault_of(const struct call_result *result) {
    if (result->status == 413)
        return BATCH_FAULT_TOO_LARGE;
    if (result->class == CALL_PERMANENT && result->from_service && batch_fault_names_entry(result->code))
        return BATCH_FAULT_OF_ENTRIES;
    if (result->class == CALL_THROTTLED)
        return BATCH_FAULT_PASSES;
    if (result->status >= 400 && result->status < 500)
        return result->from_service ? BATCH_FAULT_PASSES : BATCH_FAULT_ON_THE_WAY;
    return result->untrusted || result->class == CALL_AUTH ? BATCH_FAULT_PASSES : BATCH_FAULT_PERHAPS;
}
