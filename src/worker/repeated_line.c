#include "repeated_line.h"

#include <stdio.h>

static const int64_t INTERVAL = 60 * MICROSECONDS;

static void tell(const struct repeated_line *r) {
    struct log_field fields[4] = {LOG_C("message_id", r->last_id)};
    size_t count = 1;
    if (r->last_code[0])
        fields[count++] = LOG_C("code", r->last_code);
    if (r->more > 1)
        fields[count++] = LOG_I("messages", r->more);
    log_event(r->platform->log, LOG_LEVEL_WARNING, r->text, fields);
}

static void on_timer(void *user) {
    struct repeated_line *r = user;
    if (r->more == 0)
        return;
    tell(r);
    r->more = 0;
    timer_start(r->platform->timers, &r->timer, clock_monotonic(r->platform->clock) + INTERVAL);
}

void repeated_line_init(struct repeated_line *r, const struct platform *platform, const char *text) {
    *r = (struct repeated_line){.platform = platform, .text = text};
    timer_init(&r->timer, on_timer, r);
}

void repeated_line_say(struct repeated_line *r, struct span message_id, const char *code) {
    snprintf(r->last_id, sizeof r->last_id, "%.*s",
             (int)(message_id.len < sizeof r->last_id ? message_id.len : sizeof r->last_id - 1), message_id.data);
    snprintf(r->last_code, sizeof r->last_code, "%s", code);
    r->more++;
    if (!r->timer.running) {
        timer_start(r->platform->timers, &r->timer, clock_monotonic(r->platform->clock));
        on_timer(r);
    }
}

void repeated_line_done(struct repeated_line *r) {
    timer_stop(r->platform->timers, &r->timer);
    if (r->more > 0)
        tell(r);
    r->more = 0;
}
