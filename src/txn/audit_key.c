#include "audit_key.h"

bool audit_log_id(struct digest *digest, const char *table, struct span key, char ret_id[static LOG_ID_SIZE]) {
    uint8_t hash[SHA256_SIZE];
    if (!digest_sha256_begin(digest) || !digest_sha256_update(digest, span_cstr(table)) ||
        !digest_sha256_update(digest, span_of("\0", 1)) || !digest_sha256_update(digest, key) ||
        !digest_sha256_end(digest, hash))
        return false;
    hex_encode(hash, sizeof hash, ret_id);
    return true;
}
