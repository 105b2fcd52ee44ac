#include "letter_groups.h"

#include "letter_choice.h"
#include "mending.h"

#include <stdio.h>
#include <stdlib.h>

#define REASON_MAX 160 /* bytes of a sentence that tell it from others */
#define KEY_MAX 1024

void letter_groups_init(struct letter_groups *g) {
    *g = (struct letter_groups){0};
    TAILQ_INIT(&g->list);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Whether the number at `at` belongs to the failure, and not to a name like UTF-8 or RFC 8259. */
static bool is_its_own(struct span sentence, size_t at) {
    static const char rfc[] = "RFC ";
    char before = at > 0 ? sentence.data[at - 1] : ' ';
    bool in_word = before == '-' || (before >= 'A' && before <= 'Z') || (before >= 'a' && before <= 'z');
    return !in_word &&
           !(at >= sizeof rfc - 1 && memcmp(sentence.data + at - (sizeof rfc - 1), rfc, sizeof rfc - 1) == 0);
}

/* A sentence with N for its own numbers (sizes, positions), so that equal reasons are one; cut between two characters
 * where it is long. */
static void append_reason(struct span sentence, struct buf *out) {
    size_t begin = out->len, at = 0;
    while (at < sentence.len && (out->len - begin < REASON_MAX || ((unsigned char)sentence.data[at] & 0xc0) == 0x80)) {
        bool number = is_digit(sentence.data[at]), own = number && is_its_own(sentence, at);
        if (own)
            buf_append_char(out, 'N');
        do {
            if (!own)
                buf_append_char(out, sentence.data[at]);
            at++;
        } while (number && at < sentence.len && is_digit(sentence.data[at]) && (own || out->len - begin < REASON_MAX));
    }
    if (at < sentence.len)
        buf_append_cstr(out, "...");
}

static struct span sentence_of(const struct letter *letter) {
    switch (letter->form) {
    case LETTER_FOREIGN: return SPAN("it has no error envelope");
    case LETTER_BARE: return SPAN("its envelope was too large to go along");
    default: return letter->message.data ? letter->message : SPAN("its envelope tells no reason");
    }
}

static struct letter_group *find(const struct letter_groups *g, struct span key) {
    struct letter_group *group;
    TAILQ_FOREACH(group, &g->list, link) {
        if (span_equal(buf_span(&group->key), key))
            return group;
    }
    return NULL;
}

static void write_key(const struct letter *letter, struct span sentence, struct buf *key) {
    struct span error = letter->error.data ? letter->error : SPAN("");
    buf_reset(key);
    buf_append(key, error.data, error.len < REASON_MAX ? error.len : REASON_MAX);
    buf_append_char(key, '\0');
    append_reason(sentence, key);
}

static struct letter_group *add_group(struct letter_groups *g, const struct letter *letter, struct span key) {
    struct letter_group *group = calloc(1, sizeof *group);
    if (!group)
        return NULL;
    buf_init(&group->key, KEY_MAX);
    if (!buf_append_span(&group->key, key)) {
        free(group);
        return NULL;
    }
    const char *end = memchr(group->key.data, '\0', group->key.len);
    size_t len = end ? (size_t)(end - group->key.data) : 0;
    if (letter->error.data)
        group->error = span_of(group->key.data, len);
    group->reason = span_of(group->key.data + len + 1, group->key.len - len - 1);
    group->mending = mending_of(letter);
    TAILQ_INSERT_TAIL(&g->list, group, link);
    g->group_count++;
    return group;
}

static struct letter_group *group_of(struct letter_groups *g, const struct letter *letter) {
    char storage[KEY_MAX];
    struct buf key;
    buf_init_lent(&key, storage, sizeof storage, sizeof storage - 1);
    write_key(letter, sentence_of(letter), &key);
    struct letter_group *group = find(g, buf_span(&key));
    if (!group && g->group_count >= LETTER_GROUPS_MAX) {
        write_key(letter, SPAN("further reasons"), &key);
        group = find(g, buf_span(&key));
    }
    static const struct letter other = {.error = {"others", 6}};
    if (!group && g->group_count >= 2 * LETTER_GROUPS_MAX) {
        letter = &other;
        write_key(letter, SPAN("further errors"), &key);
        group = find(g, buf_span(&key));
    }
    group = group ? group : add_group(g, letter, buf_span(&key));
    buf_free(&key);
    return group;
}

static void add_sample(struct letter_group *group, const struct letter *letter, struct span message_id) {
    if (group->sample_count == LETTER_SAMPLES)
        return;
    char *text = group->samples[group->sample_count++];
    int id = (int)(letter->id.len < 80 ? letter->id.len : 80);
    while (id > 0 && (size_t)id < letter->id.len && ((unsigned char)letter->id.data[id] & 0xc0) == 0x80)
        id--;
    int shown = (int)(message_id.len < 64 ? message_id.len : 64);
    if (!letter->id.data)
        (void)snprintf(text, LETTER_SAMPLE_SIZE, "%.*s", shown, message_id.data);
    else
        (void)snprintf(text, LETTER_SAMPLE_SIZE, "%.*s (id %.*s%s)", shown, message_id.data, id, letter->id.data,
                       (size_t)id < letter->id.len ? "..." : "");
}

bool letter_groups_add(struct letter_groups *g, const struct letter *letter, struct span message_id, int64_t sent_at) {
    struct letter_group *group = group_of(g, letter);
    if (!group)
        return false;
    int64_t at = letter_failed_at(letter, sent_at);
    add_sample(group, letter, message_id);
    group->oldest = group->count == 0 || at < group->oldest ? at : group->oldest;
    group->newest = group->count == 0 || at > group->newest ? at : group->newest;
    g->oldest = g->count == 0 || at < g->oldest ? at : g->oldest;
    g->newest = g->count == 0 || at > g->newest ? at : g->newest;
    group->count++;
    g->count++;
    return true;
}

void letter_groups_sort(struct letter_groups *g) {
    struct letter_group_list sorted = TAILQ_HEAD_INITIALIZER(sorted);
    struct letter_group *group;
    while ((group = TAILQ_FIRST(&g->list))) {
        struct letter_group *after = TAILQ_LAST(&sorted, letter_group_list);
        TAILQ_REMOVE(&g->list, group, link);
        while (after && after->count < group->count)
            after = TAILQ_PREV(after, letter_group_list, link);
        if (after)
            TAILQ_INSERT_AFTER(&sorted, after, group, link);
        else
            TAILQ_INSERT_HEAD(&sorted, group, link);
    }
    TAILQ_CONCAT(&g->list, &sorted, link);
}

void letter_groups_free(struct letter_groups *g) {
    for (struct letter_group *group; (group = TAILQ_FIRST(&g->list));) {
        TAILQ_REMOVE(&g->list, group, link);
        buf_free(&group->key);
        free(group);
    }
}
