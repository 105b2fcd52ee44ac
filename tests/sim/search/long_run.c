#include "long_run.h"

#include "sim_sqs_private.h"
#include "sim_worker.h"

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t AT_ONCE = 2000;
static const unsigned RECORDS = 500;
static const size_t HEAP_SLACK = (size_t)256 << 10, RESIDENT_SLACK = (size_t)4 << 20;
static const int64_t PATIENCE = 3600 * MICROSECONDS;

struct usage {
    size_t resident, heap;
    unsigned descriptors;
};

struct long_world {
    struct world world;
    struct sim_worker worker;
    struct sim_queue *queue, *dlq;
    uint64_t sent;
};

static struct usage measure(void) {
    struct usage u = {.heap = mallinfo2().uordblks};
    FILE *statm = fopen("/proc/self/statm", "re");
    char text[128] = "";
    if (statm && fgets(text, sizeof text, statm)) {
        char *end = NULL;
        strtoul(text, &end, 10);
        u.resident = strtoul(end, NULL, 10) * 4096;
    }
    if (statm)
        fclose(statm);
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        u.descriptors++;
    if (folder)
        closedir(folder);
    return u;
}

static void report(const struct long_world *l, uint64_t messages, const struct usage *u) {
    printf("%6.1f %% %12" PRIu64 " messages %10zu KiB resident %10zu KiB of heap in use %4u descriptors, %" PRIu64
           " committed, %.0f s virtual\n",
           100.0 * (double)l->sent / (double)messages, l->sent, u->resident >> 10, u->heap >> 10, u->descriptors,
           l->world.dynamodb.committed, (double)l->world.now / (double)MICROSECONDS);
    fflush(stdout);
}

static void send_some(struct long_world *l, uint64_t count) {
    for (uint64_t i = 0; i < count; i++, l->sent++) {
        char body[160];
        snprintf(body, sizeof body,
                 "{\"id\":\"%s%u\",\"attributes\":{\"n\":%u,\"text\":\"%.*s\"},\"enable_logging\":%s}",
                 l->sent % 50 ? "k" : "nobody", (unsigned)(l->sent * 7 % RECORDS), (unsigned)(l->sent % 100000),
                 (int)(l->sent % 30), "abcdefghijklmnopqrstuvwxyzabcd", l->sent % 4 ? "false" : "true");
        sim_queue_send(l->queue, body);
    }
}

static bool is_done(void *ctx) {
    const struct long_world *l = ctx;
    return l->queue->count == 0 && queue_worker_status(l->worker.worker).in_flight == 0;
}

static void renew(struct json_object **object) {
    json_object_put(*object);
    *object = json_object_new_object();
}

/* The servers keep nothing of what has ended, so that what grows is the worker's. */
static void forget(struct long_world *l) {
    struct sim_sqs *sqs = &l->world.sqs;
    struct sim_dynamodb *db = &l->world.dynamodb;
    for (struct sim_message *m; (m = TAILQ_FIRST(&l->dlq->messages));) {
        TAILQ_REMOVE(&l->dlq->messages, m, link);
        l->dlq->count--;
    }
    for (size_t i = 0; i < sqs->all_count; i++)
        sim_message_free(sqs->all[i]);
    sqs->all_count = 0;
    renew(&db->tokens);
    renew(&db->commits);
    renew(&sim_dynamodb_table(db, SIM_AUDIT_TABLE)->items);
    buf_reset(&db->applied);
}

static void begin(struct long_world *l) {
    sim_usual_world(&l->world, 1);
    l->world.log.level = (enum log_level)(LOG_LEVEL_ERROR + 1);
    l->queue = &l->world.sqs.queues[0];
    l->dlq = &l->world.sqs.queues[1];
    for (unsigned i = 0; i < RECORDS; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%u", i);
        sim_table_put(sim_dynamodb_table(&l->world.dynamodb, SIM_TABLE), name, "n", "0");
    }
    l->world.dynamodb.conflicts = 5;
    l->world.dynamodb.transact.lost_answers = 2;
    l->world.sqs.failed_entries = 5;
    sim_worker_init(&l->worker, &l->world);
    if (!sim_worker_start(&l->worker))
        abort();
}

int long_run(uint64_t messages) {
    static const double rows[] = {0.01, 0.1, 0.5, 1};
    struct long_world *l = world_alloc(sizeof *l);
    struct usage first = {0}, u = {0};
    bool fine = true;
    begin(l);
    for (size_t row = 0; row < ARRAY_LENGTH(rows) && fine; row++) {
        while (fine && (double)l->sent < rows[row] * (double)messages) {
            send_some(l, messages - l->sent < AT_ONCE ? messages - l->sent : AT_ONCE);
            fine = world_run_until(&l->world, is_done, l, PATIENCE);
            if (fine)
                world_run(&l->world, 100 * MILLISECOND); /* what only tells of it */
            forget(l);
        }
        u = measure();
        report(l, messages, &u);
        if (row == 0)
            first = u;
    }
    bool flat = u.heap <= first.heap + HEAP_SLACK && u.resident <= first.resident + RESIDENT_SLACK &&
                u.descriptors == first.descriptors;
    printf("%s\n", !fine ? "messages are left" : flat ? "flat" : "it grows");
    sim_worker_kill(&l->worker);
    world_done(&l->world);
    free(l);
    return fine && flat ? EXIT_SUCCESS : EXIT_FAILURE;
}
