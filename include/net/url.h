/* HTTP URLs, parsed by libcurl's rules: libcurl opens the connections, so its idea of the host is the one that counts.
 * Nothing else parses URLs. */
#pragma once

#include "compiler.h"

#include <stdbool.h>

struct url {
    char *origin; /* scheme, host and port, the port always: "https://host:443/" */
    char *authority; /* host, and the port where it isn't the scheme's own: what a Host header says */
    char *host; /* an IPv6 address has its brackets */
    char *path; /* as it stands; "/" at least */
    char *query; /* as it stands, without "?"; NULL: none */
    bool is_tls;
    bool has_user; /* or a password */
    bool has_fragment;
};

enum url_fault {
    URL_FINE,
    URL_NONE, /* it is no URL */
    URL_NOT_HTTP, /* one of another scheme than http and https */
    URL_NO_MEMORY
};

/* On any result but URL_FINE, *ret_why (may be NULL) says why, for people, and nothing else is written. */
MUST_USE enum url_fault url_read(const char *text, struct url *ret_url, const char **ret_why);
/* Takes a zeroed one too, and leaves a zeroed one. */
void url_free(struct url *url);
