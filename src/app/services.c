#include "services.h"

#include "credentials_sources.h"
#include "instance_region.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Problems of the settings: all of them are logged before the start ends, each once (a URL for both services is looked
 * at twice). */
struct checks {
    struct log *log;
    bool fine;
    char last[SETTING_WHY_SIZE];
};

static bool check(struct checks *checks, bool fine, const char *why) {
    if (fine) {
        return true;
    }
    if (strcmp(why, checks->last) != 0) {
        log_event(checks->log, LOG_LEVEL_ERROR, why, NULL);
        (void)snprintf(checks->last, sizeof checks->last, "%s", why);
    }
    checks->fine = false;
    return false;
}

/* libcurl looks for certificates where the system had them that it was built on. Other distributions have them
 * elsewhere. */
static void find_system_bundle(struct services *services) {
    static const char *const places[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                         "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        if (access(places[i], R_OK) == 0) {
            (void)snprintf(services->ca_file, sizeof services->ca_file, "%s", i > 0 ? places[i] : "");
            return;
        }
    }
}

/* Makes the HTTP client, once, before anything asks through it. False: no memory. */
static bool open_http(struct services *services, const struct services_options *o) {
    if (services->http) {
        return true;
    }
    services->http =
        http_new(o->loop, &(struct http_options){.max_connections = o->max_connections,
                                                 .ca_file = services->ca_file[0] ? services->ca_file : NULL,
                                                 .user_agent = "table-updater/" TABLE_UPDATER_VERSION});
    if (!services->http) {
        return false;
    }
    services->world = (struct credentials_world){
        .http = http_api(services->http),
        .clock = loop_clock(o->loop),
        .timers = loop_timers(o->loop),
        .random = o->random,
        .digest = o->digest,
        .log = o->log,
        .loop = o->loop,
    };
    return true;
}

/* AWS_CA_BUNDLE, or the profile's. */
static bool check_ca_bundle(struct checks *checks, const struct services_options *o, struct services *services) {
    const char *path = environment_get(o->environment, "AWS_CA_BUNDLE"), *name = "AWS_CA_BUNDLE";
    struct span of_profile = shared_config_get(&services->config, "ca_bundle");
    if (!path && of_profile.data && of_profile.len < sizeof services->ca_file) {
        name = "ca_bundle of the profile";
        memcpy(services->ca_file, of_profile.data, of_profile.len);
    } else if (path && strlen(path) < sizeof services->ca_file) {
        memcpy(services->ca_file, path, strlen(path));
    } else if (!path) {
        find_system_bundle(services);
        return true;
    }
    path = services->ca_file;
    char why[SETTING_WHY_SIZE / 2], sentence[SETTING_WHY_SIZE];
    bool readable = access(path, R_OK) == 0;
    if (!readable) {
        (void)snprintf(why, sizeof why, "%s", strerrordesc_np(errno));
    }
    if (!readable && errno == ENOENT) {
        (void)snprintf(sentence, sizeof sentence, "%s names a file that does not exist: %.200s", name, path);
    } else if (readable && !open_http(services, o)) {
        (void)snprintf(sentence, sizeof sentence, "out of memory");
    } else if (!readable || !http_trust_read(services->http, why, sizeof why)) {
        (void)snprintf(sentence, sizeof sentence, "%s has to name a file of certificates (PEM): %s", name, why);
    } else {
        return true;
    }
    return check(checks, false, sentence);
}

static bool endpoint_of_account(void *ctx, struct span account_id, char ret_url[static AWS_ENDPOINT_SIZE],
                                char ret_why[static SETTING_WHY_SIZE]) {
    const struct services *services = ctx;
    return aws_account_endpoint(services->environment, &services->config, account_id, services->region, ret_url,
                                ret_why);
}

/* DynamoDB's URL may depend on the account. Where that is only known once the keys are fetched, the settings are
 * checked with a made-up account, and the region's URL is used until then. */
static bool find_dynamodb(struct services *services, const char *region, bool planned,
                          char why[static SETTING_WHY_SIZE]) {
    const struct environment *e = services->environment;
    struct span account =
        planned ? credentials_plan_account(&services->plan, e, &services->config) : SPAN("000000000000");
    bool comes_later = !planned || credentials_plan_is_remote(&services->plan);
    return aws_account_endpoint(e, &services->config, comes_later ? SPAN("000000000000") : account, region,
                                services->dynamodb_url, why) &&
           (!comes_later || aws_endpoint(e, &services->config, &AWS_DYNAMODB, region, services->dynamodb_url, why));
}

static bool find_sts(struct services *services, const struct environment *environment, const char *region,
                     char why[static SETTING_WHY_SIZE]) {
    (void)snprintf(services->sts.region, sizeof services->sts.region, "%s", region);
    return aws_endpoint(environment, &services->config, &AWS_STS, region, services->sts.url, why);
}

