/* Makes a manual page: what a template says, and where it says @…, the program's own tables. So the page can't differ
 * from the program. A line of the template may be
 *
 *   @commands        each command with its text and options
 *   @common-options  the options that all commands have
 *   @settings        the settings, their defaults and texts
 *   @exit-status     the exit codes
 *   @metrics         the metrics, with their labels and what these may be
 *   @member NAME     the head of a member of the update message, with what its value must be
 *   @error NAME      the head of an error, with its status
 *   @title NAME SECTION DATE
 *                    the page's title, with the version
 *
 * Members and errors have to be there each once, in the program's order: else nothing is made.
 * Use: make-manual TEMPLATE OUTPUT. */
#include "cli.h"
#include "failure.h"
#include "help.h"
#include "metrics.h"
#include "settings.h"
#include "update_member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_SIZE 2048

struct page {
    FILE *out;
    const char *name; /* of the template, for messages */
    unsigned line;
    unsigned members, errors; /* how many were there */
};

static int refuse(const struct page *p, const char *what, const char *word) {
    (void)fprintf(stderr, "%s:%u: %s%s%s\n", p->name, p->line, what, word[0] ? ": " : "", word);
    return EXIT_FAILURE;
}

/* Text as roff takes it: backslashes and dashes are escaped, and no dot or quote at a line's beginning makes a
 * request. */
static void put_text(FILE *out, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        bool begins = i == 0 || text[i - 1] == '\n';
        if (begins && (text[i] == '.' || text[i] == '\''))
            (void)fputs("\\&", out);
        if (text[i] == '\\')
            (void)fputs("\\e", out);
        else if (text[i] == '-')
            (void)fputs("\\-", out);
        else
            (void)fputc(text[i], out);
    }
}

static void put_line(FILE *out, const char *before, const char *text, const char *after) {
    (void)fputs(before, out);
    put_text(out, text, strlen(text));
    (void)fputs(after, out);
}

/* Paragraphs with an empty line between them. */
static void put_paragraphs(FILE *out, const char *text) {
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    for (const char *end; (end = memchr(text, '\n', length)); length -= (size_t)(end + 1 - text), text = end + 1) {
        put_text(out, text, (size_t)(end - text));
        (void)fputs(end[1] == '\n' ? "\n.PP" : text == end ? "" : "\n", out);
        if (text == end)
            (void)fputs("\n", out);
    }
    put_text(out, text, length);
    (void)fputs("\n", out);
}

static void put_options(FILE *out, const struct cli_option *options, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct cli_option *o = &options[i];
        (void)fputs(".TP\n\\fB", out);
        if (o->short_name) {
            put_text(out, o->short_name, strlen(o->short_name));
            (void)fputs("\\fR, \\fB", out);
        }
        put_line(out, "", o->name, "\\fR");
        if (o->takes != TAKES_NOTHING && o->value) {
            (void)fputs(o->takes == TAKES_PERHAPS ? "[=\\fI" : " \\fI", out);
            put_line(out, "", o->value, o->takes == TAKES_PERHAPS ? "\\fR]" : "\\fR");
        }
        put_line(out, "\n", o->text, "\n");
    }
}

static void put_commands(FILE *out) {
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        const struct cli_command *c = &CLI_COMMANDS[i];
        (void)fprintf(out, ".SS %s", c->name);
        put_line(out, c->operands[0] ? " " : "", c->operands, "\n");
        put_paragraphs(out, c->text);
        put_options(out, c->options, c->option_count);
        if (c->examples[0]) {
            (void)fputs(".PP\nExamples:\n.PP\n.nf\n", out);
            put_text(out, c->examples, strlen(c->examples));
            (void)fputs(".fi\n", out);
        }
    }
}

static void put_settings(FILE *out) {
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *s = &SETTINGS[i];
        const char *standard = s->standard ? s->standard : s->standard_text;
        char option[SETTINGS_OPTION_SIZE];
        put_line(out, ".TP\n\\fB", s->name, "\\fR");
        if (settings_option(s, option))
            put_line(out, ", \\fB", option, "\\fR");
        put_line(out, "\n", s->text, "\n");
        if (strcmp(standard, "-") != 0)
            put_line(out, "Default: ", standard, ".\n");
        if (s->reloadable)
            (void)fputs("Taken over by a reload.\n", out);
    }
}

static void put_exit_status(FILE *out) {
    for (size_t i = 0; i < EXIT_STATUS_COUNT; i++) {
        (void)fprintf(out, ".TP\n.B %u\n", EXIT_STATUSES[i].code);
        put_line(out, "", EXIT_STATUSES[i].text, "\n");
    }
}

