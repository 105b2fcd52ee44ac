/* The way to AWS: region, endpoints, credentials, and the clients of the two services. */
#pragma once

#include "client.h"
#include "clock.h"
#include "compiler.h"
#include "credentials.h"
#include "credentials_plan.h"
#include "credentials_sts.h"
#include "digest.h"
#include "dynamodb.h"
#include "endpoint.h"
#include "environment.h"
#include "http.h"
#include "log.h"
#include "loop.h"
#include "random.h"
#include "shared_config.h"
#include "sqs.h"

#include <stdbool.h>
#include <stddef.h>

struct services_options {
    const struct environment *environment;
    const char *profile; /* that an option of the command line names: then keys of the environment don't count; NULL:
                            none does */
    bool with_queue;
    bool notes_dates; /* the clients tell how far our clock is off */
    size_t max_connections; /* that the descriptors we may open allow */
    struct loop *loop;
    struct random *random;
    struct digest *digest;
    struct log *log;
    struct metrics *metrics; /* NULL: nothing is counted */
};

#define SERVICES_PATH_SIZE 4096

struct services {
    /* What was found to be fine: by services_find(), and the credentials by services_connect(). */
    struct {
        bool config, region, plan, ca_file, dynamodb, sqs, credentials;
    } fine;
    const char *looking_at; /* what is being looked up, for messages: "region"; NULL: nothing */
    bool region_of_instance; /* the metadata service said it */
    const struct environment *environment; /* borrowed */
    struct shared_config config;
    char region[AWS_REGION_SIZE];
    char sqs_url[AWS_ENDPOINT_SIZE], dynamodb_url[AWS_ENDPOINT_SIZE];
    char ca_file[SERVICES_PATH_SIZE]; /* "": the system's certificates */
    struct credentials_plan plan;
    struct credentials_world world;
    struct sts_place sts;
    struct credentials_provider credentials;
    struct credentials_wait renewal; /* asks for what is held, to have it renewed */
    char renewed_id[ACCESS_KEY_ID_SIZE];
    struct http *http;
    struct aws_client *sqs_client, *dynamodb_client;
    struct sqs *sqs_calls; /* NULL without a queue, as its client is */
    struct dynamodb *dynamodb_calls;
    struct sqs_api sqs;
    struct dynamodb_api dynamodb;
    struct clock machine_clock;
    struct clock clock; /* the same, its dates corrected by the services': for what is written down */
};

/* Looks up what the settings of the AWS kind say. Problems are logged, all of them; false where there is one.
 * services_free() is needed in any case. */
MUST_USE bool services_find(struct services *services, const struct services_options *options);
/* Where the credentials come from, in the SDKs' words: "env", "shared-credentials-file", "config-file". */
const char *services_credentials_name(const struct services *services);
/* The account of the credentials that are held at present; "" where there are none, or their source doesn't say. */
void services_account(const struct services *services, char ret_account[static ACCOUNT_ID_SIZE]);
/* When the credentials that are held expire (wall); METRICS_ABSENT: they don't. While they are being fetched it isn't
 * known: then `before` is returned. */
int64_t services_credentials_expiry(const struct services *services, int64_t before);
/* Makes the clients from what was found, for those services whose URL is fine; nothing is sent yet. services must stay
 * where it is. False: no memory, or the credentials' source can't be used, which is in the log then. */
MUST_USE bool services_connect(struct services *services, const struct services_options *options);
/* Makes the credentials' provider read its source again: files, or a role's. */
void services_renew_credentials(struct services *services);
/* Calls in flight end without their callbacks. Takes a zeroed one too. */
void services_free(struct services *services);
