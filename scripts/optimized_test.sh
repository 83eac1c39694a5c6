#!/usr/bin/env bash
# 優化後對比測試: the optimised shop measured like the baseline before it, and the report of both. `--help` lists the
# options.
exec bash "$(dirname "${BASH_SOURCE[0]}")/lib/variant_test.sh" optimized "$@"
