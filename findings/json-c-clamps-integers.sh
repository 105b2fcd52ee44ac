#!/usr/bin/env bash
# json-c 0.16: an integer beyond 64 bits becomes the nearest 64-bit integer, without an error, with JSON_TOKENER_STRICT too.
#
# A number with a fraction or an exponent keeps its text, digit for digit: json_object_to_json_string() gives back what was
# read. An integer does so only from -2^63 to 2^64 - 1. Beyond, it is another number, and json_tokener_get_error() says
# success. Whoever knows that the library keeps a double's text expects the same of integers: DynamoDB's numbers, with 38
# digits, go wrong just there.
#
# Seen on 2026-11-29, with and without JSON_TOKENER_STRICT (Debian 12, libjson-c5 0.16-2):
#   123456789012345678901234567890.5 -> 123456789012345678901234567890.5 (success)
#   1e400 -> 1e400 (success)
#   18446744073709551615 -> 18446744073709551615 (success)
#   18446744073709551616 -> 18446744073709551615 (success)
#   123456789012345678901234567890 -> 18446744073709551615 (success)
#   -9223372036854775809 -> -9223372036854775808 (success)
# Needs gcc, and Debian 12's package lists for `apt-get download`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq download libjson-c-dev=0.16-2 libjson-c5=0.16-2 2>/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done

cat >read.c <<'C'
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  static const char *const texts[] = {
      "123456789012345678901234567890.5", "1e400", "18446744073709551615", "18446744073709551616",
      "123456789012345678901234567890", "-9223372036854775809",
  };
  for (int strict = 0; strict < 2; strict++)
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
      struct json_tokener *tokener = json_tokener_new();
      if (strict) json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
      struct json_object *value = json_tokener_parse_ex(tokener, texts[i], (int)strlen(texts[i]) + 1);
      printf("%s -> %s (%s)\n", texts[i], value == NULL ? "nothing" : json_object_to_json_string(value),
             json_tokener_error_desc(json_tokener_get_error(tokener)));
      json_object_put(value);
      json_tokener_free(tokener);
    }
}
C
lib=$(dirname "$(find root -name libjson-c.so.5)")
gcc -I root/usr/include read.c -L "$lib" -l:libjson-c.so.5 -o read
LD_LIBRARY_PATH=$lib ./read | tee found
cat >once <<'EXPECTED'
123456789012345678901234567890.5 -> 123456789012345678901234567890.5 (success)
1e400 -> 1e400 (success)
18446744073709551615 -> 18446744073709551615 (success)
18446744073709551616 -> 18446744073709551615 (success)
123456789012345678901234567890 -> 18446744073709551615 (success)
-9223372036854775809 -> -9223372036854775808 (success)
EXPECTED
cat once once | diff - found
echo 'as found'
