#include "endpoint.h"

#include "client.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct aws_service AWS_SQS = {"sqs", "AWS_ENDPOINT_URL_SQS", "sqs"};
const struct aws_service AWS_DYNAMODB = {"dynamodb", "AWS_ENDPOINT_URL_DYNAMODB", "dynamodb"};
const struct aws_service AWS_STS = {"sts", "AWS_ENDPOINT_URL_STS", "sts"};
const struct aws_service AWS_SSO = {"sso", "AWS_ENDPOINT_URL_SSO", "portal.sso"};

/* The partitions of AWS, told apart by how their regions' names begin; the first is for all other regions. From
 * botocore 1.44.5 (2026-11): partitions.json, and the endpoint rules of DynamoDB, SQS, STS and the portal of SSO. */
struct partition {
    const char *region_prefix;
    const char *dns_suffix;
    const char *dualstack_suffix;
    bool fips_is_default; /* the usual hosts are the FIPS ones */
    bool has_account_hosts; /* for DynamoDB */
};
static const struct partition partitions[] = {
    {"", "amazonaws.com", "api.aws", false, true},
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false, true},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu", false, false},
    {"us-gov-", "amazonaws.com", "api.aws", true, true},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov", false, false},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud", false, false},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", false, false},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", false, false},
};

static const struct partition *partition_of(const char *region) {
    for (size_t i = 1; i < ARRAY_LENGTH(partitions); i++) {
        if (strncmp(region, partitions[i].region_prefix, strlen(partitions[i].region_prefix)) == 0) {
            return &partitions[i];
        }
    }
    return &partitions[0];
}

/* A region becomes a part of a host name: other text in its place could lead to a host that isn't AWS's. */
bool aws_region_valid(struct span s) {
    if (!s.len || s.len >= AWS_REGION_SIZE || s.data[0] == '-' || s.data[s.len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return false;
        }
    }
    return true;
}

/* us-east-1a, us-west-2-lax-1a: a zone is its region's name with a letter behind the last digit. No region's name ends
 * so; its hosts don't exist, and would be waited for. */
static bool is_zone(struct span s) {
    return s.len >= 2 && s.data[s.len - 1] >= 'a' && s.data[s.len - 1] <= 'z' && s.data[s.len - 2] >= '0' &&
           s.data[s.len - 2] <= '9' && memchr(s.data, '-', s.len);
}

static void find(const struct environment *environment, const struct shared_config *config, const char *variable,
                 const char *profile_name, struct aws_setting *ret_found) {
    const char *value = variable ? environment_get(environment, variable) : NULL;
    if (value) {
        ret_found->value = span_cstr(value);
        (void)snprintf(ret_found->name, sizeof ret_found->name, "%s", variable);
        return;
    }
    ret_found->value = profile_name ? shared_config_get(config, profile_name) : (struct span){NULL, 0};
    (void)snprintf(ret_found->name, sizeof ret_found->name, "%s of profile %.50s", profile_name ? profile_name : "",
                   config->profile);
}

static struct aws_setting find_region(const struct environment *environment, const struct shared_config *config) {
    struct aws_setting region;
    find(environment, config, "AWS_REGION", NULL, &region);
    if (!region.value.data) {
        find(environment, config, "AWS_DEFAULT_REGION", "region", &region);
    }
    return region;
}

struct aws_setting aws_region_setting(const struct environment *environment, const struct shared_config *config) {
    return find_region(environment, config);
}

bool aws_region_is_set(const struct environment *environment, const struct shared_config *config) {
    return find_region(environment, config).value.data != NULL;
}

