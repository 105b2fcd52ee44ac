#include "shrink.h"

#include <stdlib.h>
#include <string.h>

static const unsigned RUNS_MAX = 600;

struct search {
    struct plan *plan;
    char broken[16];
    unsigned runs;
    bool *parts[PLAN_MESSAGES_MAX + PLAN_FAULTS_MAX + PLAN_EVENTS_MAX]; /* those still in */
    size_t count;
};

void shrink_broken(const char *violations, char ret_name[static 16]) {
    const char *name = strchr(violations, ' ');
    size_t len = name ? strcspn(name + 1, ":") : 0;
    snprintf(ret_name, 16, "%.*s", (int)(len < 15 ? len : 15), name ? name + 1 : "");
}

static bool still_breaks(struct search *s) {
    struct run_result result;
    char name[16] = "";
    run_plan(s->plan, NULL, &result);
    s->runs++;
    for (const char *line = result.violations; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        shrink_broken(line, name);
        if (!strcmp(name, s->broken))
            break;
    }
    free(result.violations);
    return !strcmp(name, s->broken);
}

static void collect(struct search *s) {
    struct plan *p = s->plan;
    s->count = 0;
    for (unsigned i = 0; i < p->fault_count; i++)
        if (!p->faults[i].left_out)
            s->parts[s->count++] = &p->faults[i].left_out;
    for (unsigned i = 0; i < p->event_count; i++)
        if (!p->events[i].left_out)
            s->parts[s->count++] = &p->events[i].left_out;
    for (unsigned i = 0; i < p->message_count; i++)
        if (!p->messages[i].left_out)
            s->parts[s->count++] = &p->messages[i].left_out;
}

static void set_range(struct search *s, size_t first, size_t count, bool out) {
    for (size_t i = first; i < first + count && i < s->count; i++)
        *s->parts[i] = out;
}

/* Tries to leave out each piece of so many parts. True: one could go. */
static bool pass(struct search *s, size_t size) {
    bool smaller = false;
    collect(s);
    for (size_t first = 0; first < s->count && s->runs < RUNS_MAX; first += size) {
        set_range(s, first, size, true);
        if (still_breaks(s))
            smaller = true;
        else
            set_range(s, first, size, false);
    }
    return smaller;
}

void shrink_plan(struct plan *p, const char *violations) {
    struct search s = {.plan = p};
    shrink_broken(violations, s.broken);
    collect(&s);
    for (size_t size = s.count / 2 ? s.count / 2 : 1; s.runs < RUNS_MAX;) {
        if (pass(&s, size) && size > 1)
            continue;
        if (size == 1)
            break;
        size /= 2;
    }
}
