#include "audit_key.h"

#include <string.h>

#define USUAL_SIZE 512 /* bytes that nearly all inputs fit in: one call costs less than several */

bool audit_log_id(struct digest *digest, const char *table, struct span key, char ret_id[static LOG_ID_SIZE]) {
    uint8_t hash[SHA256_SIZE];
    char together[USUAL_SIZE];
    size_t len = strlen(table);
    if (len + 1 + key.len <= sizeof together) {
        memcpy(together, table, len + 1);
        memcpy(together + len + 1, key.data, key.len);
        if (!digest_sha256(digest, span_of(together, len + 1 + key.len), hash))
            return false;
    } else if (!digest_sha256_begin(digest) || !digest_sha256_update(digest, span_cstr(table)) ||
               !digest_sha256_update(digest, span_of("\0", 1)) || !digest_sha256_update(digest, key) ||
               !digest_sha256_end(digest, hash)) {
        return false;
    }
    hex_encode(hash, sizeof hash, ret_id);
    return true;
}
