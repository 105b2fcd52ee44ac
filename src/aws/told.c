#include "told.h"

#include "clock.h"

#include <string.h>
#include <strings.h>

/* The same failure is logged again after this time; after the shorter one if the operation worked in between. */
static const int64_t AGAIN = 600 * MICROSECONDS, AGAIN_AFTER_SUCCESS = 60 * MICROSECONDS;

/* Whether the refusal is about the queue or the table, or the key that it is encrypted with: its sentence then quotes
 * nothing of a message. */
static bool is_about_resource(const char *code) {
    return strncasecmp(code, "KMS", 3) == 0 || strcmp(code, "InvalidAddress") == 0 ||
           strcmp(code, "UnsupportedOperation") == 0;
}

/* NULL: nothing to log. */
static const char *sentence_of(const struct call_result *result) {
    if (result->foreign) {
        return "An answer is not the service's: it is no verdict, and counts as a fault on the way";
    }
    if (!result->from_service) {
        return NULL;
    }
    switch (result->class) {
    case CALL_DENIED: return "AWS denies a call";
    case CALL_AUTH: return "AWS refuses the credentials of a call";
    case CALL_CLOCK: return "AWS refuses the time of a call";
    case CALL_PERMANENT:
        return is_about_resource(result->code) ? "AWS refuses a call for what the queue, the table or its key is"
                                               : NULL;
    default: return NULL;
    }
}

static struct told_trouble *find(struct told *told, const char *operation, const struct call_result *result) {
    for (size_t i = 0; i < told->count; i++) {
        struct told_trouble *t = &told->troubles[i];
        if (strcmp(t->operation, operation) == 0 && t->status == result->status && strcmp(t->code, result->code) == 0) {
            return t;
        }
    }
    return NULL;
}

/* Finds a place; if all are taken, the one that was logged longest ago. */
static struct told_trouble *make_room(struct told *told) {
    if (told->count < TOLD_MAX) {
        return &told->troubles[told->count++];
    }
    struct told_trouble *oldest = &told->troubles[0];
    for (size_t i = 1; i < TOLD_MAX; i++) {
        oldest = told->troubles[i].at < oldest->at ? &told->troubles[i] : oldest;
    }
    return oldest;
}

void told_failed(struct told *told, struct log *log, const char *operation, const char *host,
                 const struct call_result *result, int64_t now) {
    const char *sentence = sentence_of(result);
    if (!sentence || !log) {
        return;
    }
    struct told_trouble *t = find(told, operation, result);
    if (t && now - t->at < (t->worked ? AGAIN_AFTER_SUCCESS : AGAIN)) {
        return;
    }
    t = t ? t : make_room(told);
    *t = (struct told_trouble){.operation = operation, .status = result->status, .at = now};
    memcpy(t->code, result->code, sizeof t->code);
    LOG_EVENT(log, LOG_LEVEL_WARNING, sentence, LOG_C("operation", operation), LOG_C("host", host),
              LOG_C("code", call_word(result)), LOG_I("status", result->status),
              LOG_C("request_id", result->request_id[0] ? result->request_id : "none"), LOG_C("why", result->message));
}

void told_worked(struct told *told, const char *operation) {
    for (size_t i = 0; i < told->count; i++) {
        struct told_trouble *t = &told->troubles[i];
        t->worked = t->worked || strcmp(t->operation, operation) == 0;
    }
}
