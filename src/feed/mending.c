#include "mending.h"

#include "compiler.h"

#include <string.h>

static const struct {
    const char *code; /* or how it begins */
    const char *text;
} database[] = {
    {"ItemCollectionSizeLimitExceeded",
     "The items of this partition key, its local indexes included, have reached 10 GB: delete or move some, then "
     "redrive."},
    {"AccessDenied",
     "Let the policy of the worker's role allow this record's key (dynamodb:LeadingKeys), then redrive."},
    {"ConnectionError",
     "Something between the worker and DynamoDB (a proxy, a firewall) drops this message: its log tells why. "
     "Then redrive: what was applied isn't applied again."},
    {"Timeout",
     "DynamoDB gave this message alone no answer: look at the table and at what stands on the way to it, then "
     "redrive: what was applied isn't applied again."},
};

static const struct {
    const char *error;
    const char *text;
} errors[] = {
    {"InvalidInputError",
     "Mend the producer, which sends what is no update message, and have it send these anew; a redrive fails again."},
    {"ValidationError",
     "Mend what the reason names: at the producer, and send anew; or at the table (its index, its key) or the "
     "settings, then redrive."},
    {"RecordNotFoundError",
     "Create the records, then redrive; or have the producer set create_if_missing where a record may be new."},
    {"ConditionalCheckFailed",
     "The record has other values than the condition asks for: see whether the update is still wanted. Redrive once "
     "the condition is true; else delete it."},
};

static bool begins_with(struct span text, const char *with) {
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

static const char *of_database(struct span code) {
    for (size_t i = 0; i < ARRAY_LENGTH(database); i++)
        if (code.data && begins_with(code, database[i].code))
            return database[i].text;
    return "Look up the code in DynamoDB's documentation and mend its cause at the table, then redrive.";
}

const char *mending_of(const struct letter *letter) {
    if (!letter->error.data)
        return "SQS moved it here after as many receives as its redrive policy allows (raise maxReceiveCount, and see "
               "the worker's log), or others sent it. Redrive it once the worker runs well.";
    if (span_is(letter->error, "DatabaseError"))
        return of_database(letter->code);
    for (size_t i = 0; i < ARRAY_LENGTH(errors); i++)
        if (span_is(letter->error, errors[i].error))
            return errors[i].text;
    return "This version knows no such error: another program sent it here. See what its reason says.";
}