static bool find_region(struct services *services, const struct services_options *o,
                        char why[static SETTING_WHY_SIZE]) {
    bool wanted = false;
    char instance_why[SETTING_WHY_SIZE];
    if (!instance_region_wanted(o->environment, &wanted, why)) {
        return false;
    }
    if (aws_region(o->environment, &services->config, services->region, why)) {
        return true;
    }
    if (!wanted || aws_region_is_set(o->environment, &services->config)) {
        return false;
    }
    (void)snprintf(instance_why, sizeof instance_why, "out of memory");
    services->region_of_instance =
        open_http(services, o) &&
        instance_region_find(o->environment, &services->config, &services->world, services->region, instance_why);
    if (!services->region_of_instance) {
        memcpy(why, instance_why, sizeof instance_why);
    }
    return services->region_of_instance;
}

static void warn_of_missing(struct log *log, const char *variable, const struct shared_file *file) {
    if (file->missing) {
        LOG_EVENT(log, LOG_LEVEL_WARNING, "A file that a setting names does not exist, and is taken for an empty one",
                  LOG_C("setting", variable), LOG_C("file", file->path));
    }
}

bool services_find(struct services *services, const struct services_options *options) {
    *services = (struct services){0};
    const struct environment *environment = options->environment;
    services->environment = environment;
    struct checks checks = {.log = options->log, .fine = true};
    services->looking_at = "profile";
    char why[SETTING_WHY_SIZE];
    if (!shared_config_load(environment, options->profile, &services->config, why)) {
        return check(&checks, false, why);
    }
    services->fine.config = true;
    warn_of_missing(options->log, "AWS_CONFIG_FILE", &services->config.config);
    warn_of_missing(options->log, "AWS_SHARED_CREDENTIALS_FILE", &services->config.credentials);
    services->looking_at = "setting";
    services->fine.ca_file = check_ca_bundle(&checks, options, services);
    services->looking_at = "region";
    services->fine.region = check(&checks, find_region(services, options, why), why);
    /* Without a region, any region will do to check the URLs. */
    const char *in = services->fine.region ? services->region : "eu-west-1";
    services->looking_at = "credentials";
    bool planned = credentials_plan_make(environment, &services->config, &services->plan, why);
    services->fine.plan = check(&checks, planned, why);
    services->looking_at = "endpoint";
    services->fine.dynamodb = check(&checks, find_dynamodb(services, in, planned, why), why);
    if (options->with_queue) {
        bool found = aws_endpoint(environment, &services->config, &AWS_SQS, in, services->sqs_url, why);
        services->fine.sqs = check(&checks, found, why);
    }
    services->looking_at = "credentials";
    if (planned && (services->plan.role_count || services->plan.kind == CREDENTIALS_WEB_IDENTITY)) {
        services->fine.plan = check(&checks, find_sts(services, environment, in, why), why);
    }
    services->looking_at = NULL;
    return checks.fine;
}

const char *services_credentials_name(const struct services *services) {
    return credentials_plan_name(&services->plan);
}

static void take_account(void *user, const struct credentials *credentials, const struct credentials_failure *failure) {
    char *account = user;
    (void)failure;
    if (credentials && credentials->account_id.len && credentials->account_id.len < ACCOUNT_ID_SIZE) {
        memcpy(account, credentials->account_id.data, credentials->account_id.len);
        account[credentials->account_id.len] = '\0';
    }
}

void services_account(const struct services *services, char ret_account[static ACCOUNT_ID_SIZE]) {
    struct credentials_wait wait = {.ready = take_account, .user = ret_account};
    ret_account[0] = '\0';
    credentials_get(&services->credentials, &wait);
    credentials_cancel(&services->credentials, &wait);
}

static void take_expiry(void *user, const struct credentials *credentials, const struct credentials_failure *failure) {
    int64_t *expiry = user;
    (void)failure;
    if (credentials) {
        *expiry = credentials->expires == NEVER ? METRICS_ABSENT : credentials->expires;
    }
}

int64_t services_credentials_expiry(const struct services *services, int64_t before) {
    struct credentials_wait wait = {.ready = take_expiry, .user = &before};
    credentials_get(&services->credentials, &wait);
    credentials_cancel(&services->credentials, &wait);
    return before;
}

