/* URLs of HTTP taken apart, by libcurl's rules: it opens the connections, and only what it takes for the host is the
 * host. Nothing else takes URLs apart. */
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

/* Where it is anything but fine, *ret_why (which may be NULL) says why, for people, and nothing else is written. */
MUST_USE enum url_fault url_read(const char *text, struct url *ret_url, const char **ret_why);
/* Takes a zeroed one too, and leaves one. */
void url_free(struct url *url);
