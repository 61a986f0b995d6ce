#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the build given as $1 into a scratch folder and builds tests/consumer against it in three
# ways: the CMake package, pkg-config with the shared library, pkg-config with the static one.
set -euo pipefail
build=$1
consumer=$(cd "$(dirname "$0")" && pwd)/consumer
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --install "$build" --prefix "$scratch/prefix" >/dev/null
libdir=$(dirname "$(find "$scratch/prefix" -name convoke.pc)")/..
for file in include/convoke/convoke.h include/convoke/cache.h include/convoke/tune.h include/convoke/opencl.h bin/convoke; do
    test -e "$scratch/prefix/$file" || { echo "not installed: $file"; exit 1; }
done
# The build's own prefix is in convoke.pc; the install above went elsewhere.
export PKG_CONFIG_PATH=$libdir/pkgconfig
pc() { pkg-config --define-variable=prefix="$scratch/prefix" "$@" convoke; }

cmake -S "$consumer" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$scratch/prefix" >/dev/null
cmake --build "$scratch/cmake" >/dev/null
"$scratch/cmake/consumer"

cc -std=c11 $(pc --cflags) "$consumer/main.c" -o "$scratch/shared" $(pc --libs)
LD_LIBRARY_PATH=$libdir "$scratch/shared"

static=$(pc --static --libs | sed "s#-lconvoke#$libdir/libconvoke.a#")
cc -std=c11 $(pc --cflags) "$consumer/main.c" -o "$scratch/static" $static
"$scratch/static"
LD_LIBRARY_PATH=$libdir "$scratch/prefix/bin/convoke" --version
