#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every OpenCL kernel row over op_cases.def in oclgrind, which reports data races, bad accesses and
# misuse of the API. $1: the test_kernels program.
set -uo pipefail
command -v oclgrind >/dev/null || { echo "skipped: oclgrind is not installed"; exit 77; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
oclgrind --data-races --check-api --max-errors 20 "$1" opencl --seldom-clblast >"$log" 2>&1
status=$?
grep -E "^\[  (PASSED|FAILED)|^ [0-9]+ FAILED|^\[=+\]" "$log"
if grep -qE "^(Invalid|Read-write|Write-write|Data race|Oclgrind|Error:)|OpenCL runtime error|data race" "$log"; then
    echo "oclgrind reports:"
    grep -nE -A8 "^(Invalid|Read-write|Write-write|Data race|Oclgrind|Error:)|OpenCL runtime error|data race" "$log" | head -60
    status=1
fi
exit $status
