#include "shared_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool out_of_memory(char why[static SETTING_WHY_SIZE]) {
    (void)snprintf(why, SETTING_WHY_SIZE, "out of memory");
    return false;
}

static bool unreadable(const char *path, const char *what, char why[static SETTING_WHY_SIZE]) {
    (void)snprintf(why, SETTING_WHY_SIZE, "%.300s can't be read: %s", path, what);
    return false;
}

/* One byte more than is allowed: so the parser sees that a file is too large. */
#define READ_MAX (PROFILE_FILE_MAX + 1)

static bool read_all(int fd, char *text, size_t *ret_len) {
    size_t len = 0;
    while (len < READ_MAX) {
        ssize_t n = read(fd, text + len, READ_MAX - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        if (n == 0) {
            break;
        }
        len += (size_t)n;
    }
    *ret_len = len;
    return true;
}

static bool parse(const char *path, enum profile_kind kind, struct span text, struct profile_file **ret_file,
                  char why[static SETTING_WHY_SIZE]) {
    struct profile_fault fault;
    switch (profile_parse(kind, text, ret_file, &fault)) {
    case PROFILE_FINE: return true;
    case PROFILE_NO_MEMORY: return out_of_memory(why);
    case PROFILE_MALFORMED: break;
    }
    (void)snprintf(why, SETTING_WHY_SIZE, "%.300s, line %zu: %s", path, fault.line, fault.reason);
    return false;
}

static bool read_and_parse(int fd, const char *path, enum profile_kind kind, struct profile_file **ret_file,
                           char why[static SETTING_WHY_SIZE]) {
    char *text = malloc(READ_MAX);
    if (!text) {
        return out_of_memory(why);
    }
    size_t len = 0;
    bool fine = read_all(fd, text, &len) ? parse(path, kind, span_of(text, len), ret_file, why)
                                         : unreadable(path, strerror(errno), why);
    explicit_bzero(text, len);
    free(text);
    return fine;
}

bool shared_file_read(const char *path, bool given, enum profile_kind kind, struct profile_file **ret_file,
                      char ret_why[static SETTING_WHY_SIZE]) {
    struct stat st;
    if (stat(path, &st) != 0) {
        /* A hardened service may have no access to a home directory: that is the same as a home without the files. */
        if (errno == ENOENT || errno == ENOTDIR || !given) {
            *ret_file = NULL;
            return true;
        }
        return unreadable(path, strerror(errno), ret_why);
    }
    if (S_ISCHR(st.st_mode)) { /* /dev/null, the usual way to say "no file" */
        *ret_file = NULL;
        return true;
    }
    if (!S_ISREG(st.st_mode)) {
        return unreadable(path, "it is no regular file", ret_why);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return unreadable(path, strerror(errno), ret_why);
    }
    bool fine = read_and_parse(fd, path, kind, ret_file, ret_why);
    (void)close(fd);
    return fine;
}

static char *join_path(const char *folder, const char *name) {
    size_t size = strlen(folder) + 1 + strlen(name) + 1;
    char *path = malloc(size);
    if (path) {
        (void)snprintf(path, size, "%s/%s", folder, name);
    }
    return path;
}

/* The variable's path, with HOME for a leading "~/"; without the variable, name in HOME. NULL: no memory, or HOME is
 * needed and not set. */
static char *file_path(const char *home, const char *given, const char *name) {
    if (given && (strncmp(given, "~/", 2) != 0 || !home)) {
        return strdup(given);
    }
    return home ? join_path(home, given ? given + 2 : name) : NULL;
}

static bool load_file(const struct environment *environment, const char *variable, const char *name,
                      enum profile_kind kind, struct shared_file *ret_file, char why[static SETTING_WHY_SIZE]) {
    const char *home = environment_get(environment, "HOME");
    const char *given = environment_get(environment, variable);
    if (!home && !given) {
        return true;
    }
    char *path = file_path(home, given, name);
    if (!path) {
        return out_of_memory(why);
    }
    char reason[SETTING_WHY_SIZE];
    struct profile_file *file;
    if (!shared_file_read(path, given != NULL, kind, &file, reason)) {
        (void)snprintf(why, SETTING_WHY_SIZE, "%s: %.460s", variable, reason);
        free(path);
        return false;
    }
    *ret_file = (struct shared_file){path, given != NULL, given && access(path, F_OK) != 0, file};
    return true;
}

static bool is_empty(const struct environment *environment, const char *variable) {
    const char *value = environment->get(environment->ctx, variable);
    return value && !value[0];
}

static bool load(const struct environment *environment, const char *option, struct shared_config *c,
                 char why[static SETTING_WHY_SIZE]) {
    const char *variable = option ? "--profile" : "AWS_PROFILE";
    const char *named = option ? option : environment_get(environment, variable);
    c->by_option = option != NULL;
    if (!named && !is_empty(environment, variable)) {
        variable = "AWS_DEFAULT_PROFILE";
        named = environment_get(environment, variable);
    }
    /* As in the SDKs: otherwise the default profile's keys would silently be used in place of those that were meant. */
    if (!named && is_empty(environment, variable)) {
        (void)snprintf(why, SETTING_WHY_SIZE, "%s is set, and empty: it has to name a profile, or to be left out",
                       variable);
        return false;
    }
    c->profile = strdup(named ? named : "default");
    if (!c->profile) {
        return out_of_memory(why);
    }
    if (!load_file(environment, "AWS_CONFIG_FILE", ".aws/config", PROFILE_CONFIG, &c->config, why) ||
        !load_file(environment, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", PROFILE_CREDENTIALS, &c->credentials,
                   why)) {
        return false;
    }
    if (named && !shared_config_has_profile(c, named)) {
        (void)snprintf(why, SETTING_WHY_SIZE, "%s: there is no such profile, neither in %.150s nor in %.150s", variable,
                       c->config.path ? c->config.path : "a config file",
                       c->credentials.path ? c->credentials.path : "a credentials file");
        return false;
    }
    return true;
}

bool shared_config_load(const struct environment *environment, const char *profile, struct shared_config *ret_config,
                        char ret_why[static SETTING_WHY_SIZE]) {
    struct shared_config c = {0};
    if (!load(environment, profile, &c, ret_why)) {
        shared_config_free(&c);
        return false;
    }
    *ret_config = c;
    return true;
}

static void free_file(struct shared_file *file) {
    free(file->path);
    profile_free(file->file);
}

void shared_config_free(struct shared_config *config) {
    free(config->profile);
    free_file(&config->config);
    free_file(&config->credentials);
    *config = (struct shared_config){0};
}

struct span shared_config_get_of(const struct shared_config *config, const char *profile, const char *name) {
    struct span value = profile_get(config->credentials.file, profile, name);
    if (!value.len) {
        value = profile_get(config->config.file, profile, name);
    }
    return value.len ? value : (struct span){NULL, 0};
}

struct span shared_config_get(const struct shared_config *config, const char *name) {
    return shared_config_get_of(config, config->profile, name);
}

bool shared_config_place(const struct shared_config *config, struct span value, const char **ret_path,
                         size_t *ret_line) {
    const struct shared_file *const files[] = {&config->credentials, &config->config};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        size_t line = profile_line(files[i]->file, value);
        if (line) {
            *ret_path = files[i]->path;
            *ret_line = line;
            return true;
        }
    }
    return false;
}

bool shared_config_has_profile(const struct shared_config *config, const char *profile) {
    return profile_exists(config->credentials.file, profile) || profile_exists(config->config.file, profile);
}
