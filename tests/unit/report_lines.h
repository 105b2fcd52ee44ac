/* A report of `check` whose lines are kept. */
#pragma once

#include "check_report.h"

#include <stdlib.h>
#include <string.h>

struct report_lines {
    struct check_report report;
    char *text; /* all lines so far */
    size_t len;
};

static inline void report_lines_begin(struct report_lines *l, bool json) {
    *l = (struct report_lines){.report = {.json = json}};
    l->report.out = open_memstream(&l->text, &l->len);
    assert_non_null(l->report.out);
}

static inline void report_lines_end(struct report_lines *l) {
    assert_int_equal(fclose(l->report.out), 0);
    free(l->text);
}

/* Fails unless the lines hold this text; with a NULL, unless there are none. */
static inline void report_lines_expect(const struct report_lines *l, size_t which, const char *part) {
    if (part ? !strstr(l->text ? l->text : "", part) : l->len > 0) {
        fail_msg("case %zu: \"%s\" %s \"%s\"", which, l->text ? l->text : "", part ? "lacks" : "is more than",
                 part ? part : "nothing");
    }
}
