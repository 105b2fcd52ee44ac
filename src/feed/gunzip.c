#include "gunzip.h"

#include <limits.h>

#define WITH_HEADER (MAX_WBITS + 16) /* a gzip header and trailer, both checked */
#define FIRST_BYTE '\x1f'

bool gunzip_init(struct gunzip *g) {
    *g = (struct gunzip){0};
    g->started = inflateInit2(&g->stream, WITH_HEADER) == Z_OK;
    return g->started;
}

void gunzip_done(struct gunzip *g) {
    if (g->started) {
        (void)inflateEnd(&g->stream);
    }
    *g = (struct gunzip){0};
}

static void take(struct span *packed, size_t count) {
    *packed = span_of(packed->data + count, packed->len - count);
}

/* Passes over padding; true: a member begins. */
static bool find_member(struct gunzip *g, struct span *packed, const char **ret_fault) {
    while (packed->len > 0 && packed->data[0] == '\0') {
        take(packed, 1);
    }
    if (packed->len == 0) {
        return false;
    }
    if (packed->data[0] != FIRST_BYTE || inflateReset(&g->stream) != Z_OK) {
        *ret_fault = "what follows a member is no gzip";
        return false;
    }
    g->in_member = true;
    return true;
}

size_t gunzip_run(struct gunzip *g, struct span *packed, char *room, size_t size, const char **ret_fault) {
    *ret_fault = NULL;
    if (!g->in_member && !find_member(g, packed, ret_fault)) {
        return 0;
    }
    z_stream *z = &g->stream;
    /* zlib takes its input through a pointer that isn't const, but doesn't write there. */
    union {
        const char *given;
        unsigned char *taken;
    } input = {.given = packed->data};
    z->next_in = input.taken;
    z->avail_in = packed->len < UINT_MAX ? (uInt)packed->len : UINT_MAX;
    z->next_out = (unsigned char *)room;
    z->avail_out = size < UINT_MAX ? (uInt)size : UINT_MAX;
    uInt given = z->avail_in, space = z->avail_out;
    int status = inflate(z, Z_NO_FLUSH);
    take(packed, given - z->avail_in);
    if (status == Z_STREAM_END) {
        g->in_member = false;
    } else if (status == Z_MEM_ERROR) {
        *ret_fault = "there is no memory";
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
        *ret_fault = z->msg ? z->msg : "it isn't what gzip writes";
    }
    return space - z->avail_out;
}
