/* Where settings come from: options of the command line over the process's environment over the settings file. */
#pragma once

#include "compiler.h"
#include "environment.h"
#include "log.h"
#include "settings_file.h"

#include <stdbool.h>

struct configuration {
    struct settings_file file;
    const char *path; /* of the file; NULL: there is none */
    const char *const
        *options; /* of the command line, in the order of SETTINGS, NULL: not given; NULL: no command line */
    /* The file as it was when the process started; NULL: this is it. The service manager reads the same file, once, and
     * puts its values into our environment. So a variable that has its value from that file counts as the file's. */
    const struct settings_file *started;
    bool
        faulty; /* something is wrong in the file: what could be read of it is only good to look for further problems */
};

/* Reads the file: path, or where that is NULL the default file, which may be missing. Problems are logged with their
 * lines. may_wait: where the file is a pipe, its writer is waited for. A default file that we have no permission to
 * read is passed over: the service manager may have read it for us. False: it can't be read (nothing is left to free).
 */
MUST_USE bool configuration_load(const char *path, bool may_wait, const char *const *options, struct log *log,
                                 struct configuration *ret_configuration);
/* Takes a zeroed one too. */
void configuration_free(struct configuration *configuration);
/* Looks a name up among the options, in the environment, then in the file. An empty value hides those of later places.
 * The configuration is borrowed, and must not have moved. */
struct environment configuration_environment(struct configuration *configuration);
/* Who gives a setting its value. */
struct setting_origin {
    enum { SETTING_NOWHERE, SETTING_BY_OPTION, SETTING_BY_ENVIRONMENT, SETTING_BY_FILE } by;
    const char *value; /* NULL where nobody does */
    unsigned line; /* of the file */
};
/* Where the value of a name comes from in this configuration. It may be empty: then it hides those of later places. */
struct setting_origin configuration_origin(const struct configuration *configuration, const char *name);
/* Puts the file's names that are none of our settings into the process's environment, unless they are there: proxies,
 * TZ, SSL_CERT_FILE are read by libraries from there. Before anything else uses the environment. False: no memory. */
MUST_USE bool configuration_export(const struct configuration *configuration);
