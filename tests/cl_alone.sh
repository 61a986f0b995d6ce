#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles every .cl file by itself (behind common.cl, as the library does) with clang as strict OpenCL
# C 1.2, at its default defines; common.cl with all activations.
set -uo pipefail
cd "$(dirname "$0")/../kernels/opencl"
command -v clang >/dev/null || { echo "skipped: clang is not installed"; exit 77; }
failed=0
for file in *.cl; do
    include=(-include common.cl)
    [ "$file" = common.cl ] && include=(-DACT_RARE=1)
    if clang -x cl -cl-std=CL1.2 -target spir64 -Xclang -finclude-default-header -Wall -Wextra -Werror \
        -Wno-unused-function -fsyntax-only "${include[@]}" "$file"; then
        echo "$file: compiles"
    else
        echo "$file: does NOT compile"
        failed=1
    fi
done
exit $failed
