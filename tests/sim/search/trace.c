#include "trace.h"

#include "clock.h"

static const char *const NAMES[TRACE_KINDS] = {
    [TRACE_SENT] = "sent: message, update",
    [TRACE_RECEIVE] = "receives: at most, wait",
    [TRACE_RECEIVED] = "received: class, messages",
    [TRACE_DELIVERED] = "has: message, delivery",
    [TRACE_TRANSACT] = "transacts: update, attempts",
    [TRACE_TRANSACTED] = "transacted: update, class",
    [TRACE_COMMIT] = "committed: update, audited",
    [TRACE_CONFIRM] = "confirms: update",
    [TRACE_CONFIRMED] = "confirmed: update, found",
    [TRACE_RECORD] = "records a failure: update",
    [TRACE_RECORDED] = "recorded: update, class",
    [TRACE_DESCRIBE] = "describes",
    [TRACE_DESCRIBED] = "described: class",
    [TRACE_DELETE] = "deletes: message",
    [TRACE_DELETED] = "deleted: message, ok",
    [TRACE_CHANGE] = "changes visibility: message, seconds",
    [TRACE_CHANGED] = "changed: message, ok",
    [TRACE_DEAD] = "sends to the DLQ: update",
    [TRACE_DEAD_SENT] = "sent to the DLQ: update, ok",
    [TRACE_CANCELLED] = "cancels",
    [TRACE_START] = "starts: life",
    [TRACE_STOP] = "is told to stop",
    [TRACE_ENDED] = "has ended: exit code",
    [TRACE_KILL] = "is killed",
    [TRACE_STANDS] = "stands: -, milliseconds",
    [TRACE_FAULT] = "fault: number",
    [TRACE_FAULT_OVER] = "fault over: number, strikes",
    [TRACE_QUIET] = "quiet: nothing more is sent, all faults are over",
    [TRACE_VIOLATION] = "VIOLATION",
};

static const uint64_t FNV_OFFSET = 0xcbf29ce484222325, FNV_PRIME = 0x100000001b3;
static const size_t SHOWN = 200;

void trace_init(struct trace *t, FILE *out) {
    *t = (struct trace){.hash = FNV_OFFSET, .out = out};
}

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * FNV_PRIME;
    return hash ^ hash >> 29;
}

void trace_note(struct trace *t, int64_t now, enum trace_what what, unsigned worker, uint64_t a, uint64_t b,
                struct span text) {
    uint64_t hash = mix(mix(t->hash, (uint64_t)now), (uint64_t)what << 32 | worker);
    hash = mix(mix(hash, a), b);
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * FNV_PRIME;
    t->hash = hash;
    t->events++;
    if (!t->out)
        return;
    fprintf(t->out, "%12.6f ", (double)now / (double)MICROSECONDS);
    if (worker != NO_WORKER)
        fprintf(t->out, "w%u ", worker);
    fprintf(t->out, "%s %llu %llu %.*s\n", NAMES[what], (unsigned long long)a, (unsigned long long)b,
            (int)(text.len < SHOWN ? text.len : SHOWN), text.len ? text.data : "");
}

void trace_log(void *trace, struct span line) {
    const struct trace *t = trace;
    fprintf(t->out, "                # %.*s\n", (int)line.len, line.data);
}
