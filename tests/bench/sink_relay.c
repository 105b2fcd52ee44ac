#include "sink_relay.h"

#include "sink_scan.h"

#include <stdlib.h>

bool relay_init(struct relay *r, uint64_t count) {
    *r = (struct relay){.count = count};
    if (count > 0)
        r->messages = calloc(count, sizeof *r->messages);
    return count == 0 || r->messages;
}

void relay_free(struct relay *r) {
    for (uint64_t i = 0; r->messages && i < r->count; i++)
        free(r->messages[i].raw);
    free(r->messages);
    tokens_free(&r->records);
}

bool relay_send(struct relay *r, uint64_t number, struct span raw, const char md5[static BODY_MD5_SIZE],
                bool *ret_new) {
    struct relay_message *m = number < r->count ? &r->messages[number] : NULL;
    if (!m)
        return false;
    *ret_new = m->md5[0] == '\0';
    r->sent++;
    r->sent_again += !*ret_new;
    if (!*ret_new)
        return true; /* the first one has the same row */
    m->raw = malloc(raw.len + 1);
    if (!m->raw)
        return false;
    memcpy(m->raw, raw.data, raw.len);
    memcpy(m->md5, md5, BODY_MD5_SIZE);
    m->len = raw.len;
    return true;
}

bool relay_append(const struct relay *r, uint64_t number, struct buf *out, char ret_md5[static BODY_MD5_SIZE]) {
    const struct relay_message *m = number < r->count ? &r->messages[number] : NULL;
    if (!m || !m->raw)
        return false;
    memcpy(ret_md5, m->md5, BODY_MD5_SIZE);
    return buf_append(out, m->raw, m->len);
}

void relay_delete(struct relay *r, uint64_t number) {
    if (number < r->count) {
        free(r->messages[number].raw);
        r->messages[number].raw = NULL;
    }
}

void relay_look_up(const struct relay *r, struct span request, struct buf *out) {
    struct span rest = request, key;
    buf_append_cstr(out, "{\"Responses\":{\"audit\":[");
    const char *before = "";
    while (scan_string(&rest, SPAN("\"S\""), &key)) {
        if (!tokens_has(&r->records, key))
            continue;
        buf_printf(out, "%s{\"log_id\":{\"S\":\"%.*s\"}}", before, (int)key.len, key.data);
        before = ",";
    }
    buf_append_cstr(out, "]},\"UnprocessedKeys\":{}}");
}
