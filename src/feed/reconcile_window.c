#include "reconcile_window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool window_init(struct window *w) {
    *w = (struct window){.rows = calloc(WINDOW_ROWS, sizeof *w->rows)};
    return w->rows != NULL;
}

void window_free(struct window *w) {
    while (w->rows && w->first < w->next) {
        window_pop(w);
    }
    free(w->rows);
    *w = (struct window){0};
}

bool window_has_room(const struct window *w) {
    return w->first == w->next || (w->next - w->first < WINDOW_ROWS && w->bytes < WINDOW_BYTES);
}

struct window_row *window_at(const struct window *w, uint64_t at) {
    return &w->rows[at % WINDOW_ROWS];
}

struct window_row *window_push(struct window *w, const struct row *row) {
    struct window_row *r = window_at(w, w->next);
    r->place = row->place;
    r->fate = FATE_OPEN;
    r->looks_for_failure = false;
    r->message = NULL;
    r->message_len = 0;
    r->error[0] = '\0';
    if (row->failure) {
        r->fate = FATE_FAILED;
        (void)snprintf(r->error, sizeof r->error, "%s", error_type_name(row->failure->type));
    } else {
        r->message = row->message.len <= sizeof r->usual ? r->usual : malloc(row->message.len);
        if (!r->message) {
            return NULL;
        }
        memcpy(r->message, row->message.data, row->message.len);
        r->message_len = row->message.len;
        w->bytes += r->message_len;
    }
    w->next++;
    return r;
}

struct window_row *window_decided(const struct window *w) {
    if (w->first == w->next || window_at(w, w->first)->fate == FATE_OPEN) {
        return NULL;
    }
    return window_at(w, w->first);
}

void window_pop(struct window *w) {
    struct window_row *r = window_at(w, w->first);
    w->bytes -= r->message_len;
    if (r->message != r->usual) {
        free(r->message);
    }
    r->message = NULL;
    w->first++;
}
