/* The client: what all its calls have in common. */
#include "client.h"
#include "client_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)4096)

static bool copy(const char *text, char *to, size_t size) {
    return (size_t)snprintf(to, size, "%s", text) < size;
}

struct aws_client *aws_client_new(const struct aws_client_options *options) {
    struct aws_client *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    c->credentials = options->credentials;
    c->http = options->http;
    c->clock = options->clock;
    c->timers = options->timers;
    c->random = options->random;
    c->log = options->log;
    c->metrics = options->metrics;
    c->counted_as = options->counted_as;
    c->policy = options->retry.max_attempts ? options->retry : retry_policy_default();
    c->notes_dates = options->notes_dates;
    c->checks_marks = options->checks_marks;
    c->digest = options->digest;
    c->endpoint_of_account = options->endpoint_of_account;
    c->endpoint_ctx = options->endpoint_ctx;
    retry_budget_init(&c->budget);
    buf_init(&c->target_prefix, TEXT_MAX);
    bool fits = copy(options->region, c->region, sizeof c->region) &&
                copy(options->signing_name, c->signing_name, sizeof c->signing_name) &&
                buf_append_cstr(&c->target_prefix, options->target_prefix);
    c->target = fits ? client_origin_new(c, options->endpoint) : NULL;
    if (!c->target) {
        aws_client_free(c);
        return NULL;
    }
    return c;
}

void aws_client_free(struct aws_client *c) {
    if (!c) {
        return;
    }
    client_calls_free(c);
    client_origins_free(c);
    buf_free(&c->target_prefix);
    free(c);
}

void aws_client_set_trace(struct aws_client *client, struct span trace) {
    static const char NAME[] = "X-Amzn-Trace-Id: ";
    char *line = client->trace_line, *value = line + sizeof NAME - 1;
    line[0] = '\0';
    if (trace.len > 0 && trace.len <= sizeof client->trace_line - sizeof NAME && attempt_fits_header(trace)) {
        memcpy(line, NAME, sizeof NAME - 1);
        memcpy(value, trace.data, trace.len);
        value[trace.len] = '\0';
    }
}

const char *aws_client_url(const struct aws_client *client) {
    return client->target->url.data;
}

void aws_client_open_ahead(const struct aws_client *client, unsigned count) {
    if (client->http.open_ahead) {
        client->http.open_ahead(client->http.ctx, aws_client_url(client), count);
    }
}

struct aws_client_stats aws_client_stats(const struct aws_client *client) {
    return client->stats;
}
