/* Which connections to a host may be given up for their age, so that a host that moves is found, and one whose name has
 * no address for a while loses none that live: only where its name was seen to lead somewhere a moment ago; else one
 * request now and then looks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HOSTS_MAX 8

struct http_host {
    char name[256];
    int64_t proved; /* monotonic: when a connection was last opened; NEVER: none yet */
    int64_t looked; /* when one was last opened to see; NEVER: not yet */
};

struct http_hosts {
    struct http_host hosts[HTTP_HOSTS_MAX];
    size_t count;
};

struct http_reuse {
    bool fresh; /* a connection is opened in any case, to see where the name leads */
    bool ages; /* connections that are too old are given up */
};

/* A host, or one port of it, by struct url's authority. NULL: there is no room for more. */
struct http_host *http_hosts_find(struct http_hosts *hosts, const char *name);
/* Whether connections may be given up for their age now, and others had for them. host may be NULL. */
bool http_host_ages(const struct http_host *host, int64_t now);
/* How a request that begins now goes about its connection. host may be NULL. */
struct http_reuse http_host_reuse(struct http_host *host, int64_t now);
