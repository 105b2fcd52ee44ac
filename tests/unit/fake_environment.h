/* An environment that is a table, and files of the AWS tools in a folder of the test's own. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler.h"
#include "environment.h"

#define FAKE_VARIABLES_MAX 12

struct fake_environment {
    const char *variables[FAKE_VARIABLES_MAX][2]; /* name, value; ends with a NULL name */
};

static inline const char *fake_environment_get(void *ctx, const char *name) {
    const struct fake_environment *f = ctx;
    for (size_t i = 0; i < FAKE_VARIABLES_MAX && f->variables[i][0]; i++) {
        if (strcmp(f->variables[i][0], name) == 0) {
            return f->variables[i][1];
        }
    }
    return NULL;
}

#define FAKE_ENVIRONMENT(...)                                                                                          \
    ((struct environment){fake_environment_get, &(struct fake_environment){.variables = {__VA_ARGS__}}})

struct fake_home {
    char path[64];
};

/* Makes a home with an empty folder .aws, and gives its path. */
static inline const char *fake_home_make(struct fake_home *home) {
    (void)snprintf(home->path, sizeof home->path, "/tmp/test-home-XXXXXX");
    assert_non_null(mkdtemp(home->path));
    char folder[96];
    (void)snprintf(folder, sizeof folder, "%s/.aws", home->path);
    assert_int_equal(mkdir(folder, 0700), 0);
    return home->path;
}

/* Writes .aws/<name>. */
static inline void fake_home_write_bytes(const struct fake_home *home, const char *name, const void *bytes,
                                         size_t len) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s/.aws/%s", home->path, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static inline void fake_home_write(const struct fake_home *home, const char *name, const char *text) {
    fake_home_write_bytes(home, name, text, strlen(text));
}

static inline void fake_home_unlink(const struct fake_home *home, const char *name) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s/.aws/%s", home->path, name);
    (void)unlink(path);
    (void)rmdir(path);
}

static inline void fake_home_remove(const struct fake_home *home) {
    fake_home_unlink(home, "config");
    fake_home_unlink(home, "credentials");
    fake_home_unlink(home, "other");
    fake_home_unlink(home, "");
    assert_int_equal(rmdir(home->path), 0);
}
