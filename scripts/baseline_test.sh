#!/usr/bin/env bash
# 優化前基準測試: the baseline measured on an ordinary day and at midnight of Double 11, on a cluster or, with
# --local, on this machine. `--help` lists the options.
exec bash "$(dirname "${BASH_SOURCE[0]}")/lib/variant_test.sh" baseline "$@"
