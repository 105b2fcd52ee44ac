/* How queues are named: by a name, at the end of a URL, in an ARN. */
#pragma once

#include "compiler.h"
#include "discovery.h"

#include <stdbool.h>

#define QUEUE_ACCOUNT_SIZE 16

/* Whether text can be a queue's name: up to 80 letters, digits, "_" and "-"; it may end in ".fifo". */
bool queue_name_valid(const char *name);
/* The name at the end of a queue URL. False: text isn't a URL that ends in a queue's name. */
MUST_USE bool queue_url_name(const char *url, char ret_name[static QUEUE_NAME_SIZE]);
/* The account and the name in an SQS ARN (arn:aws:sqs:region:account:name). False: it isn't such an ARN. */
MUST_USE bool queue_arn_parse(const char *arn, char ret_account[static QUEUE_ACCOUNT_SIZE],
                              char ret_name[static QUEUE_NAME_SIZE]);
