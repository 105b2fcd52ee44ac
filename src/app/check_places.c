/* Region and endpoints: what they are, and which setting, file and line decided it. */
#include "check.h"
#include "proxy_choice.h"

#include "buf.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX ((size_t)4096)

void check_region(struct check *c) {
    const struct services *s = &c->app->services;
    char from[CHECK_SOURCE_SIZE];
    if (!s->fine.region) {
        return; /* that there is none was told with the settings */
    }
    if (s->region_of_instance) {
        check_fine(c->report, "region", NULL, "%s, the instance's (REGION_FROM_INSTANCE)", s->region);
        return;
    }
    const struct aws_setting setting = aws_region_setting(&c->app->environment, &s->config);
    check_source(c, &setting, from);
    check_fine(c->report, "region", NULL, "%s, by %s", s->region, from);
}

static bool is_word(struct span text, const char *word) {
    return text.len == strlen(word) && strncasecmp(text.data, word, text.len) == 0;
}

/* Why it is this URL. */
static void append_why(const struct check *c, const struct aws_place_settings *place, const char *url,
                       struct buf *out) {
    char from[CHECK_SOURCE_SIZE];
    if (place->url.value.data) {
        check_source(c, &place->url, from);
        (void)buf_printf(out, ", by %s", from);
        return;
    }
    (void)buf_printf(out, ", %s own of %s", strstr(url, ".ddb.") ? "the account's" : "the service's",
                     c->app->services.region);
    const struct aws_setting *choices[] = {&place->fips, &place->dualstack};
    for (size_t i = 0; i < ARRAY_LENGTH(choices); i++) {
        if (is_word(choices[i]->value, "true")) {
            check_source(c, choices[i], from);
            (void)buf_printf(out, ", with %s", from);
        }
    }
}

/* Scheme, host and port of a proxy. Its user and password are never shown, not even where they make the URL invalid. */
static void append_proxy(const struct check *c, const char *url, struct buf *out) {
    const char *proxy = NULL, *variable = proxy_choice(&c->app->environment, url, &proxy);
    if (!variable) {
        return;
    }
    char from[CHECK_SOURCE_SIZE];
    const char *scheme = strstr(proxy, "://"), *at = strrchr(proxy, '@');
    const char *host = at ? at + 1 : scheme ? scheme + 3 : proxy;
    check_origin(c, variable, from);
    (void)buf_printf(out, ", through the proxy %.*s%.*s of %s (%s)", scheme ? (int)(scheme - proxy) + 3 : 0, proxy,
                     (int)strcspn(host, "/"), host, variable, from);
}

static bool is_this_machine(const char *url) {
    char host[URL_HOST_SIZE];
    url_host(url, host);
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 || strncmp(host, "127.", 4) == 0;
}

/* Somebody meant the endpoint to be asked directly, in a form that other programs take. */
static void check_exceptions(struct check *c, const char *service, const char *url) {
    struct span entry;
    if (proxy_missed_exception(&c->app->environment, url, &entry)) {
        check_warn(c->report, "endpoint", service,
                   "Give a host, a domain (.amazonaws.com), an address or a network (10.0.0.0/8), without a scheme, a "
                   "port or a star",
                   "no_proxy does not except it from the proxy: its entry %.*s has a form that is not taken here",
                   (int)(entry.len < URL_HOST_SIZE ? entry.len : URL_HOST_SIZE), entry.data);
    }
}

static void check_endpoint(struct check *c, const struct aws_service *service, const char *url) {
    struct aws_place_settings place;
    char why[SETTING_WHY_SIZE];
    struct buf text;
    if (!aws_place_settings(&c->app->environment, &c->app->services.config, service, &place, why)) {
        return; /* told with the settings */
    }
    buf_init(&text, TEXT_MAX);
    (void)buf_append_cstr(&text, url);
    append_why(c, &place, url, &text);
    append_proxy(c, url, &text);
    const char *what = buf_ok(&text) ? text.data : url;
    if (strncasecmp(url, "http:", 5) == 0 && !is_this_machine(url)) {
        check_warn(c->report, "endpoint", service->name,
                   "Give it as https://, unless what is between here and there is trusted with the messages",
                   "%s; requests go there in the clear", what);
    } else {
        check_fine(c->report, "endpoint", service->name, "%s", what);
    }
    buf_free(&text);
    check_exceptions(c, service->name, url);
}

/* DynamoDB's, once it is known whose keys they are. */
static const char *dynamodb_url(const struct check *c, char url[static AWS_ENDPOINT_SIZE]) {
    const struct services *s = &c->app->services;
    char why[SETTING_WHY_SIZE];
    return aws_account_endpoint(&c->app->environment, &s->config, span_cstr(c->account), s->region, url, why)
               ? url
               : s->dynamodb_url;
}

/* A queue's URL is never asked itself, but it says where the queue is. */
static void check_queue_place(struct check *c, const char *setting, const char *queue) {
    const struct services *s = &c->app->services;
    char of_queue[AWS_REGION_SIZE], asked[AWS_REGION_SIZE];
    char mend[2 * CHECK_SOURCE_SIZE], host[URL_HOST_SIZE];
    switch (queue_place_of(queue, s->sqs_url, s->region, of_queue, asked)) {
    case QUEUE_PLACE_FITS: break;
    case QUEUE_PLACE_OTHER_REGION:
        (void)snprintf(mend, sizeof mend,
                       "Set AWS_REGION=%s where that is the right queue, or take the URL of the queue in %s", of_queue,
                       asked);
        check_problem(c->report, EXIT_SETTINGS, "endpoint", setting, mend,
                      "it is the URL of a queue in %s, but %s is asked, where it will not be found", of_queue, asked);
        break;
    case QUEUE_PLACE_OTHER_HOST:
        check_warn(c->report, "endpoint", setting,
                   "Set AWS_ENDPOINT_URL_SQS to the host that has the queue, unless the endpoint knows it by this URL",
                   "its URL has another host than the endpoint, which is asked: %s", s->sqs_url);
        break;
    case QUEUE_PLACE_OTHER_WAY:
        url_host(queue, host);
        (void)snprintf(mend, sizeof mend, "Set AWS_ENDPOINT_URL_SQS=https://%s where requests are to go there", host);
        check_warn(c->report, "endpoint", setting, mend,
                   "its URL names a VPC endpoint or a FIPS host, but only names the queue: %s is asked", s->sqs_url);
        break;
    }
}

void check_endpoints(struct check *c) {
    const struct services *s = &c->app->services;
    char url[AWS_ENDPOINT_SIZE];
    if (!s->fine.config || !s->fine.region) {
        return;
    }
    if (s->fine.dynamodb) {
        check_endpoint(c, &AWS_DYNAMODB, dynamodb_url(c, url));
    }
    if (s->fine.sqs) {
        check_endpoint(c, &AWS_SQS, s->sqs_url);
        check_queue_place(c, "QUEUE_URL", c->app->settings.queue);
        check_queue_place(c, "DLQ_URL", c->app->settings.dlq);
    }
    if (s->sts.url[0]) {
        check_endpoint(c, &AWS_STS, s->sts.url);
    }
}
