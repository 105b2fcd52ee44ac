#include "cli_cache.h"

#include "digest.h"

#include <stdio.h>
#include <string.h>

bool cli_cache_path(const struct environment *environment, const char *folder, const char *subfolder,
                    const EVP_MD *digest, struct span key, char ret_path[static CLI_CACHE_PATH_SIZE]) {
    const char *home = environment_get(environment, "HOME");
    bool in_home = !folder || strncmp(folder, "~/", 2) == 0;
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    if ((in_home && !home) || EVP_Digest(key.data, key.len, hash, &len, digest, NULL) != 1) {
        return false;
    }
    hex_encode(hash, len, hex);
    int n = !folder   ? snprintf(ret_path, CLI_CACHE_PATH_SIZE, "%s/.aws/%s/%s.json", home, subfolder, hex)
            : in_home ? snprintf(ret_path, CLI_CACHE_PATH_SIZE, "%s/%s/%s.json", home, folder + 2, hex)
                      : snprintf(ret_path, CLI_CACHE_PATH_SIZE, "%s/%s.json", folder, hex);
    return n > 0 && n < CLI_CACHE_PATH_SIZE;
}
