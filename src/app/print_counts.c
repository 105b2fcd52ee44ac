#include "print_counts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool print_counts(struct span text, struct log *log) {
    errno = 0;
    if (fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0) {
        return true;
    }
    LOG_EVENT(log, LOG_LEVEL_ERROR, "Standard output can't be written: the counts are lost",
              LOG_C("reason", strerrordesc_np(errno)));
    return false;
}
