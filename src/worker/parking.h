/* Messages of one record wait in line, and what waits takes room among the messages in flight. A record that gets more
 * messages than it can use (they run one after the other; or it is throttled) would in the end take all the room, and
 * others would come in no faster than it is served. So beyond a share of the room its newest messages are given back,
 * each for as long as those before it take: SQS keeps the line for us, at the price of one more delivery. That price is
 * paid once for a message: one that was delivered before is kept. Those that come while others of their record are away
 * go behind them. Where hardly anything but that record comes, it keeps the room: nobody else needs it. Pure: no clock,
 * no I/O, no allocation, O(1). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PARKING_RECORDS 256 /* a power of two */

struct parked_record {
    uint64_t hash;
    int64_t last_return; /* monotonic: when the last one given back comes again */
    int64_t since; /* the counts are since then */
    int64_t busy; /* of that time, with one in line */
    int64_t working_since; /* …up to the last that was served; the rest from then */
    unsigned served, arrivals;
    unsigned interruptions; /* seen */
    uint64_t all_before; /* arrivals of any record */
};

struct parking {
    unsigned room; /* messages in flight at once, at most */
    uint64_t all; /* arrivals of any record */
    unsigned interruptions;
    struct parked_record records[PARKING_RECORDS];
};

/* A message that has just come. */
struct arrival {
    uint64_t record;
    unsigned line; /* messages of its record in flight, itself included */
    bool is_newest; /* of those */
    bool is_first; /* its first delivery */
};

void parking_init(struct parking *p, unsigned room);
/* The room is another one from now on. */
static inline void parking_resize(struct parking *p, unsigned room) {
    p->room = room;
}
/* Seconds for which it is given back; 0: it is kept. */
unsigned parking_arrived(struct parking *p, const struct arrival *a, int64_t now);
/* Nothing is done with for a while, whatever the record: the breaker is open. */
void parking_interrupt(struct parking *p);
/* One message of the record is done with. */
void parking_served(struct parking *p, uint64_t record, int64_t now);
