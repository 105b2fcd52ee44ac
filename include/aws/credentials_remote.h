/* The sources of credentials that are asked over the network. Each is a credentials_source, to be put behind a
 * cache. */
#pragma once

#include "compiler.h"
#include "credentials_cache.h"
#include "environment.h"
#include "metadata_request.h"
#include "shared_config.h"

#include <stdbool.h>

#define IMDS_URL_SIZE 512

/* The instance metadata service, version 2 alone. */
struct imds_options {
    char url[IMDS_URL_SIZE]; /* without a slash at its end */
    int64_t timeout; /* microseconds, of each attempt */
    unsigned attempts;
};

/* AWS_EC2_METADATA_DISABLED ("true" in any case sets *ret_disabled), AWS_EC2_METADATA_SERVICE_ENDPOINT,
 * …_ENDPOINT_MODE, AWS_METADATA_SERVICE_TIMEOUT, AWS_METADATA_SERVICE_NUM_ATTEMPTS. All but the first may also stand in
 * the profile. False: ret_why names the one with a bad value. */
MUST_USE bool imds_options_read(const struct environment *environment, const struct shared_config *config,
                                struct imds_options *ret_options, bool *ret_disabled,
                                char ret_why[static SETTING_WHY_SIZE]);

/* The role of the instance. tried (copied): what was looked for before, for the sentence if there are no credentials.
 * False: no memory, as for the others below. world is borrowed. */
MUST_USE bool credentials_imds_new(const struct imds_options *options, const struct credentials_world *world,
                                   const char *tried, struct credentials_source *ret_source);

/* The region that the instance is in: from the metadata service, once. */
struct imds_region;
/* done is called once, later, unless it is freed before: with the region, or with NULL and the reason. NULL: no
 * memory. */
MUST_USE struct imds_region *imds_region_start(const struct imds_options *options,
                                               const struct credentials_world *world,
                                               void (*done)(void *user, const char *region, const char *why),
                                               void *user);
/* NULL is fine. Not from inside done. */
void imds_region_free(struct imds_region *region);

#define CONTAINER_URL_SIZE 2048

struct container_options {
    char url[CONTAINER_URL_SIZE];
    const char *token_file; /* NULL: none. It is read anew for each request. Borrowed, like token, until
                               credentials_container_new() returns */
    const char *token; /* NULL: none */
};

/* AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, else …_FULL_URI; AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, else …_TOKEN.
 * *ret_found: whether there is a URL. False: the URL must not be asked; ret_why says why. */
MUST_USE bool container_options_read(const struct environment *environment, struct container_options *ret_options,
                                     bool *ret_found, char ret_why[static SETTING_WHY_SIZE]);
/* ECS, EKS Pod Identity, Greengrass, Lambda SnapStart. */
MUST_USE bool credentials_container_new(const struct container_options *options, const struct credentials_world *world,
                                        struct credentials_source *ret_source);
