#include "sink_stock.h"

#include "clock.h"

#include <stdlib.h>

#define OTHER_RECORDS 1000

static const int64_t WARMING = 2 * MICROSECONDS;

bool stock_init(struct stock *s, const struct sink_options *options) {
    *s = (struct stock){.options = options};
    if (options->endless)
        return true;
    s->states = calloc(options->messages + 1, sizeof *s->states);
    s->returned = calloc(options->messages + 1, sizeof *s->returned);
    return s->states && s->returned;
}

void stock_free(struct stock *s) {
    free(s->states);
    free(s->returned);
    tokens_free(&s->tokens);
}

/* How many messages have come until now, those that are gone again included. */
static uint64_t arrived(const struct stock *s, int64_t now) {
    if (s->options->endless)
        return UINT64_MAX;
    if (s->options->relay)
        return 0; /* they come by stock_add() */
    if (s->options->rate <= 0)
        return s->options->messages;
    if (!s->opened)
        return 0;
    double bursts = (double)(now - s->opened) / MICROSECONDS * s->options->rate / s->options->burst;
    uint64_t count = ((uint64_t)bursts + 1) * s->options->burst;
    return count < s->options->messages ? count : s->options->messages;
}

static struct message_state *state_of(struct stock *s, uint64_t number) {
    return s->states && number < s->options->messages ? &s->states[number] : NULL;
}

bool stock_take(struct stock *s, int64_t now, uint64_t *ret_number, unsigned *ret_receives) {
    if (!s->opened)
        s->opened = now;
    uint64_t number;
    if (s->returned_count > 0)
        number = s->returned[--s->returned_count];
    else if (s->next < arrived(s, now))
        number = s->next++;
    else
        return false;
    struct message_state *m = state_of(s, number);
    *ret_receives = 1;
    if (m) {
        m->place = MESSAGE_IN_FLIGHT;
        m->received_at = now;
        *ret_receives = ++m->receives;
    }
    *ret_number = number;
    s->in_flight++;
    if (s->in_flight > s->most_in_flight)
        s->most_in_flight = s->in_flight;
    s->counts.received++;
    if (!s->counts.first_receive)
        s->counts.first_receive = now;
    return true;
}

int64_t stock_wait(const struct stock *s, int64_t now) {
    if (s->returned_count > 0 || s->next < arrived(s, now))
        return 0;
    if (s->options->endless || s->options->relay || s->options->rate <= 0 || s->next >= s->options->messages)
        return -1;
    uint64_t bursts = s->next / s->options->burst;
    double due = (double)bursts * s->options->burst / s->options->rate * MICROSECONDS;
    int64_t wait = s->opened + (int64_t)due + 1 - now;
    return wait > 0 ? wait : 0;
}

bool stock_is_valid(const struct stock *s, uint64_t number) {
    unsigned one_in = s->options->invalid_one_in;
    return !one_in || number % one_in != one_in - 1;
}

static bool is_hot(const struct stock *s, uint64_t number) {
    unsigned one_in = s->options->hot_one_in;
    return one_in && number % one_in == one_in - 1;
}

uint64_t stock_record(const struct stock *s, uint64_t number) {
    unsigned one_in = s->options->hot_one_in;
    if (!one_in)
        return number;
    return is_hot(s, number) ? OTHER_RECORDS : (number - number / one_in) % OTHER_RECORDS;
}

static void keep_pace(struct stock_pace *pace, int64_t arrived, int64_t now) {
    if (pace->count++ == 0)
        pace->first = now;
    else
        pace->waited += now - arrived;
    pace->last = now;
}

void stock_add(struct stock *s, uint64_t number) {
    s->returned[s->returned_count++] = number;
}

void stock_delete(struct stock *s, uint64_t number, int64_t now) {
    struct message_state *m = state_of(s, number);
    if (!m || m->place == MESSAGE_VISIBLE) {
        s->counts.unknown += !s->options->endless;
        s->counts.deleted += s->options->endless;
        s->counts.last_delete = now;
        return;
    }
    if (m->place == MESSAGE_DELETED) {
        s->counts.deleted_again++;
        return;
    }
    m->place = MESSAGE_DELETED;
    s->in_flight--;
    s->counts.deleted++;
    s->counts.deleted_unsettled += !m->applied && !m->dead;
    s->counts.last_delete = now;
    histogram_add(&s->tail, now - m->received_at);
    int64_t age = m->received_at - s->counts.first_receive;
    if (age < MICROSECONDS)
        histogram_add(&s->first_tail, now - m->received_at);
    if (age >= WARMING)
        histogram_add(&s->warm_tail, now - m->received_at);
}

void stock_return(struct stock *s, uint64_t number) {
    struct message_state *m = state_of(s, number);
    if (!m || m->place != MESSAGE_IN_FLIGHT)
        return;
    m->place = MESSAGE_VISIBLE;
    s->in_flight--;
    s->returned[s->returned_count++] = number;
    s->counts.given_back++;
}

void stock_dead_letter(struct stock *s, bool known, uint64_t number) {
    struct message_state *m = known ? state_of(s, number) : NULL;
    s->counts.unknown += !m && !s->options->endless;
    s->counts.dead_lettered++;
    if (m && m->dead++ > 0)
        s->counts.dead_again++;
}

bool stock_apply(struct stock *s, bool known, uint64_t number, struct span token, int64_t arrived, int64_t now) {
    struct message_state *m = known ? state_of(s, number) : NULL;
    s->counts.transactions++;
    if (s->options->endless)
        return true;
    s->counts.unknown += !m;
    bool is_new;
    if (!tokens_add(&s->tokens, token, &is_new))
        return false;
    s->counts.repeated_tokens += !is_new;
    /* A token that was seen before is answered, and changes nothing. */
    if (m && is_new) {
        s->counts.applied += m->applied == 0;
        s->counts.applied_again += m->applied > 0;
        m->applied++;
        if (s->options->hot_one_in)
            keep_pace(is_hot(s, number) ? &s->hot : &s->others, arrived, now);
    }
    return true;
}

uint64_t stock_visible(const struct stock *s) {
    if (s->options->endless)
        return 1;
    if (s->options->relay)
        return s->returned_count;
    return s->options->messages - s->next + s->returned_count;
}
