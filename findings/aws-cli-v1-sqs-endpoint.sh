#!/usr/bin/env bash
# AWS CLI 1.46.2: `aws sqs` doesn't see AWS_ENDPOINT_URL_SQS nor AWS_ENDPOINT_URL, `aws dynamodb` sees both forms.
#
# The CLI of version 1 sets the endpoint of `sqs` itself, to the old host <region>.queue.amazonaws.com, before its
# botocore looks at the environment; only --endpoint-url wins. boto3 with the same botocore takes the variable.
# So a script that was sent to a local queue by its environment, as boto3's programs are, sends to the real one.
#
# Seen on 2026-11-29 (Python 3.11):
#   aws dynamodb, AWS_ENDPOINT_URL_DYNAMODB: asked the local server
#   aws dynamodb, AWS_ENDPOINT_URL: asked the local server
#   aws sqs, AWS_ENDPOINT_URL_SQS: asked eu-west-1.queue.amazonaws.com:443
#   aws sqs, AWS_ENDPOINT_URL: asked eu-west-1.queue.amazonaws.com:443
#   aws sqs, --endpoint-url: asked the local server
#   boto3 sqs, AWS_ENDPOINT_URL_SQS: asked the local server
# Nothing leaves the machine: what isn't for the local server goes to a proxy on loopback, which writes it down and refuses.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT

python3 -m venv "$work/cli"
"$work/cli/bin/pip" -q install awscli==1.46.2
python3 -m venv "$work/sdk"
"$work/sdk/bin/pip" -q install boto3==1.43.62 botocore==1.43.62

cat >"$work/server.py" <<'PYTHON'
import http.server


class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print("asked the local server", flush=True)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_CONNECT(self):
        print("asked " + self.path, flush=True)
        self.send_error(403)

    def log_message(self, *arguments):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Server)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 "$work/server.py" >"$work/asked" &
server=$!
until [[ -s $work/asked ]]; do sleep 0.1; done
local=http://127.0.0.1:$(head -n 1 "$work/asked")

world=(env -i "PATH=$PATH" "HOME=$work" AWS_ACCESS_KEY_ID=example AWS_SECRET_ACCESS_KEY=example AWS_REGION=eu-west-1
  AWS_DEFAULT_REGION=eu-west-1 AWS_MAX_ATTEMPTS=1 AWS_EC2_METADATA_DISABLED=true "HTTPS_PROXY=$local" NO_PROXY=127.0.0.1)
seen() { # NAME COMMAND...: what was asked first
  local name=$1 before
  shift
  before=$(wc -l <"$work/asked")
  "${world[@]}" "$@" >/dev/null 2>&1 || true
  printf '%s: %s\n' "$name" "$(tail -n "+$((before + 1))" "$work/asked" | head -n 1)"
}
aws=$work/cli/bin/aws
"$aws" --version
{
  seen 'aws dynamodb, AWS_ENDPOINT_URL_DYNAMODB' AWS_ENDPOINT_URL_DYNAMODB="$local" "$aws" dynamodb list-tables
  seen 'aws dynamodb, AWS_ENDPOINT_URL' AWS_ENDPOINT_URL="$local" "$aws" dynamodb list-tables
  seen 'aws sqs, AWS_ENDPOINT_URL_SQS' AWS_ENDPOINT_URL_SQS="$local" "$aws" sqs list-queues
  seen 'aws sqs, AWS_ENDPOINT_URL' AWS_ENDPOINT_URL="$local" "$aws" sqs list-queues
  seen 'aws sqs, --endpoint-url' "$aws" sqs list-queues --endpoint-url "$local"
  seen 'boto3 sqs, AWS_ENDPOINT_URL_SQS' AWS_ENDPOINT_URL_SQS="$local" "$work/sdk/bin/python" -c \
    'import boto3; boto3.client("sqs").list_queues()'
} | tee "$work/found"
diff - "$work/found" <<'EXPECTED'
aws dynamodb, AWS_ENDPOINT_URL_DYNAMODB: asked the local server
aws dynamodb, AWS_ENDPOINT_URL: asked the local server
aws sqs, AWS_ENDPOINT_URL_SQS: asked eu-west-1.queue.amazonaws.com:443
aws sqs, AWS_ENDPOINT_URL: asked eu-west-1.queue.amazonaws.com:443
aws sqs, --endpoint-url: asked the local server
boto3 sqs, AWS_ENDPOINT_URL_SQS: asked the local server
EXPECTED
echo 'as found'
