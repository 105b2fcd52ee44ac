/* The syntax of AWS config and credentials files: sections of "name = value" lines, one level of nesting. Pure: text
 * in, settings out. Rules: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". What it doesn't
 * say is as in botocore:
 * - A line that is indented deeper than the setting above it continues that setting. If that setting has no value, the
 *   line is a nested setting.
 * - "#" and ";" begin a comment at the start of a line, and after white space.
 * - Names of settings are case-insensitive, names of sections are not. Of two settings with the same name the later one
 *   counts.
 * - config: [default], [profile x], [services x], [sso-session x]; credentials: [x]. Other sections are skipped.
 * - [profile default] hides [default]. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

#define PROFILE_FILE_MAX ((size_t)1024 * 1024) /* bytes */
#define PROFILE_SETTINGS_MAX 16384 /* sections, settings and nested settings that are kept of one file */

enum profile_kind { PROFILE_CONFIG, PROFILE_CREDENTIALS };

struct profile_file; /* a parsed file; holds secrets, and wipes them at its end */

enum profile_status { PROFILE_FINE, PROFILE_MALFORMED, PROFILE_NO_MEMORY };

struct profile_fault {
    size_t line; /* counted from 1 */
    const char *reason; /* a static text that quotes nothing of the file */
};

/* Parses a file's text, which is copied. *ret_fault is only written with PROFILE_MALFORMED. */
MUST_USE enum profile_status profile_parse(enum profile_kind kind, struct span text, struct profile_file **ret_file,
                                           struct profile_fault *ret_fault);
/* NULL is fine. */
void profile_free(struct profile_file *file);

/* All of these take NULL for a file that isn't there. */
bool profile_exists(const struct profile_file *file, const char *profile);
/* A setting of a profile; the absent span where it has none. Borrowed from the file. name is in lower case. A value
 * that was continued has its line breaks inside. */
struct span profile_get(const struct profile_file *file, const char *profile, const char *name);
/* The line, counted from 1, where a value borrowed from this file begins; 0: it isn't borrowed from this file. */
size_t profile_line(const struct profile_file *file, struct span value);
bool profile_sso_session_exists(const struct profile_file *file, struct span session);
/* A setting of an [sso-session x] section. */
struct span profile_get_sso_session(const struct profile_file *file, struct span session, const char *name);
bool profile_services_exist(const struct profile_file *file, struct span services);
/* A nested setting of a [services x] section, as in
 *   [services local]
 *   sqs =
 *     endpoint_url = http://127.0.0.1:9324 */
struct span profile_get_service(const struct profile_file *file, struct span services, const char *service,
                                const char *name);
