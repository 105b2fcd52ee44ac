/* DynamoDB's numbers: at most 38 significant digits, magnitude 1E-130 to 9.9999999999999999999999999999999999999E+125,
 * or zero (Amazon DynamoDB Developer Guide, "Supported data types and naming rules: Number"). */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

enum number_status {
    NUMBER_FINE,
    NUMBER_TOO_MANY_DIGITS, /* more than 38 from the first to the last that isn't zero */
    NUMBER_OUT_OF_RANGE /* takes precedence over too many digits */
};

#define NUMBER_TEXT_SIZE 48 /* the longest normal form with its NUL */

/* A number in normal form. Two numbers are equal exactly where their texts are. The format is frozen: it is part of
 * request hashes and of the audit records' record_key. Zero is 0, whatever its sign or exponent. Otherwise the power of
 * ten of the first significant digit, e, decides:
 *   - e from -6 to 37: -?digits(.digits)?, without an E, without zeros behind the last significant decimal place, and
 *     with "0." in front of a fraction: 5, 1200, 0.0000015
 *   - any other e: -?d(.digits)?E[+-]e, with one digit before the point: 1E+38, 1.5E-7 */
struct number {
    char text[NUMBER_TEXT_SIZE];
    size_t len;
    size_t zeros; /* zeros at the end of an integer, for which NUMBERS_SHORT may write an E */
    size_t size; /* bytes as DynamoDB counts them: one for each two significant digits, one more, and one for a minus
                    sign */
};

/* Reads a number as JSON spells it (text must be valid JSON number syntax). Time linear in text, memory constant. */
MUST_USE enum number_status number_read(struct span text, struct number *ret_number);
enum number_form {
    NUMBERS_NORMAL, /* what hashes are made of */
    NUMBERS_SHORT /* what is sent: an E stands for an integer's last zeros where that is shorter, 12E36. (A list of 1e37
                   * took ten times its size without.) */
};

/* Bytes of the number in this form. */
size_t number_text_size(const struct number *n, enum number_form form);
bool number_append(const struct number *n, enum number_form form, struct buf *out);
/* The same as DynamoDB's JSON has it: {"N":"5"}. */
bool number_append_typed(const struct number *n, enum number_form form, struct buf *out);
/* Order by value of two numbers in normal form: <0, 0, >0. */
int number_compare(const struct number *a, const struct number *b);
