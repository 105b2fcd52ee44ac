/* The table of commands: the command line is read by it, the help is made of it, and main() calls what stands in it. */
#include "app.h"
#include "letter_options.h"
#include "moment.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct cli, member)

const struct cli_option CLI_COMMON_OPTIONS[] = {
    {.name = "--config",
     .takes = TAKES_TEXT,
     .value = "FILE",
     .offset = AT(config),
     .text = "Read settings from FILE instead of " SETTINGS_DEFAULT_FILE "."},
    {.name = "--help", .short_name = "-h", .offset = AT(help), .text = "Show this help, or a command's."},
    {.name = "--version", .short_name = "-V", .offset = AT(version), .text = "Show the version."},
};
const size_t CLI_COMMON_COUNT = ARRAY_LENGTH(CLI_COMMON_OPTIONS);

#define NEW_FILE "a file's name: - is none here, standard output is for results"

static bool is_file_name(const char *text) {
    return strcmp(text, "-") != 0;
}

static const struct cli_option run_options[] = {
    {.name = "--until-empty",
     .takes = TAKES_PERHAPS,
     .value = "SECONDS",
     .is_number = true,
     .min = 0,
     .max = UNTIL_EMPTY_MAX,
     .offset = AT(of.run.until_empty),
     .text = "End once the queue is empty, and has been for SECONDS (default 0: about 3 s after the last message). The "
             "counts of Amazon SQS lag by a minute: give 120 with it."},
};

static const struct cli_option check_options[] = {
    {.name = "--json",
     .offset = AT(of.check.json),
     .text = "One JSON object a line: status, check, subject, what, mend."},
};

static const struct cli_option apply_options[] = {
    {.name = "--line-numbers",
     .offset = AT(of.apply.line_numbers),
     .text = "Give each response a member \"line\": the line of the input that it answers."},
    {.name = "--quiet", .offset = AT(of.apply.quiet), .text = "Show no progress."},
};

#define LETTER_LIMIT_MAX 1000000000U
#define LETTER_RATE_MAX 100000U

/* Which messages of the DLQ are meant. */
#define LETTER_OPTIONS                                                                                                 \
    {.name = "--error",                                                                                                \
     .takes = TAKES_TEXT,                                                                                              \
     .value = "TYPE",                                                                                                  \
     .fits = letter_error_fits,                                                                                        \
     .expected = LETTER_ERRORS,                                                                                        \
     .words = LETTER_ERROR_WORDS,                                                                                      \
     .offset = AT(of.letters.error),                                                                                   \
     .text = "Only messages that failed so: " LETTER_ERRORS "."},                                                      \
        {.name = "--id",                                                                                               \
         .takes = TAKES_TEXT,                                                                                          \
         .value = "ID",                                                                                                \
         .offset = AT(of.letters.id),                                                                                  \
         .text = "Only messages about this record: its id as text or JSON, in any spelling (1 is 1.0)."},              \
        {.name = "--since",                                                                                            \
         .takes = TAKES_TEXT,                                                                                          \
         .value = "DURATION|TIME",                                                                                     \
         .fits = letter_since_fits,                                                                                    \
         .expected = MOMENT_EXPECTED,                                                                                  \
         .offset = AT(of.letters.since),                                                                               \
         .text = "Only messages that failed since then: " MOMENT_EXPECTED "."},                                        \
    {                                                                                                                  \
        .name = "--limit", .takes = TAKES_TEXT, .value = "N", .is_number = true, .min = 1, .max = LETTER_LIMIT_MAX,    \
        .offset = AT(of.letters.limit), .text = "At most N messages."                                                  \
    }

static const struct cli_option dlq_options[] = {
    LETTER_OPTIONS,
    {.name = "--json", .offset = AT(of.letters.json), .text = "One JSON object a message, a line each."},
};

