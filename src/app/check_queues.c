/* The queue and its dead-letter queue. */
#include "check.h"
#include "check_rules.h"
#include "queue_name.h"

#include <stdio.h>
#include <string.h>

struct finding_url {
    struct check_answer answer;
    char *url;
};

static void on_url(void *user, const struct call_result *result, const char *queue_url) {
    struct finding_url *f = user;
    if (result->class == CALL_OK && queue_url) {
        (void)snprintf(f->url, QUEUE_URL_SIZE, "%s", queue_url);
    }
    check_answered(&f->answer, result);
}

struct finding_attributes {
    struct check_answer answer;
    struct sqs_queue_attributes *attributes;
};

static void on_attributes(void *user, const struct call_result *result, const struct sqs_queue_attributes *attributes) {
    struct finding_attributes *f = user;
    if (result->class == CALL_OK && attributes) {
        *f->attributes = *attributes;
    }
    check_answered(&f->answer, result);
}

/* Looks a name up, unless it is a URL. False: it isn't found, which was told. */
static bool find_url(struct check *c, const char *given, struct check_asked *asked, struct queue_facts *facts) {
    char account[QUEUE_ACCOUNT_SIZE] = "", name[QUEUE_NAME_SIZE];
    const struct sqs_api *sqs = &c->app->services.sqs;
    if (queue_url_name(given, facts->name)) {
        (void)snprintf(facts->url, sizeof facts->url, "%s", given);
        return true;
    }
    if (queue_name_valid(given)) {
        (void)snprintf(name, sizeof name, "%s", given);
    } else if (!queue_arn_parse(given, account, name)) {
        check_problem(c->report, EXIT_SETTINGS, asked->check, asked->subject, "Name it by its URL or its name",
                      "\"%s\" is no queue's URL or name", given);
        return false;
    }
    struct finding_url f = {.answer = {.check = c}, .url = facts->url};
    const struct call_options options = check_call_options(c);
    asked->action = "sqs:GetQueueUrl";
    if (!check_await(&f.answer, sqs->get_queue_url(sqs->ctx, name, account, &options, on_url, &f))) {
        return false;
    }
    if (f.answer.result.class != CALL_OK) {
        check_failure(c, asked, &f.answer.result);
        return false;
    }
    if (!queue_url_name(facts->url, facts->name)) {
        check_problem(c->report, EXIT_UNREACHABLE, asked->check, asked->subject, NULL,
                      "what answers in Amazon SQS's place gives no queue's URL");
        return false;
    }
    return true;
}

static bool look(struct check *c, const char *given, const char *setting, struct queue_facts *facts) {
    struct check_asked asked = {
        .check = "queue", .subject = given, .service = &c->sqs, .setting = setting, .kind = "queue"};
    const struct sqs_api *sqs = &c->app->services.sqs;
    if (!find_url(c, given, &asked, facts)) {
        return false;
    }
    struct finding_attributes f = {.answer = {.check = c}, .attributes = &facts->attributes};
    const struct call_options options = check_call_options(c);
    asked.action = "sqs:GetQueueAttributes";
    if (!check_await(&f.answer, sqs->get_attributes(sqs->ctx, facts->url, &options, on_attributes, &f))) {
        return false;
    }
    if (f.answer.result.class != CALL_OK) {
        check_failure(c, &asked, &f.answer.result);
        return false;
    }
    size_t len = strlen(facts->name);
    facts->attributes.fifo = facts->attributes.fifo || (len > 5 && strcmp(facts->name + len - 5, ".fifo") == 0);
    return true;
}

static bool may_ask(const struct check *c) {
    return !c->signal && !c->no_credentials && !c->sqs.down && c->app->services.sqs_calls;
}

static const char *dlq_of(const struct check *c, const char **ret_setting) {
    *ret_setting = "DLQ_URL";
    if (c->app->dlq_url[0]) {
        return c->app->dlq_url;
    }
    *ret_setting = "the redrive policy of the queue";
    return c->facts.queue.attributes.dead_letter_target_arn;
}

static void no_queue(struct check *c) {
    check_warn(c->report, "queue", NULL, "Set QUEUE_URL to the queue's URL or name",
               "QUEUE_URL is not set: apply and lambda do without it, run, enqueue and redrive don't start");
}

void check_queues(struct check *c) {
    const struct settings *s = &c->app->settings;
    const char *setting = NULL;
    if (configuration_origin(&c->app->configuration, "QUEUE_URL").by == SETTING_NOWHERE) {
        no_queue(c);
    }
    if (!s->queue || !may_ask(c)) {
        return;
    }
    struct check_queues_view view = {.account = c->account,
                                     .max_attempts = s->max_attempts,
                                     .visibility = s->visibility,
                                     .audit_ttl_days = c->facts.audit_table_exists ? s->audit_ttl_days : 0,
                                     .queue = &c->facts.queue.attributes};
    c->queue_known = look(c, c->app->queue_url, "QUEUE_URL", &c->facts.queue);
    view.queue_name = c->facts.queue.name;
    view.queue_url = c->facts.queue.url;
    if (c->queue_known) {
        check_queue_rule(c->report, &view);
    }
    const char *dlq = dlq_of(c, &setting);
    if (!dlq[0] && c->queue_known) {
        check_problem(c->report, EXIT_SETTINGS, "queue", "DLQ_URL", "Set DLQ_URL to the URL or name of a second queue",
                      "there is no dead-letter queue: DLQ_URL is not set, and the queue has no redrive policy");
    } else if (dlq[0] && may_ask(c)) {
        c->dlq_known = look(c, dlq, setting, &c->facts.dlq);
    }
    view.dlq_name = c->facts.dlq.name;
    view.dlq_url = c->facts.dlq.url;
    if (c->dlq_known) {
        view.dlq = &c->facts.dlq.attributes;
        check_dlq_rule(c->report, &view);
    }
    if (c->queue_known) {
        check_queues_rule(c->report, &view);
    }
}
