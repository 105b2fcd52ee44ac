#include "credentials_local.h"

#include "child_process.h"
#include "credentials_document.h"
#include "shell_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT (60 * MICROSECONDS)
#define OUTPUT_MAX ((size_t)64 * 1024)
#define LAST_LINE_SIZE 256
#define WHY_SIZE 768

struct process {
    struct shell_words words;
    char account_id[ACCOUNT_ID_SIZE]; /* the profile's, for a process that gives none */
    const struct credentials_world *world;
    struct child_process *child;
    char last_line[LAST_LINE_SIZE]; /* of its standard error */
    credentials_fetched *done;
    void *user;
};

static const struct document_form form = {
    .access_key_id = "AccessKeyId",
    .secret_access_key = "SecretAccessKey",
    .session_token = "SessionToken",
    .expiration = "Expiration",
    .account_id = "AccountId",
    .version = "Version",
};

static void fail(struct process *p, const char *what) {
    char why[WHY_SIZE];
    (void)snprintf(why, sizeof why, "credential_process (%.100s) %.300s", p->words.words[0], what);
    p->done(p->user, NULL, &(struct credentials_failure){CALL_RETRY, why});
}

static void on_line(void *user, struct span line) {
    struct process *p = user;
    size_t len = line.len < sizeof p->last_line ? line.len : sizeof p->last_line - 1;
    memcpy(p->last_line, line.data, len);
    p->last_line[len] = '\0';
    if (p->world->log) {
        LOG_EVENT(p->world->log, LOG_LEVEL_WARNING, "credential_process complains", LOG_C("program", p->words.words[0]),
                  LOG_S("line", line));
    }
}

static void take_output(struct process *p, struct span output) {
    char reason[DOCUMENT_WHY_SIZE], what[DOCUMENT_WHY_SIZE + 64];
    struct credentials_document *d = credentials_document_read(output, &form, reason);
    if (!d) {
        (void)snprintf(what, sizeof what, "prints a document that can't be used: %s", reason);
        fail(p, what);
        return;
    }
    if (!d->account_id[0]) {
        d->credentials.account_id = span_cstr(p->account_id);
    }
    p->done(p->user, &d->credentials, NULL);
    credentials_document_free(d);
}

static void on_done(void *user, const struct child_result *result) {
    struct process *p = user;
    struct child_process *child = p->child;
    char what[LAST_LINE_SIZE + 64];
    p->child = NULL;
    switch (result->end) {
    case CHILD_EXITED:
        if (result->code == 0) {
            take_output(p, result->output);
        } else {
            (void)snprintf(what, sizeof what, "ends with status %d%s%s", result->code, p->last_line[0] ? ": " : "",
                           p->last_line);
            fail(p, what);
        }
        break;
    case CHILD_SIGNALED:
        (void)snprintf(what, sizeof what, "was ended by signal %d", result->code);
        fail(p, what);
        break;
    case CHILD_TIMED_OUT: fail(p, "took more than 60 seconds, and was killed"); break;
    case CHILD_FLOODED: fail(p, "prints more than 64 KiB, and was killed"); break;
    case CHILD_LOST: fail(p, "can't be read: no memory, or no descriptors"); break;
    }
    child_process_free(child);
}

static void process_fetch(void *impl, credentials_fetched *done, void *user) {
    struct process *p = impl;
    int error = 0;
    const struct child_options options = {
        .argv = p->words.words,
        .timeout = TIMEOUT,
        .max_output = OUTPUT_MAX,
        .complained = on_line,
        .done = on_done,
        .user = p,
    };
    p->done = done;
    p->user = user;
    p->last_line[0] = '\0';
    p->child = child_process_start(p->world->loop, &options, &error);
    if (!p->child) {
        char what[128];
        (void)snprintf(what, sizeof what, "can't be started: %s", strerrordesc_np(error));
        fail(p, what);
    }
}

static void process_cancel(void *impl) {
    struct process *p = impl;
    child_process_free(p->child);
    p->child = NULL;
}

static void process_release(void *impl) {
    struct process *p = impl;
    process_cancel(p);
    shell_words_free(&p->words);
    free(p);
}

bool credentials_process_new(const struct credentials_plan *plan, const struct credentials_world *world,
                             struct credentials_source *ret_source, char ret_why[static SETTING_WHY_SIZE]) {
    struct process *p = calloc(1, sizeof *p);
    const char *why = "can't be read: out of memory";
    if (!p || !shell_words_split(plan->process, &p->words, &why)) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "credential_process of profile %.200s %s", plan->profile, why);
        free(p);
        return false;
    }
    p->world = world;
    if (plan->account_id.len && plan->account_id.len < sizeof p->account_id) {
        memcpy(p->account_id, plan->account_id.data, plan->account_id.len);
    }
    *ret_source = (struct credentials_source){p, process_fetch, process_cancel, process_release};
    return true;
}
