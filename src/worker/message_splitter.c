#include "message_splitter.h"

#include "json_reader.h"

static const size_t PIECE_MAX = (size_t)1 << 20;
static const unsigned DEPTH_MAX = JSON_MAX_DEPTH;

void message_splitter_init(struct message_splitter *s) {
    *s = (struct message_splitter){.line = 1};
    buf_init(&s->input, STREAM_MESSAGE_MAX + 2 * PIECE_MAX);
}

void message_splitter_free(struct message_splitter *s) {
    buf_free(&s->input);
}

/* Moves what is left to the front, where at most half is left, or room is needed. */
static void compact(struct message_splitter *s, size_t more) {
    bool fits = s->input.len + more <= s->input.max;
    if (s->at == 0 || (fits && s->at < s->input.len / 2))
        return;
    size_t left = s->input.len - s->at;
    memmove(s->input.data, s->input.data + s->at, left);
    s->input.len = left;
    s->scanned -= s->at;
    s->at = 0;
}

bool message_splitter_feed(struct message_splitter *s, struct span piece) {
    compact(s, piece.len);
    return buf_append_span(&s->input, piece);
}

void message_splitter_end(struct message_splitter *s) {
    s->ended = true;
}

static bool is_blank(struct span line) {
    for (size_t i = 0; i < line.len; i++)
        if (!memchr(" \t\r\n", line.data[i], 4))
            return false;
    return true;
}

enum completeness { WHOLE, CUT_SHORT, BROKEN };

/* Whether text is one JSON object, or the beginning of one. */
static enum completeness look_at(struct span text) {
    struct json_reader reader;
    struct json_token token;
    enum json_event event = JSON_FAILED;
    size_t start = 0;
    while (start < text.len && memchr(" \t\r\n", text.data[start], 4))
        start++;
    if (start == text.len || text.data[start] != '{')
        return BROKEN;
    json_reader_init(&reader, text, &(struct json_options){.max_depth = DEPTH_MAX});
    do
        event = json_next(&reader, &token);
    while (event != JSON_FAILED && event != JSON_END);
    bool cut = event == JSON_FAILED && reader.error == JSON_SYNTAX && reader.error_offset == text.len;
    json_reader_done(&reader);
    return event == JSON_END ? WHOLE : cut ? CUT_SHORT : BROKEN;
}

/* Finds the end of the line at `at`: its newline, or the end of the input. False: it hasn't come yet. */
static bool find_line_end(struct message_splitter *s, size_t *ret_end) {
    const char *newline =
        s->scanned < s->input.len ? memchr(s->input.data + s->scanned, '\n', s->input.len - s->scanned) : NULL;
    if (!newline) {
        s->scanned = s->input.len;
        *ret_end = s->input.len;
        return s->ended;
    }
    *ret_end = (size_t)(newline - s->input.data);
    return true;
}

static void step_over(struct message_splitter *s, size_t end) {
    s->at = end < s->input.len ? end + 1 : end;
    s->scanned = s->at;
    s->line++;
}

static struct span rest_of(const struct message_splitter *s) {
    return span_of(s->input.data ? s->input.data + s->at : "", s->input.len - s->at);
}

/* The first line that isn't blank decides the form: one object over several lines begins with one that is cut short. */
static void decide(struct message_splitter *s, size_t line_end) {
    struct span line = span_of(s->input.data + s->at, line_end - s->at);
    s->form = look_at(line) == CUT_SHORT && line_end < s->input.len ? FORM_PERHAPS_ONE : FORM_LINES;
}

/* Whether text is one broken object over several lines. No later line begins with a brace, as that would begin another
 * message. */
static bool is_one_broken(struct span text) {
    const char *first = memchr(text.data, '\n', text.len);
    return first && !memmem(first, text.len - (size_t)(first - text.data), "\n{", 2) &&
           !is_blank(span_of(first, text.len - (size_t)(first - text.data)));
}

/* Whether the input may still be one object over several lines. Looks at two lines first, and at all of it once the
 * input has ended. */
static bool may_be_one(struct message_splitter *s) {
    struct span rest = rest_of(s);
    const char *first = memchr(rest.data, '\n', rest.len);
    const char *second = first ? memchr(first + 1, '\n', rest.len - (size_t)(first + 1 - rest.data)) : NULL;
    if (second && look_at(span_of(rest.data, (size_t)(second - rest.data))) == BROKEN && !is_one_broken(rest))
        return false;
    if (rest.len > STREAM_MESSAGE_MAX)
        return false;
    return !s->ended || look_at(rest) == WHOLE || is_one_broken(rest);
}

/* Takes all that is left as one message; a broken one without the line breaks at its end. */
static struct span take_one(struct message_splitter *s) {
    struct span message = rest_of(s);
    bool whole = look_at(message) == WHOLE;
    while (!whole && message.len && memchr("\r\n", message.data[message.len - 1], 2))
        message.len--;
    s->at = s->scanned = s->input.len;
    return message;
}

enum split message_splitter_next(struct message_splitter *s, struct span *ret_message, size_t *ret_line) {
    for (;;) {
        size_t end;
        if (s->form == FORM_PERHAPS_ONE) {
            if (!may_be_one(s)) {
                s->form = FORM_LINES;
            } else if (!s->ended) {
                return SPLIT_MORE;
            } else {
                s->form = FORM_ONE;
                *ret_message = take_one(s);
                *ret_line = s->line;
                return SPLIT_MESSAGE;
            }
        }
        bool whole = find_line_end(s, &end);
        if (whole && s->at == s->input.len && s->ended)
            return SPLIT_END;
        if (s->skipping) {
            if (!whole) {
                s->at = s->scanned = s->input.len;
                return SPLIT_MORE;
            }
            s->skipping = false;
            step_over(s, end);
            continue;
        }
        if (end - s->at > STREAM_MESSAGE_MAX) {
            *ret_line = s->line;
            s->skipping = true;
            s->form = FORM_LINES;
            return SPLIT_TOO_LONG;
        }
        if (!whole)
            return SPLIT_MORE;
        struct span line = span_of(s->input.data + s->at, end - s->at);
        if (is_blank(line)) {
            step_over(s, end);
            continue;
        }
        if (s->form == FORM_UNKNOWN) {
            decide(s, end);
            continue;
        }
        *ret_message = line;
        *ret_line = s->line;
        step_over(s, end);
        return SPLIT_MESSAGE;
    }
}

size_t message_splitter_next_line(const struct message_splitter *s) {
    return s->line + s->skipping;
}

bool message_splitter_is_done(const struct message_splitter *s) {
    return s->ended && (s->skipping || is_blank(rest_of(s)));
}
