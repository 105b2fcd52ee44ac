/* Reads any bytes as what BatchGetItem and DescribeTimeToLive answer: nothing becomes of a look but what the answer
 * says of its key; once more with one call failing, which is said as such or does no harm. */
#include "audit_table_message.h"
#include "scarce.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LOOKS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

/* Two of them are in one bucket. */
static void make_looks(struct audit_look looks[static LOOKS]) {
    static const char *const keys[LOOKS] = {"k0", "k1", "0123456789abcdef", "0123a"};
    for (size_t i = 0; i < LOOKS; i++) {
        memset(&looks[i], 0x5A, sizeof looks[i]); /* all has to be written */
        memcpy(looks[i].log_id, keys[i], strlen(keys[i]) + 1);
    }
}

static bool contains(struct span text, const char *what) {
    return memmem(text.data, text.len, what, strlen(what)) != NULL;
}

static void check_looks(struct span text, const struct audit_look looks[static LOOKS]) {
    bool escaped = contains(text, "\\");
    for (size_t i = 0; i < LOOKS; i++) {
        const struct audit_look *l = &looks[i];
        check(l->state == AUDIT_ABSENT || l->state == AUDIT_FOUND || l->state == AUDIT_UNPROCESSED);
        check(memchr(l->error, '\0', sizeof l->error) && l->expires >= 0);
        check(l->state == AUDIT_ABSENT || escaped || contains(text, l->log_id));
        check(escaped || !l->error[0] || contains(text, l->error));
        check(l->state != AUDIT_ABSENT || (!l->error[0] && !l->written && !l->expires));
    }
}

/* Two readings that both succeed say the same. */
static void check_same(const struct audit_look a[static LOOKS], const struct audit_look b[static LOOKS]) {
    for (size_t i = 0; i < LOOKS; i++)
        check(a[i].state == b[i].state && strcmp(a[i].error, b[i].error) == 0 && a[i].written == b[i].written &&
              a[i].expires == b[i].expires);
}

static void check_requests(const struct audit_look looks[static LOOKS], struct span text) {
    char table[64];
    size_t len = text.len < sizeof table - 1 ? text.len : sizeof table - 1;
    struct audit_look read[LOOKS];
    struct buf out;
    memcpy(table, text.data, len);
    table[len] = '\0';
    make_looks(read);
    buf_init(&out, AUDIT_REQUEST_MAX);
    check(audit_write_looks(table, looks, LOOKS, text.len & 1, &out));
    check(audit_read_looks(buf_span(&out), read, LOOKS) == DECODE_GARBAGE); /* a request is no answer */
    buf_reset(&out);
    check(audit_write_describe_ttl(table, &out));
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of((const char *)data, size);
    struct audit_look looks[LOOKS], again[LOOKS];
    enum audit_ttl ttl = AUDIT_TTL_OFF;
    make_looks(looks);
    make_looks(again);
    plenty_begin();
    enum decode_status read = audit_read_looks(text, looks, LOOKS), told = audit_read_ttl(text, &ttl);
    uint64_t calls = failing_calls_end();
    check(read != DECODE_NO_MEMORY && told != DECODE_NO_MEMORY);
    if (read == DECODE_FINE)
        check_looks(text, looks);
    check(told != DECODE_FINE || ttl == AUDIT_TTL_ON || contains(text, "DISABLED") || contains(text, "\\"));
    scarce_begin(calls, data, size);
    enum decode_status scarce = audit_read_looks(text, again, LOOKS);
    check(scarce == read || (scarce == DECODE_NO_MEMORY && failing_calls_failed()));
    if (scarce == DECODE_FINE)
        check_same(looks, again);
    scarce = audit_read_ttl(text, &ttl);
    check(scarce == told || (scarce == DECODE_NO_MEMORY && failing_calls_failed()));
    (void)failing_calls_end();
    make_looks(looks);
    check_requests(looks, text);
    return 0;
}
