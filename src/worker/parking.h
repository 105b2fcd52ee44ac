/* Messages of one record wait in line, and take room among the messages in flight. A record may get more messages than
 * it can use: they run one after the other, or it is throttled. In the end it would take all the room, and other
 * messages would come in no faster than this record is served. So beyond a share of the room its newest messages are
 * returned to the queue, each for as long as those before it take. SQS then keeps the line for us, at the price of one
 * more delivery. A message pays that price once: one that was delivered before is kept. Messages that come while others
 * of their record are away are returned to come after them. Where hardly anything but that record comes, it keeps the
 * room: nobody else needs it. Pure: no clock, no I/O, no allocation, O(1). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PARKING_RECORDS 256 /* a power of two */

struct parked_record {
    uint64_t hash;
    int64_t last_return; /* monotonic: when the last returned message comes again */
    int64_t since; /* monotonic: since when it is counted */
    int64_t busy; /* of that time, how long messages were in line */
    int64_t working_since; /* monotonic: up to when `busy` is counted */
    unsigned served, arrivals;
    unsigned interruptions; /* parking.interruptions, as last seen */
    uint64_t all_before; /* parking.all, when the count of arrivals began */
};

struct parking {
    unsigned room; /* messages in flight at once, at most */
    uint64_t all; /* arrivals of any record */
    unsigned interruptions;
    bool has_records; /* ever; else nobody looks among them */
    struct parked_record records[PARKING_RECORDS];
};

/* A message that has just come. */
struct arrival {
    uint64_t record;
    unsigned line; /* messages of its record in flight, itself included */
    bool is_newest; /* the newest of these */
    bool is_first; /* this is its first delivery */
};

void parking_init(struct parking *p, unsigned room);
/* The room has changed. */
static inline void parking_resize(struct parking *p, unsigned room) {
    p->room = room;
}
/* A message has come. Returns the seconds for which it is to be returned; 0: it is kept. */
unsigned parking_arrived(struct parking *p, const struct arrival *a, int64_t now);
/* The breaker is open: for a while no message of any record is served. */
void parking_interrupt(struct parking *p);
/* A message of the record has been served. */
void parking_served(struct parking *p, uint64_t record, int64_t now);
