#include "completion.h"

#include "completion_option.h"

#include <string.h>

bool completion_append(const char *shell, struct buf *out) {
    static const struct completion_shell shells[] = {
        {"bash", completion_append_bash}, {"zsh", completion_append_zsh}, {"fish", completion_append_fish}};
    for (size_t i = 0; i < ARRAY_LENGTH(shells); i++) {
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].append(out);
            return buf_ok(out);
        }
    }
    return false;
}
