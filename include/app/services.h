/* The way to AWS: region, endpoints, credentials, and the clients of the two services. */
#pragma once

#include "client.h"
#include "clock.h"
#include "compiler.h"
#include "credentials.h"
#include "digest.h"
#include "dynamodb.h"
#include "environment.h"
#include "http.h"
#include "log.h"
#include "loop.h"
#include "outcome.h"
#include "random.h"
#include "shared_config.h"
#include "sqs.h"

#include <stdbool.h>
#include <stddef.h>

struct services_options {
    const struct environment *environment;
    bool with_queue;
    size_t max_connections; /* that the descriptors we may open allow */
    struct loop *loop;
    struct random *random;
    struct digest *digest;
    struct log *log;
};

struct services {
    struct shared_config config;
    struct credentials_provider credentials;
    struct http *http;
    struct aws_client *sqs_client, *dynamodb_client;
    struct sqs *sqs_calls; /* NULL without a queue, as its client is */
    struct dynamodb *dynamodb_calls;
    struct sqs_port sqs;
    struct dynamodb_port dynamodb;
};

/* Sets all up; nothing is sent yet. Problems are logged, all that can be told. services must stay where it is. EXIT_FINE, or what the
 * command ends with; services_free() is needed in any case. */
MUST_USE enum exit_code services_init(struct services *services, const struct services_options *options);
/* Calls in flight end without their callbacks. Takes a zeroed one too. */
void services_free(struct services *services);
