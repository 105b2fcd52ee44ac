/* When connections to a host are given up because they are old, so that a host that moves to another address is found.
 * While a host's name has no address, its living connections must not be lost. So old connections are given up only if
 * a new one could be opened a moment ago; otherwise a request now and then opens one to find out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HOSTS_MAX 8

struct http_host {
    char name[256];
    int64_t proved; /* monotonic: when a connection was last opened; NEVER: never */
    int64_t looked; /* when a request last opened one to find out; NEVER: never */
};

struct http_hosts {
    struct http_host hosts[HTTP_HOSTS_MAX];
    size_t count;
};

struct http_reuse {
    bool fresh; /* open a connection in any case, to see where the name leads */
    bool ages; /* connections that are too old are closed */
};

/* The entry for a host (with its port), by struct url's authority. NULL: there is no room for more. */
struct http_host *http_hosts_find(struct http_hosts *hosts, const char *name);
/* Whether old connections may be closed now, since new ones can be had. host may be NULL. */
bool http_host_ages(const struct http_host *host, int64_t now);
/* How a request that begins now chooses its connection. host may be NULL. */
struct http_reuse http_host_reuse(struct http_host *host, int64_t now);
