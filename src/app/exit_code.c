#include "exit_code.h"

#include "compiler.h"

#include <stddef.h>

enum exit_code worse_exit(enum exit_code a, enum exit_code b) {
    static const enum exit_code order[] = {EXIT_SETTINGS, EXIT_NOT_PERMITTED, EXIT_UNREACHABLE};
    for (size_t i = 0; i < ARRAY_LENGTH(order); i++) {
        if (a == order[i] || b == order[i]) {
            return order[i];
        }
    }
    return EXIT_FINE;
}

enum exit_code exit_code_of(struct outcome outcome) {
    switch (outcome.ending) {
    case ENDED_WELL: return EXIT_FINE;
    case ENDED_SOME_FAILED: return EXIT_SOME_FAILED;
    case ENDED_STOPPED: return EXIT_INTERRUPTED;
    case ENDED_BY_CAUSE: break;
    }
    switch (outcome.cause) {
    case CAUSE_CREDENTIALS:
    case CAUSE_DENIED:
    case CAUSE_CLOCK: return EXIT_NOT_PERMITTED;
    case CAUSE_MISSING:
    case CAUSE_CHANGED:
    case CAUSE_UNFIT: return EXIT_SETTINGS;
    case CAUSE_UNREACHABLE:
    case CAUSE_THROTTLED: break;
    }
    return EXIT_UNREACHABLE;
}
