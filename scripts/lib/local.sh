# Without a cluster: the shop on this machine, under limits of its own, on a store in a temporary folder, and a
# Prometheus beside it. Defines check, deploy, run_plans, collect and finish for variant_test.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # Set by variant_test.sh.

[ -n "$port" ] || { [ "$variant" = baseline ] && port=8080 || port=8081; }
url=http://127.0.0.1:$port
prometheus=http://127.0.0.1:$prometheus_port
scratch=''
shop=''
watcher=''

check() {
  local tool
  for tool in curl prometheus; do
    command -v "$tool" >/dev/null || fail 3 "$tool is not on the search path" "Debian's package has the same name"
  done
}

# Ends what this script has started, by its number, and forgets it.
stop() {
  local process
  for process in "$watcher" "$shop"; do
    [ -z "$process" ] || kill -TERM "$process" 2>/dev/null || true
  done
  for process in "$watcher" "$shop"; do
    [ -z "$process" ] || wait "$process" 2>/dev/null || true
  done
  shop='' watcher=''
}

leave() {
  stop
  [ -z "$scratch" ] || rm -rf "$scratch"
}

alive() { kill -0 "$1" 2>/dev/null; }

deploy() {
  scratch=$(mktemp -d)
  trap leave EXIT
  trap 'exit 130' INT TERM
  local limits=()
  [ "$cpu_limit" = none ] || limits+=(--cpu-limit "$cpu_limit")
  [ "$memory_limit" = none ] || limits+=(--memory-limit "$memory_limit")
  "$double11" serve --variant "$variant" --addr "127.0.0.1:$port" --store "sqlite:$scratch/shop.db" \
    --products "$products" "${limits[@]}" >"$out/${variant}_shop.log" 2>&1 &
  shop=$!
  say "⏳ 等待服務啟動: $url"
  local deadline=$((SECONDS + 120))
  until "$double11" healthcheck "$url/actuator/health/readiness" 2>/dev/null; do
    if ! alive "$shop"; then
      local code=0
      wait "$shop" || code=$?
      shop=''
      cat "$out/${variant}_shop.log" >&2
      fail "$code" 'the shop did not start'
    fi
    [ "$SECONDS" -lt "$deadline" ] || fail 3 "the shop at $url is not ready after two minutes"
    read -rt 0.2 <> <(:) || true
  done
  watch
}

# The shipped rules, this one shop, and nobody else to be asked.
watch() {
  cp "$root"/deploy/prometheus/ecommerce_{alerts,rules}.yml "$scratch"
  cat >"$scratch/prometheus.yml" <<END
global:
  scrape_interval: 5s
  evaluation_interval: 5s
scrape_configs:
  - job_name: ecommerce-app
    metrics_path: /actuator/prometheus
    static_configs:
      - targets: ["127.0.0.1:$port"]
        labels:
          variant: $variant
rule_files: [ecommerce_alerts.yml, ecommerce_rules.yml]
END
  prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/prometheus" \
    --web.listen-address="127.0.0.1:$prometheus_port" >"$out/${variant}_prometheus.log" 2>&1 &
  watcher=$!
  local deadline=$((SECONDS + 60))
  until curl --silent --fail --output /dev/null "$prometheus/-/ready"; do
    alive "$watcher" || fail 3 'Prometheus did not start' "see $out/${variant}_prometheus.log; --prometheus-port chooses another port"
    [ "$SECONDS" -lt "$deadline" ] || fail 3 "Prometheus is not ready after a minute"
    read -rt 0.2 <> <(:) || true
  done
}

run_plans() {
  say '📊 執行平常流量測試...'
  storm normal_traffic 127.0.0.1 "$port" "$out/${variant}_normal.jtl" "${normal[@]}"
  say '🚀 執行峰值流量測試...'
  storm peak_traffic 127.0.0.1 "$port" "$out/${variant}_peak.jtl" "${peak[@]}"
  alive "$shop" || fail 3 'the shop ended while it was stormed' "see $out/${variant}_shop.log"
}

# Counts of the kernel for the shop's own group, while it is there; `unknown` without one.
collect() {
  local group file=''
  while read -r group; do
    for file in "/sys/fs/cgroup/cpu$group/cpu.stat" "/sys/fs/cgroup$group/cpu.stat"; do
      grep -q '^nr_throttled' "$file" 2>/dev/null && break 2
      file=''
    done
  done < <(sed -n 's/^[0-9]*:\(cpu\|cpu,cpuacct\|\):\(.*\)$/\2/p' "/proc/$shop/cgroup")
  if [ "$cpu_limit" = none ]; then
    printf '{"limit":"none","periods":0,"throttled":0}\n'
  elif [ -n "$file" ]; then
    awk -v limit="$cpu_limit" '{ count[$1] = $2 } END {
      printf "{\"limit\":\"%s\",\"periods\":%d,\"throttled\":%d}\n", limit, count["nr_periods"], count["nr_throttled"] }' "$file"
  else
    printf '{"limit":"%s","throttled":"unknown"}\n' "$cpu_limit"
  fi >"$out/${variant}_throttling.json"
  curl --silent --show-error --fail --get "$prometheus/api/v1/query_range" \
    --data-urlencode "query=$orders_query" \
    --data-urlencode "start=$1" --data-urlencode "end=$2" --data-urlencode 'step=5' \
    --output "$out/${variant}_metrics.json" || fail 3 'Prometheus does not answer'
}

# Whether a shop was held back by its limit, or that is not known.
held_back() { ! grep -q '"throttled":0[,}]' "$1"; }

# The shop ends as it should, and its store is audited before it is forgotten.
finish() {
  kill -TERM "$shop"
  local code=0
  wait "$shop" || code=$?
  shop=''
  [ "$code" -eq 0 ] || fail 3 "the shop ended with $code" "see $out/${variant}_shop.log"
  "$double11" audit --store "sqlite:$scratch/shop.db" || fail 1 'the audit found something'
}
