#include "child_process.h"

#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE ((size_t)4096)
#define LINE_MAX_SIZE ((size_t)512)
#define LINES_MAX 50

/* One end of a pipe that we read. */
struct stream {
    int fd; /* -1: closed */
    struct loop_watch *watch;
};

struct child_process {
    struct loop *loop;
    struct child_options options;
    pid_t pid; /* also the id of its group; 0: it was reaped */
    int pidfd;
    struct loop_watch *ended;
    struct stream output, errors;
    struct buf text;
    char line[LINE_MAX_SIZE];
    size_t line_len;
    unsigned lines;
    bool flooded, timed_out, lost;
    struct timer deadline, finish; /* finish: calls done from the loop, so that it can't free us while we read */
    struct child_result result;
};

static void close_stream(struct stream *s) {
    loop_watch_free(s->watch);
    s->watch = NULL;
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    s->fd = -1;
}

static void kill_group(const struct child_process *c) {
    if (c->pid) {
        (void)kill(-c->pid, SIGKILL);
        (void)kill(c->pid, SIGKILL); /* the child may not have joined its own group yet */
    }
}

static void tell_line(struct child_process *c) {
    if (c->line_len && c->lines < LINES_MAX) {
        c->lines++;
        c->options.complained(c->options.user, span_of(c->line, c->line_len));
    }
    c->line_len = 0;
}

static void take_errors(struct child_process *c, const char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n' || c->line_len == sizeof c->line) {
            tell_line(c);
        }
        if (bytes[i] != '\n') {
            c->line[c->line_len++] = bytes[i];
        }
    }
}

/* Reads what is there once. False: nothing more is there now, or ever. */
static bool read_once(struct child_process *c, struct stream *s) {
    char bytes[PIECE];
    ssize_t n = read(s->fd, bytes, sizeof bytes);
    if (n < 0) {
        bool again = errno == EINTR;
        if (!again && errno != EAGAIN) {
            c->lost = true;
            kill_group(c);
            close_stream(s);
        }
        return again;
    }
    if (n == 0) {
        close_stream(s);
        return false;
    }
    if (s == &c->errors) {
        take_errors(c, bytes, (size_t)n);
    } else if (!c->flooded && !buf_append(&c->text, bytes, (size_t)n)) {
        c->flooded = c->text.failure == BUF_FULL;
        c->lost = !c->flooded;
        kill_group(c);
    }
    OPENSSL_cleanse(bytes, (size_t)n);
    return true;
}

static void on_output(void *user, unsigned events) {
    struct child_process *c = user;
    (void)events;
    (void)read_once(c, &c->output);
}

static void on_errors(void *user, unsigned events) {
    struct child_process *c = user;
    (void)events;
    (void)read_once(c, &c->errors);
}

/* Reads what is left in the pipes after the child has ended. Others may hold the pipes open: they aren't waited for. */
static void drain(struct child_process *c) {
    size_t most = 64;
    while (c->output.fd >= 0 && most-- && read_once(c, &c->output)) {
    }
    most = 64;
    while (c->errors.fd >= 0 && most-- && read_once(c, &c->errors)) {
    }
    tell_line(c);
}

static void on_ended(void *user, unsigned events) {
    struct child_process *c = user;
    (void)events;
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOHANG) != 0) {
        if (errno == EINTR) {
            return;
        }
        c->lost = true;
    } else if (info.si_pid == 0) {
        return;
    }
    bool by_itself = !c->timed_out && !c->flooded && !c->lost;
    if (!by_itself) {
        kill_group(c); /* its children may still run */
    }
    c->pid = 0;
    loop_watch_free(c->ended);
    c->ended = NULL;
    timer_stop(loop_timers(c->loop), &c->deadline);
    drain(c);
    c->result = (struct child_result){
        .end = c->timed_out                 ? CHILD_TIMED_OUT
               : c->flooded                 ? CHILD_FLOODED
               : c->lost                    ? CHILD_LOST
               : info.si_code == CLD_EXITED ? CHILD_EXITED
                                            : CHILD_SIGNALED,
        .code = info.si_status,
    };
    const struct clock clock = loop_clock(c->loop);
    timer_start(loop_timers(c->loop), &c->finish, clock_monotonic(&clock));
}

static void on_deadline(void *user) {
    struct child_process *c = user;
    c->timed_out = true;
    kill_group(c);
}

static void on_finish(void *user) {
    struct child_process *c = user;
    c->result.output = buf_span(&c->text);
    c->options.done(c->options.user, &c->result);
}

