#!/usr/bin/env bash
# Runs every test in its long form and keeps the closing lines in docs/SOAK.md.
#
# A test that has a long form reads DOUBLE11_SOAK=1 and ends with one line on standard output that
# begins with `soak: `. One test runs at a time: crash and race tests want the machine to themselves.
set -euo pipefail
cd "$(dirname "$0")/.."

page=docs/SOAK.md
log=$(mktemp)
closing=$(mktemp)
trap 'rm -f "$log" "$closing"' EXIT

commit=$(git rev-parse --short=12 HEAD)
if [ -n "$(git status --porcelain --untracked-files=no -- . ':!docs/SOAK.md')" ]; then
  commit="$commit with changes"
fi
began=$(date -u +%Y-%m-%dT%H:%MZ)

DOUBLE11_SOAK=1 cargo test --release --workspace --locked --no-fail-fast -- \
  --nocapture --test-threads=1 2>&1 | tee "$log"

# The test runner leaves its own words in front of what a test prints first.
if ! grep -o 'soak: .*' "$log" >"$closing"; then
  printf 'error: no test printed a closing line that begins with "soak: "\n' >&2
  exit 1
fi

machine() {
  awk -F': *' '/^model name/ { print $2; exit }' /proc/cpuinfo
  printf '%s cores, ' "$(nproc)"
  awk '/^MemTotal/ { printf "%.0f GiB of memory\n", $2 / 1048576 }' /proc/meminfo
  printf 'Linux %s\n' "$(uname -r)"
  rustc --version
}

run() {
  printf -- '- begun %s, commit %s\n' "$began" "$commit"
  printf -- '- machine: %s\n\n' "$(machine | paste -sd ';' | sed 's/;/; /g')"
  printf '```text\n'
  sed 's/^soak: //' "$closing"
  printf '```\n'
}

fresh=$(mktemp)
sed '/^<!-- last full run -->$/q' "$page" >"$fresh"
{
  printf '\n'
  run
} >>"$fresh"
cat "$fresh" >"$page"
rm -f "$fresh"
printf 'The closing lines are in %s.\n' "$page"
