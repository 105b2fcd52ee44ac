#include "number.h"

#include <stdint.h>
#include <string.h>

#define DIGITS_MAX 38
#define FEW_DIGITS 16
#define EXPONENT_MIN (-130) /* of the first significant digit */
#define EXPONENT_MAX 125
#define PLAIN_MIN (-6) /* exponents of the first digit that are written without an E */
#define PLAIN_MAX 37
/* No text that memory holds has this many digits: an exponent beyond can't be brought back into range by them. */
#define EXPONENT_CEILING ((int64_t)1 << 60)

/* A value as its significant digits, without zeros at either end, and the power of ten of the first of them. */
struct decimal {
    bool negative;
    bool too_long;
    size_t count; /* 0: the value is zero */
    size_t zeros; /* read behind the last digit kept: they count only where another digit follows */
    int64_t exponent;
    char digits[DIGITS_MAX];
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static void keep_digit(struct decimal *d, char digit) {
    if (digit == '0') {
        d->zeros++;
        return;
    }
    if (d->too_long || d->zeros >= DIGITS_MAX - d->count) {
        d->too_long = true;
        return;
    }
    memset(d->digits + d->count, '0', d->zeros);
    d->count += d->zeros;
    d->digits[d->count++] = digit;
    d->zeros = 0;
}

/* Reads the digits before an E; returns where they end. */
static size_t read_mantissa(struct span text, size_t at, struct decimal *d) {
    bool fraction = false;
    /* Digits before the point, from the first significant one on; zeros between the point and that one. */
    int64_t whole_digits = 0, leading_zeros = 0;
    for (; at < text.len; at++) {
        char c = text.data[at];
        if (c == '.') {
            fraction = true;
        } else if (!is_digit(c)) {
            break;
        } else if (d->count == 0 && c == '0') {
            leading_zeros += fraction;
        } else {
            whole_digits += !fraction;
            keep_digit(d, c);
        }
    }
    d->exponent = whole_digits > 0 ? whole_digits - 1 : -leading_zeros - 1;
    return at;
}

/* Reads what follows the E: an optional sign and digits. */
static int64_t read_exponent(struct span text, size_t at) {
    bool negative = at < text.len && text.data[at] == '-';
    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+'))
        at++;
    int64_t value = 0;
    for (; at < text.len && is_digit(text.data[at]); at++) {
        if (value < EXPONENT_CEILING / 10)
            value = value * 10 + (text.data[at] - '0');
        else
            value = EXPONENT_CEILING;
    }
    return negative ? -value : value;
}

static void read_decimal(struct span text, struct decimal *ret_d) {
    /* Not the digits: only the first `count` of them are ever read. */
    ret_d->negative = text.len > 0 && text.data[0] == '-';
    ret_d->too_long = false;
    ret_d->count = ret_d->zeros = 0;
    size_t at = read_mantissa(text, ret_d->negative, ret_d);
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E'))
        ret_d->exponent += read_exponent(text, at + 1);
}

static void put(struct number *n, char c) {
    n->text[n->len++] = c;
}

static void put_digits(struct number *n, const char *digits, size_t count) {
    memcpy(n->text + n->len, digits, count);
    n->len += count;
}

static void put_zeros(struct number *n, size_t count) {
    memset(n->text + n->len, '0', count);
    n->len += count;
}

static void put_plain(struct number *n, const struct decimal *d, int exponent) {
    if (exponent < 0) {
        put_digits(n, "0.", 2);
        put_zeros(n, (size_t)(-exponent - 1));
        put_digits(n, d->digits, d->count);
        return;
    }
    size_t whole = (size_t)exponent + 1;
    if (d->count <= whole) {
        put_digits(n, d->digits, d->count);
        n->zeros = whole - d->count;
        put_zeros(n, n->zeros);
        return;
    }
    put_digits(n, d->digits, whole);
    put(n, '.');
    put_digits(n, d->digits + whole, d->count - whole);
}

static void put_scientific(struct number *n, const struct decimal *d, int exponent) {
    put(n, d->digits[0]);
    if (d->count > 1) {
        put(n, '.');
        put_digits(n, d->digits + 1, d->count - 1);
    }
    put(n, 'E');
    put(n, exponent < 0 ? '-' : '+');
    int magnitude = exponent < 0 ? -exponent : exponent;
    for (int unit = magnitude >= 100 ? 100 : magnitude >= 10 ? 10 : 1; unit > 0; unit /= 10)
        put(n, (char)('0' + magnitude / unit % 10));
}

/* Most numbers are integers of a few digits, the last of which isn't 0: they are in normal form. False: it is none of
 * these. */
static bool read_few_digits(struct span text, struct number *n) {
    if (text.len == 0 || text.len > FEW_DIGITS || text.data[0] == '0' || text.data[text.len - 1] == '0')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.data[i]))
            return false;
    memcpy(n->text, text.data, text.len);
    n->text[text.len] = '\0';
    n->len = text.len;
    n->zeros = 0;
    n->size = (text.len + 1) / 2 + 1;
    return true;
}

