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

#define APP_PATIENCE (60 * MICROSECONDS) /* of the commands that move rows and messages, for services that are away */

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
    size_t visitors; /* who may wait for metrics and pages at once */
    struct platform platform;
    struct check_report report; /* of `check` */
};

/* Reads the settings and sets all up. EXIT_FINE, or what the program ends with, said in the log. app must stay where it
 * is; app_free() is needed in any case. */
MUST_USE enum exit_code app_init(struct app *app, const struct cli *cli);
/* Takes a zeroed one too. */
void app_free(struct app *app);

/* What an option of the command line gives for a setting; NULL: none does. */
const char *app_option(const struct app *app, const char *setting);
/* Reads the settings again, and takes over in app->settings and app->log what can change; the credentials are asked for
 * anew. False: something is wrong with them, which is in the log, and all is as it was. */
MUST_USE bool app_reload(struct app *app);
/* What discovery is to look for. patience: microseconds, or NEVER. */
struct discovery_options app_discovery_options(const struct app *app, int64_t patience);
#define APP_START_FIELDS 13
/* Writes what the start line of every command says: version, table and key, region, endpoints, provider and account of
 * the credentials. Returns how many fields. */
size_t app_start_fields(struct app *app, const struct discovery_facts *facts,
                        struct log_field ret_fields[static APP_START_FIELDS]);
/* What a signal ends a command with, as shells have it. */
enum exit_code app_code_of_signal(int number);
/* What messages are read against; facts must outlive it. */
struct update_context app_update_context(struct app *app, const struct discovery_facts *facts);

/* The signals that a command hears of: SIGTERM, SIGINT, SIGHUP. Those that end the program and were ignored at the
 * start stay so (nohup). */
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
/* At the beginning of the program: SIGHUP waits until a command watches for it. */
void app_hold_hangup(void);
/* hangup_is_ours: SIGHUP ends nothing, and is heard of even where it was ignored. signals must stay where it is. False:
 * no memory. */
MUST_USE bool app_watch_signals(struct app *app, bool hangup_is_ours, void (*arrived)(void *user, int number),
                                void *user, struct app_signals *signals);
/* SIGHUP waits again, so that it ends nobody who is about to end well. Takes a zeroed one too. */
void app_unwatch_signals(struct app_signals *signals);

/* The commands. */
enum exit_code command_run(struct app *app);
enum exit_code command_apply(struct app *app);
enum exit_code command_dlq(struct app *app);
enum exit_code command_enqueue(struct app *app);
enum exit_code command_redrive(struct app *app);
enum exit_code command_reconcile(struct app *app);
enum exit_code command_lambda(struct app *app);
/* With --json they print what they came to after any end: here nothing. app may be set up in part. */
void command_enqueue_refused(struct app *app, enum exit_code code);
void command_redrive_refused(struct app *app, enum exit_code code);
void command_reconcile_refused(struct app *app, enum exit_code code);
/* Tells AWS Lambda that the function can't start. app may be set up in part. */
void command_lambda_refused(struct app *app, enum exit_code code);
void command_check_prepare(struct app *app);
enum exit_code command_check(struct app *app);