static const struct cli_option enqueue_options[] = {
    {.name = "--format",
     .takes = TAKES_TEXT,
     .value = "json|csv",
     .offset = AT(of.enqueue.format),
     .text = "What the input is. Default: csv for files called .csv, .csv.gz or .csv.zst, else json."},
    {.name = "--rejects",
     .takes = TAKES_TEXT,
     .value = "FILE",
     .fits = is_file_name,
     .expected = NEW_FILE,
     .offset = AT(of.enqueue.rejects),
     .text =
         "Append each row that is no message, or that SQS refuses, to FILE: one JSON object a line with the members "
         "line, error and row."},
    {.name = "--strict", .offset = AT(of.enqueue.strict), .text = "End at the first row that is rejected."},
    {.name = "--rate",
     .takes = TAKES_TEXT,
     .value = "N",
     .is_number = true,
     .min = 1,
     .max = 1000000,
     .offset = AT(of.enqueue.rate),
     .text = "Send at most N rows a second."},
    {.name = "--group-by",
     .takes = TAKES_TEXT,
     .value = "ATTRIBUTE|id",
     .offset = AT(of.enqueue.group_by),
     .text = "On a FIFO queue: rows with the same value of this attribute, or of the same record, keep their order."},
    {.name = "--delay",
     .takes = TAKES_TEXT,
     .value = "SECONDS",
     .is_number = true,
     .min = 0,
     .max = 900,
     .offset = AT(of.enqueue.delay),
     .text = "Hide the messages for so long."},
    {.name = "--condition",
     .takes = TAKES_TEXT,
     .value = "TEXT",
     .offset = AT(of.enqueue.condition),
     .text = "A condition_expression for every row; a row's own must hold as well."},
    {.name = "--log", .offset = AT(of.enqueue.log), .text = "Set enable_logging in every row that doesn't have it."},
    {.name = "--job",
     .takes = TAKES_TEXT,
     .value = "NAME",
     .offset = AT(of.enqueue.job),
     .text = "Row n has the idempotency key NAME:n and an audit record, and a checkpoint keeps how far the one FILE is "
             "sent: the same command goes on there."},
    {.name = "--checkpoint",
     .takes = TAKES_TEXT,
     .value = "FILE",
     .fits = is_file_name,
     .expected = NEW_FILE,
     .offset = AT(of.enqueue.checkpoint),
     .text = "Where the job's checkpoint is. Default: NAME.table-updater-job beside the file."},
    {.name = "--dry-run", .offset = AT(of.enqueue.dry_run), .text = "Check all rows, and send none."},
    {.name = "--json",
     .offset = AT(of.enqueue.json),
     .text = "Print one JSON object at the end: rows, sent, rejected, bytes, seconds."},
    {.name = "--quiet", .offset = AT(of.enqueue.quiet), .text = "Show no progress and no summary."},
};

static const struct cli_option reconcile_options[] = {
    {.name = "--job",
     .takes = TAKES_TEXT,
     .value = "NAME",
     .offset = AT(of.reconcile.job),
     .text = "The job that FILE was enqueued as."},
    {.name = "--checkpoint",
     .takes = TAKES_TEXT,
     .value = "FILE",
     .fits = is_file_name,
     .expected = NEW_FILE,
     .offset = AT(of.reconcile.checkpoint),
     .text = "The job's checkpoint. Default: NAME.table-updater-job beside the file."},
    {.name = "--format",
     .takes = TAKES_TEXT,
     .value = "json|csv",
     .offset = AT(of.reconcile.format),
     .text = "What FILE is. Default: as the checkpoint says; without one, by the name."},
    {.name = "--condition",
     .takes = TAKES_TEXT,
     .value = "TEXT",
     .offset = AT(of.reconcile.condition),
     .text = "The condition that the job gave every row, for the rows written out. Default: as the checkpoint says."},
    {.name = "--missing",
     .takes = TAKES_TEXT,
     .value = "FILE",
     .fits = is_file_name,
     .expected = NEW_FILE,
     .offset = AT(of.reconcile.missing),
     .text = "Write the rows that are pending to FILE, as JSON lines that can be enqueued as they are."},
    {.name = "--failed",
     .takes = TAKES_TEXT,
     .value = "FILE",
     .fits = is_file_name,
     .expected = NEW_FILE,
     .offset = AT(of.reconcile.failed),
     .text = "Write the rows that failed to FILE, likewise."},
    {.name = "--rate",
     .takes = TAKES_TEXT,
     .value = "N",
     .is_number = true,
     .min = 1,
     .max = 100000,
     .offset = AT(of.reconcile.rate),
     .text = "Send at most N requests a second, each of which reads a hundred records."},
    {.name = "--json",
     .offset = AT(of.reconcile.json),
     .text = "Print one JSON object: applied, failed, pending, rows."},
    {.name = "--quiet", .offset = AT(of.reconcile.quiet), .text = "Show no progress."},
};

static bool enqueue_is_dry(const struct cli *cli) {
    return cli->of.enqueue.dry_run.given;
}

