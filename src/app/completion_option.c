#include "completion_option.h"

#include <string.h>

#define SHORT_SENTENCE 20 /* bytes; one that is shorter says too little alone */

static struct completion_option of_command(const struct cli_option *option) {
    return (struct completion_option){.name = option->name,
                                      .short_name = option->short_name,
                                      .takes = option->takes,
                                      .value = option->value,
                                      .words = option->words,
                                      .is_file = option->value && strcmp(option->value, "FILE") == 0,
                                      .text = option->text};
}

void completion_each_own_option(const struct cli_command *command, completion_visit *visit, void *ctx) {
    for (size_t i = 0; i < command->option_count; i++) {
        struct completion_option option = of_command(&command->options[i]);
        visit(&option, ctx);
    }
}

void completion_each_common_option(completion_visit *visit, void *ctx) {
    for (size_t i = 0; i < CLI_COMMON_COUNT; i++) {
        struct completion_option option = of_command(&CLI_COMMON_OPTIONS[i]);
        visit(&option, ctx);
    }
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        char name[SETTINGS_OPTION_SIZE];
        struct completion_option option = {.name = name,
                                           .takes = TAKES_TEXT,
                                           .value = SETTINGS[i].name,
                                           .is_file = SETTINGS[i].is_file,
                                           .choices = SETTINGS[i].choices,
                                           .text = SETTINGS[i].text};
        if (settings_option(&SETTINGS[i], name)) {
            visit(&option, ctx);
        }
    }
}

/* json|csv; a word in capitals (DURATION|TIME) stands for what is to be given. */
static bool is_words(const char *value) {
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return value && strchr(value, '|') && !strpbrk(value, capitals);
}

bool completion_has_words(const struct completion_option *option) {
    return option->choices || option->words || is_words(option->value);
}

void completion_append_words(const struct completion_option *option, struct buf *out) {
    for (const struct setting_choice *choice = option->choices; choice && choice->word; choice++) {
        (void)buf_printf(out, "%s%s", choice == option->choices ? "" : " ", choice->word);
    }
    const char *words = option->choices ? "" : option->words ? option->words : option->value;
    for (const char *c = words; *c; c++) {
        (void)buf_append_char(out, *c == '|' ? ' ' : *c);
    }
}

bool completion_takes_files(const struct cli_command *command) {
    return strstr(command->operands, "FILE") != NULL;
}

struct span completion_sentence(const char *text) {
    const char *end = strstr(text, ". ");
    if (end && end - text < SHORT_SENTENCE) {
        end = strstr(end + 2, ". ");
    }
    struct span sentence = end ? span_of(text, (size_t)(end - text)) : span_cstr(text);
    sentence.len -= sentence.len && sentence.data[sentence.len - 1] == '.';
    return sentence;
}

void completion_append_escaped(struct span text, const char *special, const char *before, struct buf *out) {
    for (size_t i = 0; i < text.len; i++) {
        if (strchr(special, text.data[i])) {
            (void)buf_append_cstr(out, before);
        }
        (void)buf_append_char(out, text.data[i]);
    }
}
