#include "queue_place.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct span host_and_port(const char *url) {
    const char *begin = strstr(url, "://");
    begin = begin ? begin + 3 : url;
    return span_of(begin, strcspn(begin, "/"));
}

struct span url_host(const char *url) {
    struct span all = host_and_port(url);
    if (all.len && all.data[0] == '[') {
        const char *end = memchr(all.data, ']', all.len);
        return end ? span_of(all.data, (size_t)(end - all.data) + 1) : all;
    }
    const char *colon = memchr(all.data, ':', all.len);
    return colon ? span_of(all.data, (size_t)(colon - all.data)) : all;
}

void url_origin(const char *url, char ret_origin[static URL_ORIGIN_SIZE]) {
    struct span all = host_and_port(url), host = url_host(url);
    const char *scheme_end = strstr(url, "://");
    int scheme = scheme_end ? (int)(scheme_end - url) : 0;
    const char *port = all.len > host.len ? "" : strncasecmp(url, "https:", 6) == 0 ? ":443" : ":80";
    (void)snprintf(ret_origin, URL_ORIGIN_SIZE, "%.*s://%.*s%s", scheme, url,
                   (int)(all.len < URL_ORIGIN_SIZE ? all.len : URL_ORIGIN_SIZE), all.data, port);
}

/* The next label of a host, which is cut off; empty at its end. */
static struct span take_label(struct span *host) {
    const char *dot = memchr(host->data, '.', host->len);
    struct span label = span_of(host->data, dot ? (size_t)(dot - host->data) : host->len);
    size_t used = label.len + (dot != NULL);
    *host = span_of(host->data + used, host->len - used);
    return label;
}

static bool label_is(struct span label, const char *word) {
    return label.len == strlen(word) && strncasecmp(label.data, word, label.len) == 0;
}

/* Whether a label is called as regions are: eu-west-1, us-gov-east-1. */
static bool is_region(struct span label) {
    size_t dashes = 0;
    for (size_t i = 0; i < label.len; i++) {
        dashes += label.data[i] == '-';
    }
    return dashes >= 2 && label.data[0] != '-' && label.data[label.len - 1] >= '0' && label.data[label.len - 1] <= '9';
}

struct span queue_host_region(struct span host) {
    struct span before = {NULL, 0};
    while (host.len) {
        struct span label = take_label(&host), rest = host;
        struct span next = take_label(&rest);
        if ((label_is(label, "sqs") || label_is(label, "sqs-fips")) && is_region(next)) {
            return next;
        }
        /* The names of older days: queue.amazonaws.com is us-east-1's. */
        if (label_is(label, "queue") && label_is(next, "amazonaws")) {
            return before.len ? before : SPAN("us-east-1");
        }
        before = label;
    }
    return (struct span){NULL, 0};
}

static bool is_this_machine(struct span host) {
    return label_is(host, "localhost") || label_is(host, "[::1]") ||
           (host.len > 4 && strncmp(host.data, "127.", 4) == 0);
}

static bool same_host(struct span a, struct span b) {
    return (a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0) || (is_this_machine(a) && is_this_machine(b));
}

enum queue_place queue_place_of(const char *queue, const char *endpoint, const char *region,
                                struct span *ret_queue_region, struct span *ret_region) {
    if (!queue || !strstr(queue, "://")) {
        return QUEUE_PLACE_FITS;
    }
    struct span host = url_host(queue), asked = url_host(endpoint);
    struct span of_queue = queue_host_region(host), of_endpoint = queue_host_region(asked);
    struct span expected = of_endpoint.len ? of_endpoint : span_cstr(region);
    *ret_queue_region = of_queue;
    *ret_region = expected;
    if (of_queue.len && !span_equal(of_queue, expected)) {
        return QUEUE_PLACE_OTHER_REGION;
    }
    return same_host(host, asked) || (of_queue.len && of_endpoint.len) ? QUEUE_PLACE_FITS : QUEUE_PLACE_OTHER_HOST;
}

void queue_place_warn(struct log *log, const char *setting, const char *queue, const char *endpoint,
                      const char *region) {
    struct span of_queue, expected;
    char sentence[160], origin[URL_ORIGIN_SIZE];
    switch (queue_place_of(queue, endpoint, region, &of_queue, &expected)) {
    case QUEUE_PLACE_FITS: break;
    case QUEUE_PLACE_OTHER_REGION:
        (void)snprintf(sentence, sizeof sentence,
                       "%s is a queue of another region than the one that is asked; it will not be found there",
                       setting);
        LOG_EVENT(log, LOG_LEVEL_WARNING, sentence, LOG_S("queue_region", of_queue), LOG_S("region", expected));
        break;
    case QUEUE_PLACE_OTHER_HOST:
        (void)snprintf(
            sentence, sizeof sentence,
            "%s has another host than the endpoint: the endpoint is asked, and must know the queue by this URL",
            setting);
        url_origin(endpoint, origin);
        LOG_EVENT(log, LOG_LEVEL_WARNING, sentence, LOG_S("queue_host", url_host(queue)), LOG_C("endpoint", origin));
        break;
    }
}
