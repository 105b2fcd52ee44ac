/* The shared config and credentials files of the AWS tools, and which profile in them is used.
 * AWS_CONFIG_FILE (~/.aws/config), AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), AWS_PROFILE, then
 * AWS_DEFAULT_PROFILE ("default"). */
#pragma once

#include "compiler.h"
#include "environment.h"
#include "profile.h"
#include "span.h"

#include <stdbool.h>

struct shared_file {
    char *path; /* owned; NULL: there is no HOME to look in */
    bool given; /* the environment names it */
    bool missing; /* it is given, and there is no such file */
    struct profile_file *file; /* owned; NULL: no such file */
};

struct shared_config {
    char *profile; /* owned; its name */
    bool by_option; /* the command line names it */
    struct shared_file config, credentials;
};

/* profile: the one that the command line names; NULL: the environment decides. Reads both files; either may be missing.
 * False: a file can't be read or parsed, or a named profile exists in neither; ret_why says so. */
MUST_USE bool shared_config_load(const struct environment *environment, const char *profile,
                                 struct shared_config *ret_config, char ret_why[static SETTING_WHY_SIZE]);
/* Takes a zeroed one too. */
void shared_config_free(struct shared_config *config);

/* A setting of the chosen profile. The credentials file's comes first, as in the SDKs. Absent if it is set nowhere, or
 * empty. */
struct span shared_config_get(const struct shared_config *config, const char *name);
/* The same for any profile. */
struct span shared_config_get_of(const struct shared_config *config, const char *profile, const char *name);
/* Where a value borrowed from the files stands: the path of its file, and the line. False: it is from neither file. */
MUST_USE bool shared_config_place(const struct shared_config *config, struct span value, const char **ret_path,
                                  size_t *ret_line);
/* Whether either file has this profile. */
bool shared_config_has_profile(const struct shared_config *config, const char *profile);

/* Reads and parses one file. *ret_file is NULL if there is no such file. If it is not given (by the environment), it
 * may also stand where we have no access. False: ret_why says why. */
MUST_USE bool shared_file_read(const char *path, bool given, enum profile_kind kind, struct profile_file **ret_file,
                               char ret_why[static SETTING_WHY_SIZE]);