/* A pipe whose reading end is ours and doesn't block. */
static bool open_pipe(int fds[2]) {
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return false;
    }
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0) {
        int error = errno;
        (void)close(fds[0]);
        (void)close(fds[1]);
        errno = error;
        return false;
    }
    return true;
}

/* 0, or an errno. */
static int spawn_with(char *const *argv, int output, int errors, posix_spawn_file_actions_t *actions,
                      posix_spawnattr_t *attributes, pid_t *ret_pid) {
    sigset_t none, standard;
    (void)sigemptyset(&none);
    (void)sigemptyset(&standard);
    (void)sigaddset(&standard, SIGPIPE); /* this process ignores these two */
    (void)sigaddset(&standard, SIGXFSZ);
    int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    error = error ? error : posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
    error = error ? error : posix_spawn_file_actions_adddup2(actions, errors, STDERR_FILENO);
    error = error ? error : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    error = error ? error : posix_spawnattr_setpgroup(attributes, 0);
    error = error ? error : posix_spawnattr_setsigmask(attributes, &none);
    error = error ? error : posix_spawnattr_setsigdefault(attributes, &standard);
    error = error ? error
                  : posix_spawnattr_setflags(attributes,
                                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return error ? error : posix_spawnp(ret_pid, argv[0], actions, attributes, argv, environ);
}

static int spawn(char *const *argv, int output, int errors, pid_t *ret_pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) {
        return error;
    }
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = spawn_with(argv, output, errors, &actions, &attributes, ret_pid);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Opens the pipes and starts it. 0, or an errno. */
static int launch(struct child_process *c) {
    int output[2], errors[2];
    if (!open_pipe(output)) {
        return errno;
    }
    c->output.fd = output[0];
    if (!open_pipe(errors)) {
        int error = errno;
        (void)close(output[1]);
        return error;
    }
    c->errors.fd = errors[0];
    int error = spawn(c->options.argv, output[1], errors[1], &c->pid);
    (void)close(output[1]);
    (void)close(errors[1]);
    if (error) {
        c->pid = 0;
        return error;
    }
    c->pidfd = pidfd_open(c->pid, 0);
    return c->pidfd < 0 ? errno : 0;
}

static bool watch(struct child_process *c) {
    c->output.watch = loop_watch_fd(c->loop, c->output.fd, LOOP_READ, on_output, c);
    c->errors.watch = loop_watch_fd(c->loop, c->errors.fd, LOOP_READ, on_errors, c);
    c->ended = loop_watch_fd(c->loop, c->pidfd, LOOP_READ, on_ended, c);
    return c->output.watch && c->errors.watch && c->ended;
}

struct child_process *child_process_start(struct loop *loop, const struct child_options *options, int *ret_error) {
    struct child_process *c = calloc(1, sizeof *c);
    if (!c) {
        *ret_error = ENOMEM;
        return NULL;
    }
    c->loop = loop;
    c->options = *options;
    c->pidfd = c->output.fd = c->errors.fd = -1;
    timer_init(&c->deadline, on_deadline, c);
    timer_init(&c->finish, on_finish, c);
    buf_init(&c->text, options->max_output);
    /* Room for all of it at once, so that no copies of a secret are left behind. */
    int error = buf_reserve(&c->text, options->max_output) ? launch(c) : ENOMEM;
    if (!error && !watch(c)) {
        error = ENOMEM;
    }
    if (error) {
        *ret_error = error;
        child_process_free(c);
        return NULL;
    }
    const struct clock clock = loop_clock(loop);
    timer_start(loop_timers(loop), &c->deadline, clock_monotonic(&clock) + options->timeout);
    return c;
}

void child_process_free(struct child_process *c) {
    if (!c) {
        return;
    }
    timer_stop(loop_timers(c->loop), &c->deadline);
    timer_stop(loop_timers(c->loop), &c->finish);
    if (c->pid) {
        kill_group(c);
        /* The kill takes effect within a moment, and we don't wait longer. A child that isn't reaped here is reaped
         * when this process ends. */
        for (int tries = 0; tries < 100 && waitpid(c->pid, NULL, WNOHANG) == 0; tries++) {
            (void)sched_yield();
        }
    }
    loop_watch_free(c->ended);
    close_stream(&c->output);
    close_stream(&c->errors);
    if (c->pidfd >= 0) {
        (void)close(c->pidfd);
    }
    if (c->text.data) {
        OPENSSL_cleanse(c->text.data, c->text.capacity);
    }
    buf_free(&c->text);
    free(c);
}
