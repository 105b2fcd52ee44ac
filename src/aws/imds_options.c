#include "credentials_remote.h"

#include "client.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define IPV4_URL "http://169.254.169.254"
#define IPV6_URL "http://[fd00:ec2::254]"
#define ATTEMPTS 3
#define ATTEMPTS_MAX 100
#define TIMEOUT_MAX 60 /* seconds */

/* A setting, and where it was found. */
struct found {
    struct span value; /* absent: it is set nowhere */
    const char *name;
};

static struct found find(const struct environment *environment, const struct shared_config *config,
                         const char *variable, const char *profile_name) {
    const char *value = environment_get(environment, variable);
    if (value) {
        return (struct found){span_cstr(value), variable};
    }
    return (struct found){shared_config_get(config, profile_name), profile_name};
}

static bool read_number(const struct found *f, unsigned max, unsigned *ret_number) {
    unsigned n = 0;
    for (size_t i = 0; i < f->value.len; i++) {
        if (f->value.data[i] < '0' || f->value.data[i] > '9' || n > max) {
            return false;
        }
        n = n * 10 + (unsigned)(f->value.data[i] - '0');
    }
    *ret_number = n;
    return n >= 1 && n <= max;
}

static bool take_url(const struct found *f, char ret_url[static IMDS_URL_SIZE]) {
    size_t len = f->value.len;
    char url[IMDS_URL_SIZE];
    if (len >= sizeof url) {
        return false;
    }
    memcpy(url, f->value.data, len);
    while (len && url[len - 1] == '/') {
        len--;
    }
    url[len] = '\0';
    if (!aws_endpoint_valid(url)) {
        return false;
    }
    memcpy(ret_url, url, len + 1);
    return true;
}

static bool span_is_word(struct span s, const char *word) {
    return s.len == strlen(word) && strncasecmp(s.data, word, s.len) == 0;
}

bool imds_options_read(const struct environment *environment, const struct shared_config *config,
                       struct imds_options *ret_options, bool *ret_disabled, char ret_why[static SETTING_WHY_SIZE]) {
    struct imds_options o = {.url = IPV4_URL, .timeout = MICROSECONDS, .attempts = ATTEMPTS};
    struct found mode =
        find(environment, config, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
    if (span_is_word(mode.value, "ipv6")) {
        (void)snprintf(o.url, sizeof o.url, "%s", IPV6_URL);
    } else if (mode.value.data && !span_is_word(mode.value, "ipv4")) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "%s is IPv4 or IPv6", mode.name);
        return false;
    }
    struct found url = find(environment, config, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    if (url.value.data && !take_url(&url, o.url)) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "%s has to be a URL like %s", url.name, IPV4_URL);
        return false;
    }
    unsigned seconds = 0;
    struct found timeout = find(environment, config, "AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout");
    if (timeout.value.data && !read_number(&timeout, TIMEOUT_MAX, &seconds)) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "%s is a whole number of seconds from 1 to %d", timeout.name,
                       TIMEOUT_MAX);
        return false;
    }
    o.timeout = seconds ? seconds * MICROSECONDS : o.timeout;
    struct found attempts =
        find(environment, config, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts");
    if (attempts.value.data && !read_number(&attempts, ATTEMPTS_MAX, &o.attempts)) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "%s is a whole number from 1 to %d", attempts.name, ATTEMPTS_MAX);
        return false;
    }
    *ret_disabled = span_is_word(span_cstr(environment_get(environment, "AWS_EC2_METADATA_DISABLED")), "true");
    *ret_options = o;
    return true;
}
