#include "check_rules.h"

#include <stdio.h>
#include <string.h>

#define KEY_TEXT ((size_t)2 * (KEY_NAME_MAX + 32))

static const char *setting_of(const struct check_table_view *v) {
    return v->is_audit ? "AUDIT_LOG_TABLE" : "TABLE_NAME";
}

/* "id (S)", or "id (S), sort key version (N)" */
static void key_text(const struct table_shape *shape, char ret_text[static KEY_TEXT]) {
    bool sorted = shape->sort.name[0] != '\0';
    if (sorted) {
        (void)snprintf(ret_text, KEY_TEXT, "%s (%c), sort key %s (%c)", shape->partition.name,
                       (char)shape->partition.type, shape->sort.name, (char)shape->sort.type);
    } else {
        (void)snprintf(ret_text, KEY_TEXT, "%s (%c)", shape->partition.name, (char)shape->partition.type);
    }
}

static bool check_status(struct check_report *r, const struct check_table_view *v) {
    const char *status = v->facts->status;
    if (strcmp(status, "ACTIVE") == 0 || strcmp(status, "UPDATING") == 0) {
        return true;
    }
    if (strcmp(status, "INACCESSIBLE_ENCRYPTION_CREDENTIALS") == 0) {
        check_problem(r, EXIT_NOT_PERMITTED, "table", v->name,
                      "Enable that key in KMS again, and let its policy admit DynamoDB, within seven days: then "
                      "DynamoDB archives the table",
                      "DynamoDB can't use its key in KMS, %s (%s)",
                      v->facts->kms_key[0] ? v->facts->kms_key : "unknown", status);
        return false;
    }
    bool gone = strcmp(status, "DELETING") == 0 || strcmp(status, "ARCHIVING") == 0 || strcmp(status, "ARCHIVED") == 0;
    if (gone) {
        check_problem(r, EXIT_SETTINGS, "table", v->name, "Restore it, or name another one", "it is %s", status);
    } else {
        check_problem(r, EXIT_UNREACHABLE, "table", v->name, "Wait until it is ACTIVE, as run does",
                      "it can't be used yet: it is %s", status[0] ? status : "of no status");
    }
    return false;
}

static bool check_audit_key(struct check_report *r, const struct check_table_view *v) {
    const struct table_shape *s = &v->facts->shape;
    char key[KEY_TEXT];
    if (strcmp(s->partition.name, "log_id") == 0 && s->partition.type == KEY_STRING && !s->sort.name[0]) {
        return true;
    }
    key_text(s, key);
    check_problem(r, EXIT_SETTINGS, "table", v->name,
                  "Have AUDIT_LOG_TABLE name a table whose key is log_id (S) alone, without a sort key, or create one",
                  "its key is %s, but an audit table's is log_id (S) alone", key);
    return false;
}

bool check_table_rule(struct check_report *r, const struct check_table_view *v) {
    const struct table_facts *f = v->facts;
    char key[KEY_TEXT];
    bool fine = check_status(r, v);
    if (v->is_audit) {
        fine = check_audit_key(r, v) && fine;
    }
    if (f->shape.strongly_consistent) {
        check_problem(r, EXIT_SETTINGS, "table", v->name,
                      "Name a global table of eventual consistency (MREC), or one of one region",
                      "it is a global table of strong multi-Region consistency (MRSC), which takes no transactions");
        fine = false;
    }
    if (fine) {
        key_text(&f->shape, key);
        check_fine(r, "table", v->name, "%s, key %s%s%s (%s)", f->status, key,
                   f->kms_key[0] ? ", encrypted with the KMS key " : "", f->kms_key, setting_of(v));
    }
    return fine;
}

static bool is_on(const char *status) {
    return strcmp(status, "ENABLED") == 0 || strcmp(status, "ENABLING") == 0;
}

static void check_audit_ttl(struct check_report *r, const struct check_table_view *v) {
    const struct table_facts *f = v->facts;
    bool on = is_on(f->ttl_status), by_ours = on && strcmp(f->ttl_attribute, "expires_at") == 0;
    if (v->audit_ttl_days && by_ours) {
        check_fine(r, "table", v->name, "audit records are removed after %u days (AUDIT_LOG_TTL_DAYS), by expires_at",
                   v->audit_ttl_days);
    } else if (v->audit_ttl_days && on) {
        check_warn(r, "table", v->name, "Let its time to live go by the attribute expires_at",
                   "AUDIT_LOG_TTL_DAYS is %u, but its time to live goes by %s: audit records are never removed",
                   v->audit_ttl_days, f->ttl_attribute);
    } else if (v->audit_ttl_days) {
        check_warn(r, "table", v->name, "Turn its time to live on, for the attribute expires_at",
                   "AUDIT_LOG_TTL_DAYS is %u, but its time to live is off: audit records are never removed",
                   v->audit_ttl_days);
    } else {
        check_fine(r, "table", v->name, "audit records are kept for good: AUDIT_LOG_TTL_DAYS is not set");
    }
}

void check_ttl_rule(struct check_report *r, const struct check_table_view *v) {
    if (v->is_audit) {
        check_audit_ttl(r, v);
    } else if (is_on(v->facts->ttl_status)) {
        check_fine(r, "table", v->name,
                   "its time to live removes records by %s; a message for one that is gone is a RecordNotFoundError",
                   v->facts->ttl_attribute);
    } else {
        check_fine(r, "table", v->name, "its time to live is off");
    }
}

void check_recovery_rule(struct check_report *r, const struct check_table_view *v) {
    if (is_on(v->facts->recovery_status)) {
        check_fine(r, "table", v->name, "point-in-time recovery is on");
    } else if (v->is_audit) {
        check_fine(r, "table", v->name, "point-in-time recovery is off");
    } else {
        check_warn(r, "table", v->name, "Turn it on: aws dynamodb update-continuous-backups",
                   "point-in-time recovery is off: what wrong messages overwrite can't be had back");
    }
}

void check_tables_rule(struct check_report *r, const struct table_shape *table, const struct table_shape *audit) {
    bool told = table->region[0] && audit->region[0];
    if (!told || (strcmp(table->region, audit->region) == 0 && strcmp(table->account, audit->account) == 0)) {
        return;
    }
    check_problem(r, EXIT_SETTINGS, "table", audit->name,
                  "Name an audit table beside the updated one, or one that doesn't exist where no message shall have "
                  "an audit record",
                  "it is in %s of account %s, the updated table in %s of account %s: no transaction spans both",
                  audit->region, audit->account, table->region, table->account);
}
