#!/usr/bin/env bash
# One variant of the shop, deployed, stormed by both plans, its metrics collected; after the optimised one the report
# of both. Called by baseline_test.sh and optimized_test.sh. Where the shop runs is said by cluster.sh or local.sh.
set -Eeuo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

usage() {
  cat <<END
Usage: scripts/${variant}_test.sh [OPTIONS]

Measures the $variant shop: an ordinary day (tests/normal_traffic.jmx), then midnight of Double 11
(tests/peak_traffic.jmx). Writes ${variant}_normal.jtl, ${variant}_peak.jtl and ${variant}_metrics.json; after the
optimised shop improvement_report.html too, if the baseline was measured into the same folder before.

  --local               without a cluster: the shop runs on this machine, under limits of its own
  --quick               seconds instead of 40 minutes: shows that everything works, not how fast it is
  --out DIR             where the results go [default: results]
  --driver NAME         who storms: double11 (its own runner of plans) or jmeter (Apache JMeter on the
                        search path) [default: double11]
  -h, --help            this text

On a cluster:
  --context NAME        the context of kubectl; without it the current one, if it is a laptop's
  --image NAME          the shop's image [default: double11:dev, which the nodes must have]

With --local:
  --port N              the shop's port [default: 8080 of the baseline, 8081 of the optimised shop]
  --prometheus-port N   the port of the Prometheus that is started beside it [default: 9090]
  --cpu-limit N         processors that the shop may use, or none [default: 2]
  --memory-limit SIZE   memory that the shop may use, or none [default: 4Gi]
  --products N          products of its catalogue [default: 10000]

Exit codes: 0 measured and, with a report, every target met; 1 a target was missed, or the audit found something;
2 wrong usage; 3 something around it failed, cluster, image or port; 4 the report cannot judge, or a shop was held
back by its limit, so that its response times are the limit's.
END
}

say() { printf '%s\n' "$*"; }

# The message, then what to do about it; $1 is the exit code.
fail() {
  printf 'error: %s\n' "$2" >&2
  [ -z "${3:-}" ] || printf 'hint: %s\n' "$3" >&2
  exit "$1"
}

# Whatever fails without a word of its own is something around the test, never a missed target.
trap '[ "$BASH_SUBSHELL" -gt 0 ] || fail 3 "a command failed in line $LINENO of ${BASH_SOURCE[0]##*/}"' ERR

variant=${1:?baseline or optimized}
shift
where=cluster quick='' out=$root/results driver=double11
context='' image=double11:dev
# shellcheck disable=SC2034 # Used by cluster.sh and local.sh.
port='' prometheus_port=9090 cpu_limit=2 memory_limit=4Gi products=10000
while [ $# -gt 0 ]; do
  case $1 in
    --local) where=local ;;
    --quick) quick=yes ;;
    -h | --help) usage && exit 0 ;;
    --out | --driver | --context | --image | --port | --prometheus-port | --cpu-limit | --memory-limit | --products)
      [ $# -gt 1 ] || fail 2 "$1 needs a value"
      name=${1#--}
      printf -v "${name//-/_}" '%s' "$2"
      shift
      ;;
    *) fail 2 "unknown option $1" "scripts/${variant}_test.sh --help" ;;
  esac
  shift
done
case $driver in
  double11 | jmeter) ;;
  *) fail 2 "--driver is double11 or jmeter, not $driver" ;;
esac

# What the plans are told: the requirements' own figures, or a taste of them.
if [ -n "$quick" ]; then
  normal=(users=5 ramp=1 duration=15)
  peak=(users=40 ramp=2 duration=15)
else
  normal=(users=60 ramp=30 duration=600)
  peak=(users=1000 ramp=300 duration=1800)
fi

double11=${DOUBLE11:-$root/target/release/double11}
if [ ! -x "$double11" ]; then
  command -v cargo >/dev/null || fail 3 "there is no program at $double11" 'cargo build --release, or name one in DOUBLE11'
  say '🔨 編譯程式…'
  (cd "$root" && cargo build --release --locked --package double11) || fail 3 'the program does not build'
fi

# Runs one plan against a shop at an address of this machine: plan, host, port, file of results, properties.
storm() {
  local plan=$1 host=$2 port=$3 file=$4 runner
  shift 4
  if [ "$driver" = jmeter ]; then
    command -v jmeter >/dev/null || fail 3 'Apache JMeter is not on the search path' '--driver double11 needs none'
    runner=(jmeter)
  else
    runner=("$double11" jmeter)
  fi
  # Neither asks before it writes over results of before; JMeter adds to them.
  rm -f "$file"
  "${runner[@]}" -n -t "$root/tests/$plan.jmx" -l "$file" -j "${file%.jtl}.log" \
    "-Jhost=$host" "-Jport=$port" "-Jproducts=$products" "${@/#/-J}" || fail $? "the plan $plan was not run"
}

# The queries whose answers become NAME_metrics.json and NAME_throttling.json: the requirements' own, and how much
# of the time a container was held back by its limit.
# shellcheck disable=SC2034 # Used by cluster.sh and local.sh.
orders_query='sum by (job, variant, status) (rate(ecommerce_orders_total{job="ecommerce-app"}[1m]))'

mkdir -p "$out" || fail 3 "$out cannot be made"
out=$(cd "$out" && pwd)

# shellcheck source=scripts/lib/cluster.sh
# shellcheck source=scripts/lib/local.sh
. "$here/$where.sh"

check
case $variant in
  baseline) say '🔥 開始優化前基準測試...' ;;
  *) say '⚡ 開始優化後對比測試...' ;;
esac
deploy
started=$(date +%s)
run_plans
say '📈 收集監控數據...'
collect "$started" "$(date +%s)"
finish

say "✅ 測試完成，結果保存到 $out/"
[ "$variant" = optimized ] || exit 0
if [ ! -s "$out/baseline_peak.jtl" ]; then
  say "📋 沒有 $out/baseline_peak.jtl，未生成對比報告: run scripts/baseline_test.sh into the same folder first"
  exit 0
fi
code=0
"$double11" compare --baseline "$out/baseline_peak.jtl" --optimized "$out/optimized_peak.jtl" \
  --output "$out/improvement_report.html" || code=$?
for one in baseline optimized; do
  if held_back "$out/${one}_throttling.json"; then
    say "ℹ️  $one was held back by its limit, or it is not known ($out/${one}_throttling.json): its response times are not judged"
    [ "$code" -gt 1 ] || code=4
  fi
done
case $code in
  0 | 1 | 4) say "📋 對比報告生成: $out/improvement_report.html" ;;
esac
exit "$code"
