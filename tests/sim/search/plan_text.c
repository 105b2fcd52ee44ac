/* A plan as text, and its parts by their names: m3 (message), f0 (fault), e1 (event). */
#include "plan.h"

#include "world.h"

#include <stdlib.h>
#include <string.h>

static double seconds(int64_t t) {
    return (double)t / (double)SECOND;
}

static void print_fault(const struct plan *p, unsigned i, FILE *out) {
    static const char *const cuts[CUT_WAYS] = {
        "no connection",       "silence, before",  "silence, after", "reset, before", "reset, after",
        "expired credentials", "its clock is off", "503 of a box",   "200 of a box",  "each second call"};
    const struct plan_fault *f = &p->faults[i];
    fprintf(out, "f%u  at %.3f for ", i, seconds(f->at));
    if (f->lasts == FOR_GOOD)
        fprintf(out, "good");
    else
        fprintf(out, "%.3f", seconds(f->lasts));
    fprintf(out, " %s (%u)", fault_name(f->kind), f->amount);
    if (f->kind >= FAULT_PATH_TRANSACT && f->kind <= FAULT_PATH_RECEIVE)
        fprintf(out, ": %s", sim_path_name(plan_path(f)));
    if (f->kind >= FAULT_PATH_TRANSACT && f->kind <= FAULT_HOT_RECORD)
        fprintf(out, ", update %u", f->target);
    else if (f->kind == FAULT_SUSPEND)
        fprintf(out, f->target == PLAN_EVERY_WORKER ? ", all workers" : ", worker %u", f->target);
    else if (f->kind == FAULT_CUT_OFF)
        fprintf(out, ", worker %u from %s%s: %s", f->target, plan_cuts_dynamodb(f) ? "DynamoDB" : "",
                !plan_cuts_sqs(f)       ? ""
                : plan_cuts_dynamodb(f) ? " and SQS"
                                        : "SQS",
                cuts[plan_cut_way(f)]);
    fprintf(out, "\n");
}

void plan_print(const struct plan *p, FILE *out) {
    static const char *const kinds[] = {"plain", "chain", "nobody", "false", "invalid", "reused", "poison", "refused"};
    static const char *const events[] = {"kill", "stop", "stop-twice"};
    fprintf(out, "seed %llu: %s queue%s, DynamoDB %.3f s, SQS %.3f s\n", (unsigned long long)p->seed,
            p->fifo ? "FIFO" : "standard", p->steady ? ", steady load" : "", seconds(p->db_latency),
            seconds(p->sqs_latency));
    if (p->feed_every)
        fprintf(out, "healthy messages every %.3f s for %.0f s\n", seconds(p->feed_every), seconds(p->length));
    for (unsigned i = 0; i < p->worker_count; i++) {
        const struct plan_worker *w = &p->workers[i];
        fprintf(
            out,
            "w%u  from %.3f MAX_IN_FLIGHT=%u MAX_RATE=%u MAX_ATTEMPTS=%u VISIBILITY_TIMEOUT=%u SHUTDOWN_TIMEOUT=%u\n",
            i, seconds(w->start), w->max_in_flight, w->max_rate, w->max_attempts, w->visibility, w->shutdown_timeout);
    }
    for (unsigned i = 0; i < p->fault_count; i++)
        if (!p->faults[i].left_out)
            print_fault(p, i, out);
    for (unsigned i = 0; i < p->event_count; i++)
        if (!p->events[i].left_out)
            fprintf(out, "e%u  at %.3f and %u steps %s w%u, again after %.3f\n", i, seconds(p->events[i].at),
                    p->events[i].steps, events[p->events[i].kind], p->events[i].worker, seconds(p->events[i].restart));
    for (unsigned i = 0; i < p->message_count; i++) {
        const struct plan_message *m = &p->messages[i];
        const struct plan_update *u = &p->updates[m->update];
        if (!m->left_out)
            fprintf(out, "m%u  at %.3f %s%s%s group %u %s\n", i, seconds(m->at), kinds[u->kind],
                    u->audited ? ", audited" : "", u->wrapped ? ", redriven" : "", u->group, u->inner);
    }
}

static bool *left_out(struct plan *p, char kind, unsigned i) {
    if (kind == 'm' && i < p->message_count)
        return &p->messages[i].left_out;
    if (kind == 'f' && i < p->fault_count)
        return &p->faults[i].left_out;
    if (kind == 'e' && i < p->event_count)
        return &p->events[i].left_out;
    return NULL;
}

bool plan_leave_out(struct plan *p, const char *parts) {
    while (*parts) {
        char kind = *parts++, *end = NULL;
        unsigned long first = strtoul(parts, &end, 10), last = first;
        if (end == parts)
            return false;
        parts = end;
        if (*parts == '-') {
            if (*++parts == kind)
                parts++;
            last = strtoul(parts, &end, 10);
            parts = end;
        }
        for (unsigned long i = first; i <= last; i++) {
            bool *flag = left_out(p, kind, (unsigned)i);
            if (!flag)
                return false;
            *flag = true;
        }
        if (*parts && *parts++ != ',')
            return false;
    }
    return true;
}

static void name_ranges(struct buf *out, const struct plan *p, char kind) {
    struct plan *own = (struct plan *)(uintptr_t)p; /* only read */
    const bool *flag;
    for (unsigned i = 0; (flag = left_out(own, kind, i)); i++) {
        unsigned last = i;
        if (!*flag)
            continue;
        while ((flag = left_out(own, kind, last + 1)) && *flag)
            last++;
        buf_printf(out, last > i ? "%s%c%u-%u" : "%s%c%u", out->len ? "," : "", kind, i, last);
        i = last;
    }
}

char *plan_left_out(const struct plan *p) {
    struct buf out;
    buf_init(&out, 4096);
    name_ranges(&out, p, 'm');
    name_ranges(&out, p, 'f');
    name_ranges(&out, p, 'e');
    char *text = out.len ? world_text(buf_span(&out)) : NULL;
    buf_free(&out);
    return text;
}
