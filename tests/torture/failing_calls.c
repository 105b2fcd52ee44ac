#include "failing_calls.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANG_SECONDS 60 /* of its own time */
#define SLEEP_SECONDS 600 /* a guard against a sleep that nothing ends */
#define OUTPUT_MAX 1048576
#define STACK_DEPTH 24
#define STACKS_MAX 65536 /* a power of two */

static struct {
    bool counting, failed;
    bool forks, child; /* driven by TORTURE_FORK */
    bool lists; /* driven by TORTURE_LIST */
    unsigned most; /* calls from one stack that are tried; 0: all */
    int depth; /* innermost frames that make two stacks differ */
    uint64_t count, at, tried;
    const char *test; /* a program's own, whose first call has this number */
    uint64_t first;
    uint64_t passed, asserted, suspects;
} calls;

/* How often each stack was seen, by its hash; two that collide are thinned as one, which can't happen before there are
 * very many. */
static struct {
    uint64_t hash;
    unsigned seen;
} stacks[STACKS_MAX];

/* What the children wrote, in memory. */
static int output_fd = -1;

void failing_calls_test(const char *name) {
    calls.test = name;
    calls.first = calls.count + 1;
}

void failing_calls_begin(uint64_t at) {
    calls.counting = true;
    calls.failed = false;
    calls.count = 0;
    calls.at = at;
}

uint64_t failing_calls_end(void) {
    calls.counting = false;
    return calls.count;
}

bool failing_calls_failed(void) {
    return calls.failed;
}

/* Whether calls from this stack were tried often enough. */
static bool is_stale(void) {
    void *frames[STACK_DEPTH];
    int depth = backtrace(frames, calls.depth);
    uint64_t hash = 14695981039346656037ULL;
    for (int i = 0; i < depth; i++)
        hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211ULL;
    size_t slot = hash & (STACKS_MAX - 1);
    for (size_t probe = 0; probe < 64 && stacks[slot].seen > 0 && stacks[slot].hash != hash; probe++)
        slot = (slot + 1) & (STACKS_MAX - 1);
    stacks[slot].hash = hash;
    return calls.most > 0 && stacks[slot].seen++ >= calls.most;
}

static void become_child(void) {
    calls.child = true;
    calls.counting = false;
    calls.failed = true;
    /* By its own time, whatever else the machine does; one that sleeps takes none. */
    const struct itimerval limit = {.it_value = {.tv_sec = HANG_SECONDS}};
    if (setitimer(ITIMER_PROF, &limit, NULL) < 0)
        _exit(125);
    (void)alarm(SLEEP_SECONDS);
    if (dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0)
        _exit(125);
}

static const char *read_output(void) {
    static char output[OUTPUT_MAX];
    ssize_t len = pread(output_fd, output, sizeof output - 1, 0);
    output[len > 0 ? len : 0] = '\0';
    return output;
}

static bool has_asserted(const char *output) {
    return strstr(output, "[  FAILED  ]") || strstr(output, "[  ERROR   ]");
}

/* A test that fails by an assertion has seen the failure. What else ends it is told, for the reader to judge. */
static void judge_child(const char *name, int status, const char *output) {
    static const char *const signs[] = {"ERROR: AddressSanitizer", "runtime error:", "Test failed with exception",
                                        "LeakSanitizer"};
    bool asserted = has_asserted(output), suspect = !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && !asserted);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        suspect = suspect || strstr(output, signs[i]);
    if (suspect) {
        calls.suspects++;
        (void)fprintf(stderr, "torture: call %llu (%s) of %s ended with status %#x\n%s\ntorture: that was it\n",
                      (unsigned long long)(calls.count - calls.first + 1), name, calls.test ? calls.test : "its start",
                      (unsigned)status, output);
    } else if (asserted) {
        calls.asserted++;
    } else {
        calls.passed++;
    }
}

static void wait_for_child(pid_t pid, const char *name) {
    int status = 0;
    if (waitpid(pid, &status, 0) != pid)
        _exit(125);
    judge_child(name, status, read_output());
}

static bool fork_at(const char *name) {
    (void)fflush(NULL);
    if (ftruncate(output_fd, 0) != 0 || lseek(output_fd, 0, SEEK_SET) != 0)
        _exit(125);
    calls.counting = false;
    pid_t pid = fork();
    if (pid < 0)
        _exit(125);
    if (pid == 0) {
        become_child();
        return true;
    }
    wait_for_child(pid, name);
    calls.counting = true;
    return false;
}

bool failing_call(const char *name) {
    if (!calls.counting)
        return false;
    calls.count++;
    if (calls.forks || calls.lists) {
        if (is_stale())
            return false;
        calls.tried++;
        if (calls.lists)
            (void)fprintf(stderr, "torture: call %llu %s\n", (unsigned long long)calls.count, name);
        return calls.forks && fork_at(name);
    }
    if (calls.count != calls.at)
        return false;
    calls.failed = true;
    return true;
}

__attribute__((constructor)) static void take_orders(void) {
    const char *at = getenv("TORTURE_FAIL"), *forks = getenv("TORTURE_FORK"), *lists = getenv("TORTURE_LIST");
    const char *depth = getenv("TORTURE_DEPTH");
    calls.depth = depth ? (int)strtol(depth, NULL, 10) : STACK_DEPTH;
    if (calls.depth < 1 || calls.depth > STACK_DEPTH)
        calls.depth = STACK_DEPTH;
    calls.forks = forks != NULL;
    calls.lists = lists != NULL;
    if (forks || lists)
        calls.most = (unsigned)strtoul(forks ? forks : lists, NULL, 10);
    if (forks)
        output_fd = memfd_create("output", 0);
    if (at || forks || lists)
        failing_calls_begin(at ? strtoull(at, NULL, 10) : 0);
}

/* Also where a test ends by exit(). */
__attribute__((destructor)) static void report(void) {
    calls.counting = false;
    (void)fflush(NULL);
    if (calls.child && has_asserted(read_output()))
        _exit(1); /* what the test held is not given back: no use in looking for leaks */
    if (calls.forks && !calls.child)
        (void)fprintf(stderr, "torture: %llu calls, %llu tried: %llu passed, %llu asserted, %llu suspects\n",
                      (unsigned long long)calls.count, (unsigned long long)calls.tried,
                      (unsigned long long)calls.passed, (unsigned long long)calls.asserted,
                      (unsigned long long)calls.suspects);
    else if (getenv("TORTURE_FAIL"))
        (void)fprintf(stderr, "torture: %s after %llu calls\n", calls.failed ? "failed one" : "failed none",
                      (unsigned long long)calls.count);
}
