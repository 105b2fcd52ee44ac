#include "http_hosts.h"

#include "clock.h"

#include <string.h>

#define PROOF_HOLDS (15 * MICROSECONDS)
#define LOOK_EVERY (10 * MICROSECONDS)

struct http_host *http_hosts_find(struct http_hosts *hosts, const char *name) {
    size_t len = strlen(name);
    if (len == 0 || len >= sizeof hosts->hosts[0].name) {
        return NULL;
    }
    for (size_t i = 0; i < hosts->count; i++) {
        if (strncmp(hosts->hosts[i].name, name, len) == 0 && hosts->hosts[i].name[len] == '\0') {
            return &hosts->hosts[i];
        }
    }
    if (hosts->count == HTTP_HOSTS_MAX) {
        return NULL;
    }
    struct http_host *host = &hosts->hosts[hosts->count++];
    *host = (struct http_host){.proved = NEVER, .looked = NEVER};
    memcpy(host->name, name, len);
    return host;
}

static bool was_within(int64_t when, int64_t span, int64_t now) {
    return when != NEVER && now - when < span;
}

bool http_host_ages(const struct http_host *host, int64_t now) {
    return !host || host->proved == NEVER || was_within(host->proved, PROOF_HOLDS, now);
}

struct http_reuse http_host_reuse(struct http_host *host, int64_t now) {
    if (http_host_ages(host, now)) {
        return (struct http_reuse){.ages = true};
    }
    if (was_within(host->looked, LOOK_EVERY, now)) {
        return (struct http_reuse){0};
    }
    host->looked = now;
    return (struct http_reuse){.fresh = true};
}
