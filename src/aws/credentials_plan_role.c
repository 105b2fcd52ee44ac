/* Roles that a profile assumes: with the keys of another profile, which may use a role itself, or of a named source. */
#include "credentials_planner.h"

#include <stdio.h>
#include <string.h>

#define DURATION_MIN 900
#define DURATION_MAX 43200

/* The profiles from the first one to here. */
struct visited {
    char names[PLAN_ROLES_MAX + 1][PLAN_PROFILE_SIZE];
    size_t count;
};

static bool refuse(struct planner *p, const char *profile, const char *what) {
    (void)snprintf(p->why, sizeof p->why, "profile %.100s: %.380s", profile, what);
    return false;
}

bool plan_has_role(const struct planner *p, const char *profile) {
    return plan_get(p, profile, "role_arn").data && !plan_get(p, profile, "web_identity_token_file").data;
}

static bool has_static_keys(const struct planner *p, const char *profile) {
    return plan_get(p, profile, "aws_access_key_id").data || plan_get(p, profile, "aws_secret_access_key").data;
}

static bool is_session_name(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alphanumeric && (c == '\0' || !strchr("_+=,.@-", c))) {
            return false;
        }
    }
    return s.len >= 2 && s.len <= 64;
}

static bool read_duration(struct span s, unsigned *ret_seconds) {
    unsigned n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9' || n > DURATION_MAX) {
            return false;
        }
        n = n * 10 + (unsigned)(s.data[i] - '0');
    }
    *ret_seconds = n;
    return n >= DURATION_MIN && n <= DURATION_MAX;
}

static bool read_role(struct planner *p, const char *profile, struct plan_role *ret_role) {
    struct plan_role role = {
        .role_arn = plan_get(p, profile, "role_arn"),
        .session_name = plan_get(p, profile, "role_session_name"),
        .external_id = plan_get(p, profile, "external_id"),
    };
    if (plan_get(p, profile, "mfa_serial").data) {
        return refuse(p, profile,
                      "it has an mfa_serial, and nobody types codes for a daemon: use a role without one, or a "
                      "credential_process");
    }
    if (role.session_name.data && !is_session_name(role.session_name)) {
        return refuse(p, profile, "role_session_name has 2 to 64 letters, digits and characters of _+=,.@-");
    }
    struct span duration = plan_get(p, profile, "duration_seconds");
    if (duration.data && !read_duration(duration, &role.duration)) {
        return refuse(p, profile, "duration_seconds is a whole number from 900 to 43200");
    }
    *ret_role = role;
    return true;
}

/* The keys to assume a role with, if credential_source names their source. */
static bool plan_named_source(struct planner *p, const char *profile, struct span source) {
    enum source_status status = SOURCE_ABSENT;
    if (span_is(source, "Environment")) {
        status = plan_environment(p);
    } else if (span_is(source, "EcsContainer")) {
        status = plan_container(p);
    } else if (span_is(source, "Ec2InstanceMetadata")) {
        status = plan_imds(p);
    } else {
        return refuse(p, profile,
                      "credential_source is Environment, EcsContainer or Ec2InstanceMetadata, in this spelling");
    }
    if (status == SOURCE_ABSENT) {
        return refuse(p, profile,
                      "its credential_source has no credentials: the variables that belong to it are not set");
    }
    return status == SOURCE_FOUND;
}

static bool was_visited(const struct visited *visited, const char *profile) {
    for (size_t i = 0; i < visited->count; i++) {
        if (strcmp(visited->names[i], profile) == 0) {
            return true;
        }
    }
    return false;
}

static bool visit(struct planner *p, struct visited *visited, const char *from, struct span name) {
    char *to = visited->names[visited->count];
    if (visited->count > PLAN_ROLES_MAX) {
        return refuse(p, from, "there are too many roles in a row");
    }
    if (name.len >= PLAN_PROFILE_SIZE) {
        return refuse(p, from, "the name of its source_profile is too long");
    }
    memcpy(to, name.data, name.len);
    to[name.len] = '\0';
    if (!shared_config_has_profile(p->config, to)) {
        return refuse(p, from, "there is no profile of the name that its source_profile has");
    }
    /* A profile may name itself if its own keys are to assume its role. */
    if (was_visited(visited, to) && (strcmp(to, from) != 0 || !has_static_keys(p, to))) {
        return refuse(p, from, "its source_profile leads back to a profile that led here");
    }
    visited->count++;
    return true;
}

static bool plan_source(struct planner *p, struct visited *visited, const char *profile, bool *ret_is_role) {
    struct span source = plan_get(p, profile, "source_profile");
    struct span named = plan_get(p, profile, "credential_source");
    *ret_is_role = false;
    if (source.data && named.data) {
        return refuse(p, profile, "it has a source_profile and a credential_source: one of the two has to go");
    }
    if (!source.data && !named.data) {
        return refuse(
            p, profile,
            "it has a role_arn, and neither a source_profile nor a credential_source to assume the role with");
    }
    if (named.data) {
        return plan_named_source(p, profile, named);
    }
    if (!visit(p, visited, profile, source)) {
        return false;
    }
    const char *next = visited->names[visited->count - 1];
    if (plan_has_role(p, next) && !has_static_keys(p, next)) {
        *ret_is_role = true;
        return true;
    }
    enum source_status status = plan_profile(p, next, false);
    return status == SOURCE_ABSENT ? refuse(p, next, "it is the source_profile of another one, and has no credentials")
                                   : status == SOURCE_FOUND;
}

bool plan_role_chain(struct planner *p, const char *profile) {
    struct visited visited = {.count = 1};
    (void)snprintf(visited.names[0], PLAN_PROFILE_SIZE, "%s", profile);
    struct plan_role roles[PLAN_ROLES_MAX]; /* the first to be assumed is the last */
    size_t count = 0;
    bool is_role = true;
    while (is_role) {
        const char *at = visited.names[visited.count - 1];
        if (count == PLAN_ROLES_MAX) {
            return refuse(p, at, "there are too many roles in a row");
        }
        if (!read_role(p, at, &roles[count++]) || !plan_source(p, &visited, at, &is_role)) {
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        p->plan.roles[i] = roles[count - 1 - i];
    }
    p->plan.role_count = count;
    return true;
}