static struct aws_client *new_client(struct services *services, const struct services_options *o,
                                     const struct aws_service *service, const char *endpoint) {
    bool dynamodb = service == &AWS_DYNAMODB;
    return aws_client_new(&(struct aws_client_options){
        .endpoint = endpoint,
        .region = services->region,
        .signing_name = service->name,
        .target_prefix = dynamodb ? "DynamoDB_20120810." : "AmazonSQS.",
        .credentials = &services->credentials,
        .http = http_api(services->http),
        .clock = loop_clock(o->loop),
        .timers = loop_timers(o->loop),
        .random = o->random,
        .log = o->log,
        .metrics = o->metrics,
        .counted_as = dynamodb ? METRICS_DYNAMODB : METRICS_SQS,
        .digest = o->digest,
        .retry = dynamodb ? retry_policy_dynamodb() : retry_policy_default(),
        .notes_dates = o->notes_dates,
        .checks_marks = dynamodb,
        .endpoint_of_account = dynamodb ? endpoint_of_account : NULL,
        .endpoint_ctx = services,
    });
}

static bool make_credentials(struct services *services, const struct services_options *o) {
    services->looking_at = "credentials";
    const struct credentials_default_options options = {o->environment, &services->config, &services->world,
                                                        &services->sts};
    char why[SETTING_WHY_SIZE];
    if (!credentials_default_new(&services->plan, &options, &services->credentials, why)) {
        log_event(o->log, LOG_LEVEL_ERROR, why, NULL);
        return false;
    }
    services->looking_at = NULL;
    services->fine.credentials = true;
    return true;
}

static int64_t monotonic(void *ctx) {
    const struct services *services = ctx;
    return clock_monotonic(&services->machine_clock);
}

/* The machine's time, corrected as that of signatures is: by the Date of whichever service has refused it. */
static int64_t corrected_wall(void *ctx) {
    const struct services *services = ctx;
    int64_t skew = services->dynamodb_client ? aws_client_stats(services->dynamodb_client).clock_skew : 0;
    if (!skew && services->sqs_client) {
        skew = aws_client_stats(services->sqs_client).clock_skew;
    }
    return clock_wall(&services->machine_clock) + skew;
}

static bool connect_dynamodb(struct services *services, const struct services_options *o) {
    services->dynamodb_client = new_client(services, o, &AWS_DYNAMODB, services->dynamodb_url);
    services->dynamodb_calls = services->dynamodb_client ? dynamodb_new(services->dynamodb_client) : NULL;
    if (!services->dynamodb_calls) {
        return false;
    }
    services->dynamodb = dynamodb_api(services->dynamodb_calls);
    return true;
}

static bool connect_sqs(struct services *services, const struct services_options *o) {
    services->sqs_client = new_client(services, o, &AWS_SQS, services->sqs_url);
    services->sqs_calls = services->sqs_client ? sqs_new(services->sqs_client, o->digest) : NULL;
    if (!services->sqs_calls) {
        return false;
    }
    services->sqs = sqs_api(services->sqs_calls);
    return true;
}

bool services_connect(struct services *services, const struct services_options *o) {
    if (!open_http(services, o) || !make_credentials(services, o)) {
        return false;
    }
    services->machine_clock = loop_clock(o->loop);
    services->clock = (struct clock){monotonic, corrected_wall, services};
    if (!services->fine.region) {
        return true;
    }
    return (!services->fine.dynamodb || connect_dynamodb(services, o)) &&
           (!services->fine.sqs || connect_sqs(services, o));
}

static void on_held(void *user, const struct credentials *credentials, const struct credentials_failure *failure) {
    struct services *services = user;
    (void)failure;
    if (credentials && credentials->access_key_id.len < sizeof services->renewed_id) {
        memcpy(services->renewed_id, credentials->access_key_id.data, credentials->access_key_id.len);
        services->renewed_id[credentials->access_key_id.len] = '\0';
    }
}

void services_renew_credentials(struct services *services) {
    if (services->renewal.pending) {
        return;
    }
    bool is_fetched = credentials_plan_is_remote(&services->plan) || services->plan.kind == CREDENTIALS_IMDS;
    services->renewed_id[0] = '\0';
    if (is_fetched) {
        /* Those held are used until there are others. */
        credentials_invalidate(&services->credentials, SPAN(""));
    }
    services->renewal = (struct credentials_wait){.ready = on_held, .user = services};
    credentials_get(&services->credentials, &services->renewal);
    /* Where there is no answer at once, the source is being asked at this moment anyway. */
    if (services->renewed_id[0] && !is_fetched) {
        credentials_invalidate(&services->credentials, span_cstr(services->renewed_id));
    }
}

void services_free(struct services *services) {
    if (services->credentials.cancel) {
        credentials_cancel(&services->credentials, &services->renewal);
    }
    aws_client_free(services->sqs_client);
    aws_client_free(services->dynamodb_client);
    sqs_free(services->sqs_calls);
    dynamodb_free(services->dynamodb_calls);
    credentials_provider_release(&services->credentials);
    http_free(services->http);
    shared_config_free(&services->config);
    *services = (struct services){0};
}
