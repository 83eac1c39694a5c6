#!/usr/bin/env bash
# Feeds the readers of plans, result files and texts with inputs that nobody would write.
#
# libFuzzer counts coverage by counters that LLVM puts in, which needs no other toolchain than the one
# that builds the program. Arguments: targets; all of them without. RUNS: executions of each.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"

runs=${RUNS:-1000000}
host=$(rustc -vV | sed -n 's/^host: //p')
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  targets=(jmx_reader jtl_reader template_parser)
fi

export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module \
  -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --release --locked --target "$host"

for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "artifacts/$target"
  # Memory is bounded: no single allocation above 64 MiB, no more than 512 MiB in all.
  log=artifacts/$target/log
  "target/$host/release/$target" "corpus/$target" "seeds/$target" \
    -runs="$runs" -max_len=4096 -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=64 \
    -dict="dictionaries/$target.dict" -artifact_prefix="artifacts/$target/" \
    -print_final_stats=1 -verbosity=0 >"$log" 2>&1 || { cat "$log"; exit 1; }
  printf 'fuzz: %s: %s executions, %s MiB at most\n' "$target" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
    "$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")"
done
