#include "parking.h"

#include "clock.h"

static const unsigned LINE_PART = 16, LINE_LEAST = 4; /* one record may have this part of the room, at least so many */
static const unsigned RETURN_PART = 2; /* this part of the room may come back in a second */
static const unsigned OTHERS_LEAST = 10; /* a record with more arrivals than this for one of others counts as alone */
static const int64_t COUNTED = 10 * MICROSECONDS, LEAST_COUNTED = 100 * MILLISECOND;
static const double SERVED_AT_FIRST = 20; /* messages served in a second, while that isn't known */
static const int64_t LONGEST = 3600 * MICROSECONDS; /* a message that would be away for longer is kept */

void parking_init(struct parking *p, unsigned room) {
    *p = (struct parking){.room = room};
}

static struct parked_record *slot_of(struct parking *p, uint64_t record) {
    return &p->records[record & (PARKING_RECORDS - 1)];
}

/* Where no record has many messages, as mostly, the slots aren't touched. */
static bool is_in(const struct parking *p, const struct parked_record *r, uint64_t record) {
    return p->has_records && r->hash == record;
}

void parking_interrupt(struct parking *p) {
    p->interruptions++;
}

/* Halves the counts now and then, so that recent ones weigh most. The time of an open breaker isn't counted. */
static void bring_up_to_date(struct parking *p, struct parked_record *r, int64_t now) {
    if (r->interruptions != p->interruptions)
        r->working_since = now;
    r->interruptions = p->interruptions;
    if (now - r->since < COUNTED)
        return;
    r->served /= 2;
    r->busy /= 2;
    r->arrivals /= 2;
    r->all_before = p->all - (p->all - r->all_before) / 2;
    r->since = now - COUNTED / 2;
}

/* How many messages of the record may come back in a second. It has one in line. */
static double returns(const struct parking *p, const struct parked_record *r, int64_t now) {
    int64_t busy = r->busy + (now - r->working_since);
    /* Counts one more than were served: a record that stood still for a moment isn't known to be slow. */
    double rate = busy >= LEAST_COUNTED ? (r->served + 1) * (double)MICROSECONDS / (double)busy : SERVED_AT_FIRST;
    double most = p->room > RETURN_PART ? p->room / RETURN_PART : 1;
    return rate > most ? most : rate < 0.1 ? 0.1 : rate;
}

static bool others_come(const struct parking *p, const struct parked_record *r) {
    uint64_t others = p->all - r->all_before - r->arrivals;
    return others * OTHERS_LEAST >= r->arrivals;
}

unsigned parking_arrived(struct parking *p, const struct arrival *a, int64_t now) {
    unsigned most = p->room / LINE_PART > LINE_LEAST ? p->room / LINE_PART : LINE_LEAST;
    struct parked_record *r = slot_of(p, a->record);
    p->all++;
    if (!is_in(p, r, a->record)) {
        if (a->line <= most / 2)
            return 0; /* nothing special: it doesn't take over the slot */
        p->has_records = true;
        *r = (struct parked_record){.hash = a->record,
                                    .since = now,
                                    .working_since = now,
                                    .last_return = now,
                                    .all_before = p->all - 1,
                                    .interruptions = p->interruptions};
    }
    bring_up_to_date(p, r, now);
    r->arrivals++;
    if (a->line == 1)
        r->working_since = now;
    bool behind_others = r->last_return > now;
    if (!a->is_newest || !a->is_first || !(a->line > most || behind_others) || !others_come(p, r))
        return 0;
    double pace = returns(p, r, now);
    int64_t first = now + (int64_t)(a->line * (double)MICROSECONDS / pace);
    int64_t at = (r->last_return > first ? r->last_return : first) + (int64_t)((double)MICROSECONDS / pace);
    if (at - now > LONGEST)
        return 0;
    r->last_return = at;
    return (unsigned)((at - now + MICROSECONDS - 1) / MICROSECONDS);
}

void parking_served(struct parking *p, uint64_t record, int64_t now) {
    struct parked_record *r = slot_of(p, record);
    if (!is_in(p, r, record))
        return;
    bring_up_to_date(p, r, now);
    r->served++;
    r->busy += now - r->working_since;
    r->working_since = now;
}
