/* Requests whose bytes were kept by the sink, as table-updater sent them. */
#pragma once

#include "buf.h"

#include <curl/curl.h>
#include <stdbool.h>

struct floor_request {
    struct buf bytes;
    struct span body;
    struct curl_slist *headers;
};

/* All of FOLDER/NAME.http as it is; to be freed in any case. */
bool floor_request_bytes(struct buf *bytes, const char *folder, const char *name);
/* From FOLDER/NAME.http; its Host and Content-Length are libcurl's to write. False: it can't be read. */
bool floor_request_read(struct floor_request *r, const char *folder, const char *name);
void floor_request_free(struct floor_request *r);
