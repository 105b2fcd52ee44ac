/* The table of settings. README.md and the manual page repeat its names, defaults and texts; the tests compare them. */
#include "settings.h"
#include "settings_value.h"
#include "sqs.h"

static const struct setting_choice log_levels[] = {
    {"DEBUG", LOG_LEVEL_DEBUG}, {"INFO", LOG_LEVEL_INFO}, {"WARNING", LOG_LEVEL_WARNING}, {"ERROR", LOG_LEVEL_ERROR}, {NULL, 0}};
static const struct setting_choice log_formats[] = {{"text", LOG_FORMAT_TEXT}, {"json", LOG_FORMAT_JSON}, {NULL, 0}};
static const struct setting_choice audit_modes[] = {{"false", AUDIT_OFF}, {"true", AUDIT_ON}, {"always", AUDIT_ALWAYS}, {NULL, 0}};

static const char table_expected[] = "a table's name (3 to 255 letters, digits, '_', '-' and '.') or its ARN";
static const char queue_expected[] =
    "a queue's URL (https://host/account/name) or its name (up to 80 letters, digits, '_' and '-'), not its ARN";

#define AT(field) offsetof(struct settings, field)

const struct setting SETTINGS[] = {
    {.name = "TABLE_NAME", .standard_text = "-", .parse = parse_table, .offset = AT(table_name), .expected = table_expected,
     .text = "Required. The table whose records are updated: its name or its ARN."},
    {.name = "QUEUE_URL", .standard_text = "-", .parse = parse_queue, .offset = AT(queue), .expected = queue_expected,
     .text = "Required by run. The queue that the messages come from: its URL, or its name to look up."},
    {.name = "DLQ_URL", .standard_text = "the target of the queue's redrive policy", .parse = parse_queue, .offset = AT(dlq),
     .expected = queue_expected,
     .text = "The dead-letter queue, as for QUEUE_URL. Where there is neither a setting nor a redrive policy, run does not start."},
    {.name = "LOG_LEVEL", .reloadable = true, .standard = "INFO", .parse = parse_choice, .offset = AT(log_level), .choices = log_levels,
     .text = "The least that is logged: DEBUG, INFO, WARNING or ERROR."},
    {.name = "LOG_FORMAT", .reloadable = true, .standard = "text", .parse = parse_choice, .offset = AT(log_format), .choices = log_formats,
     .text = "text, or json: one object a line."},
    {.name = "ENABLE_AUDIT_LOG", .standard = "false", .parse = parse_choice, .offset = AT(audit), .choices = audit_modes,
     .text = "false or true: whether a message that doesn't say so itself gets an audit record; always: each one gets one. true and "
             "always need the audit table."},
    {.name = "AUDIT_LOG_TABLE", .standard = "audit_logs", .parse = parse_table, .offset = AT(audit_table), .expected = table_expected,
     .text = "The table of audit records. Its key is log_id, a string, without a sort key."},
    {.name = "AUDIT_LOG_TTL_DAYS", .standard_text = "none", .parse = parse_integer, .offset = AT(audit_ttl_days), .min = 1, .max = 36500,
     .text = "1 to 36500. Audit records get expires_at, this many days ahead, for DynamoDB's TTL to remove them. What a record protects "
             "from being applied twice is protected as long as the record lives."},
    {.name = "MAX_IN_FLIGHT", .reloadable = true, .standard = "256", .parse = parse_integer, .offset = AT(max_in_flight), .min = 1, .max = 10000,
     .text = "1 to 10000. Messages held at once."},
    {.name = "MAX_RATE", .reloadable = true, .standard_text = "none", .parse = parse_integer, .offset = AT(max_rate), .min = 1, .max = 100000,
     .text = "1 to 100000. Transactions a second that this process sends, retries included: for a backfill beside production."},
    {.name = "VISIBILITY_TIMEOUT", .reloadable = true, .standard_text = "the queue's, at least 10", .parse = parse_integer, .offset = AT(visibility), .min = 10,
     .max = SQS_VISIBILITY_MAX,
     .text = "10 to 43200 seconds for which a received message is hidden from others; extended while it is worked on or held."},
    {.name = "MAX_ATTEMPTS", .reloadable = true, .standard = "5", .parse = parse_integer, .offset = AT(max_attempts), .min = 1, .max = 1000,
     .text = "1 to 1000 deliveries of a message that the database fails for, and for no other, before it goes to the DLQ as a "
             "DatabaseError."},
    {.name = "SHUTDOWN_TIMEOUT", .reloadable = true, .standard = "25", .parse = parse_integer, .offset = AT(shutdown_timeout), .min = 0, .max = 3600,
     .text = "0 to 3600 seconds to finish what is under way after SIGTERM; what is left then is given back to the queue."},
    {.name = "METRICS_ADDRESS", .standard = "127.0.0.1:9464", .parse = parse_listen_address, .offset = AT(metrics_address),
     .expected = "an IP address and a port (127.0.0.1:9464, [::1]:9464) or off",
     .text = "address:port of the metrics listener, or off. Checked, and not served by this version."},

    {.name = "AWS_REGION", .standard_text = "-",
     .text = "The region, as eu-west-1; also AWS_DEFAULT_REGION, or the region of the profile."},
    {.name = "AWS_DEFAULT_REGION", .standard_text = "-", .text = "Read where AWS_REGION is not set."},
    {.name = "REGION_FROM_INSTANCE", .standard_text = "false",
     .text = "true: where nothing says the region, it is the instance's, from the instance metadata service."},
    {.name = "AWS_ACCESS_KEY_ID", .standard_text = "-", .text = "Credentials; without them it is looked for others, see below."},
    {.name = "AWS_SECRET_ACCESS_KEY", .standard_text = "-", .text = "Goes with AWS_ACCESS_KEY_ID."},
    {.name = "AWS_SESSION_TOKEN", .standard_text = "-", .text = "Goes with temporary credentials."},
    {.name = "AWS_ACCOUNT_ID", .standard_text = "-",
     .text = "The account of these credentials: DynamoDB is asked at its own host then."},
    {.name = "AWS_PROFILE", .standard_text = "default", .text = "The profile to use of the two files that follow. As an option (--profile) it comes before the keys "
             "of the environment."},
    {.name = "AWS_DEFAULT_PROFILE", .standard_text = "-", .text = "Read where AWS_PROFILE is not set."},
    {.name = "AWS_CONFIG_FILE", .standard_text = "~/.aws/config", .text = "Profiles: region, endpoints, credentials, roles."},
    {.name = "AWS_SHARED_CREDENTIALS_FILE", .standard_text = "~/.aws/credentials",
     .text = "Profiles: credentials. Read again when the service refuses those it gave."},
    {.name = "AWS_WEB_IDENTITY_TOKEN_FILE", .standard_text = "-",
     .text = "Set by EKS: a file with a token of an identity provider, which is changed for a role's credentials; "
             "read anew each time."},
    {.name = "AWS_ROLE_ARN", .standard_text = "-",
     .text = "The role that the token is for."},
    {.name = "AWS_ROLE_SESSION_NAME", .standard_text = "table-updater- and the time",
     .text = "How the session is called in CloudTrail."},
    {.name = "AWS_LOGIN_CACHE_DIRECTORY", .standard_text = "~/.aws/login/cache",
     .text = "Where aws login leaves credentials."},
    {.name = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", .standard_text = "-",
     .text = "Set by ECS: where the task's credentials are, at 169.254.170.2."},
    {.name = "AWS_CONTAINER_CREDENTIALS_FULL_URI", .standard_text = "-",
     .text = "Set by EKS Pod Identity: the URL of the pod's credentials. https, or a host that is loopback or "
             "ECS's or EKS's own."},
    {.name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", .standard_text = "-",
     .text = "A file with the token for that URL, read anew for each request."},
    {.name = "AWS_CONTAINER_AUTHORIZATION_TOKEN", .standard_text = "-",
     .text = "The token itself, where there is no file."},
    {.name = "AWS_EC2_METADATA_DISABLED", .standard_text = "false",
     .text = "true: the instance's role is not asked for."},
    {.name = "AWS_EC2_METADATA_SERVICE_ENDPOINT", .standard_text = "http://169.254.169.254",
     .text = "The URL of the instance metadata service."},
    {.name = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", .standard_text = "IPv4",
     .text = "IPv4 or IPv6: which of its own addresses it is asked at."},
    {.name = "AWS_METADATA_SERVICE_TIMEOUT", .standard_text = "1",
     .text = "1 to 60 seconds to wait for each answer of it."},
    {.name = "AWS_METADATA_SERVICE_NUM_ATTEMPTS", .standard_text = "3",
     .text = "1 to 100 tries of each request to it."},
    {.name = "AWS_ENDPOINT_URL", .standard_text = "-", .text = "The URL of all services, in place of the region's."},
    {.name = "AWS_ENDPOINT_URL_SQS", .standard_text = "-", .text = "The URL of Amazon SQS; stands before AWS_ENDPOINT_URL."},
    {.name = "AWS_ENDPOINT_URL_DYNAMODB", .standard_text = "-", .text = "The URL of DynamoDB; stands before AWS_ENDPOINT_URL."},
    {.name = "AWS_ENDPOINT_URL_STS", .standard_text = "-",
     .text = "The URL of AWS STS, which gives roles; stands before AWS_ENDPOINT_URL."},
    {.name = "AWS_ENDPOINT_URL_SSO", .standard_text = "-",
     .text = "The URL of the access portal of SSO; stands before AWS_ENDPOINT_URL."},
    {.name = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", .standard_text = "false", .text = "true: none of the URLs configured counts."},
    {.name = "AWS_ACCOUNT_ID_ENDPOINT_MODE", .standard_text = "preferred",
     .text = "preferred: DynamoDB at the account's own host, where the credentials' source says their account; "
             "disabled; required."},
    {.name = "AWS_USE_FIPS_ENDPOINT", .standard_text = "false", .text = "true: the region's FIPS endpoints."},
    {.name = "AWS_USE_DUALSTACK_ENDPOINT", .standard_text = "false", .text = "true: the region's endpoints for IPv4 and IPv6."},
    {.name = "AWS_CA_BUNDLE", .standard_text = "the system's",
     .text = "A file of certificates (PEM) to trust in place of the system's."},
};
const size_t SETTINGS_COUNT = ARRAY_LENGTH(SETTINGS);
