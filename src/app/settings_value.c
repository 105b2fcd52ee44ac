#include "settings_value.h"

#include "client.h"
#include "discovery.h"
#include "table_shape.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define QUEUE_NAME_MAX 80

_Static_assert(sizeof(enum log_level) == sizeof(unsigned) && sizeof(enum log_format) == sizeof(unsigned) &&
                   sizeof(enum audit_mode) == sizeof(unsigned),
               "parse_choice stores an unsigned");

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

bool read_integer(const char *text, unsigned min, unsigned max, unsigned *ret_value) {
    size_t length = strspn(text, digits);
    if (length == 0 || text[length]) {
        return false;
    }
    unsigned long long value = 0;
    for (size_t i = 0; i < length; i++) {
        value = value * 10 + (unsigned)(text[i] - '0');
        if (value > max) {
            return false;
        }
    }
    if (value < min) {
        return false;
    }
    *ret_value = (unsigned)value;
    return true;
}

bool parse_integer(const struct setting *setting, const char *value, void *ret_unsigned) {
    return read_integer(value, setting->min, setting->max, ret_unsigned);
}

bool parse_choice(const struct setting *setting, const char *value, void *ret_enum) {
    for (const struct setting_choice *choice = setting->choices; choice->word; choice++) {
        if (strcasecmp(value, choice->word) == 0) {
            memcpy(ret_enum, &choice->value, sizeof choice->value);
            return true;
        }
    }
    return false;
}

static bool store(const char *value, void *ret_text) {
    memcpy(ret_text, &value, sizeof value);
    return true;
}

/* Whether text has min to max bytes, all of them letters, digits or one of more. */
static bool is_made_of(const char *text, const char *more, size_t min, size_t max) {
    size_t length = strlen(text);
    if (length < min || length > max) {
        return false;
    }
    for (const char *c = text; *c; c++) {
        if (!strchr(letters, *c) && !strchr(digits, *c) && !strchr(more, *c)) {
            return false;
        }
    }
    return true;
}

static bool is_table_arn(const char *text) {
    const char *table = strstr(text, ":table/");
    return strncmp(text, "arn:", 4) == 0 && strstr(text, ":dynamodb:") && table &&
           is_made_of(table + 7, "_.-", 3, 255) && is_made_of(text, "_.-:/", 1, TABLE_NAME_MAX);
}

bool parse_table(const struct setting *setting, const char *value, void *ret_text) {
    (void)setting;
    return (is_made_of(value, "_.-", 3, 255) || is_table_arn(value)) && store(value, ret_text);
}

bool parse_queue(const struct setting *setting, const char *value, void *ret_text) {
    (void)setting;
    if (strstr(value, "://")) {
        return strlen(value) < QUEUE_URL_SIZE && aws_endpoint_valid(value) && store(value, ret_text);
    }
    size_t length = strlen(value);
    const char *fifo = length > 5 && strcmp(value + length - 5, ".fifo") == 0 ? value + length - 5 : NULL;
    size_t stem = strspn(value, "_-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    bool named = length > 0 && length <= QUEUE_NAME_MAX && value + stem == (fifo ? fifo : value + length);
    return named && store(value, ret_text);
}

bool parse_listen_address(const struct setting *setting, const char *value, void *ret_text) {
    (void)setting;
    if (strcasecmp(value, "off") == 0) {
        return store("off", ret_text);
    }
    const char *colon = strrchr(value, ':');
    char host[64];
    unsigned port;
    if (!colon || !read_integer(colon + 1, 1, 65535, &port)) {
        return false;
    }
    bool v6 = value[0] == '[' && colon > value + 1 && colon[-1] == ']';
    const char *begin = v6 ? value + 1 : value;
    size_t length = (size_t)((v6 ? colon - 1 : colon) - begin);
    if (length == 0 || length >= sizeof host) {
        return false;
    }
    memcpy(host, begin, length);
    host[length] = '\0';
    struct in6_addr address;
    return inet_pton(v6 ? AF_INET6 : AF_INET, host, &address) == 1 && store(value, ret_text);
}

bool parse_output_file(const struct setting *setting, const char *value, void *ret_text) {
    (void)setting;
    size_t length = strlen(value);
    return length > 0 && length < SETTINGS_PATH_SIZE && value[length - 1] != '/' && store(value, ret_text);
}

bool append_expected(const struct setting *setting, struct buf *out) {
    if (setting->expected) {
        return buf_append_cstr(out, setting->expected);
    }
    if (!setting->choices) {
        return buf_printf(out, "a whole number from %u to %u", setting->min, setting->max);
    }
    for (const struct setting_choice *choice = setting->choices; choice->word; choice++) {
        (void)buf_append_cstr(out, choice == setting->choices ? "" : choice[1].word ? ", " : " or ");
        (void)buf_append_cstr(out, choice->word);
    }
    return buf_ok(out);
}
