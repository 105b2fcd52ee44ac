/* The program as a whole: what all commands need, set up once and freed at the end. */
#pragma once

#include "check_report.h"
#include "cli.h"
#include "compiler.h"
#include "configuration.h"
#include "digest.h"
#include "discovery.h"
#include "exit_code.h"
#include "log.h"
#include "loop.h"
#include "platform.h"
#include "problems.h"
#include "queue_place.h"
#include "random.h"
#include "services.h"
#include "settings.h"
#include "update.h"

#define APP_PATIENCE (60 * MICROSECONDS) /* how long dlq, enqueue, redrive and reconcile wait for services */

struct app {
    const struct cli *cli;
    struct log log;
    struct metrics metrics;
    struct problems problems;
    struct configuration configuration;
    struct environment environment;
    struct settings settings;
    struct random random;
    struct loop *loop;
    struct digest *digest;
    struct services services;
    char queue_url[QUEUE_URL_SIZE], dlq_url[QUEUE_URL_SIZE]; /* the settings, without a slash at a URL's end */
    char sqs_origin[URL_ORIGIN_SIZE], dynamodb_origin[URL_ORIGIN_SIZE];
    char account[ACCOUNT_ID_SIZE]; /* of the credentials at the start; "": their source doesn't say */
    size_t visitors; /* HTTP clients that may be connected at once */
    struct platform platform;
    struct check_report report; /* of `check` */
};

/* Reads the settings and sets all up. EXIT_FINE, or what the program ends with, said in the log. app must stay where it
 * is; app_free() is needed in any case. */
MUST_USE enum exit_code app_init(struct app *app, const struct cli *cli);
/* Takes a zeroed one too. */
void app_free(struct app *app);

/* The value that an option of the command line gives to a setting; NULL: no option does. */
const char *app_option(const struct app *app, const char *setting);
/* Reads the settings again, and takes over in app->settings and app->log what can change; the credentials are asked for
 * anew. False: something is wrong with them, which is in the log, and all is as it was. */
MUST_USE bool app_reload(struct app *app);
/* What discovery is to look for. patience: microseconds, or NEVER. */
struct discovery_options app_discovery_options(const struct app *app, int64_t patience);
#define APP_START_FIELDS 13
/* Writes the fields of the start line of run, apply and lambda: version, table and key, region, endpoints, provider and
 * account of the credentials, audit settings. Returns how many fields. */
size_t app_start_fields(struct app *app, const struct discovery_facts *facts,
                        struct log_field ret_fields[static APP_START_FIELDS]);
/* The exit code of a command that a signal ended: 128 and its number, as in shells. */
enum exit_code app_code_of_signal(int number);
/* What messages are read against; facts must outlive it. */
struct update_context app_update_context(struct app *app, const struct discovery_facts *facts);

/* The signals that a command watches: SIGTERM, SIGINT, SIGHUP. One that was ignored at the start (nohup) stays ignored,
 * but for a SIGHUP that has a meaning of its own. */
#define APP_SIGNALS 3
struct app_signals {
    struct app_signal {
        struct loop_watch *watch;
        const struct app_signals *all;
        int number;
    } of[APP_SIGNALS];
    void (*arrived)(void *user, int number);
    void *user;
};
/* At the beginning of the program: blocks SIGHUP until a command watches for it. */
void app_hold_hangup(void);
/* hangup_is_ours: SIGHUP doesn't end the command, but has a meaning of its own; it is watched even where it was
 * ignored. signals must stay where it is. False: no memory. */
MUST_USE bool app_watch_signals(struct app *app, bool hangup_is_ours, void (*arrived)(void *user, int number),
                                void *user, struct app_signals *signals);
/* Blocks SIGHUP again, so that it doesn't kill a program that is about to end well. Takes a zeroed one too. */
void app_unwatch_signals(struct app_signals *signals);

/* The commands. */
enum exit_code command_run(struct app *app);
enum exit_code command_apply(struct app *app);
enum exit_code command_dlq(struct app *app);
enum exit_code command_enqueue(struct app *app);
enum exit_code command_redrive(struct app *app);
enum exit_code command_reconcile(struct app *app);
enum exit_code command_lambda(struct app *app);
/* With --json these commands print their counts however they end. These functions do so after a failed start: nothing
 * was done. app may be set up in part. */
void command_enqueue_refused(struct app *app, enum exit_code code);
void command_redrive_refused(struct app *app, enum exit_code code);
void command_reconcile_refused(struct app *app, enum exit_code code);
/* Tells AWS Lambda that the function can't start. app may be set up in part. */
void command_lambda_refused(struct app *app, enum exit_code code);
void command_check_prepare(struct app *app);
enum exit_code command_check(struct app *app);
