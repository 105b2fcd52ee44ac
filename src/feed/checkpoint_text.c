#include "checkpoint_text.h"

#include "json_reader.h"
#include "json_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char CHECK[] = ",\"check\":\"";
#define CHECK_SIZE 8 /* hex digits */
#define MANNER_MEMBERS 3 /* format, any_table and condition; each may be absent */

static void member(struct json_writer *w, const char *name, uint64_t value) {
    json_name(w, span_cstr(name));
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, value);
    json_raw(w, span_of(digits, n > 0 ? (size_t)n : 0));
}

static void append_manner(const struct job_manner *manner, struct json_writer *w) {
    json_name(w, SPAN("format"));
    json_string(w, span_cstr(manner->format == ROWS_CSV ? "csv" : "json"));
    if (manner->any_table) {
        member(w, "any_table", 1);
    }
    if (manner->condition[0]) {
        json_name(w, SPAN("condition"));
        json_string(w, span_cstr(manner->condition));
    }
}

bool checkpoint_text_append(const struct checkpoint *c, struct buf *out) {
    struct json_writer w;
    size_t at = out->len;
    json_writer_init(&w, out);
    json_object_begin(&w);
    member(&w, "version", CHECKPOINT_VERSION);
    json_name(&w, SPAN("job"));
    json_string(&w, span_cstr(c->job));
    member(&w, "size", c->identity.size);
    json_name(&w, SPAN("sha256"));
    json_string(&w, span_cstr(c->identity.sha256));
    member(&w, "row", c->state.next.number);
    member(&w, "line", c->state.next.line);
    member(&w, "offset", c->state.next.offset);
    member(&w, "rejected", c->state.rejected);
    member(&w, "began", (uint64_t)c->state.began);
    if (c->manner.known) {
        append_manner(&c->manner, &w);
    }
    uint32_t check = buf_ok(out) ? digest_crc32(span_of(out->data + at, out->len - at)) : 0;
    return buf_printf(out, "%s%08" PRIx32 "\"}\n", CHECK, check);
}

/* Whether the checksum at the end is that of what stands before it. */
static bool is_whole(struct span text) {
    char expected[CHECK_SIZE + 1];
    size_t tail = sizeof CHECK - 1 + CHECK_SIZE + sizeof "\"}\n" - 1;
    if (text.len < tail) {
        return false;
    }
    const char *at = text.data + text.len - tail;
    (void)snprintf(expected, sizeof expected, "%08" PRIx32, digest_crc32(span_of(text.data, text.len - tail)));
    return memcmp(at, CHECK, sizeof CHECK - 1) == 0 && memcmp(at + sizeof CHECK - 1, expected, CHECK_SIZE) == 0 &&
           memcmp(at + sizeof CHECK - 1 + CHECK_SIZE, "\"}\n", 3) == 0;
}

static bool take_number(const struct json_token *token, uint64_t *ret_number) {
    char digits[24];
    char *end = NULL;
    if (token->event != JSON_NUMBER || token->raw.len >= sizeof digits) {
        return false;
    }
    memcpy(digits, token->raw.data, token->raw.len);
    digits[token->raw.len] = '\0';
    if (digits[0] < '0' || digits[0] > '9') {
        return false;
    }
    errno = 0;
    *ret_number = strtoull(digits, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool take_text(const struct json_token *token, char *text, size_t size) {
    struct buf out = {.data = text, .capacity = size, .max = size - 1, .lent = true};
    return token->event == JSON_STRING && json_unescape(token->raw, &out) && out.data == text;
}

struct slot {
    const char *name;
    uint64_t *number; /* or */
    char *text;
    size_t size;
};

static bool finish_manner(const char *format, struct job_manner *manner) {
    manner->known = format[0] != '\0';
    manner->format = strcmp(format, "csv") == 0 ? ROWS_CSV : ROWS_JSON;
    return manner->known ? manner->format == ROWS_CSV || strcmp(format, "json") == 0
                         : !manner->condition[0] && !manner->any_table;
}

static bool take(const struct slot *slots, size_t count, const struct json_token *name, struct json_reader *reader) {
    struct json_token value;
    for (size_t i = 0; i < count; i++) {
        if (!json_token_is(name, slots[i].name)) {
            continue;
        }
        (void)json_next(reader, &value);
        return slots[i].number ? take_number(&value, slots[i].number) : take_text(&value, slots[i].text, slots[i].size);
    }
    return false;
}

enum checkpoint_text checkpoint_text_read(struct span text, struct checkpoint *ret_checkpoint) {
    struct checkpoint c = {.fd = -1};
    uint64_t version = 0, began = 0, any_table = 0;
    char check[CHECK_SIZE + 1], format[sizeof "json"] = "";
    const struct slot slots[] = {{"version", &version, NULL, 0},
                                 {"job", NULL, c.job, sizeof c.job},
                                 {"size", &c.identity.size, NULL, 0},
                                 {"sha256", NULL, c.identity.sha256, sizeof c.identity.sha256},
                                 {"row", &c.state.next.number, NULL, 0},
                                 {"line", &c.state.next.line, NULL, 0},
                                 {"offset", &c.state.next.offset, NULL, 0},
                                 {"rejected", &c.state.rejected, NULL, 0},
                                 {"began", &began, NULL, 0},
                                 {"check", NULL, check, sizeof check},
                                 {"format", NULL, format, sizeof format},
                                 {"any_table", &any_table, NULL, 0},
                                 {"condition", NULL, c.manner.condition, sizeof c.manner.condition}};

    const size_t all = ARRAY_LENGTH(slots) - MANNER_MEMBERS;
    if (!is_whole(text)) {
        return TEXT_DAMAGED;
    }
    struct json_reader reader;
    struct json_token token;
    size_t taken = 0;
    json_reader_init(&reader, text, &(struct json_options){.max_depth = 1});
    bool fine = json_next(&reader, &token) == JSON_OBJECT_BEGIN;
    while (fine && json_next(&reader, &token) == JSON_NAME) {
        fine = take(slots, ARRAY_LENGTH(slots), &token, &reader);
        taken += fine;
        if (fine && taken == 1 && version != CHECKPOINT_VERSION) {
            json_reader_done(&reader);
            return version ? TEXT_OF_OTHER_VERSION : TEXT_DAMAGED;
        }
    }
    json_reader_done(&reader);
    taken -= (format[0] ? 1U : 0U) + (any_table ? 1U : 0U) + (c.manner.condition[0] ? 1U : 0U);
    c.manner.any_table = any_table == 1;
    fine = fine && finish_manner(format, &c.manner);
    c.state.began = (int64_t)began;
    if (!fine || taken != all || c.state.next.number == 0 || c.state.next.line == 0 || c.state.began < 0) {
        return TEXT_DAMAGED;
    }
    memcpy(ret_checkpoint->job, c.job, sizeof c.job);
    ret_checkpoint->identity = c.identity;
    ret_checkpoint->manner = c.manner;
    ret_checkpoint->state = c.state;
    return TEXT_FINE;
}
