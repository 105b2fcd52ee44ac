#include "reconcile_report.h"

void reconcile_report_counts(struct log *log, const struct reconcile *r, uint64_t next_to_send) {
    const struct reconcile_counts *counts = reconcile_counts(r);
    if (counts->unknown) {
        LOG_EVENT(log, LOG_LEVEL_WARNING, reconcile_doubt(r), LOG_I("rows_unknown", counts->unknown));
    }
    if (counts->unfit) {
        LOG_EVENT(log, LOG_LEVEL_WARNING,
                  "Some of the failed rows can't be enqueued as they are: --failed has none of them, enqueue --dry-run "
                  "says what to mend",
                  LOG_I("rows", counts->unfit));
    }
    if (counts->pending && next_to_send && next_to_send <= counts->rows) {
        LOG_EVENT(log, LOG_LEVEL_WARNING, "The job isn't enqueued to its end: enqueue with the same --job goes on",
                  LOG_I("row", next_to_send));
    }
}

static enum exit_code end_of_call(struct log *log, const struct reconcile_ending *ending) {
    const struct call_result *call = ending->call;
    const char *said = call->message[0] ? call->message : call_word(call);
    switch (ending->end) {
    case RECONCILE_DENIED:
        LOG_EVENT(log, LOG_LEVEL_ERROR,
                  "AWS doesn't permit to read the audit table: check the credentials and their policy "
                  "(dynamodb:BatchGetItem on it)",
                  LOG_C("why", said), LOG_C("request_id", call->request_id));
        return EXIT_NOT_PERMITTED;
    case RECONCILE_REFUSED:
        LOG_EVENT(log, LOG_LEVEL_ERROR, "DynamoDB refuses to read the audit table", LOG_C("table", ending->audit_table),
                  LOG_C("code", call_word(call)));
        return EXIT_SETTINGS;
    default: break;
    }
    LOG_EVENT(log, LOG_LEVEL_ERROR, "Giving up: for a minute no audit record could be read",
              LOG_C("why", call->from_service || call->foreign ? call_word(call) : said),
              LOG_I("status", call->status));
    return EXIT_UNREACHABLE;
}

enum exit_code reconcile_report_end(struct log *log, const struct reconcile_ending *ending) {
    switch (ending->end) {
    case RECONCILE_DONE: return ending->counts->applied == ending->counts->rows ? EXIT_FINE : EXIT_SOME_FAILED;
    case RECONCILE_BROKEN:
        LOG_EVENT(log, LOG_LEVEL_ERROR, "The file can't be read further; all rows before that are reconciled",
                  LOG_C("file", ending->file), LOG_C("why", ending->file_why));
        return EXIT_USAGE;
    case RECONCILE_UNWRITABLE: return EXIT_SOME_FAILED; /* what keeps the rows says it */
    case RECONCILE_NO_MEMORY: log_event(log, LOG_LEVEL_ERROR, "There is no memory to go on with", NULL); break;
    default: return end_of_call(log, ending);
    }
    return EXIT_UNREACHABLE;
}
