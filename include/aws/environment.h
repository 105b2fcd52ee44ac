/* Where settings of the AWS kind are looked up: the process's environment in the daemon, a table in tests. */
#pragma once

#include <stddef.h>

struct environment {
    /* NULL: not set. The text stays valid and unchanged for as long as anybody holds this environment. */
    const char *(*get)(void *ctx, const char *name);
    void *ctx;
};

/* Room for the sentence about a faulty setting, with its NUL. The sentence names the setting and what it may be, never
 * its value. */
#define SETTING_WHY_SIZE 512

/* NULL where the variable is not set, or empty: the SDKs make no difference between the two. */
static inline const char *environment_get(const struct environment *e, const char *name) {
    const char *value = e->get(e->ctx, name);
    return value && value[0] ? value : NULL;
}
