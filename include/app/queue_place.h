/* Where the URLs of queues and endpoints lead: a queue's URL only names it, and is never asked itself. The URLs are
 * valid ones (scheme, host, port, path). */
#pragma once

#include "endpoint.h"
#include "log.h"
#include "span.h"

#define URL_ORIGIN_SIZE 320
#define URL_HOST_SIZE 256

/* The host, without a port; an IPv6 address keeps its brackets. Empty for want of memory. */
void url_host(const char *url, char ret_host[static URL_HOST_SIZE]);
/* Scheme, host and port, the scheme's own where the URL has none: https://sqs.eu-west-1.amazonaws.com:443. */
void url_origin(const char *url, char ret_origin[static URL_ORIGIN_SIZE]);
/* The region that a host of Amazon SQS is of; empty: it is none of those. */
struct span queue_host_region(struct span host);

enum queue_place {
    QUEUE_PLACE_FITS,
    QUEUE_PLACE_OTHER_REGION, /* it will not be found there */
    QUEUE_PLACE_OTHER_HOST, /* the endpoint must know the queue by this URL */
    QUEUE_PLACE_OTHER_WAY /* it is found, but not by the VPC endpoint or FIPS host that its URL names */
};
/* What a queue's URL says of where the queue is, compared with the endpoint that is asked. A name, which says nothing,
 * or NULL fits. The region of the queue, and the one that is asked, are told where they differ. */
enum queue_place queue_place_of(const char *queue, const char *endpoint, const char *region,
                                char ret_queue_region[static AWS_REGION_SIZE], char ret_region[static AWS_REGION_SIZE]);
/* Warns where a queue's URL names another region or host than the ones that are asked. queue: a name, which says
 * neither, or NULL, is fine. */
void queue_place_warn(struct log *log, const char *setting, const char *queue, const char *endpoint,
                      const char *region);
