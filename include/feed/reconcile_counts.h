/* What rows came to, by the audit records. */
#pragma once

#include <stdint.h>

#define RECONCILE_ERRORS 8 /* kinds of errors that are counted apart */
#define RECONCILE_ERROR_SIZE 32

/* Of the rows that were reconciled: all up to some row of the file. */
struct reconcile_counts {
    uint64_t rows, applied, failed, pending;
    uint64_t unknown; /* there is no record, and it can have been removed */
    uint64_t unfit; /* among the failed: rows that can't be sent as they are */
    struct {
        char error[RECONCILE_ERROR_SIZE];
        uint64_t rows;
    } errors[RECONCILE_ERRORS]; /* of the failed, in the order of their first rows; the last one has all others */
};
