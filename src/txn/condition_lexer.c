#include "condition_lexer.h"

#include "condition_tree.h"

#include <string.h>

static const struct {
    const char *word; /* in lower case */
    enum token_kind kind;
} keywords[] = {
    {"and", TOKEN_AND},         {"or", TOKEN_OR},     {"not", TOKEN_NOT},     {"in", TOKEN_IN},
    {"between", TOKEN_BETWEEN}, {"true", TOKEN_TRUE}, {"false", TOKEN_FALSE}, {"null", TOKEN_NULL},
};

static const struct {
    char character;
    enum token_kind kind;
} marks[] = {
    {'(', TOKEN_LEFT_PARENTHESIS},
    {')', TOKEN_RIGHT_PARENTHESIS},
    {'[', TOKEN_LEFT_BRACKET},
    {']', TOKEN_RIGHT_BRACKET},
    {',', TOKEN_COMMA},
    {'.', TOKEN_DOT},
};

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

/* The byte at this distance, NUL behind the end. */
static char peek(const struct lexer *l, size_t distance) {
    return distance < l->text.len - l->at ? l->text.data[l->at + distance] : '\0';
}

static struct token take(struct lexer *l, enum token_kind kind, size_t len) {
    struct token token = {kind, l->at, span_of(l->text.data + l->at, len)};
    l->at += len;
    return token;
}

size_t condition_position(struct span text, size_t at) {
    size_t position = 1;
    for (size_t i = 0; i < at && i < text.len; i++)
        position += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return position;
}

static struct token refuse(struct lexer *l, const char *what) {
    failure_validation(l->failure, l->field, "%s at character %zu", what, condition_position(l->text, l->at));
    return take(l, TOKEN_REFUSED, 0);
}

static struct token refuse_character(struct lexer *l) {
    unsigned char first = (unsigned char)peek(l, 0);
    const char *hint = "a name with other characters than letters, digits and '_' stands in backquotes";
    if (first == '&')
        hint = "write AND";
    else if (first == '|')
        hint = "write OR";
    else if (first == '!')
        hint = "write <> or NOT";
    else if (first == '{')
        hint = "a map is given by expression_attribute_values";
    else if (first == ';')
        hint = "a condition is one expression";
    size_t len = 1;
    while (((unsigned char)peek(l, len) & 0xc0) == 0x80)
        len++;
    size_t position = condition_position(l->text, l->at);
    if (first < ' ' || first == 0x7f)
        failure_validation(l->failure, l->field, "unexpected control character U+%04X at character %zu", first,
                           position);
    else
        failure_validation(l->failure, l->field, "unexpected '%.*s' at character %zu: %s", (int)len,
                           l->text.data + l->at, position, hint);
    return take(l, TOKEN_REFUSED, 0);
}

static struct token read_word(struct lexer *l) {
    size_t len = 0;
    while (is_word(peek(l, len)))
        len++;
    for (size_t i = 0; i < ARRAY_LENGTH(keywords); i++) {
        const char *word = keywords[i].word;
        size_t same = 0;
        while (same < len && word[same] && (l->text.data[l->at + same] | 0x20) == word[same])
            same++;
        if (same == len && !word[same])
            return take(l, keywords[i].kind, len);
    }
    return take(l, TOKEN_BARE_NAME, len);
}

static struct token read_placeholder(struct lexer *l, enum token_kind kind) {
    size_t len = 1;
    while (is_word(peek(l, len)))
        len++;
    if (len > 1)
        return take(l, kind, len);
    return refuse(l, kind == TOKEN_NAME_PLACEHOLDER ? "expected a placeholder's name after '#'"
                                                    : "expected a placeholder's name after ':'");
}

static struct token read_quoted(struct lexer *l, enum token_kind kind) {
    const char *data = l->text.data + l->at;
    size_t rest = l->text.len - l->at;
    size_t len = 1;
    for (;;) {
        const char *quote = memchr(data + len, data[0], rest - len);
        if (!quote)
            return refuse(l, kind == TOKEN_QUOTED_NAME ? "no closing backquote for the one"
                                                       : "no closing quote for the one");
        len = (size_t)(quote - data) + 1;
        if (len >= rest || data[len] != data[0])
            break;
        len++;
    }
    if (kind == TOKEN_QUOTED_NAME && len == 2)
        return refuse(l, "expected a name in the backquotes");
    return take(l, kind, len);
}

