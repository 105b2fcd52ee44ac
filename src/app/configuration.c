#include "configuration.h"

#include "buf.h"
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)16 * 1024)

static void log_file_error(struct log *log, enum log_level level, const char *sentence, const char *path, int error) {
    LOG_EVENT(log, level, sentence, LOG_C("file", path), LOG_C("reason", strerrordesc_np(error)));
}

/* Whether it is worth reading again: what fills a pipe may need its time. */
static bool waits_well(int fd, bool may_wait) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    return errno == EINTR || (errno == EAGAIN && may_wait && (poll(&readable, 1, -1) >= 0 || errno == EINTR));
}

/* Appends all of a descriptor's bytes. False: errno, or ENOMEM, or EFBIG. */
static bool read_all(int fd, bool may_wait, struct buf *out, int *ret_error) {
    for (;;) {
        char *room = buf_reserve(out, PIECE);
        if (!room) {
            *ret_error = out->failure == BUF_FULL ? EFBIG : ENOMEM;
            return false;
        }
        ssize_t n = read(fd, room, PIECE);
        if (n < 0 && !waits_well(fd, may_wait)) {
            *ret_error = errno;
            return false;
        }
        if (n == 0) {
            return true;
        }
        buf_advance(out, n > 0 ? (size_t)n : 0);
    }
}

/* A directory is refused. A device without an end can't hold the start up: what is read is bounded. */
static bool is_file(int fd, int *ret_error) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
        *ret_error = errno;
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        *ret_error = EISDIR;
        return false;
    }
    return true;
}

static bool read_file(const char *path, bool may_wait, struct buf *out, int *ret_error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        *ret_error = errno;
        return false;
    }
    bool fine = is_file(fd, ret_error) && read_all(fd, may_wait, out, ret_error);
    (void)close(fd);
    return fine;
}

struct reporter {
    struct log *log;
    const char *path;
    bool faulty;
};

static void report(void *ctx, bool faulty, unsigned line, const char *sentence) {
    struct reporter *r = ctx;
    char text[512];
    struct buf out = {.data = text, .capacity = sizeof text, .max = sizeof text - 1};
    (void)buf_printf(&out, "%.300s:%u: %s", r->path, line, sentence);
    log_event(r->log, faulty ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, buf_ok(&out) ? text : sentence, NULL);
    r->faulty = r->faulty || faulty;
}

static void say_nothing(void *ctx, bool faulty, unsigned line, const char *sentence) {
    (void)ctx, (void)faulty, (void)line, (void)sentence;
}

/* LOG_LEVEL and LOG_FORMAT of the file also hold for messages about the file itself. */
static bool take_log_settings(struct span text, const char *const *options, struct log *log) {
    struct configuration configuration = {.options = options};
    if (!settings_file_parse(text, say_nothing, NULL, &configuration.file)) {
        return false;
    }
    const struct environment environment = configuration_environment(&configuration);
    settings_read_log(&environment, log);
    configuration_free(&configuration);
    return true;
}

static bool parse(const char *path, struct span text, const char *const *options, struct log *log,
                  struct configuration *ret_configuration) {
    struct reporter reporter = {log, path, false};
    struct settings_file file;
    if (!take_log_settings(text, options, log) || !settings_file_parse(text, report, &reporter, &file)) {
        log_file_error(log, LOG_LEVEL_ERROR, "The settings file can't be read", path, ENOMEM);
        return false;
    }
    bool names_fine = settings_check_names(&file, path, log);
    *ret_configuration = (struct configuration){
        .file = file, .path = path, .options = options, .faulty = reporter.faulty || !names_fine};
    return true;
}

bool configuration_load(const char *path, bool may_wait, const char *const *options, struct log *log,
                        struct configuration *ret_configuration) {
    bool given = path != NULL;
    if (!given) {
        path = SETTINGS_DEFAULT_FILE;
    }
    struct buf text;
    buf_init(&text, SETTINGS_FILE_MAX + PIECE);
    int error = 0;
    bool fine = read_file(path, may_wait, &text, &error);
    if (fine) {
        fine = parse(path, buf_span(&text), options, log, ret_configuration);
    } else if (!given && (error == ENOENT || error == ENOTDIR || error == EACCES)) {
        if (error == EACCES) {
            log_file_error(log, LOG_LEVEL_INFO, "This user may not read the settings file; only the environment counts",
                           path, error);
        }
        *ret_configuration = (struct configuration){.options = options};
        fine = true;
    } else {
        log_file_error(log, LOG_LEVEL_ERROR,
                       error == ENOENT ? "--config names a file that does not exist"
                                       : "The settings file can't be read",
                       path, error);
    }
    if (text.data) {
        explicit_bzero(text.data, text.capacity);
    }
    buf_free(&text);
    return fine;
}

void configuration_free(struct configuration *configuration) {
    settings_file_free(&configuration->file);
}

static unsigned line_of(const struct settings_file *file, const char *name) {
    unsigned line = 0;
    for (size_t i = 0; i < file->count; i++) {
        line = strcmp(file->entries[i].name, name) == 0 ? file->entries[i].line : line;
    }
    return line;
}

struct setting_origin configuration_origin(const struct configuration *configuration, const char *name) {
    struct setting_origin origin = {.by = SETTING_BY_OPTION};
    for (size_t i = 0; configuration->options && i < SETTINGS_COUNT; i++) {
        if (configuration->options[i] && strcmp(SETTINGS[i].name, name) == 0) {
            origin.value = configuration->options[i];
        }
    }
    const char *value = getenv(name);
    const char *before = value && configuration->started ? settings_file_get(configuration->started, name) : NULL;
    bool is_the_files = before && strcmp(before, value) == 0;
    if (!origin.value && value && !is_the_files) {
        origin = (struct setting_origin){.by = SETTING_BY_ENVIRONMENT, .value = value};
    } else if (!origin.value) {
        origin = (struct setting_origin){.by = SETTING_BY_FILE,
                                         .value = settings_file_get(&configuration->file, name),
                                         .line = line_of(&configuration->file, name)};
    }
    return origin.value ? origin : (struct setting_origin){.by = SETTING_NOWHERE};
}

static const char *look_up(void *ctx, const char *name) {
    return configuration_origin(ctx, name).value;
}

struct environment configuration_environment(struct configuration *configuration) {
    return (struct environment){look_up, configuration};
}

bool configuration_export(const struct configuration *configuration) {
    for (size_t i = configuration->file.count; i > 0; i--) {
        /* From the end: of two lines of one name the last one counts. */
        const struct settings_file_entry *entry = &configuration->file.entries[i - 1];
        if (!settings_know(entry->name) && setenv(entry->name, entry->value, 0) != 0) {
            return false;
        }
    }
    return true;
}
