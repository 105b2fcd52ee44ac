/* Where settings come from: the process's environment over the settings file. */
#pragma once

#include "compiler.h"
#include "environment.h"
#include "log.h"
#include "settings_file.h"

#include <stdbool.h>

struct configuration {
    struct settings_file file;
    const char *path; /* of the file that was read; NULL: none. Borrowed */
};

/* Reads the file: path, or where that is NULL the default file, which may be missing. Problems are logged with their lines; false where there
 * is one (nothing is left to free). A default file that is closed to us is passed over: the service manager may have read it for us. */
MUST_USE bool configuration_load(const char *path, struct log *log, struct configuration *ret_configuration);
/* Takes a zeroed one too. */
void configuration_free(struct configuration *configuration);
/* Looks a name up in the environment, then in the file. A variable that is set to nothing hides the file's. The configuration is
 * borrowed, and may not have moved. */
struct environment configuration_environment(struct configuration *configuration);
/* Puts the file's names that are none of our settings into the process's environment, unless they are there: proxies, TZ, SSL_CERT_FILE are read by
 * libraries from there. Before anything else uses the environment. False: no memory. */
MUST_USE bool configuration_export(const struct configuration *configuration);
