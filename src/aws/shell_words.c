#include "shell_words.h"

#include <stdlib.h>
#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Reads one word into *to, and moves both on. NULL: success; else what is wrong. */
static const char *take_word(struct span *text, char **to) {
    char quote = '\0';
    size_t i = 0;
    for (; i < text->len && (quote || !is_blank(text->data[i])); i++) {
        char c = text->data[i];
        if (quote == '\'' || (quote && c != '\\')) {
            if (c == quote) {
                quote = '\0';
            } else {
                *(*to)++ = c;
            }
        } else if (c == '\\') {
            if (++i == text->len) {
                return "ends in a backslash";
            }
            if (quote && text->data[i] != '"' && text->data[i] != '\\') {
                *(*to)++ = '\\';
            }
            *(*to)++ = text->data[i];
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else {
            *(*to)++ = c;
        }
    }
    if (quote) {
        return "has a quote that never ends";
    }
    *(*to)++ = '\0';
    *text = span_of(text->data + i, text->len - i);
    return NULL;
}

bool shell_words_split(struct span text, struct shell_words *ret_words, const char **ret_why) {
    struct shell_words w = {.storage = malloc(text.len + 1)};
    char *to = w.storage;
    *ret_why = w.storage ? NULL : "can't be read: out of memory";
    while (!*ret_why) {
        while (text.len && is_blank(text.data[0])) {
            text = span_of(text.data + 1, text.len - 1);
        }
        if (!text.len) {
            break;
        }
        if (w.count == SHELL_WORDS_MAX) {
            *ret_why = "has too many words";
            break;
        }
        w.words[w.count++] = to;
        *ret_why = take_word(&text, &to);
    }
    if (!*ret_why && (!w.count || !w.words[0][0])) {
        *ret_why = "names no program";
    }
    if (*ret_why) {
        shell_words_free(&w);
        return false;
    }
    *ret_words = w;
    return true;
}

void shell_words_free(struct shell_words *words) {
    free(words->storage);
    *words = (struct shell_words){0};
}
