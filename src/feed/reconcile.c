#include "reconcile.h"

#include "audit_key.h"
#include "audit_lookup.h"
#include "checkpoint.h"
#include "reconcile_window.h"
#include "row_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_ROWS 512 /* read in one turn of the loop */
#define ROWS_TOLD 10 /* failed rows that the log names */

_Static_assert(JOB_NAME_MAX + 1 + 20 <= ROW_KEY_SIZE, "a key fits");

struct reconcile {
    struct reconcile_options options;
    struct reconcile_host host;
    struct reconcile_counts counts;
    struct audit_life life;
    struct window window;
    struct audit_lookup *lookup;
    struct row_place open; /* of the first row that isn't applied */
    bool has_open;
    struct row_check check; /* of rows that have no record of a success */
    uint64_t again[WINDOW_ROWS]; /* places of rows whose failure is still to be asked for, as a queue */
    uint64_t again_first, again_next;
    struct timer turn;
    unsigned told;
    bool waits, input_over, broken;
    bool ended, ended_told;
    enum reconcile_end end;
    struct call_result call; /* why it ended */
    bool has_call;
};

static void schedule(struct reconcile *r) {
    if (!r->turn.running) {
        timer_start(r->options.timers, &r->turn, clock_monotonic(r->options.clock));
    }
}

static void end(struct reconcile *r, enum reconcile_end why, const struct call_result *call) {
    if (r->ended) {
        return;
    }
    r->ended = true;
    r->end = why;
    r->has_call = call != NULL;
    if (call) {
        r->call = *call;
    }
    schedule(r);
}

/* --- Looking up -------------------------------------------------------------------------------------------------- */

/* NAME:n. Without printf(), since it is made for each row. */
static struct span key_of(const struct reconcile *r, uint64_t number, char key[static ROW_KEY_SIZE]) {
    char digits[20];
    size_t count = 0, len = strnlen(r->options.job, JOB_NAME_MAX);
    memcpy(key, r->options.job, len);
    key[len++] = ':';
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        key[len++] = digits[--count];
    }
    return span_of(key, len);
}

static void ask(struct reconcile *r, uint64_t at) {
    const struct window_row *row = window_at(&r->window, at);
    const struct update_context *context = r->options.context;
    char key[ROW_KEY_SIZE], id[LOG_ID_SIZE + sizeof AUDIT_FAILURE_SUFFIX];
    if (!audit_log_id(context->digest, table_identity(context->table), key_of(r, row->place.number, key), id)) {
        end(r, RECONCILE_NO_MEMORY, NULL);
        return;
    }
    if (row->looks_for_failure) {
        memcpy(id + LOG_ID_SIZE - 1, AUDIT_FAILURE_SUFFIX, sizeof AUDIT_FAILURE_SUFFIX);
    }
    audit_lookup_add(r->lookup, id, at);
}

static void on_looked(void *user, uint64_t at, const struct audit_look *look) {
    struct reconcile *r = user;
    struct window_row *row = window_at(&r->window, at);
    bool found = look->state == AUDIT_FOUND;
    if (found) {
        audit_life_learn(&r->life, look);
    }
    if (found && !row->looks_for_failure) {
        row->fate = FATE_APPLIED;
    } else if (found) {
        row->fate = FATE_FAILED;
        (void)snprintf(row->error, sizeof row->error, "%.31s", look->error[0] ? look->error : "unknown");
    } else if (row->looks_for_failure) {
        row->fate = FATE_ABSENT;
    } else {
        row->looks_for_failure = true;
        r->again[r->again_next++ % WINDOW_ROWS] = at;
    }
}

static void on_lookup_changed(void *user) {
    schedule(user);
}

static void on_lookup_failed(void *user, const struct call_result *result) {
    enum reconcile_end why = result->class == CALL_DENIED || result->class == CALL_AUTH ? RECONCILE_DENIED
                             : result->class == CALL_PERMANENT                          ? RECONCILE_REFUSED
                                                                                        : RECONCILE_UNREACHABLE;
    end(user, why, result);
}

/* --- What rows come to -------------------------------------------------------------------------------------------- */

static void count_error(struct reconcile *r, const char *error) {
    size_t i = 0;
    while (i < RECONCILE_ERRORS - 1 && r->counts.errors[i].rows && strcmp(r->counts.errors[i].error, error) != 0) {
        i++;
    }
    const char *name = i < RECONCILE_ERRORS - 1 ? error : "others";
    (void)snprintf(r->counts.errors[i].error, sizeof r->counts.errors[i].error, "%s", name);
    r->counts.errors[i].rows++;
}

/* again: the row as it can be sent again; absent where it can't. */
static void settle_failed(struct reconcile *r, const struct window_row *row, const char *error, struct span again) {
    r->counts.failed++;
    count_error(r, error);
    if (again.data) {
        line_file_append(r->options.failed, again);
    } else {
        r->counts.unfit++;
    }
    if (r->told < ROWS_TOLD) {
        r->told++;
        LOG_EVENT(r->options.log, LOG_LEVEL_WARNING, again.data ? "A row failed" : "A row is unfit to be sent",
                  LOG_I("row", row->place.number), LOG_I("line", row->place.line), LOG_C("error", error));
    }
}

static void settle_absent(struct reconcile *r, struct span again) {
    if (audit_life_is_certain(&r->life, clock_wall(r->options.clock))) {
        r->counts.pending++;
        line_file_append(r->options.missing, again);
    } else {
        r->counts.unknown++;
    }
}