static const struct cli_option redrive_options[] = {
    LETTER_OPTIONS,
    {.name = "--rate",
     .takes = TAKES_TEXT,
     .value = "N",
     .is_number = true,
     .min = 1,
     .max = LETTER_RATE_MAX,
     .offset = AT(of.letters.rate),
     .text = "At most N messages a second."},
    {.name = "--dry-run", .offset = AT(of.letters.dry_run), .text = "Show what would be moved, and move nothing."},
    {.name = "--yes",
     .offset = AT(of.letters.yes),
     .text = "Don't ask. It is needed where there is no terminal to ask on."},
    {.name = "--json",
     .offset = AT(of.letters.json),
     .text = "One JSON object at the end: what was moved, what wasn't."},
};

const struct cli_command CLI_COMMANDS[] = {
    {.name = "run",
     .operands = "",
     .options = run_options,
     .option_count = ARRAY_LENGTH(run_options),
     .needs = NEED_TABLE_AND_QUEUE,
     .run = command_run,
     .summary = "Apply the messages of the queue, until SIGTERM.",
     .text = "Apply the messages of the queue QUEUE_URL to the table TABLE_NAME, each as one\n"
             "transaction with its audit record; delete what succeeded, and send what failed\n"
             "for good to the dead-letter queue.\n"
             "\n"
             "Services that can't be reached at the start are waited for. SIGTERM or SIGINT\n"
             "finishes what is under way within SHUTDOWN_TIMEOUT seconds and gives the rest\n"
             "back to the queue; a second signal gives everything back at once. Logs go to\n"
             "standard error.\n",
     .examples = "  table-updater run\n"
                 "  table-updater run --config backfill.conf --max-rate 200 --until-empty=120\n"},
    {.name = "check",
     .operands = "",
     .options = check_options,
     .option_count = ARRAY_LENGTH(check_options),
     .needs = (enum settings_need)(NEED_TABLE | NEED_QUEUE_WHERE_SET),
     .prepare = command_check_prepare,
     .run = command_check,
     .summary = "Say what is set up, what isn't, and what to do about it.",
     .text = "Look at all that run needs, and change nothing: settings (and who gives each),\n"
             "credentials, region, endpoints, clock, tables, queues and their redrive\n"
             "policies, and permissions, as far as they can be tried without an effect.\n"
             "\n"
             "Each thing is a line on standard output that begins with ok, warning or\n"
             "problem, and says what to do. The exit status is that of the worst problem,\n"
             "the first of 78, 77 and 69; with warnings alone it is 0.\n",
     .examples = "  table-updater check\n"
                 "  table-updater check --config backfill.conf --json\n"},
    {.name = "apply",
     .operands = "[FILE]",
     .operands_most = 1,
     .options = apply_options,
     .option_count = ARRAY_LENGTH(apply_options),
     .needs = NEED_TABLE,
     .run = command_apply,
     .summary = "Apply messages from a file or standard input, without a queue.",
     .text = "Apply messages from FILE, or from standard input where there is no FILE or it\n"
             "is -, to the table TABLE_NAME: one JSON value a line, or one object over several\n"
             "lines. One response a line goes to standard output, in the order of the input.\n"
             "\n"
             "A message without an idempotency_key gets a random one. A fault of the\n"
             "environment ends the command, and so does a signal, once what was begun is\n"
             "finished (a second one: at once). The log says at which line: all before it are\n"
             "done, so that `tail -n +LINE FILE | table-updater apply` goes on.\n",
     .examples = "  table-updater apply updates.jsonl >responses.jsonl\n"
                 "  generate-updates | table-updater apply --table-name users --region eu-west-1\n"},
    {.name = "dlq",
     .operands = "",
     .options = dlq_options,
     .option_count = ARRAY_LENGTH(dlq_options),
     .needs = NEED_DLQ,
     .run = command_dlq,
     .summary = "Show what is in the dead-letter queue, which stays as it is.",
     .text = "Show what is in the dead-letter queue: how many messages, by error and reason,\n"
             "since when, what mends them, and some of them. It is DLQ_URL, or what the\n"
             "redrive policy of QUEUE_URL names.\n"
             "\n"
             "Nothing is consumed: what was looked at is visible again when it ends, after\n"
             "Ctrl-C as well. A look is a delivery: receive counts rise by one. Of a group\n"
             "of a FIFO queue SQS shows the first ten messages only.\n",
     .examples = "  table-updater dlq --since 1d\n"
                 "  table-updater dlq --error ValidationError --json | jq -r .details.field | sort\n"},
    {.name = "enqueue",
     .operands = "[FILE...]",
     .operands_most = 10000,
     .options = enqueue_options,
     .option_count = ARRAY_LENGTH(enqueue_options),
     .needs = NEED_QUEUE,
     .is_dry = enqueue_is_dry,
     .run = command_enqueue,
     .refused = command_enqueue_refused,
     .summary = "Put the rows of files onto the queue as messages.",
     .text = "Put the rows of each FILE, or of standard input where there is none or it is -,\n"
             "onto the queue QUEUE_URL: JSON lines, or CSV whose header names the key and the\n"
             "attributes (age:N, ok:BOOL, note:S, data:JSON); plain, gzip or zstd.\n"
             "\n"
             "Each row is checked first as the worker will check it, against TABLE_NAME where\n"
             "that is set. One that fails is rejected, and the command ends with 1. Ctrl-C\n"
             "sends what was read, ends with 130, and names the command that goes on.\n",
     .examples = "  table-updater enqueue --job prices-2026-11 --rejects bad.jsonl prices.csv.gz\n"
                 "  generate-updates | table-updater enqueue --rate 500 --condition 'version < 5'\n"
                 "  table-updater enqueue --dry-run --table-name users users.csv\n"},
    {.name = "redrive",
     .operands = "",
     .options = redrive_options,
     .option_count = ARRAY_LENGTH(redrive_options),
     .needs = NEED_QUEUE,
     .run = command_redrive,
     .refused = command_redrive_refused,
     .summary = "Move messages from the dead-letter queue back to the queue.",
     .text = "Move messages from the dead-letter queue to QUEUE_URL, as they are: the worker\n"
             "unwraps its own, and each runs under its original idempotency key. What SQS\n"
             "itself moved there is taken as well. What is there when it begins is moved, and\n"
             "not what comes back meanwhile; groups of FIFO queues go in order.\n"
             "\n"
             "A message is deleted from the dead-letter queue once the queue has acknowledged\n"
             "it. Nothing is lost if the command is interrupted or killed, and no audited\n"
             "message is applied twice. On a terminal it asks first.\n",
     .examples = "  table-updater redrive --error RecordNotFoundError --since 2h --dry-run\n"
                 "  table-updater redrive --yes --rate 50\n"},
    {.name = "reconcile",
     .operands = "FILE",
     .operands_least = 1,
     .operands_most = 1,
     .options = reconcile_options,
     .option_count = ARRAY_LENGTH(reconcile_options),
     .needs = NEED_TABLE,
     .run = command_reconcile,
     .refused = command_reconcile_refused,
     .summary = "Say what became of each row of a file that was enqueued as a job.",
     .text = "Say by the audit records what became of each row of FILE, which was enqueued\n"
             "with --job NAME: applied, failed or pending. Exit status 0 means that all are\n"
             "applied.\n"
             "\n"
             "It can be interrupted: the same command goes on with the first row that wasn't\n"
             "applied, by a file NAME.table-updater-reconcile beside FILE, which is removed at\n"
             "the end. Where audit records can have been removed by TTL, rows without one are\n"
             "unknown, not pending.\n",
     .examples = "  table-updater reconcile --job prices-2026-11 prices.csv.gz\n"
                 "  table-updater reconcile --job j --missing again.jsonl rows.jsonl\n"},
    {.name = "lambda",
     .operands = "",
     .needs = NEED_TABLE_PERHAPS_DLQ,
     .run = command_lambda,
     .refused = command_lambda_refused,
     .summary = "Serve as a function of AWS Lambda (also where the program is called bootstrap).",
     .text = "Serve as a custom runtime of AWS Lambda, one invocation at a time: an update\n"
             "message, a request of API Gateway or a function URL, records of SQS or SNS, or\n"
             "an event of EventBridge. AWS Lambda starts it; it needs AWS_LAMBDA_RUNTIME_API.\n"
             "\n"
             "Records of SQS that are to come again are named in batchItemFailures. What fails\n"
             "for good goes to DLQ_URL where that is set, else its sender hears of it.\n",
     .examples = "  aws lambda invoke --function-name table-updater:live \\\n"
                 "    --payload fileb://update.json answer.json\n"},
};
const size_t CLI_COMMAND_COUNT = ARRAY_LENGTH(CLI_COMMANDS);
