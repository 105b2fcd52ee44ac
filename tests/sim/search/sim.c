/* Searches for a run that breaks a promise: the real worker over simulated services, in virtual time, everything from
 * one seed. */
#include "long_run.h"
#include "run.h"
#include "shrink.h"

#include "clock.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
    uint64_t from, seed, runs, counted, failures, messages;
    double seconds;
    const char *without;
    enum plan_kinds kinds;
    bool one, trace, as_it_is, twice, only_counting;
};

struct totals {
    uint64_t passed_over, runs, counted, operated, ended, broken, deliveries, steps;
    uint64_t struck[FAULT_KINDS], runs_struck[FAULT_KINDS];
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *const KINDS[] = {
    [PLAN_KINDS_OLD] = "old", [PLAN_KINDS_ALL] = "all", [PLAN_KINDS_NEW] = "new", [PLAN_KINDS_CUT] = "cut"};

static void print_replay(const struct plan *p, enum plan_kinds kinds) {
    char *without = plan_left_out(p);
    printf("replay: sim --kinds %s --seed %" PRIu64 "%s%s --trace\n", KINDS[kinds], p->seed,
           without ? " --without " : "", without ? without : "");
    free(without);
}

static void report(struct plan *p, const char *violations, const struct options *o) {
    struct run_result smallest;
    printf("BROKEN: seed %" PRIu64 "\n%s", p->seed, violations);
    print_replay(p, o->kinds);
    if (o->as_it_is)
        return;
    shrink_plan(p, violations);
    run_plan(p, NULL, &smallest);
    printf("the smallest plan that does so:\n");
    plan_print(p, stdout);
    printf("%s", smallest.violations ? smallest.violations : "");
    print_replay(p, o->kinds);
    fflush(stdout);
    free(smallest.violations);
}

static void add_up(struct totals *t, const struct run_result *r) {
    t->runs++;
    t->counted += r->counted;
    t->operated += r->counted && r->operated;
    t->ended += r->ended;
    t->broken += r->broken;
    t->deliveries += r->deliveries;
    t->steps += r->steps;
    for (size_t i = 0; i < FAULT_KINDS; i++) {
        t->struck[i] += r->struck[i];
        t->runs_struck[i] += r->struck[i] > 0;
    }
}

static void print_totals(const struct totals *t, uint64_t from, double seconds) {
    printf("%" PRIu64 " runs from seed %" PRIu64 ", %" PRIu64
           " counted (>= 20 messages, >= 2 workers, >= 3 kinds of faults that struck, all ended), %" PRIu64
           " of these with operations (increment, append) applied, %" PRIu64 " broken; %" PRIu64 " deliveries, %" PRIu64
           " steps; %.0f s, %.0f runs/s\n",
           t->runs, from, t->counted, t->operated, t->broken, t->deliveries, t->steps, seconds,
           seconds > 0 ? (double)t->runs / seconds : 0.0);
    if (t->passed_over)
        printf("  and %" PRIu64 " plans passed over that can't count\n", t->passed_over);
    for (enum fault_kind i = 0; i < FAULT_KINDS; i++)
        printf("  %-36s struck %10" PRIu64 " times in %8" PRIu64 " runs\n", fault_name(i), t->struck[i],
               t->runs_struck[i]);
    fflush(stdout);
}

/* The same plan once more in the same process, whose memory lies elsewhere by now: it must be the same run. */
static bool repeats(const struct plan *p, uint64_t hash) {
    struct run_result again;
    run_plan(p, NULL, &again);
    free(again.violations);
    if (again.hash != hash)
        printf("NOT REPEATED: seed %" PRIu64 "\n", p->seed);
    return again.hash == hash;
}

static int search(const struct options *o) {
    struct totals totals = {0};
    double start = now(), said = start;
    struct plan *p = malloc(sizeof *p);
    if (!p)
        return EXIT_FAILURE;
    for (uint64_t seed = o->from;; seed++) {
        bool enough = (o->runs && totals.runs >= o->runs) || (o->counted && totals.counted >= o->counted) ||
                      (o->seconds > 0 && now() - start >= o->seconds) || totals.broken >= o->failures;
        if (enough)
            break;
        struct run_result result;
        plan_draw(p, seed, o->kinds);
        if (o->only_counting && !plan_may_count(p)) {
            totals.passed_over++;
            plan_done(p);
            continue;
        }
        run_plan(p, NULL, &result);
        add_up(&totals, &result);
        if (o->twice && !repeats(p, result.hash))
            totals.broken++;
        if (result.broken)
            report(p, result.violations, o);
        free(result.violations);
        plan_done(p);
        if (now() - said > 60) {
            said = now();
            print_totals(&totals, o->from, said - start);
        }
    }
    free(p);
    print_totals(&totals, o->from, now() - start);
    return totals.broken ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_one(const struct options *o) {
    struct run_result result;
    struct plan *p = malloc(sizeof *p);
    if (!p)
        return EXIT_FAILURE;
    plan_draw(p, o->seed, o->kinds);
    if (o->without && !plan_leave_out(p, o->without)) {
        fprintf(stderr, "sim: --without: no such parts: %s\n", o->without);
        return 64;
    }
    if (o->trace)
        plan_print(p, stdout);
    run_plan(p, o->trace ? stdout : NULL, &result);
    printf("%s%s, %scounted, %u kinds of faults struck, %" PRIu64 " deliveries, %" PRIu64 " steps\ntrace %016" PRIx64
           "\n",
           result.violations ? result.violations : "", result.broken ? "BROKEN" : "fine", result.counted ? "" : "not ",
           result.faults_struck, result.deliveries, result.steps, result.hash);
    bool broken = result.broken;
    free(result.violations);
    plan_done(p);
    free(p);
    return broken ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const char USAGE[] =
    "usage: sim [--from SEED] [--runs N] [--counted N] [--seconds N] [--failures N] [--no-shrink] [--twice] [--kinds "
    "KINDS] [--only-counting]\n"
    "       sim --seed SEED [--without PARTS] [--trace] [--kinds KINDS]\n"
    "       sim --long MESSAGES\n"
    "  --from SEED      the first seed; the others follow it (default: 1)\n"
    "  --runs N         ends after N runs (default: 1000, where nothing else ends it)\n"
    "  --counted N      ends after N counted runs\n"
    "  --seconds N      ends after so long\n"
    "  --failures N     ends after N broken runs (default: 1)\n"
    "  --no-shrink      a broken run's plan is not made smaller\n"
    "  --twice          each run is repeated, and must be the same\n"
    "  --kinds KINDS    old: plans without the faults of single messages, of refusals, of suspended processes; new: "
    "each with such;\n"
    "                   all: a third with, the others without (default: all); cut: the same, and most with a "
    "worker besides\n"
    "                   that is cut off for a while\n"
    "  --only-counting  passes over the plans whose runs can't count\n"
    "  --seed SEED      this run alone\n"
    "  --without PARTS  leaves out parts of its plan: m3,m7-m9 (messages), f0 (faults), e1 (events)\n"
    "  --trace          prints its plan and all that happens\n"
    "  --long MESSAGES  so many through one worker: what its memory comes to\n";

static bool read_number(const char *text, uint64_t *ret_number) {
    char *end = NULL;
    *ret_number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

static bool read_kinds(const char *text, enum plan_kinds *ret_kinds) {
    for (unsigned i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (!strcmp(text, KINDS[i])) {
            *ret_kinds = (enum plan_kinds)i;
            return true;
        }
    return false;
}

static bool read_options(int argc, char **argv, struct options *o) {
    enum { FROM = 1, RUNS, COUNTED, SECONDS, FAILURES, SEED, WITHOUT, TRACE, LONG, NO_SHRINK, TWICE, PLANS, ONLY };
    static const struct option known[] = {
        {"from", required_argument, NULL, FROM},
        {"runs", required_argument, NULL, RUNS},
        {"counted", required_argument, NULL, COUNTED},
        {"seconds", required_argument, NULL, SECONDS},
        {"failures", required_argument, NULL, FAILURES},
        {"seed", required_argument, NULL, SEED},
        {"without", required_argument, NULL, WITHOUT},
        {"trace", no_argument, NULL, TRACE},
        {"long", required_argument, NULL, LONG},
        {"no-shrink", no_argument, NULL, NO_SHRINK},
        {"twice", no_argument, NULL, TWICE},
        {"kinds", required_argument, NULL, PLANS},
        {"only-counting", no_argument, NULL, ONLY},
        {NULL, 0, NULL, 0},
    };
    uint64_t seconds = 0;
    bool fine = true;
    for (int c; fine && (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (c) {
        case FROM: fine = read_number(optarg, &o->from); break;
        case RUNS: fine = read_number(optarg, &o->runs); break;
        case COUNTED: fine = read_number(optarg, &o->counted); break;
        case SECONDS: fine = read_number(optarg, &seconds); break;
        case FAILURES: fine = read_number(optarg, &o->failures); break;
        case SEED: fine = o->one = read_number(optarg, &o->seed); break;
        case WITHOUT: o->without = optarg; break;
        case TRACE: o->trace = true; break;
        case TWICE: o->twice = true; break;
        case PLANS: fine = read_kinds(optarg, &o->kinds); break;
        case NO_SHRINK: o->as_it_is = true; break;
        case ONLY: o->only_counting = true; break;
        case LONG: fine = read_number(optarg, &o->messages); break;
        default: fine = false; break;
        }
    o->seconds = (double)seconds;
    if (!o->runs && !o->counted && seconds == 0)
        o->runs = 1000;
    return fine && optind == argc && (o->one || (!o->without && !o->trace));
}

int main(int argc, char **argv) {
    struct options o = {.from = 1, .failures = 1, .kinds = PLAN_KINDS_ALL};
    if (!read_options(argc, argv, &o)) {
        fputs(USAGE, stderr);
        return 64;
    }
    if (o.messages)
        return long_run(o.messages);
    return o.one ? run_one(&o) : search(&o);
}
