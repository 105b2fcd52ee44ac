/* `check`: what its parts share. Each looks at one thing, says what it found, and leaves what later ones need. They are
 * straight code: where a call has to be waited for, they run the loop. */
#pragma once

#include "app.h"
#include "compiler.h"
#include "table_facts.h"

#include <stdbool.h>

/* One of the two services, as far as it was asked. */
struct check_service {
    const char *name; /* "DynamoDB" */
    bool down; /* it can't be reached: nothing more is asked of it */
};

struct check {
    struct app *app;
    struct check_report *report;
    struct app_signals signals;
    int signal; /* that ends the command; 0: none came */
    bool waiting;
    bool no_credentials; /* there are none, or AWS refuses them: nothing more is asked */
    char account[ACCOUNT_ID_SIZE]; /* of the credentials; "": not told */
    struct check_service dynamodb, sqs;
    struct discovery_facts facts; /* as far as they are known */
    struct table_facts table, audit_table;
    bool table_known, audit_table_known, queue_known, dlq_known;
};

/* check_wait.c */

/* Runs the loop until check_go_on(). False: a signal ends the command; what is under way has to be cancelled. */
MUST_USE bool check_wait(struct check *c);
/* For callbacks: what was waited for has come. */
void check_go_on(struct check *c);
/* For the calls of a check: they are over within some seconds. */
struct call_options check_call_options(const struct check *c);
/* A call that is waited for, with its result. */
struct check_answer {
    struct check *check;
    struct call_result result;
};
/* The call_done of such a call; user is its struct check_answer. */
void check_answered(void *user, const struct call_result *result);
/* Waits for a call that was started with check_answered(); NULL (no memory) gives CALL_RETRY. False: a signal ends the
 * command; the call is cancelled. */
MUST_USE bool check_await(struct check_answer *answer, struct call *call);

/* check_failure.c */

/* What was asked for in vain. */
struct check_asked {
    const char *check, *subject; /* as for the report */
    struct check_service *service;
    const char *setting; /* that names the thing; NULL: none does */
    const char *action; /* that a policy has to allow: "dynamodb:DescribeTable" */
    const char *kind; /* "table", "queue" */
};
/* Says why a call failed, and what mends it. */
void check_failure(struct check *c, const struct check_asked *asked, const struct call_result *result);
/* Whether the service says that there is no such table or queue. */
bool check_is_missing(const struct call_result *result);

/* check_settings.c: a text for where a setting came from, "AWS_REGION (environment)". */
#define CHECK_SOURCE_SIZE 512
void check_source(const struct check *c, const struct aws_setting *setting, char ret_text[static CHECK_SOURCE_SIZE]);
/* The same of a variable: "environment", "/etc/table-updater/table-updater.conf, line 3". */
void check_origin(const struct check *c, const char *variable, char ret_text[static CHECK_SOURCE_SIZE]);

/* The parts, in this order. */
void check_settings(struct check *c);
void check_region(struct check *c);
void check_credentials(struct check *c);
void check_endpoints(struct check *c);
void check_tables(struct check *c);
void check_queues(struct check *c);
void check_clock(struct check *c);
void check_permissions(struct check *c);
