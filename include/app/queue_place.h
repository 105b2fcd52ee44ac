/* Where the URLs of queues and endpoints lead: a queue's URL only names it, and is never asked itself. The URLs are
 * valid ones (scheme, host, port, path). */
#pragma once

#include "log.h"
#include "span.h"

#define URL_ORIGIN_SIZE 320

/* The host, without a port; an IPv6 address keeps its brackets. */
struct span url_host(const char *url);
/* Scheme, host and port, the scheme's own where the URL has none: https://sqs.eu-west-1.amazonaws.com:443. */
void url_origin(const char *url, char ret_origin[static URL_ORIGIN_SIZE]);
/* The region that a host of Amazon SQS is of; empty: it is none of those. */
struct span queue_host_region(struct span host);

/* Warns where a queue's URL names another region or host than the ones that are asked. queue: a name, which says
 * neither, or NULL, is fine. */
void queue_place_warn(struct log *log, const char *setting, const char *queue, const char *endpoint,
                      const char *region);
