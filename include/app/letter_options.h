/* Which messages of the DLQ the command line means, and what dlq and redrive have to find before they begin. */
#pragma once

#include "app.h"
#include "compiler.h"
#include "id_choice.h"
#include "letter_choice.h"

#include <stdbool.h>

/* Whether --error and --since may have this value; for the table of commands. */
bool letter_error_fits(const char *text);
bool letter_since_fits(const char *text);
#define LETTER_ERROR_WORDS                                                                                             \
    "InvalidInputError ValidationError RecordNotFoundError ConditionalCheckFailed DatabaseError none"
#define LETTER_ERRORS                                                                                                  \
    "InvalidInputError, ValidationError, RecordNotFoundError, ConditionalCheckFailed, DatabaseError, or none (those "  \
    "without an envelope)"

struct letter_options {
    struct letter_choice choice;
    struct id_choice id;
};

/* What discovery has to find: the DLQ; the queue where it is wanted, or where its redrive policy names the DLQ; the
 * table where --id is given and TABLE_NAME set, since its key tells how ids are spelt. */
struct discovery_options letter_discovery_options(struct app *app, bool wants_queue, int64_t patience);
/* Reads the choice, once that is found. EXIT_FINE, or what the command ends with, which is told on standard error.
 * o must stay where it is, and is freed by letter_options_done() in any case. */
MUST_USE enum exit_code letter_options_read(struct letter_options *o, struct app *app,
                                            const struct discovery_facts *facts);
/* Takes a zeroed one too. */
void letter_options_done(struct letter_options *o);

/* The exit code of a command that ends because a call to the DLQ or the queue failed. */
enum exit_code exit_code_of_call(const struct call_result *result);
