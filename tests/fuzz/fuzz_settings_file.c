/* Whatever the file holds: it is read to its end, names are names, texts are terminated and no longer than what stands
 * in the file, and lookups find the last of each name. */
#include "settings_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    unsigned lines; /* in the text */
};

static void hear(void *ctx, bool faulty, unsigned line, const char *sentence) {
    (void)faulty;
    const struct heard *heard = ctx;
    if (line == 0 || line > heard->lines || sentence[0] == '\0') {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct heard heard = {1};
    for (size_t i = 0; i < size; i++) {
        heard.lines += data[i] == '\n';
    }
    struct settings_file file;
    if (!settings_file_parse(span_of((const char *)data, size), hear, &heard, &file)) {
        return 0;
    }
    size_t total = 0;
    unsigned line = 1;
    for (size_t i = 0; i < file.count; i++) {
        const struct settings_file_entry *e = &file.entries[i];
        total += strlen(e->name) + 1 + strlen(e->value) + 1;
        const char *found = settings_file_get(&file, e->name);
        if (e->line < line || e->line > heard.lines || e->name[0] == '\0' || strchr(e->name, '=') || !found ||
            found < e->value) {
            abort();
        }
        line = e->line;
    }
    if (total > size + 1) {
        abort();
    }
    settings_file_free(&file);
    return 0;
}
