#!/usr/bin/env bash
# promtool 2.42.0: `check metrics` ends with 0 on two samples of one series and on a histogram without its +Inf bucket.
#
# The first loses a sample at each scrape, the second makes histogram_quantile() wrong beyond the last bucket: just what one
# takes the check for. prometheus_client's text parser passes both as well. Its OpenMetrics parser, given the same lines and
# `# EOF`, refuses the histogram, and takes the two samples too. So an exporter's test has to count its series by itself.
#
# Seen on 2026-11-29 (Debian 12, prometheus 2.42.0+ds-5+deb12u1; prometheus_client 0.22.1):
#   two samples of one series: promtool 0; text parser 0; OpenMetrics parser 0
#   histogram without +Inf: promtool 0; text parser 0; OpenMetrics parser 1
#   the same, mended: promtool 0; text parser 0; OpenMetrics parser 0
# Needs Debian 12's package lists for `apt-get download`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq download prometheus=2.42.0+ds-5+deb12u1 2>/dev/null
dpkg -x prometheus_*.deb root
python3 -m venv venv
venv/bin/pip -q install prometheus_client==0.22.1

cat >twice <<'METRICS'
# HELP app_requests Requests that were answered.
# TYPE app_requests gauge
app_requests{code="200"} 5
app_requests{code="200"} 7
METRICS
cat >histogram <<'METRICS'
# HELP app_seconds What a request took.
# TYPE app_seconds histogram
app_seconds_bucket{le="0.1"} 5
app_seconds_bucket{le="1"} 7
app_seconds_sum 3
app_seconds_count 9
METRICS
sed '/le="1"/a app_seconds_bucket{le="+Inf"} 9' histogram >mended

parser() { # MODULE FILE
  venv/bin/python -c "
import sys
from $1 import text_string_to_metric_families
list(text_string_to_metric_families(sys.stdin.read()))" <"$2" 2>/dev/null
}
look() { # NAME FILE
  local promtool=0 text=0 open=0
  root/usr/bin/promtool check metrics <"$2" >/dev/null || promtool=$?
  parser prometheus_client.parser "$2" || text=$?
  { cat "$2" && echo '# EOF'; } >"$2.openmetrics"
  parser prometheus_client.openmetrics.parser "$2.openmetrics" || open=$?
  echo "$1: promtool $promtool; text parser $text; OpenMetrics parser $open"
}
{
  look 'two samples of one series' twice
  look 'histogram without +Inf' histogram
  look 'the same, mended' mended
} | tee found
diff - found <<'EXPECTED'
two samples of one series: promtool 0; text parser 0; OpenMetrics parser 0
histogram without +Inf: promtool 0; text parser 0; OpenMetrics parser 1
the same, mended: promtool 0; text parser 0; OpenMetrics parser 0
EXPECTED
echo 'as found'
