#include "process_figures.h"

#include <fcntl.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* proc(5): the fields of /proc/self/stat that are wanted, counted from 1. The second may hold anything, in brackets. */
enum { FIELD_USER_TIME = 14, FIELD_SYSTEM_TIME = 15, FIELD_START = 22, FIELD_VIRTUAL = 23, FIELD_RESIDENT = 24 };

/* A small file of the kernel's, whole. False: it can't be read. */
static bool read_file(const char *path, char *ret_text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t len = read(fd, ret_text, size - 1);
    (void)close(fd);
    ret_text[len > 0 ? len : 0] = '\0';
    return len > 0;
}

/* The machine's start, wall microseconds. */
static int64_t boot_time(void) {
    char text[8192];
    if (!read_file("/proc/stat", text, sizeof text)) {
        return METRICS_ABSENT;
    }
    const char *at = strstr(text, "\nbtime ");
    return at ? strtoll(at + strlen("\nbtime "), NULL, 10) * MICROSECONDS : METRICS_ABSENT;
}

static void read_stat(struct metrics *m) {
    char text[1024];
    char *at = read_file("/proc/self/stat", text, sizeof text) ? strrchr(text, ')') : NULL;
    if (!at || strlen(at) < sizeof ") S ") {
        return;
    }
    at += sizeof ") S " - 1; /* behind the name and the state, a letter */
    int64_t fields[FIELD_RESIDENT + 1] = {0};
    for (size_t i = 4; i <= FIELD_RESIDENT; i++) {
        fields[i] = strtoll(at, &at, 10);
    }
    long ticks = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);
    if (ticks > 0) {
        m->cpu_time = (fields[FIELD_USER_TIME] + fields[FIELD_SYSTEM_TIME]) * MICROSECONDS / ticks;
        int64_t boot = m->started_at == METRICS_ABSENT ? boot_time() : METRICS_ABSENT;
        if (boot != METRICS_ABSENT) {
            m->started_at = boot + fields[FIELD_START] * MICROSECONDS / ticks;
        }
    }
    m->virtual_bytes = fields[FIELD_VIRTUAL];
    m->resident_bytes = fields[FIELD_RESIDENT] * (page > 0 ? page : 4096);
}

static void count_files(struct metrics *m) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        m->max_files = (int64_t)limit.rlim_cur;
    }
    DIR *files = opendir("/proc/self/fd");
    if (!files) {
        return;
    }
    int64_t count = -1; /* the one that is open for this */
    while (readdir(files)) {
        count++;
    }
    (void)closedir(files);
    m->open_files = count - 2; /* "." and ".." */
}

void process_figures(struct metrics *m) {
    read_stat(m);
    count_files(m);
}