/* Counts the first row, whose fate is known, and writes it out where that is asked for. False: no memory. */
static bool settle(struct reconcile *r, const struct window_row *row) {
    struct row_message message = {.body = {NULL, 0}};
    if (row->fate != FATE_APPLIED && row->message) {
        struct row whole = {.place = row->place, .message = span_of(row->message, row->message_len)};
        whole.text = whole.message;
        if (!row_check(&r->check, &whole, &message)) {
            return false;
        }
    }
    if (row->fate != FATE_APPLIED && !r->has_open) {
        r->has_open = true;
        r->open = row->place;
    }
    r->counts.rows++;
    struct span again = message.failure ? (struct span){NULL, 0} : message.body;
    if (row->fate == FATE_APPLIED) {
        r->counts.applied++;
    } else if (row->fate == FATE_FAILED) {
        settle_failed(r, row, row->error, again);
    } else if (message.failure) {
        settle_failed(r, row, error_type_name(message.failure->type), again);
    } else {
        settle_absent(r, again);
    }
    return true;
}

static void settle_all(struct reconcile *r) {
    struct window_row *row;
    while (!r->ended && (row = window_decided(&r->window))) {
        if (!settle(r, row)) {
            end(r, RECONCILE_NO_MEMORY, NULL);
            return;
        }
        window_pop(&r->window);
    }
    if (r->options.missing->error || r->options.failed->error) {
        end(r, RECONCILE_UNWRITABLE, NULL);
    }
}

/* --- The turn ----------------------------------------------------------------------------------------------------- */

static void ask_again(struct reconcile *r) {
    while (!r->ended && r->again_first < r->again_next && audit_lookup_has_room(r->lookup)) {
        ask(r, r->again[r->again_first++ % WINDOW_ROWS]);
    }
}

static void take(struct reconcile *r, const struct row *row) {
    uint64_t at = r->window.next;
    const struct window_row *taken = window_push(&r->window, row);
    if (!taken) {
        end(r, RECONCILE_NO_MEMORY, NULL);
    } else if (taken->fate == FATE_OPEN) {
        ask(r, at);
    }
}

static bool can_read(const struct reconcile *r) {
    return !r->ended && !r->input_over && !r->waits && r->again_first == r->again_next && window_has_room(&r->window) &&
           audit_lookup_has_room(r->lookup);
}

/* Reads rows while there is room for them. */
static void read_rows(struct reconcile *r) {
    struct row row;
    for (unsigned i = 0; can_read(r); i++) {
        if (i == TURN_ROWS) {
            schedule(r); /* the loop's other work comes first */
            return;
        }
        switch (row_reader_next(r->options.reader, &row)) {
        case ROW_READ: take(r, &row); break;
        case ROW_WAIT:
            r->waits = true;
            r->host.waits(r->host.user);
            break;
        case ROW_END: r->input_over = true; break;
        case ROW_BROKEN: r->input_over = r->broken = true; break;
        }
    }
}

static void tell_end(struct reconcile *r) {
    if (!r->ended_told) {
        r->ended_told = true;
        r->host.ended(r->host.user, r->end, r->has_call ? &r->call : NULL);
    }
}

static void on_turn(void *user) {
    struct reconcile *r = user;
    settle_all(r);
    ask_again(r);
    read_rows(r);
    settle_all(r); /* rows that needn't be looked up */
    if (r->ended) {
        tell_end(r);
        return;
    }
    if (r->turn.running) {
        return;
    }
    bool can_go_on = can_read(r);
    if (!can_go_on && !audit_lookup_is_busy(r->lookup)) {
        audit_lookup_flush(r->lookup);
    }
    if (can_go_on) {
        schedule(r);
    } else if (r->input_over && r->window.first == r->window.next) {
        end(r, r->broken ? RECONCILE_BROKEN : RECONCILE_DONE, NULL);
    }
}

struct reconcile *reconcile_start(const struct reconcile_options *options, const struct reconcile_host *host) {
    struct reconcile *r = calloc(1, sizeof *r);
    if (!r) {
        return NULL;
    }
    r->options = *options;
    r->host = *host;
    r->counts = options->counts;
    r->life = options->life;
    timer_init(&r->turn, on_turn, r);
    const struct row_check_options check = {.context = options->context,
                                            .random = options->random,
                                            .job = options->job,
                                            .condition = options->condition,
                                            .max_size = SIZE_MAX};
    row_check_init(&r->check, &check);
    const struct audit_lookup_options lookup = {.api = options->api,
                                                .clock = options->clock,
                                                .timers = options->timers,
                                                .random = options->random,
                                                .log = options->log,
                                                .table = options->context->audit_table,
                                                .with_times = options->life.removal != REMOVAL_OFF,
                                                .rate = options->rate,
                                                .patience = options->patience};
    const struct audit_lookup_host lookup_host = {on_looked, on_lookup_changed, on_lookup_failed, r};
    r->lookup = audit_lookup_new(&lookup, &lookup_host);
    if (!window_init(&r->window) || !r->lookup) {
        reconcile_free(r);
        return NULL;
    }
    schedule(r);
    return r;
}

void reconcile_free(struct reconcile *r) {
    if (!r) {
        return;
    }
    timer_stop(r->options.timers, &r->turn);
    audit_lookup_free(r->lookup);
    window_free(&r->window);
    row_check_free(&r->check);
    free(r);
}

void reconcile_read(struct reconcile *r) {
    r->waits = false;
    schedule(r);
}

const struct reconcile_counts *reconcile_counts(const struct reconcile *r) {
    return &r->counts;
}

struct row_place reconcile_applied(const struct reconcile *r) {
    if (r->has_open) {
        return r->open;
    }
    return r->window.first < r->window.next ? window_at(&r->window, r->window.first)->place
                                            : row_reader_place(r->options.reader);
}

const char *reconcile_doubt(const struct reconcile *r) {
    return audit_life_doubt(&r->life);
}
