#include "trace_fields.h"

#include <string.h>

static const size_t TRACE_HEADER_MAX = 256;

static bool is_one_of(char c, const char *set) {
    return c != '\0' && strchr(set, c);
}

/* 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01: version, trace, parent, flags, in hex. */
static bool is_traceparent(struct span text) {
    static const char form[] = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
    if (text.len != sizeof form - 1)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (form[i] == '-' ? text.data[i] != '-' : !is_one_of(text.data[i], "0123456789abcdef"))
            return false;
    return true;
}

/* Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1: known names, with values in hex. */
static bool is_trace_header(struct span text) {
    static const char *const names[] = {"Root=", "Parent=", "Sampled=", "Self=", "Lineage="};
    if (text.len == 0 || text.len > TRACE_HEADER_MAX)
        return false;
    for (size_t at = 0; at < text.len; at++) {
        size_t name = 0, len = 0;
        for (; name < ARRAY_LENGTH(names); name++) {
            len = strlen(names[name]);
            if (text.len - at >= len && !memcmp(text.data + at, names[name], len))
                break;
        }
        if (name == ARRAY_LENGTH(names))
            return false;
        for (at += len; at < text.len && text.data[at] != ';'; at++)
            if (!is_one_of(text.data[at], "0123456789abcdefABCDEF-:|?"))
                return false;
    }
    return true;
}

void trace_fields(const struct sqs_message *m, struct log_field ret_fields[static TRACE_FIELDS]) {
    size_t count = 0;
    for (size_t i = 0; i < m->attribute_count && count == 0; i++) {
        const struct message_attribute *a = &m->attributes[i];
        if (!a->binary && span_is(a->name, "traceparent") && is_traceparent(a->value))
            ret_fields[count++] = LOG_S("traceparent", a->value);
    }
    if (m->trace_header.data && is_trace_header(m->trace_header))
        ret_fields[count++] = LOG_S("trace_header", m->trace_header);
    ret_fields[count] = (struct log_field){0};
}
