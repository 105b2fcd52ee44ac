/* The updated table and the audit table. */
#include "check.h"
#include "check_rules.h"

#include <stdio.h>
#include <string.h>

/* One of the two while it is looked at. */
struct looking {
    struct check *check;
    struct check_table_view view;
    struct table_facts *facts;
    struct check_asked asked;
};

static struct check_table_view view_of(struct check *c, bool audit) {
    const struct settings *s = &c->app->settings;
    return (struct check_table_view){.name = audit ? s->audit_table : s->table_name,
                                     .facts = audit ? &c->audit_table : &c->table,
                                     .is_audit = audit,
                                     .audit_ttl_days = s->audit_ttl_days};
}

static void audit_table_missing(struct check *c, const char *name) {
    if (c->app->settings.audit == AUDIT_OFF) {
        check_warn(c->report, "table", name,
                   "Create it with the string key log_id, so that messages may ask for a record",
                   "there is no audit table: a message that asks for an audit record is a ValidationError");
    } else {
        check_problem(c->report, EXIT_SETTINGS, "table", name,
                      "Create it with the string key log_id, or set ENABLE_AUDIT_LOG=false",
                      "there is no audit table, and ENABLE_AUDIT_LOG asks for its records");
    }
}

/* A failed call that run doesn't need: it may be denied, or unknown to a stand-in for DynamoDB. */
static void not_told(struct check *c, const struct check_asked *asked, const struct call_result *result,
                     const char *what) {
    char mend[160];
    bool denied = result->class == CALL_DENIED;
    if (!result->from_service || result->class == CALL_AUTH || result->class == CALL_CLOCK) {
        check_failure(c, asked, result);
        return;
    }
    (void)snprintf(mend, sizeof mend, "Allow %s to have it checked; run doesn't need it", asked->action);
    check_warn(c->report, "table", asked->subject, denied ? mend : NULL, "%s isn't known: %s (%s)", what,
               denied && result->message[0] ? result->message : asked->action, result->code);
}

/* False: nothing more is to be asked. */
static bool look_further(struct check *c, struct looking *l) {
    struct check_answer answer = {.check = c};
    struct aws_client *client = c->app->services.dynamodb_client;
    struct call_options options = check_call_options(c);
    l->asked.action = "dynamodb:DescribeTimeToLive";
    if (!check_await(&answer, table_facts_ttl(client, l->view.name, &options, l->facts, check_answered, &answer))) {
        return false;
    }
    if (answer.result.class == CALL_OK) {
        check_ttl_rule(c->report, &l->view);
    } else {
        not_told(c, &l->asked, &answer.result, "its time to live");
    }
    if (l->asked.service->down || c->no_credentials) {
        return true;
    }
    options = check_call_options(c);
    l->asked.action = "dynamodb:DescribeContinuousBackups";
    if (!check_await(&answer,
                     table_facts_recovery(client, l->view.name, &options, l->facts, check_answered, &answer))) {
        return false;
    }
    if (answer.result.class == CALL_OK) {
        check_recovery_rule(c->report, &l->view);
    } else {
        not_told(c, &l->asked, &answer.result, "its point-in-time recovery");
    }
    return true;
}

/* A table that is named without an account belongs to the credentials' account. So where their source doesn't say the
 * account, the table's ARN does. */
static void tell_account(struct check *c, const struct table_shape *shape) {
    if (c->account[0] || !shape->account[0] || strchr(shape->name, ':')) {
        return;
    }
    (void)snprintf(c->account, sizeof c->account, "%s", shape->account);
    check_fine(c->report, "credentials", NULL, "of account %s, by the ARN of the table %s", c->account, shape->name);
}

static void look(struct check *c, bool audit) {
    struct looking l = {.check = c, .view = view_of(c, audit), .facts = audit ? &c->audit_table : &c->table};
    l.asked = (struct check_asked){.check = "table",
                                   .subject = l.view.name,
                                   .service = &c->dynamodb,
                                   .setting = audit ? "AUDIT_LOG_TABLE" : "TABLE_NAME",
                                   .action = "dynamodb:DescribeTable",
                                   .kind = "table"};
    struct check_answer answer = {.check = c};
    const struct call_options options = check_call_options(c);
    if (!check_await(&answer, table_facts_describe(c->app->services.dynamodb_client, l.view.name, &options, l.facts,
                                                   check_answered, &answer))) {
        return;
    }
    if (answer.result.class != CALL_OK) {
        if (audit && answer.result.from_service && check_is_missing(&answer.result)) {
            audit_table_missing(c, l.view.name);
        } else {
            check_failure(c, &l.asked, &answer.result);
        }
        return;
    }
    tell_account(c, &l.facts->shape);
    bool fine = check_table_rule(c->report, &l.view);
    if (audit) {
        c->facts.audit_table = l.facts->shape;
        c->facts.audit_table_exists = true;
        c->audit_table_known = fine;
    } else {
        c->facts.table = l.facts->shape;
        c->table_known = fine;
    }
    (void)look_further(c, &l);
}

static bool may_ask(const struct check *c) {
    return !c->signal && !c->no_credentials && !c->dynamodb.down && c->app->services.dynamodb_client;
}

void check_tables(struct check *c) {
    const struct settings *s = &c->app->settings;
    if (s->table_name && may_ask(c)) {
        look(c, false);
    }
    if (may_ask(c)) {
        look(c, true);
    }
    if (c->table_known && c->facts.audit_table_exists) {
        check_tables_rule(c->report, &c->facts.table, &c->facts.audit_table);
    }
    if (s->audit == AUDIT_OFF) {
        check_warn(c->report, "setting", "ENABLE_AUDIT_LOG",
                   "Set it to true where messages are more than \"set these values\"",
                   "false: a message without an audit record that is delivered again more than 10 minutes after it was "
                   "applied is applied again");
    }
}
