#include "sink_service.h"

#include <inttypes.h>

static void number(struct buf *out, const char *name, uint64_t value) {
    buf_printf(out, "\"%s\":%" PRIu64 ",", name, value);
}

static void quantiles(struct buf *out, const char *name, const struct histogram *h) {
    buf_printf(out,
               "\"%s\":{\"count\":%" PRIu64 ",\"p50\":%" PRId64 ",\"p99\":%" PRId64 ",\"p999\":%" PRId64
               ",\"longest\":%" PRId64 "},",
               name, h->count, histogram_quantile(h, 0.5), histogram_quantile(h, 0.99), histogram_quantile(h, 0.999),
               h->longest);
}

static void pace(struct buf *out, const char *name, const struct stock_pace *p) {
    buf_printf(out, "\"%s\":{\"count\":%" PRIu64 ",\"microseconds\":%" PRId64 ",\"waited\":%" PRId64 "},", name,
               p->count, p->last - p->first, p->waited);
}

void sink_report(const struct sink_service *s, struct buf *out) {
    const struct stock_counts *c = &s->stock.counts;
    buf_append_char(out, '{');
    number(out, "messages", s->options->endless ? 0 : s->options->messages);
    number(out, "body_size", s->bodies.valid.text.len + RECORD_DIGITS + 2);
    number(out, "received", c->received);
    number(out, "applied", c->applied);
    number(out, "deleted", c->deleted);
    number(out, "dead_lettered", c->dead_lettered);
    number(out, "in_flight", s->stock.in_flight);
    number(out, "most_in_flight", s->stock.most_in_flight);
    number(out, "visible", stock_visible(&s->stock));
    number(out, "given_back", c->given_back);
    number(out, "transactions", c->transactions);
    number(out, "unique_tokens", s->stock.tokens.count);
    number(out, "repeated_tokens", c->repeated_tokens);
    number(out, "applied_again", c->applied_again);
    number(out, "dead_again", c->dead_again);
    number(out, "deleted_again", c->deleted_again);
    number(out, "deleted_unsettled", c->deleted_unsettled);
    number(out, "unknown", c->unknown);
    number(out, "sent", s->relay.sent);
    number(out, "sent_again", s->relay.sent_again);
    number(out, "records", s->relay.records.count);
    number(out, "connections", s->connections);
    number(out, "tls_connections", s->tls_connections);
    number(out, "microseconds", c->last_delete > c->first_receive ? (uint64_t)(c->last_delete - c->first_receive) : 0);
    pace(out, "hot", &s->stock.hot);
    pace(out, "others", &s->stock.others);
    quantiles(out, "tail", &s->stock.tail);
    quantiles(out, "first_tail", &s->stock.first_tail);
    quantiles(out, "warm_tail", &s->stock.warm_tail);
    buf_append_cstr(out, "\"requests\":{");
    for (unsigned i = 0; i < SINK_OPERATIONS; i++)
        buf_printf(out, "%s\"%s\":{\"count\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", i ? "," : "",
                   sink_operation_name((enum sink_operation)i), s->operations[i].requests, s->operations[i].bytes);
    buf_append_cstr(out, "}}");
}
