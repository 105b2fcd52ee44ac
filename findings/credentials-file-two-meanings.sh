#!/usr/bin/env bash
# One credentials file, two keys: where botocore 1.44.5 and aws-sdk-go-v2 (config 1.33.18) read the same valid file apart.
#
# A comment behind a value is part of the value for botocore and a comment for Go. A section written twice is an error for
# botocore, and merged by Go, where the later value wins. With `[default]` and `[profile default]` in the config file botocore
# takes whichever section stands last, as a whole, Go the one that says `profile`. So a host where a service in Go works
# may refuse each request of a script in Python beside it (or sign with another key), from one file.
#
# Seen on 2026-11-29 (Go 1.26.8, Python 3.11.7):
#   comment behind the key: botocore 'AKIDEXAMPLE # of the robot', Go 'AKIDEXAMPLE'
#   section twice: botocore ConfigParseError, Go 'AKIDSECOND'
#   profile default first: botocore 'AKIDBARE', Go 'AKIDPROFILE'
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install botocore==1.44.5
mkdir go files
cat >go/main.go <<'GO'
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	loaded, err := config.LoadDefaultConfig(context.Background())
	if err == nil {
		credentials, found := loaded.Credentials.Retrieve(context.Background())
		if err = found; err == nil {
			fmt.Printf("'%s'", credentials.AccessKeyID)
			return
		}
	}
	fmt.Printf("%v", err)
}
GO
export GOPATH=$work/gopath GOFLAGS=-mod=mod
(cd go && go mod init example && go get github.com/aws/aws-sdk-go-v2/config@v1.33.18 && go build -o ../by-go .) >log 2>&1 || {
  cat log
  exit 1
}
cat >by_botocore.py <<'PYTHON'
import botocore.session

try:
    print(repr(botocore.session.Session().get_credentials().access_key), end="")
except Exception as error:
    print(type(error).__name__, end="")
PYTHON

read_as() { # NAME CREDENTIALS CONFIG
  printf '%b' "$2" >files/credentials
  printf '%b' "$3" >files/config
  local world=(env -i "PATH=$PATH" "HOME=$work" AWS_SHARED_CREDENTIALS_FILE=files/credentials AWS_CONFIG_FILE=files/config
    AWS_EC2_METADATA_DISABLED=true AWS_REGION=eu-west-1)
  echo "$1: botocore $("${world[@]}" venv/bin/python by_botocore.py), Go $("${world[@]}" ./by-go)"
}
{
  read_as 'comment behind the key' \
    '[default]\naws_access_key_id = AKIDEXAMPLE # of the robot\naws_secret_access_key = example\n' ''
  read_as 'section twice' \
    '[default]\naws_access_key_id = AKIDFIRST\naws_secret_access_key = example\n[default]\naws_access_key_id = AKIDSECOND\n' ''
  secret='aws_secret_access_key = example\n'
  read_as 'profile default first' '' \
    "[profile default]\naws_access_key_id = AKIDPROFILE\n${secret}[default]\naws_access_key_id = AKIDBARE\n$secret"
} | tee found
diff - found <<'EXPECTED'
comment behind the key: botocore 'AKIDEXAMPLE # of the robot', Go 'AKIDEXAMPLE'
section twice: botocore ConfigParseError, Go 'AKIDSECOND'
profile default first: botocore 'AKIDBARE', Go 'AKIDPROFILE'
EXPECTED
echo 'as found'
