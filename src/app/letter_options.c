#include "letter_options.h"

#include "clock.h"
#include "failure.h"
#include "moment.h"

#include <stdio.h>
#include <string.h>

bool letter_error_fits(const char *text) {
    for (int type = ERROR_INVALID_INPUT; type <= ERROR_DATABASE; type++) {
        if (strcmp(text, error_type_name((enum error_type)type)) == 0) {
            return true;
        }
    }
    return strcmp(text, LETTER_ERROR_NONE) == 0;
}

bool letter_since_fits(const char *text) {
    const struct clock clock = clock_system();
    int64_t now = clock_wall(&clock), wall = 0;
    return moment_read(span_cstr(text), now, &wall);
}

struct discovery_options letter_discovery_options(struct app *app, bool wants_queue, int64_t patience) {
    struct discovery_options o = app_discovery_options(app, patience);
    o.audit_table = NULL;
    o.audit = AUDIT_OFF;
    o.max_attempts = 0; /* run warns where the queue's redrive policy and MAX_ATTEMPTS collide */
    o.queue = wants_queue || !o.dlq ? app->queue_url : NULL;
    if (!app->cli->of.letters.id.given) {
        o.table = NULL;
    }
    return o;
}

static enum exit_code read_id(struct letter_options *o, struct app *app, const struct discovery_facts *facts) {
    const char *given = app->cli->of.letters.id.text;
    const struct table_shape *table = app->settings.table_name ? &facts->table : NULL;
    const uint64_t seed[2] = {random_next(&app->random), random_next(&app->random)};
    struct buf why;
    buf_init(&why, 512);
    enum id_choice_status status = id_choice_init(&o->id, span_cstr(given), table, seed, &why);
    o->choice.id = &o->id;
    if (status == ID_CHOICE_UNFIT) {
        (void)fprintf(stderr, "table-updater: %s: --id=%.60s can't be a key of the table %.255s: %s\n",
                      app->cli->command->name, given, table ? table->name : "", buf_ok(&why) ? why.data : "");
    }
    if (status == ID_CHOICE_NO_MEMORY) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
    }
    buf_free(&why);
    return status == ID_CHOICE_FINE ? EXIT_FINE : status == ID_CHOICE_UNFIT ? EXIT_USAGE : EXIT_UNREACHABLE;
}

enum exit_code letter_options_read(struct letter_options *o, struct app *app, const struct discovery_facts *facts) {
    const struct cli_letters *given = &app->cli->of.letters;
    *o = (struct letter_options){.choice = {.error = span_cstr(given->error.text), .since = INT64_MIN}};
    if (given->since.given) {
        int64_t now = clock_wall(app->platform.clock);
        if (!moment_read(span_cstr(given->since.text), now, &o->choice.since)) {
            return EXIT_USAGE; /* it was checked when it was read */
        }
    }
    return given->id.given ? read_id(o, app, facts) : EXIT_FINE;
}

void letter_options_done(struct letter_options *o) {
    id_choice_free(&o->id);
    *o = (struct letter_options){0};
}

enum exit_code exit_code_of_call(const struct call_result *result) {
    if (result->class == CALL_DENIED || result->class == CALL_AUTH || result->class == CALL_CLOCK) {
        return EXIT_NOT_PERMITTED;
    }
    bool missing = strstr(result->code, "NonExistentQueue") || strstr(result->code, "QueueDoesNotExist");
    return result->from_service && missing ? EXIT_SETTINGS : EXIT_UNREACHABLE;
}
