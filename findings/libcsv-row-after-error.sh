#!/usr/bin/env bash
# libcsv 3.0.3: after a strict parse error csv_fini() hands out the broken row as a row, returns 0, and clears the error.
#
# `1,"a"b` breaks the rules that CSV_STRICT asks for, and csv_parse() stops there, as it should. Whoever then finishes as
# the manual's example does gets the row callback once more, for a row that ends where the error was, and csv_error() says
# that all is well: a program that looks at csv_fini()'s result stores a wrong row. The parser has to be freed without
# csv_fini() after an error. And an unclosed quote is no error under CSV_STRICT: the rest of the file becomes one field, in
# silence, unless CSV_STRICT_FINI is given as well.
#
# Seen on 2026-11-29 (Debian 12, libcsv3 3.0.3+dfsg-6):
#   stray quote: row of 2 fields; csv_parse read 13 of 19 bytes, csv_error 1; row of 2 fields; csv_fini 0, csv_error 0
#   unclosed quote: csv_parse read 12 of 12 bytes, csv_error 0; row of 2 fields; csv_fini 0, csv_error 0
#   unclosed quote, CSV_STRICT_FINI: csv_parse read 12 of 12 bytes, csv_error 0; csv_fini -1, csv_error 1
# Needs gcc, and Debian 12's package lists for `apt-get download`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq download libcsv-dev=3.0.3+dfsg-6 libcsv3=3.0.3+dfsg-6 2>/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done

cat >read.c <<'C'
#include <csv.h>
#include <stdio.h>
#include <string.h>

static void field(void *bytes, size_t length, void *fields) {
  (void)bytes, (void)length;
  ++*(int *)fields;
}

static void row(int end, void *fields) {
  (void)end;
  printf("row of %d fields; ", *(int *)fields);
  *(int *)fields = 0;
}

static void read(const char *name, const char *text, unsigned char options) {
  struct csv_parser parser;
  int fields = 0;
  csv_init(&parser, options);
  printf("%s: ", name);
  size_t length = csv_parse(&parser, text, strlen(text), field, row, &fields);
  printf("csv_parse read %zu of %zu bytes, csv_error %d; ", length, strlen(text), csv_error(&parser));
  int result = csv_fini(&parser, field, row, &fields);
  printf("csv_fini %d, csv_error %d\n", result, csv_error(&parser));
  csv_free(&parser);
}

int main(void) {
  read("stray quote", "id,name\n1,\"a\"b\n2,c\n", CSV_STRICT);
  read("unclosed quote", "1,\"open\n2,b\n", CSV_STRICT);
  read("unclosed quote, CSV_STRICT_FINI", "1,\"open\n2,b\n", CSV_STRICT | CSV_STRICT_FINI);
}
C
lib=$(dirname "$(find root -name libcsv.so.3)")
gcc -I root/usr/include read.c -L "$lib" -l:libcsv.so.3 -o read
LD_LIBRARY_PATH=$lib ./read | tee found
diff - found <<'EXPECTED'
stray quote: row of 2 fields; csv_parse read 13 of 19 bytes, csv_error 1; row of 2 fields; csv_fini 0, csv_error 0
unclosed quote: csv_parse read 12 of 12 bytes, csv_error 0; row of 2 fields; csv_fini 0, csv_error 0
unclosed quote, CSV_STRICT_FINI: csv_parse read 12 of 12 bytes, csv_error 0; csv_fini -1, csv_error 1
EXPECTED
echo 'as found'
