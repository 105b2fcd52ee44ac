#include "credentials_sources.h"

#include "credentials_held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* While the service refuses our keys, many calls may ask at once: the file is read no more often than this. */
#define READ_INTERVAL MICROSECONDS

struct profile_source {
    char *path;
    char *profile;
    enum profile_kind kind;
    bool given;
    struct clock clock;
    struct credentials_held *held; /* NULL: the last read failed; why says why */
    bool stale; /* must be read again */
    int64_t read_at; /* monotonic */
    char why[SETTING_WHY_SIZE];
};

static struct credentials_held *take_keys(const struct profile_source *s, const struct profile_file *file,
                                          enum source_status *ret_status, char why[static SETTING_WHY_SIZE]) {
    const struct credentials c = {
        .access_key_id = profile_get(file, s->profile, "aws_access_key_id"),
        .secret_access_key = profile_get(file, s->profile, "aws_secret_access_key"),
        .session_token = profile_get(file, s->profile, "aws_session_token"),
        .account_id = profile_get(file, s->profile, "aws_account_id"),
        .expires = NEVER,
    };
    if (!c.access_key_id.len) {
        (void)snprintf(why, SETTING_WHY_SIZE, "%.200s: profile %.100s has no aws_access_key_id", s->path, s->profile);
        *ret_status = SOURCE_ABSENT;
        return NULL;
    }
    *ret_status = SOURCE_FAULTY;
    if (!c.secret_access_key.len) {
        (void)snprintf(why, SETTING_WHY_SIZE,
                       "%.200s: profile %.100s has aws_access_key_id, but no aws_secret_access_key: both have to stand "
                       "in one file",
                       s->path, s->profile);
        return NULL;
    }
    if (!credentials_plausible(&c)) {
        (void)snprintf(why, SETTING_WHY_SIZE,
                       "%.200s: the keys of profile %.100s are too long, or have characters that no credentials have",
                       s->path, s->profile);
        return NULL;
    }
    struct credentials_held *held = credentials_hold(&c);
    if (!held) {
        (void)snprintf(why, SETTING_WHY_SIZE, "out of memory");
        return NULL;
    }
    *ret_status = SOURCE_FOUND;
    return held;
}

static enum source_status read_keys(struct profile_source *s) {
    s->read_at = clock_monotonic(&s->clock);
    struct profile_file *file;
    struct credentials_held *held = NULL;
    enum source_status status = SOURCE_FAULTY;
    if (shared_file_read(s->path, s->given, s->kind, &file, s->why)) {
        held = take_keys(s, file, &status, s->why);
        profile_free(file);
    }
    credentials_let_go(s->held);
    s->held = held;
    s->stale = held == NULL;
    return status;
}

static void profile_source_get(void *impl, struct credentials_wait *wait) {
    struct profile_source *s = impl;
    if (s->stale && clock_monotonic(&s->clock) - s->read_at >= READ_INTERVAL) {
        (void)read_keys(s);
    }
    if (s->held) {
        credentials_hand_over(s->held, wait);
        return;
    }
    /* There were keys at the start: somebody may be replacing the file right now. */
    char why[SETTING_WHY_SIZE];
    memcpy(why, s->why, sizeof why);
    struct credentials_failure failure = {CALL_RETRY, why};
    wait->pending = false;
    wait->ready(wait->user, NULL, &failure);
}

static void profile_source_cancel(void *impl, struct credentials_wait *wait) {
    (void)impl; /* no wait is ever pending */
    wait->pending = false;
}

static void profile_source_invalidate(void *impl, struct span access_key_id) {
    struct profile_source *s = impl;
    if (s->held && span_equal(s->held->credentials.access_key_id, access_key_id)) {
        s->stale = true;
    }
}

static void profile_source_release(void *impl) {
    struct profile_source *s = impl;
    if (!s) {
        return;
    }
    credentials_let_go(s->held);
    free(s->path);
    free(s->profile);
    free(s);
}

enum source_status credentials_profile_new(const struct shared_file *file, enum profile_kind kind, const char *profile,
                                           struct clock clock, struct credentials_provider *ret_provider,
                                           char ret_why[static SETTING_WHY_SIZE]) {
    if (!file->path) {
        return SOURCE_ABSENT;
    }
    struct profile_source *s = calloc(1, sizeof *s);
    if (s) {
        s->path = strdup(file->path);
        s->profile = strdup(profile);
        s->kind = kind;
        s->given = file->given;
        s->clock = clock;
    }
    if (!s || !s->path || !s->profile) {
        profile_source_release(s);
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "out of memory");
        return SOURCE_FAULTY;
    }
    enum source_status status = read_keys(s);
    if (status != SOURCE_FOUND) {
        memcpy(ret_why, s->why, SETTING_WHY_SIZE);
        profile_source_release(s);
        return status;
    }
    *ret_provider = (struct credentials_provider){s, profile_source_get, profile_source_cancel,
                                                  profile_source_invalidate, profile_source_release};
    return SOURCE_FOUND;
}