static void put_label(FILE *out, const struct metrics_label *label) {
    put_line(out, "", label->name, ": ");
    for (size_t i = 0; i < label->count; i++)
        put_line(out, i > 0 ? ", " : "", label->values[i], "");
    (void)fputs(".\n", out);
}

static void put_metrics(FILE *out) {
    static const char *const kinds[] = {"counter", "gauge", "histogram", "histogram"};
    for (size_t i = 0; i < METRICS_COUNT; i++) {
        const struct metrics_row *row = &METRICS[i];
        put_line(out, ".TP\n\\fB", row->name, "\\fR (");
        put_line(out, "", kinds[row->kind], ")\n");
        put_line(out, "", row->help, "\n");
        for (size_t label = 0; label < ARRAY_LENGTH(row->labels) && row->labels[label].name; label++)
            put_label(out, &row->labels[label]);
    }
}

static int put_member(struct page *p, const char *name) {
    if (p->members >= MEMBER_COUNT || strcmp(member_name((enum member)p->members), name) != 0)
        return refuse(p, "not the program's next member of an update message", name);
    put_line(p->out, ".TP\n\\fB", name, "\\fR: ");
    put_line(p->out, "", member_must_be((enum member)p->members++), "\n");
    return EXIT_SUCCESS;
}

static int put_error(struct page *p, const char *name) {
    enum error_type type = (enum error_type)(p->errors + 1);
    if (type > ERROR_DATABASE || strcmp(error_type_name(type), name) != 0)
        return refuse(p, "not the program's next error", name);
    (void)fprintf(p->out, ".TP\n\\fB%s\\fR (%d)\n", name, error_type_status(type));
    p->errors++;
    return EXIT_SUCCESS;
}

static int put_directive(struct page *p, const char *directive) {
    static const struct {
        const char *name;
        void (*put)(FILE *out);
    } tables[] = {{"commands", put_commands},
                  {"settings", put_settings},
                  {"exit-status", put_exit_status},
                  {"metrics", put_metrics}};
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
        if (strcmp(tables[i].name, directive) != 0)
            continue;
        tables[i].put(p->out);
        return EXIT_SUCCESS;
    }
    if (strcmp(directive, "common-options") == 0) {
        put_options(p->out, CLI_COMMON_OPTIONS, CLI_COMMON_COUNT);
        return EXIT_SUCCESS;
    }
    if (strncmp(directive, "member ", strlen("member ")) == 0)
        return put_member(p, directive + strlen("member "));
    if (strncmp(directive, "error ", strlen("error ")) == 0)
        return put_error(p, directive + strlen("error "));
    if (strncmp(directive, "title ", strlen("title ")) == 0) {
        (void)fprintf(p->out, ".TH %s \"table-updater " TABLE_UPDATER_VERSION "\"\n", directive + strlen("title "));
        return EXIT_SUCCESS;
    }
    return refuse(p, "no such table", directive);
}

static int make(struct page *p, FILE *template) {
    char line[LINE_MAX_SIZE];
    while (fgets(line, sizeof line, template)) {
        size_t length = strcspn(line, "\n");
        p->line++;
        if (line[length] != '\n')
            return refuse(p, "the line is too long, or the last one has no end", "");
        line[length] = '\0';
        if (line[0] == '@' ? put_directive(p, line + 1) != EXIT_SUCCESS : fprintf(p->out, "%s\n", line) < 0)
            return EXIT_FAILURE;
    }
    if (ferror(template))
        return refuse(p, "can't be read", "");
    if (p->members > 0 && p->members < MEMBER_COUNT)
        return refuse(p, "a member is missing", member_name((enum member)p->members));
    if (p->errors > 0 && p->errors < ERROR_DATABASE)
        return refuse(p, "an error is missing", error_type_name((enum error_type)(p->errors + 1)));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        (void)fprintf(stderr, "use: make-manual TEMPLATE OUTPUT\n");
        return EXIT_FAILURE;
    }
    FILE *template = fopen(argv[1], "r");
    if (!template) {
        perror(argv[1]);
        return EXIT_FAILURE;
    }
    struct page page = {.out = fopen(argv[2], "w"), .name = argv[1]};
    if (!page.out) {
        perror(argv[2]);
        (void)fclose(template);
        return EXIT_FAILURE;
    }
    int code = make(&page, template);
    (void)fclose(template);
    if (fclose(page.out) != 0 && code == EXIT_SUCCESS) {
        perror(argv[2]);
        code = EXIT_FAILURE;
    }
    if (code != EXIT_SUCCESS)
        (void)remove(argv[2]); /* half a page would be taken for a whole one by the next build */
    return code;
}
