/* Which region, and where its services are.
 * AWS SDKs and Tools Reference Guide: "AWS Region", "Service-specific endpoints", "Dual-stack and FIPS endpoints". */
#pragma once

#include "compiler.h"
#include "environment.h"
#include "shared_config.h"

#include <stdbool.h>

#define AWS_REGION_SIZE 64
#define AWS_ENDPOINT_SIZE 1024

/* What a service is called in host names, settings and signatures. */
struct aws_service {
    const char *name; /* in signatures and [services] sections: "sqs" */
    const char *url_setting; /* "AWS_ENDPOINT_URL_SQS" */
    const char *host; /* how its hosts begin */
};
extern const struct aws_service AWS_SQS, AWS_DYNAMODB, AWS_STS, AWS_SSO;

/* A setting as it was found: in the environment, or in the profile. */
struct aws_setting {
    struct span value; /* borrowed; absent: it is set nowhere */
    char name[96]; /* for people: the variable, or "region of profile x" */
};

/* Whether a text can be the name of a region: a label of a host's name. */
bool aws_region_valid(struct span text);

/* AWS_REGION, AWS_DEFAULT_REGION, the profile's region. False: there is none, or it is no region's name; ret_why names
 * the setting. */
MUST_USE bool aws_region(const struct environment *environment, const struct shared_config *config,
                         char ret_region[static AWS_REGION_SIZE], char ret_why[static SETTING_WHY_SIZE]);

/* Whether one of them is set, whatever its value. */
bool aws_region_is_set(const struct environment *environment, const struct shared_config *config);

/* The setting that says the region. */
struct aws_setting aws_region_setting(const struct environment *environment, const struct shared_config *config);

/* What decides where a service is: a configured URL, or else the two settings that choose among the region's own
 * hosts. */
struct aws_place_settings {
    struct aws_setting url, fips, dualstack;
};
/* False: a setting has a bad value; ret_why names it. */
MUST_USE bool aws_place_settings(const struct environment *environment, const struct shared_config *config,
                                 const struct aws_service *service, struct aws_place_settings *ret_settings,
                                 char ret_why[static SETTING_WHY_SIZE]);

/* The service's URL: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services section, the profile's
 * endpoint_url (none of these where AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true), or what the region's partition has,
 * with AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, which don't count for a configured URL. False: a setting
 * has a bad value; ret_why names it. */
MUST_USE bool aws_endpoint(const struct environment *environment, const struct shared_config *config,
                           const struct aws_service *service, const char *region,
                           char ret_url[static AWS_ENDPOINT_SIZE], char ret_why[static SETTING_WHY_SIZE]);

/* DynamoDB's URL for keys of this account. It is the account's own host, <account>.ddb.<region>…, unless
 * AWS_ACCOUNT_ID_ENDPOINT_MODE is disabled, a URL is configured, FIPS is asked for, the partition has no such hosts, or
 * account_id is absent or empty (the keys' source doesn't say it). Then it is as above. But in mode required each of
 * the last three is an error, unless a URL is configured. */
MUST_USE bool aws_account_endpoint(const struct environment *environment, const struct shared_config *config,
                                   struct span account_id, const char *region, char ret_url[static AWS_ENDPOINT_SIZE],
                                   char ret_why[static SETTING_WHY_SIZE]);
