#include "long_run.h"

#include <stdlib.h>

int long_run(uint64_t messages) {
    return messages ? EXIT_SUCCESS : EXIT_FAILURE;
}