bool aws_region(const struct environment *environment, const struct shared_config *config,
                char ret_region[static AWS_REGION_SIZE], char ret_why[static SETTING_WHY_SIZE]) {
    const struct aws_setting region = find_region(environment, config);
    if (!region.value.data) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE,
                       "AWS_REGION is not set, nor AWS_DEFAULT_REGION, nor a region of profile %.50s: set AWS_REGION, "
                       "to eu-west-1 for instance",
                       config->profile);
        return false;
    }
    if (!aws_region_valid(region.value)) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "%s: no region has such a name; it is one like eu-west-1",
                       region.name);
        return false;
    }
    if (is_zone(region.value)) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE,
                       "%s: %.*s is an availability zone; the region's name is without the letter at its end, like "
                       "eu-west-1",
                       region.name, (int)region.value.len, region.value.data);
        return false;
    }
    memcpy(ret_region, region.value.data, region.value.len);
    ret_region[region.value.len] = '\0';
    return true;
}

static bool span_is_word(struct span s, const char *word) {
    return s.len == strlen(word) && strncasecmp(s.data, word, s.len) == 0;
}

static bool read_boolean(const struct environment *environment, const struct shared_config *config,
                         const char *variable, const char *profile_name, bool *ret_value,
                         char why[static SETTING_WHY_SIZE]) {
    struct aws_setting f;
    find(environment, config, variable, profile_name, &f);
    if (f.value.data && !span_is_word(f.value, "true") && !span_is_word(f.value, "false")) {
        (void)snprintf(why, SETTING_WHY_SIZE, "%s is true or false", f.name);
        return false;
    }
    *ret_value = f.value.data && span_is_word(f.value, "true");
    return true;
}

/* The URL in the profile's services section. False: the section that the profile names doesn't exist. */
static bool find_in_services(const struct shared_config *config, const struct aws_service *service,
                             struct aws_setting *ret_found, char why[static SETTING_WHY_SIZE]) {
    *ret_found = (struct aws_setting){0};
    struct span services = shared_config_get(config, "services");
    if (!services.data) {
        return true;
    }
    if (!profile_services_exist(config->config.file, services)) {
        (void)snprintf(why, SETTING_WHY_SIZE, "services of profile %.50s: %.300s has no such services section",
                       config->profile, config->config.path ? config->config.path : "the config file");
        return false;
    }
    ret_found->value = profile_get_service(config->config.file, services, service->name, "endpoint_url");
    (void)snprintf(ret_found->name, sizeof ret_found->name, "endpoint_url of %s in a services section", service->name);
    if (!ret_found->value.len) {
        ret_found->value = (struct span){NULL, 0};
    }
    return true;
}

/* ret_found->value is absent if no URL is configured. */
static bool find_url(const struct environment *environment, const struct shared_config *config,
                     const struct aws_service *service, struct aws_setting *ret_found,
                     char why[static SETTING_WHY_SIZE]) {
    bool ignored;
    if (!read_boolean(environment, config, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls",
                      &ignored, why)) {
        return false;
    }
    *ret_found = (struct aws_setting){0};
    if (ignored) {
        return true;
    }
    find(environment, config, service->url_setting, NULL, ret_found);
    if (!ret_found->value.data) {
        find(environment, config, "AWS_ENDPOINT_URL", NULL, ret_found);
    }
    if (!ret_found->value.data && !find_in_services(config, service, ret_found, why)) {
        return false;
    }
    if (!ret_found->value.data) {
        find(environment, config, NULL, "endpoint_url", ret_found);
    }
    return true;
}

static bool take_url(const struct aws_setting *f, char ret_url[static AWS_ENDPOINT_SIZE],
                     char why[static SETTING_WHY_SIZE]) {
    char url[AWS_ENDPOINT_SIZE];
    bool fits = f->value.len < sizeof url;
    if (fits) {
        memcpy(url, f->value.data, f->value.len);
        url[f->value.len] = '\0';
    }
    if (!fits || !aws_endpoint_valid(url)) {
        (void)snprintf(why, SETTING_WHY_SIZE,
                       "%s has to be a URL like https://host or http://host:port, without user, query or fragment",
                       f->name);
        return false;
    }
    memcpy(ret_url, url, f->value.len + 1);
    return true;
}

/* The settings that decide where a service is. */
struct place {
    bool fips, dualstack;
    struct aws_setting url; /* its value is absent if the region decides */
};

