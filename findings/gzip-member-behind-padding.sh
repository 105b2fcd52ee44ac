#!/usr/bin/env bash
# One gzip file of two members with zero bytes between them, as tape and block tools pad: five readers, four meanings.
#
# RFC 1952 puts members one behind the other, nothing between. Python's gzip skips the zeros and reads both members. zlib's
# gzread(), Java's GZIPInputStream and Node's gunzipSync() give the first and then a proper end of the file: gzerror() and
# gzclose_r() say 0, no exception, so the second member's rows are lost in silence. GNU gzip loses them with a warning and
# exit code 2; Go's reader alone refuses. A program that counts on its library for "the file is whole" must look behind the
# last member itself.
#
# Seen on 2026-11-29 (zlib 1.2.13, gzip 1.12, Python 3.11.7, OpenJDK 17.0.15, Node 20.20.2, Go 1.26.8):
#   zlib: 9 bytes, then 0, gzerror 0, gzclose_r 0
#   gzip: 9 bytes, exit 2
#   python: 18 bytes
#   java: 9 bytes
#   node: 9 bytes
#   go: 9 bytes, gzip: invalid header
# Needs gcc, Debian 12's package lists for `apt-get download`, and Python, Java, Node and Go as they are.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq download zlib1g=1:1.2.13.dfsg-1 zlib1g-dev=1:1.2.13.dfsg-1 gzip=1.12-1 2>/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done

python3 - <<'PYTHON'
import gzip

first, second = gzip.compress(b'{"id":1}\n'), gzip.compress(b'{"id":2}\n')
open("padded.gz", "wb").write(first + bytes(512) + second)
PYTHON
cat >read.c <<'C'
#include <stdio.h>
#include <zlib.h>

int main(void) {
  gzFile file = gzopen("padded.gz", "rb");
  char bytes[100];
  int count = gzread(file, bytes, sizeof bytes), after = gzread(file, bytes, sizeof bytes), error;
  (void)gzerror(file, &error);
  printf("zlib: %d bytes, then %d, gzerror %d, gzclose_r %d\n", count, after, error, gzclose_r(file));
}
C
cat >Read.java <<'JAVA'
import java.io.FileInputStream;
import java.util.zip.GZIPInputStream;

class Read {
  public static void main(String[] arguments) throws Exception {
    try (var file = new GZIPInputStream(new FileInputStream("padded.gz"))) {
      System.out.println("java: " + file.readAllBytes().length + " bytes");
    }
  }
}
JAVA
cat >read.go <<'GO'
package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
)

func main() {
	file, _ := os.Open("padded.gz")
	reader, _ := gzip.NewReader(file)
	bytes, err := io.ReadAll(reader)
	fmt.Printf("go: %d bytes, %v\n", len(bytes), err)
}
GO
zlib=$(dirname "$(find root -name libz.so.1)")
gcc -I root/usr/include read.c -L "$zlib" -l:libz.so.1 -o read
{
  LD_LIBRARY_PATH=$zlib ./read
  code=0
  root/bin/gzip -dc padded.gz >by-gzip 2>/dev/null || code=$?
  echo "gzip: $(wc -c <by-gzip) bytes, exit $code"
  python3 -c 'import gzip; print("python:", len(gzip.open("padded.gz").read()), "bytes")'
  java Read.java
  node -e 'const bytes = require("zlib").gunzipSync(require("fs").readFileSync("padded.gz")); console.log(`node: ${bytes.length} bytes`)'
  go run read.go
} | tee found
diff - found <<'EXPECTED'
zlib: 9 bytes, then 0, gzerror 0, gzclose_r 0
gzip: 9 bytes, exit 2
python: 18 bytes
java: 9 bytes
node: 9 bytes
go: 9 bytes, gzip: invalid header
EXPECTED
echo 'as found'
