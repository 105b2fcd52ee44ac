/* What the values of settings may be: one parser for each kind. A parser that returns false stores nothing. */
#pragma once

#include "settings.h"

bool parse_integer(const struct setting *setting, const char *value, void *ret_unsigned);
/* The words in any case. */
bool parse_choice(const struct setting *setting, const char *value, void *ret_enum);
/* A table's name or ARN. */
bool parse_table(const struct setting *setting, const char *value, void *ret_text);
/* A queue's URL or name. */
bool parse_queue(const struct setting *setting, const char *value, void *ret_text);
/* An IP address with a port, or "off". */
bool parse_listen_address(const struct setting *setting, const char *value, void *ret_text);

/* A file's path, or "-". */
bool parse_output_file(const struct setting *setting, const char *value, void *ret_text);

/* Decimal digits alone, within [min, max]. */
bool read_integer(const char *text, unsigned min, unsigned max, unsigned *ret_value);
/* Appends what a setting may be: "a whole number from 1 to 5". */
bool append_expected(const struct setting *setting, struct buf *out);