static bool find_place(const struct environment *environment, const struct shared_config *config,
                       const struct aws_service *service, struct place *ret_place, char why[static SETTING_WHY_SIZE]) {
    return read_boolean(environment, config, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", &ret_place->fips, why) &&
           read_boolean(environment, config, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint",
                        &ret_place->dualstack, why) &&
           find_url(environment, config, service, &ret_place->url, why);
}

bool aws_place_settings(const struct environment *environment, const struct shared_config *config,
                        const struct aws_service *service, struct aws_place_settings *ret_settings,
                        char ret_why[static SETTING_WHY_SIZE]) {
    struct aws_place_settings s = {0};
    find(environment, config, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", &s.fips);
    find(environment, config, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", &s.dualstack);
    if (!find_url(environment, config, service, &s.url, ret_why)) {
        return false;
    }
    *ret_settings = s;
    return true;
}

static bool place_url(const struct place *place, const struct aws_service *service, const char *region,
                      char ret_url[static AWS_ENDPOINT_SIZE], char why[static SETTING_WHY_SIZE]) {
    if (place->url.value.data) {
        return take_url(&place->url, ret_url, why); /* unchanged: FIPS and dual-stack don't apply to it */
    }
    const struct partition *p = partition_of(region);
    bool fips_host = place->fips && (place->dualstack || !p->fips_is_default);
    (void)snprintf(ret_url, AWS_ENDPOINT_SIZE, "https://%s%s.%.63s.%s", service->host, fips_host ? "-fips" : "", region,
                   place->dualstack ? p->dualstack_suffix : p->dns_suffix);
    return true;
}

bool aws_endpoint(const struct environment *environment, const struct shared_config *config,
                  const struct aws_service *service, const char *region, char ret_url[static AWS_ENDPOINT_SIZE],
                  char ret_why[static SETTING_WHY_SIZE]) {
    struct place place;
    return find_place(environment, config, service, &place, ret_why) &&
           place_url(&place, service, region, ret_url, ret_why);
}

static bool read_account_mode(const struct environment *environment, const struct shared_config *config,
                              bool *ret_disabled, bool *ret_required, char why[static SETTING_WHY_SIZE]) {
    struct aws_setting f;
    find(environment, config, "AWS_ACCOUNT_ID_ENDPOINT_MODE", "account_id_endpoint_mode", &f);
    *ret_disabled = span_is_word(f.value, "disabled");
    *ret_required = span_is_word(f.value, "required");
    if (f.value.data && !*ret_disabled && !*ret_required && !span_is_word(f.value, "preferred")) {
        (void)snprintf(why, SETTING_WHY_SIZE, "%s is preferred, disabled or required", f.name);
        return false;
    }
    return true;
}

bool aws_account_endpoint(const struct environment *environment, const struct shared_config *config,
                          struct span account_id, const char *region, char ret_url[static AWS_ENDPOINT_SIZE],
                          char ret_why[static SETTING_WHY_SIZE]) {
    struct place place;
    bool disabled = false, required = false;
    if (!find_place(environment, config, &AWS_DYNAMODB, &place, ret_why) ||
        !read_account_mode(environment, config, &disabled, &required, ret_why)) {
        return false;
    }
    const struct partition *p = partition_of(region);
    const char *against = place.url.value.data    ? NULL
                          : place.fips            ? "FIPS endpoints have no accounts in their names"
                          : !p->has_account_hosts ? "this region has no such endpoints"
                          : !account_id.len       ? "the source of the credentials names no account"
                                                  : NULL;
    if (required && against) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "AWS_ACCOUNT_ID_ENDPOINT_MODE is required, but %s", against);
        return false;
    }
    if (place.url.value.data || disabled || against) {
        return place_url(&place, &AWS_DYNAMODB, region, ret_url, ret_why);
    }
    (void)snprintf(ret_url, AWS_ENDPOINT_SIZE, "https://%.*s.ddb.%.63s.%s", (int)account_id.len, account_id.data,
                   region, place.dualstack ? p->dualstack_suffix : p->dns_suffix);
    return true;
}
