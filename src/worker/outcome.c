#include "outcome.h"

enum exit_code exit_code_of(enum cause cause) {
    switch (cause) {
    case CAUSE_CREDENTIALS:
    case CAUSE_DENIED:
    case CAUSE_CLOCK: return EXIT_NOT_PERMITTED;
    case CAUSE_MISSING:
    case CAUSE_CHANGED: return EXIT_SETTINGS;
    case CAUSE_UNREACHABLE:
    case CAUSE_THROTTLED: break;
    }
    return EXIT_UNREACHABLE;
}