static size_t count_digits(const struct lexer *l, size_t from) {
    size_t count = 0;
    while (is_digit(peek(l, from + count)))
        count++;
    return count;
}

/* RFC 8259: number = [ "-" ] int [ frac ] [ exp ]. */
static struct token read_number(struct lexer *l) {
    static const char malformed[] =
        "expected a number as JSON has it (no '+', no leading zero, digits around the point)";
    size_t len = peek(l, 0) == '-';
    size_t digits = count_digits(l, len);
    if (digits == 0 || (digits > 1 && peek(l, len) == '0'))
        return refuse(l, malformed);
    len += digits;
    if (peek(l, len) == '.') {
        digits = count_digits(l, len + 1);
        if (digits == 0)
            return refuse(l, malformed);
        len += 1 + digits;
    }
    if (peek(l, len) == 'e' || peek(l, len) == 'E') {
        size_t sign = peek(l, len + 1) == '-' || peek(l, len + 1) == '+';
        digits = count_digits(l, len + 1 + sign);
        if (digits == 0)
            return refuse(l, malformed);
        len += 1 + sign + digits;
    }
    if (is_word(peek(l, len)) || peek(l, len) == '.')
        return refuse(l, malformed);
    return take(l, TOKEN_NUMBER, len);
}

static struct token read_comparator(struct lexer *l) {
    char second = peek(l, 1);
    switch (peek(l, 0)) {
    case '<':
        if (second == '>')
            return take(l, TOKEN_NOT_EQUAL, 2);
        return second == '=' ? take(l, TOKEN_LESS_EQUAL, 2) : take(l, TOKEN_LESS, 1);
    case '>': return second == '=' ? take(l, TOKEN_GREATER_EQUAL, 2) : take(l, TOKEN_GREATER, 1);
    default:
        if (second == '=')
            return refuse(l, "expected '=' instead of '=='");
        return take(l, TOKEN_EQUAL, 1);
    }
}

static void skip_space(struct lexer *l) {
    while (l->at < l->text.len && is_space(l->text.data[l->at]))
        l->at++;
}

void lexer_init(struct lexer *l, struct span text, struct failure *failure) {
    *l = (struct lexer){.text = text, .failure = failure, .field = CONDITION_FIELD};
}

struct token lexer_next(struct lexer *l) {
    skip_space(l);
    if (l->at == l->text.len)
        return take(l, TOKEN_END, 0);
    char c = peek(l, 0);
    switch (c) {
    case '#': return read_placeholder(l, TOKEN_NAME_PLACEHOLDER);
    case ':': return read_placeholder(l, TOKEN_VALUE_PLACEHOLDER);
    case '`': return read_quoted(l, TOKEN_QUOTED_NAME);
    case '"':
    case '\'': return read_quoted(l, TOKEN_STRING);
    case '<':
    case '>':
    case '=': return read_comparator(l);
    default: break;
    }
    if (is_digit(c) || (c == '-' && is_digit(peek(l, 1))))
        return read_number(l);
    if (is_word(c))
        return read_word(l);
    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++) {
        if (c == marks[i].character)
            return take(l, marks[i].kind, 1);
    }
    return refuse_character(l);
}

bool lexer_at_parenthesis(const struct lexer *l) {
    struct lexer ahead = *l;
    skip_space(&ahead);
    return peek(&ahead, 0) == '(';
}

size_t token_unquote(const struct token *token, char *ret_bytes) {
    char quote = token->text.data[0];
    size_t len = 0;
    for (size_t i = 1; i + 1 < token->text.len; i++) {
        ret_bytes[len++] = token->text.data[i];
        if (token->text.data[i] == quote)
            i++;
    }
    return len;
}
