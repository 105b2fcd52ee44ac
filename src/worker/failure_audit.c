#include "failure_audit.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t DEADLINE = 20 * MICROSECONDS;
static const size_t RECORD_MAX = (size_t)8 << 20;

struct failure_put {
    LIST_ENTRY(failure_put) link;
    struct failure_audit *all;
    char message_id[REPEATED_ID_SIZE];
    struct buf request;
    struct call *call;
};

static void put_free(struct failure_put *p) {
    buf_free(&p->request);
    free(p);
}

static void on_put(void *user, const struct call_result *result) {
    struct failure_put *p = user;
    struct failure_audit *f = p->all;
    if (result->class != CALL_OK)
        repeated_line_say(&f->no_record, span_cstr(p->message_id), call_word(result));
    LIST_REMOVE(p, link);
    put_free(p);
    f->changed(f->ctx);
}

void failure_audit_init(struct failure_audit *f, const struct platform *platform, const struct update_context *context,
                        void (*changed)(void *ctx), void *ctx) {
    *f = (struct failure_audit){.platform = platform, .context = context, .changed = changed, .ctx = ctx};
    LIST_INIT(&f->puts);
    repeated_line_init(&f->no_record, platform, "The audit record of a failure could not be written");
}

void failure_audit_done(struct failure_audit *f) {
    for (struct failure_put *p; (p = LIST_FIRST(&f->puts));) {
        LIST_REMOVE(p, link);
        f->platform->dynamodb->cancel(f->platform->dynamodb->ctx, p->call);
        put_free(p);
    }
    repeated_line_done(&f->no_record);
}

/* False: no memory. */
static bool begin(struct failure_audit *f, const struct update *u, struct span message_id) {
    const struct dynamodb_api *db = f->platform->dynamodb;
    struct failure_put *p = calloc(1, sizeof *p);
    if (!p)
        return false;
    struct call_options options = {.deadline = clock_monotonic(f->platform->clock) + DEADLINE};
    p->all = f;
    snprintf(p->message_id, sizeof p->message_id, "%.*s", (int)message_id.len, message_id.data);
    buf_init(&p->request, RECORD_MAX);
    if (update_append_failure_record(f->context, u, clock_wall(f->platform->clock), &p->request))
        p->call = db->put_item(db->ctx, buf_span(&p->request), &options, on_put, p);
    if (!p->call) {
        put_free(p);
        return false;
    }
    LIST_INSERT_HEAD(&f->puts, p, link);
    return true;
}

void failure_audit_put(struct failure_audit *f, const struct update *u, struct span message_id) {
    if (!u->readable || !u->audited || !f->context->audit_table_exists)
        return;
    if (!begin(f, u, message_id))
        repeated_line_say(&f->no_record, message_id, "no memory");
}