OUT_OF_LINE static enum number_status read_any(struct span text, struct number *ret_number) {
    struct decimal d;
    read_decimal(text, &d);
    if (d.count == 0) {
        *ret_number = (struct number){.text = "0", .len = 1, .size = 1};
        return NUMBER_FINE;
    }
    if (d.exponent < EXPONENT_MIN || d.exponent > EXPONENT_MAX)
        return NUMBER_OUT_OF_RANGE;
    if (d.too_long)
        return NUMBER_TOO_MANY_DIGITS;

    struct number *n = ret_number;
    n->size = (d.count + 1) / 2 + 1 + d.negative;
    n->len = n->zeros = 0;
    int exponent = (int)d.exponent;
    if (d.negative)
        put(n, '-');
    if (exponent >= PLAIN_MIN && exponent <= PLAIN_MAX)
        put_plain(n, &d, exponent);
    else
        put_scientific(n, &d, exponent);
    n->text[n->len] = '\0';
    return NUMBER_FINE;
}

enum number_status number_read(struct span text, struct number *ret_number) {
    return read_few_digits(text, ret_number) ? NUMBER_FINE : read_any(text, ret_number);
}

/* An E and one digit or two are shorter than so many zeros. */
static bool is_shorter_with_exponent(const struct number *n) {
    return n->zeros > 3;
}

size_t number_text_size(const struct number *n, enum number_form form) {
    if (form == NUMBERS_NORMAL || !is_shorter_with_exponent(n))
        return n->len;
    return n->len - n->zeros + 1 + (n->zeros > 9 ? 2 : 1);
}

bool number_append(const struct number *n, enum number_form form, struct buf *out) {
    if (form == NUMBERS_NORMAL || !is_shorter_with_exponent(n))
        return buf_append(out, n->text, n->len);
    buf_append(out, n->text, n->len - n->zeros);
    return buf_printf(out, "E%zu", n->zeros);
}

bool number_append_typed(const struct number *n, enum number_form form, struct buf *out) {
    if (form == NUMBERS_NORMAL || !is_shorter_with_exponent(n))
        return buf_append_between(out, SPAN("{\"N\":\""), span_of(n->text, n->len), SPAN("\"}"));
    buf_append_cstr(out, "{\"N\":\"");
    number_append(n, form, out);
    return buf_append_cstr(out, "\"}");
}

/* The order of two values by their magnitudes; neither is zero. */
static int compare_magnitude(const struct decimal *a, const struct decimal *b) {
    if (a->exponent != b->exponent)
        return a->exponent < b->exponent ? -1 : 1;
    return span_compare(span_of(a->digits, a->count), span_of(b->digits, b->count));
}

static int sign_of(const struct decimal *d) {
    return d->count == 0 ? 0 : d->negative ? -1 : 1;
}

int number_compare(const struct number *a, const struct number *b) {
    struct decimal x, y;
    read_decimal(span_of(a->text, a->len), &x);
    read_decimal(span_of(b->text, b->len), &y);
    int sign = sign_of(&x), other = sign_of(&y);
    if (sign != other || sign == 0)
        return sign - other;
    return sign * compare_magnitude(&x, &y);
}
