#include "queue_place.h"

#include "url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void url_host(const char *text, char ret_host[static URL_HOST_SIZE]) {
    struct url url;
    ret_host[0] = '\0';
    if (url_read(text, &url, NULL) == URL_FINE) {
        (void)snprintf(ret_host, URL_HOST_SIZE, "%s", url.host);
        url_free(&url);
    }
}

void url_origin(const char *text, char ret_origin[static URL_ORIGIN_SIZE]) {
    struct url url;
    ret_origin[0] = '\0';
    if (url_read(text, &url, NULL) == URL_FINE) {
        (void)snprintf(ret_origin, URL_ORIGIN_SIZE, "%.*s", (int)strlen(url.origin) - 1, url.origin);
        url_free(&url);
    }
}

/* Cuts the next label off the host and returns it; empty at the host's end. */
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
        /* Old names: queue.amazonaws.com is us-east-1's. */
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

/* Whether the host is one that is chosen for the way that requests take: a VPC endpoint, or SQS's FIPS host. */
static bool is_chosen_way(struct span host) {
    while (host.len) {
        struct span label = take_label(&host);
        if (label_is(label, "vpce") || label_is(label, "sqs-fips")) {
            return true;
        }
    }
    return false;
}

enum queue_place queue_place_of(const char *queue, const char *endpoint, const char *region,
                                char ret_queue_region[static AWS_REGION_SIZE],
                                char ret_region[static AWS_REGION_SIZE]) {
    if (!queue || !strstr(queue, "://")) {
        return QUEUE_PLACE_FITS;
    }
    char queue_host[URL_HOST_SIZE], asked_host[URL_HOST_SIZE];
    url_host(queue, queue_host);
    url_host(endpoint, asked_host);
    struct span host = span_cstr(queue_host), asked = span_cstr(asked_host);
    struct span of_queue = queue_host_region(host), of_endpoint = queue_host_region(asked);
    struct span expected = of_endpoint.len ? of_endpoint : span_cstr(region);
    (void)snprintf(ret_queue_region, AWS_REGION_SIZE, "%.*s", (int)of_queue.len, of_queue.data ? of_queue.data : "");
    (void)snprintf(ret_region, AWS_REGION_SIZE, "%.*s", (int)expected.len, expected.data);
    if (of_queue.len && !span_equal(of_queue, expected)) {
        return QUEUE_PLACE_OTHER_REGION;
    }
    if (!same_host(host, asked) && !(of_queue.len && of_endpoint.len)) {
        return QUEUE_PLACE_OTHER_HOST;
    }
    return is_chosen_way(host) && !is_chosen_way(asked) ? QUEUE_PLACE_OTHER_WAY : QUEUE_PLACE_FITS;
}

void queue_place_warn(struct log *log, const char *setting, const char *queue, const char *endpoint,
                      const char *region) {
    char of_queue[AWS_REGION_SIZE], expected[AWS_REGION_SIZE];
    char sentence[160], host[URL_HOST_SIZE], origin[URL_ORIGIN_SIZE];
    const enum queue_place place = queue_place_of(queue, endpoint, region, of_queue, expected);
    switch (place) {
    case QUEUE_PLACE_FITS: break;
    case QUEUE_PLACE_OTHER_REGION:
        (void)snprintf(sentence, sizeof sentence,
                       "%s is a queue of another region than the one that is asked; it will not be found there",
                       setting);
        LOG_EVENT(log, LOG_LEVEL_WARNING, sentence, LOG_C("queue_region", of_queue), LOG_C("region", expected));
        break;
    case QUEUE_PLACE_OTHER_WAY:
    case QUEUE_PLACE_OTHER_HOST:
        (void)snprintf(sentence, sizeof sentence,
                       place == QUEUE_PLACE_OTHER_WAY ? "%s names a VPC endpoint or a FIPS host, which is not asked: "
                                                        "set AWS_ENDPOINT_URL_SQS where it is to be"
                                                      : "%s has another host than the endpoint: the endpoint is asked, "
                                                        "and must know the queue by this URL",
                       setting);
        url_origin(endpoint, origin);
        url_host(queue, host);
        LOG_EVENT(log, LOG_LEVEL_WARNING, sentence, LOG_C("queue_host", host), LOG_C("endpoint", origin));
        break;
    }
}
