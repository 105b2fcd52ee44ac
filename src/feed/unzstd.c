#include "unzstd.h"

#include <zstd_errors.h>

bool unzstd_init(struct unzstd *z) {
    *z = (struct unzstd){.stream = ZSTD_createDStream()};
    return z->stream && !ZSTD_isError(ZSTD_initDStream(z->stream));
}

void unzstd_done(struct unzstd *z) {
    (void)ZSTD_freeDStream(z->stream);
    *z = (struct unzstd){0};
}

static const char *fault_of(size_t code) {
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_prefix_unknown: return "what follows a frame is no zstd";
    case ZSTD_error_frameParameter_windowTooLarge:
        return "it was made with --long above 27, which takes more memory than is given to it here: decompress it with "
               "unzstd --long=31 through a pipe";
    default: return ZSTD_getErrorName(code);
    }
}

size_t unzstd_run(struct unzstd *z, struct span *packed, char *room, size_t size, const char **ret_fault) {
    ZSTD_inBuffer in = {packed->data, packed->len, 0};
    ZSTD_outBuffer out = {room, size, 0};
    *ret_fault = NULL;
    if (packed->len == 0 && !z->in_frame) {
        return 0; /* else it would ask for the next frame's header, and look as if it were inside one */
    }
    size_t more = ZSTD_decompressStream(z->stream, &out, &in);
    *packed = span_of(packed->data + in.pos, packed->len - in.pos);
    if (ZSTD_isError(more)) {
        *ret_fault = fault_of(more);
        return out.pos;
    }
    z->in_frame = more > 0;
    return out.pos;
}
