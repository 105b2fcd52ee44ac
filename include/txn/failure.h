/* Why a message failed for good: the contract's error types, and the details that an operator or a program acts on. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum error_type {
    ERROR_NONE,
    ERROR_INVALID_INPUT, /* 400 InvalidInputError */
    ERROR_VALIDATION, /* 400 ValidationError */
    ERROR_RECORD_NOT_FOUND, /* 404 RecordNotFoundError */
    ERROR_CONDITIONAL_CHECK, /* 412 ConditionalCheckFailed */
    ERROR_DATABASE /* 500 DatabaseError */
};

/* The name that stands in an envelope's `error`; "None" for ERROR_NONE. */
const char *error_type_name(enum error_type type);
/* The HTTP status that goes with it; 200 for ERROR_NONE. */
int error_type_status(enum error_type type);

struct failure {
    enum error_type type;
    struct buf message; /* a sentence: what is wrong and what to mend */
    struct buf details; /* the members of the JSON object `details`, without its braces; may be empty */
    struct {
        size_t at, end;
    } path; /* the part of the message that its author named: a path inside a member */
    size_t reason_at; /* of a ValidationError: where its reason begins in message */
};

void failure_init(struct failure *f);
void failure_free(struct failure *f);
/* Sets the type and the sentence, and empties the details. */
void failure_set(struct failure *f, enum error_type type, const char *format, ...) PRINTF_LIKE(3, 4);
/* ERROR_VALIDATION with details {"field": field, "reason": reason}. The message is made from both. */
void failure_validation(struct failure *f, struct span field, const char *reason_format, ...) PRINTF_LIKE(3, 4);
/* The reason of a ValidationError: what stands behind its field. */
static inline struct span failure_reason(const struct failure *f) {
    return f->reason_at <= f->message.len ? span_of(f->message.data + f->reason_at, f->message.len - f->reason_at)
                                          : SPAN("");
}
/* ERROR_RECORD_NOT_FOUND or ERROR_CONDITIONAL_CHECK with details {"id": id}; id is JSON text. */
void failure_for_id(struct failure *f, enum error_type type, struct span id);
/* ERROR_CONDITIONAL_CHECK where it isn't known whether there is a record. */
void failure_of_condition(struct failure *f, struct span id);
/* ERROR_DATABASE with details {"code": code}. */
void failure_database(struct failure *f, struct span code);
/* ERROR_DATABASE for a message that gets no answer, while others do: code ("Timeout", "ConnectionError"), and what
 * happened, in a few words. */
void failure_unanswered(struct failure *f, struct span code, struct span what);
/* ERROR_DATABASE for a caller who waits, where the environment fails: code is the exception's name, or
 * "ConnectionError", or "Timeout". */
void failure_environment(struct failure *f, struct span code);
/* False: a buffer ran out of memory, and the failure can't be told. */
bool failure_ok(const struct failure *f);

/* Appends the error envelope, one JSON object on one line without spaces:
 * {"success":false,"error":…,"message":…,"details":{…,extra},"timestamp":…}. extra: further members of details, JSON
 * without braces, or the absent span. */
bool failure_append_envelope(const struct failure *f, struct span extra, int64_t wall, struct buf *out);

/* Appends the sentence for the log. It leaves out what the message's author named: members of maps may be named after
 * people. */
void failure_append_for_log(const struct failure *f, struct buf *out);
