#include "enqueue_words.h"

#include "progress_line.h"
#include "row_reader.h"

#include <inttypes.h>
#include <string.h>

void append_shell_word(const char *word, struct buf *out) {
    size_t plain = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-");
    if (word[0] && !word[plain]) {
        (void)buf_append_cstr(out, word);
        return;
    }
    (void)buf_append_char(out, '\'');
    for (const char *at = word; *at; at++) {
        if (*at == '\'') {
            (void)buf_append_cstr(out, "'\\''");
        } else {
            (void)buf_append_char(out, *at);
        }
    }
    (void)buf_append_char(out, '\'');
}

static void append_option(const char *name, const struct cli_value *value, struct buf *out) {
    if (!value->given) {
        return;
    }
    buf_printf(out, " %s", name);
    if (value->text) {
        (void)buf_append_char(out, ' ');
        append_shell_word(value->text, out);
    }
}

static const struct cli_value *value_of(const struct cli *cli, const struct cli_option *option) {
    return (const struct cli_value *)(const void *)((const char *)cli + option->offset);
}

/* The command with its options. format: what --format has to say, as a pipe has no name; NULL: nothing. */
static void append_call(const struct cli *cli, const char *format, struct buf *out) {
    buf_printf(out, "table-updater %s", cli->command->name);
    append_option("--config", &cli->config, out);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        char name[SETTINGS_OPTION_SIZE];
        const struct cli_value value = {.given = cli->settings[i] != NULL, .text = cli->settings[i]};
        if (settings_option(&SETTINGS[i], name)) {
            append_option(name, &value, out);
        }
    }
    for (size_t i = 0; i < cli->command->option_count; i++) {
        append_option(cli->command->options[i].name, value_of(cli, &cli->command->options[i]), out);
    }
    if (format && !cli->of.enqueue.format.given) {
        buf_printf(out, " --format %s", format);
    }
}

static void append_operands(const struct cli *cli, int from, struct buf *out) {
    for (int i = from; i < cli->operand_count; i++) {
        (void)buf_append_cstr(out, cli->operands[i][0] == '-' && cli->operands[i][1] ? " ./" : " ");
        append_shell_word(cli->operands[i], out);
    }
}

/* "gzip -dc <FILE | tail -n +7", or "tail -n +7 FILE". */
static void append_part(const char *path, const char *unpacker, const char *taker, struct buf *out) {
    const char *folder = path[0] == '-' ? "./" : "";
    if (unpacker) { /* by redirection: both look at a name's ending */
        buf_printf(out, "%s <%s", unpacker, folder);
        append_shell_word(path, out);
        buf_printf(out, " | %s", taker);
    } else {
        buf_printf(out, "%s %s", taker, folder);
        append_shell_word(path, out);
    }
}

enum row_format enqueue_format(const struct cli *cli, const char *path) {
    const char *format = cli->of.enqueue.format.text;
    return !format ? row_format_of(path) : strcmp(format, "csv") == 0 ? ROWS_CSV : ROWS_JSON;
}

bool enqueue_append_command(const struct cli *cli, unsigned file, uint64_t line, const char *unpacker,
                            struct buf *out) {
    int index = (int)file;
    if (cli->of.enqueue.job.given || (line <= 1 && index < cli->operand_count)) {
        append_call(cli, NULL, out);
        append_operands(cli, cli->of.enqueue.job.given ? 0 : index, out);
        return true;
    }
    if (index >= cli->operand_count || strcmp(cli->operands[index], "-") == 0) {
        return false;
    }
    char taker[40];
    struct buf tail = {.data = taker, .capacity = sizeof taker, .max = sizeof taker - 1, .lent = true};
    const char *path = cli->operands[index];
    bool csv = enqueue_format(cli, path) == ROWS_CSV;
    buf_printf(&tail, "tail -n +%" PRIu64, line);
    if (csv) {
        (void)buf_append_cstr(out, "{ ");
        append_part(path, unpacker, "head -n 1", out);
        (void)buf_append_cstr(out, "; ");
    }
    append_part(path, unpacker, taker, out);
    (void)buf_append_cstr(out, csv ? "; } | " : " | ");
    append_call(cli, csv ? "csv" : "json", out);
    if (index + 1 < cli->operand_count) {
        (void)buf_append_cstr(out, " && ");
        append_call(cli, NULL, out);
        append_operands(cli, index + 1, out);
    }
    return true;
}

bool enqueue_append_json(const struct enqueuer_counts *counts, double seconds, struct buf *out) {
    return buf_printf(out,
                      "{\"rows\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"bytes\":%" PRIu64
                      ",\"seconds\":%.3f}\n",
                      counts->rows, counts->sent, counts->rejected, counts->bytes, seconds);
}

void enqueue_append_summary(const struct enqueuer_counts *counts, double seconds, bool dry, struct buf *out) {
    progress_append_number(counts->rows, out);
    (void)buf_append_cstr(out, counts->rows == 1 ? " row read, " : " rows read, ");
    if (dry) {
        progress_append_number(counts->rows - counts->rejected, out);
        (void)buf_append_cstr(out, " fit to be sent, ");
    } else {
        progress_append_number(counts->sent, out);
        (void)buf_append_cstr(out, " sent, ");
    }
    progress_append_number(counts->rejected, out);
    (void)buf_append_cstr(out, " rejected, in ");
    if (seconds < 10) {
        buf_printf(out, "%.1f s", seconds);
    } else {
        progress_append_time(seconds, out);
    }
    if (seconds > 0.1 && counts->rows > 0) {
        (void)buf_append_cstr(out, " (");
        progress_append_number((uint64_t)((double)counts->rows / seconds), out);
        (void)buf_append_cstr(out, " rows/s)");
    }
}
