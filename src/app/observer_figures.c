/* The gauges, and the reasons why `run` isn't ready: both from the same look at the worker. */
#include "observer.h"

#include "app.h"
#include "process_figures.h"

/* What passes within this is no trouble: a single call that failed, and worked the next time. */
static const int64_t TROUBLE_AFTER = 5 * MICROSECONDS;

static const char *const part_sentences[METRICS_PARTS] = {
    [METRICS_STARTING] = "The tables and queues haven't been seen yet",
    [METRICS_APPLYING] = "DynamoDB fails for every message: receiving has stopped, and what is in flight waits",
    [METRICS_CONFIRMING] = "Failures can't be confirmed by the audit table, and wait before the DLQ",
    [METRICS_RECEIVING] = "Messages can't be received",
    [METRICS_DELETING] = "Messages that are done with can't be deleted; their visibility timeouts are extended",
    [METRICS_EXTENDING] = "Visibility timeouts can't be extended: messages may be delivered to others too",
    [METRICS_DEAD_LETTERING] = "Failed messages can't be sent to the DLQ, and wait; too many of them stop receiving",
    [METRICS_CREDENTIALS] = "The credentials held have expired, and there are no others yet",
};

static const char *const cause_advice[METRICS_CAUSES] = {
    [METRICS_THROTTLED] = "Wait, or give the table more capacity; the rate adapts by itself",
    [METRICS_UNREACHABLE] = "Look at the network path (proxy, VPC endpoint, DNS, security group) and at the service's "
                            "health; it goes on by itself once answers come",
    [METRICS_DENIED] = "Allow the action that the log names (AWS denies a call) to the role; it goes on by itself",
    [METRICS_NO_CREDENTIALS] = "Renew the credentials at their source, which the log names at the start; it goes on by "
                               "itself",
    [METRICS_CLOCK] = "Set this machine's clock",
    [METRICS_MISSING] = "Look whether the table or queue is still there, and as it was at the start; after a change of "
                        "a key or a name, restart",
    [METRICS_REFUSED] = "Every message fails alike: look at the code in the log, and whether these messages are meant "
                        "for this table",
    [METRICS_OTHER] = "Look at the code in the log",
};

const char *observer_part_sentence(enum metrics_part part) {
    return part_sentences[part];
}

const char *observer_advice(enum metrics_part part, enum metrics_cause cause) {
    return part == METRICS_STARTING ? "Wait, and look at the log: it says what isn't found, reached or allowed"
                                    : cause_advice[cause];
}

static int64_t now_of(const struct observer *o) {
    return clock_monotonic(o->app->platform.clock);
}

static bool credentials_are_over(const struct observer *o) {
    int64_t expire = o->app->metrics.credentials_expire;
    return expire != METRICS_ABSENT && expire <= clock_wall(o->app->platform.clock);
}

static size_t add_own_reasons(const struct observer *o, struct observer_reason *reasons) {
    size_t count = 0;
    if (!o->worker) {
        reasons[count++] = (struct observer_reason){
            .part = METRICS_STARTING, .cause = METRICS_OTHER, .code = "not seen yet", .since = o->began};
    }
    if (credentials_are_over(o)) {
        int64_t ago = clock_wall(o->app->platform.clock) - o->app->metrics.credentials_expire;
        reasons[count++] = (struct observer_reason){
            .part = METRICS_CREDENTIALS, .cause = METRICS_NO_CREDENTIALS, .code = "expired", .since = now_of(o) - ago};
    }
    return count;
}

static size_t add_troubles(const struct observer *o, const struct worker_view *view, struct observer_reason *reasons) {
    size_t count = 0;
    int64_t now = now_of(o);
    for (size_t part = METRICS_APPLYING; part <= METRICS_DEAD_LETTERING; part++) {
        const struct worker_trouble *t = &view->troubles[part];
        if (t->is && now - t->since >= TROUBLE_AFTER) {
            reasons[count++] =
                (struct observer_reason){(enum metrics_part)part, t->cause, t->code, t->since, t->messages};
        }
    }
    return count;
}

size_t observer_reasons(const struct observer *o, struct observer_reason ret_reasons[static METRICS_PARTS]) {
    size_t count = add_own_reasons(o, ret_reasons);
    if (o->worker) {
        const struct worker_view view = queue_worker_view(o->worker);
        count += add_troubles(o, &view, ret_reasons + count);
    }
    return count;
}

static void set_troubles(struct observer *o, const struct observer_reason *reasons, size_t count) {
    struct metrics *m = &o->app->metrics;
    int64_t offset = clock_wall(o->app->platform.clock) - now_of(o);
    for (size_t part = 0; part < METRICS_PARTS; part++) {
        m->trouble_since[part] = METRICS_ABSENT;
        for (size_t cause = 0; cause < METRICS_CAUSES; cause++) {
            m->trouble[part][cause] = 0;
        }
    }
    for (size_t i = 0; i < count; i++) {
        m->trouble[reasons[i].part][reasons[i].cause] = 1;
        m->trouble_since[reasons[i].part] = reasons[i].since + offset;
    }
    m->ready = count == 0 && !o->draining;
}

static void collect_worker(struct observer *o, const struct worker_view *view) {
    struct metrics *m = &o->app->metrics;
    for (size_t i = 0; i < METRICS_STATES; i++) {
        m->in_flight[i] = view->in_flight[i];
    }
    m->receives_open = view->receives;
    m->rate_limit = view->rate ? (int64_t)view->rate : METRICS_ABSENT;
    int64_t age = view->oldest_sent ? clock_wall(o->app->platform.clock) - view->oldest_sent : 0;
    m->oldest_age = age > 0 ? age : 0;
}

static void collect_services(struct observer *o) {
    const struct services *services = &o->app->services;
    struct metrics *m = &o->app->metrics;
    const struct aws_client *clients[METRICS_SERVICES] = {
        [METRICS_DYNAMODB] = services->dynamodb_client, [METRICS_SQS] = services->sqs_client};
    m->clock_offset = 0;
    for (size_t i = 0; i < METRICS_SERVICES; i++) {
        const struct aws_client_stats stats = aws_client_stats(clients[i]);
        m->calls[i] = (int64_t)stats.calls;
        m->clock_offset = m->clock_offset ? m->clock_offset : stats.clock_skew;
    }
    const struct http_stats http = http_stats(services->http);
    m->connections_opened = (int64_t)http.connections;
    m->transfers = (int64_t)http.transfers;
    m->response_bytes = (int64_t)http.response_bytes;
    m->credentials_expire = services_credentials_expiry(services, m->credentials_expire);
}

void observer_collect(struct observer *o) {
    struct metrics *m = &o->app->metrics;
    struct observer_reason reasons[METRICS_PARTS];
    collect_services(o);
    size_t count = add_own_reasons(o, reasons);
    if (o->worker) {
        const struct worker_view view = queue_worker_view(o->worker);
        count += add_troubles(o, &view, reasons + count);
        collect_worker(o, &view);
    }
    m->max_in_flight = o->app->settings.max_in_flight;
    m->log_lines_lost = (int64_t)o->app->log.lost_in_all;
    set_troubles(o, reasons, count);
    process_figures(m);
}
