#include "credentials_remote.h"

#include "compiler.h"
#include "url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ECS_HOST "169.254.170.2"

/* Whether plain HTTP is allowed to this host: the machine itself, and the addresses of ECS and EKS. To any other host
 * the request would show its token to the network. */
static bool is_trusted(const char *host) {
    static const char *const names[] = {"localhost", ECS_HOST, "169.254.170.23", "[fd00:ec2::23]", "[::1]"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (strcasecmp(host, names[i]) == 0) {
            return true;
        }
    }
    struct in_addr address;
    return inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

/* NULL: the URL may be used. */
static const char *fault_of(const char *text) {
    struct url url;
    switch (url_read(text, &url, NULL)) {
    case URL_FINE: break;
    case URL_NONE: return "is no URL";
    case URL_NOT_HTTP: return "has to begin with https:// or http://";
    case URL_NO_MEMORY: return "can't be looked at: out of memory";
    }
    const char *fault = NULL;
    if (url.has_user || url.has_fragment) {
        fault = "may have no user and no fragment";
    } else if (!url.is_tls && !is_trusted(url.host)) {
        fault =
            "has to begin with https://, or its host has to be a loopback address or the one of ECS or EKS (" ECS_HOST
            ", 169.254.170.23, [fd00:ec2::23])";
    }
    url_free(&url);
    return fault;
}

static bool is_printable(const char *text) {
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

bool container_options_read(const struct environment *environment, struct container_options *ret_options,
                            bool *ret_found, char ret_why[static SETTING_WHY_SIZE]) {
    const char *name = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    const char *relative = environment_get(environment, name), *full = NULL;
    if (!relative) {
        name = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
        full = environment_get(environment, name);
    }
    *ret_found = relative || full;
    if (!*ret_found) {
        return true;
    }
    struct container_options o = {.token_file = environment_get(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
                                  .token = environment_get(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN")};
    int len = snprintf(o.url, sizeof o.url, "%s%s", relative ? "http://" ECS_HOST : "", relative ? relative : full);
    const char *fault = len < 0 || (size_t)len >= sizeof o.url ? "is too long"
                        : relative && relative[0] != '/'       ? "has to begin with a slash"
                        : !is_printable(o.url)                 ? "has blanks or other characters that no URL has"
                                                               : fault_of(o.url);
    if (fault) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "%s %s", name, fault);
        return false;
    }
    *ret_options = o;
    return true;
}
