#include "services.h"

#include "credentials_sources.h"
#include "endpoint.h"

#include <stdio.h>

/* Problems of the settings: all of them are logged before the start ends. */
struct checks {
    struct log *log;
    bool fine;
};

static void check(struct checks *checks, bool fine, const char *why) {
    if (!fine) {
        log_event(checks->log, LOG_LEVEL_ERROR, why, NULL);
        checks->fine = false;
    }
}

static enum exit_code no_memory(struct log *log) {
    log_event(log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
    return EXIT_UNREACHABLE;
}

static void check_ca_bundle(struct checks *checks, const char *path) {
    char why[SETTING_WHY_SIZE], sentence[SETTING_WHY_SIZE + 64];
    if (path && !http_ca_file_check(path, why, sizeof why)) {
        (void)snprintf(sentence, sizeof sentence, "AWS_CA_BUNDLE has to name a file of certificates (PEM): %s", why);
        check(checks, false, sentence);
    }
}

struct places {
    char region[AWS_REGION_SIZE];
    char sqs[AWS_ENDPOINT_SIZE], dynamodb[AWS_ENDPOINT_SIZE];
};

/* Region and URLs, and the credentials, whose provider is services'. */
static void find_places(struct services *services, const struct services_options *o, struct checks *checks, struct places *ret_places) {
    char why[SETTING_WHY_SIZE];
    struct clock clock = loop_clock(o->loop);
    bool region = aws_region(o->environment, &services->config, ret_places->region, why);
    check(checks, region, why);
    if (region) {
        check(checks, aws_endpoint(o->environment, &services->config, &AWS_DYNAMODB, ret_places->region, ret_places->dynamodb, why), why);
    }
    if (region && o->with_queue) {
        check(checks, aws_endpoint(o->environment, &services->config, &AWS_SQS, ret_places->region, ret_places->sqs, why), why);
    }
    check(checks, credentials_default_new(o->environment, &services->config, clock, &services->credentials, why), why);
}

static struct aws_client *new_client(struct services *services, const struct services_options *o, const struct aws_service *service,
                                     const char *endpoint, const char *region) {
    bool dynamodb = service == &AWS_DYNAMODB;
    return aws_client_new(&(struct aws_client_options){
        .endpoint = endpoint,
        .region = region,
        .signing_name = service->name,
        .target_prefix = dynamodb ? "DynamoDB_20120810." : "AmazonSQS.",
        .credentials = &services->credentials,
        .http = http_port(services->http),
        .clock = loop_clock(o->loop),
        .timers = loop_timers(o->loop),
        .random = o->random,
        .log = o->log,
        .digest = o->digest,
        .retry = dynamodb ? retry_policy_dynamodb() : retry_policy_default(),
        .verify_crc32 = dynamodb,
    });
}

static bool make_clients(struct services *services, const struct services_options *o, const struct places *places, const char *ca_bundle) {
    services->http = http_new(o->loop, &(struct http_options){.max_connections = o->max_connections,
                                                              .ca_file = ca_bundle,
                                                              .user_agent = "table-updater/" TABLE_UPDATER_VERSION});
    if (!services->http) {
        return false;
    }
    services->dynamodb_client = new_client(services, o, &AWS_DYNAMODB, places->dynamodb, places->region);
    services->dynamodb_calls = services->dynamodb_client ? dynamodb_new(services->dynamodb_client) : NULL;
    if (!services->dynamodb_calls) {
        return false;
    }
    services->dynamodb = dynamodb_port(services->dynamodb_calls);
    if (!o->with_queue) {
        return true;
    }
    services->sqs_client = new_client(services, o, &AWS_SQS, places->sqs, places->region);
    services->sqs_calls = services->sqs_client ? sqs_new(services->sqs_client, o->digest) : NULL;
    if (!services->sqs_calls) {
        return false;
    }
    services->sqs = sqs_port(services->sqs_calls);
    return true;
}

enum exit_code services_init(struct services *services, const struct services_options *options) {
    *services = (struct services){0};
    struct checks checks = {options->log, true};
    const char *ca_bundle = environment_get(options->environment, "AWS_CA_BUNDLE");
    check_ca_bundle(&checks, ca_bundle);
    char why[SETTING_WHY_SIZE];
    struct places places = {0};
    if (shared_config_load(options->environment, &services->config, why)) {
        find_places(services, options, &checks, &places);
    } else {
        check(&checks, false, why);
    }
    if (!checks.fine) {
        return EXIT_SETTINGS;
    }
    return make_clients(services, options, &places, ca_bundle) ? EXIT_FINE : no_memory(options->log);
}

void services_free(struct services *services) {
    aws_client_free(services->sqs_client);
    aws_client_free(services->dynamodb_client);
    sqs_free(services->sqs_calls);
    dynamodb_free(services->dynamodb_calls);
    http_free(services->http);
    credentials_provider_release(&services->credentials);
    shared_config_free(&services->config);
    *services = (struct services){0};
}
