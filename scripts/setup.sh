#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# setup.sh demo|pictures|test: installs what building, and the demo, the pictures or the tests, need and this machine lacks.
# Debian 12; as root or with sudo. Quick where nothing is missing.
# setup.sh python: numpy, onnx and onnxruntime from PyPI in build/venv; exit status 77 where PyPI cannot be reached.
set -euo pipefail

build=(gcc libc6-dev cmake ninja-build pkg-config protobuf-c-compiler libprotobuf-c-dev libonnx-dev
    libpthreadpool-dev libcpuinfo-dev opencl-headers ocl-icd-opencl-dev libclblast-dev libsqlite3-dev
    libcmocka-dev libjansson-dev libjpeg-dev libpng-dev zlib1g-dev)
demo=(pocl-opencl-icd dataset-fashion-mnist)
pictures=(python3 python3-numpy python3-pil fonts-dejavu-core)
tests=("${demo[@]}" "${pictures[@]}" clang g++ libonnx-testdata oclgrind python3-onnx python3-venv)

# Python's packages for comparing with ONNX Runtime, in a folder of our own
python_packages() {
    local venv
    venv="$(cd "$(dirname "$0")/.." && pwd)/build/venv"
    [ ! -f "$venv/ready" ] || return 0
    echo "setting up $venv with numpy, onnx and onnxruntime" >&2
    if ! python3 -m venv "$venv" >&2; then
        echo "skipped: python3 -m venv does not work here (Debian: python3-venv)" >&2
        return 77
    fi
    if ! "$venv/bin/pip" install -q --retries 1 --timeout 20 numpy onnx onnxruntime >&2; then
        echo "skipped: PyPI cannot be reached, which onnx and onnxruntime come from" >&2
        return 77
    fi
    touch "$venv/ready"
}

case "${1:-}" in
demo) wanted=("${build[@]}" "${demo[@]}") ;;
pictures) wanted=("${build[@]}" pocl-opencl-icd "${pictures[@]}") ;;
test) wanted=("${build[@]}" "${tests[@]}") ;;
python)
    python_packages
    exit
    ;;
*)
    echo "usage: scripts/setup.sh demo|pictures|test|python" >&2
    exit 2
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing: ${missing[*]}" >&2
root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "these packages are missing, and there is neither root nor sudo to install them: ${missing[*]}" >&2
        exit 1
    }
    root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -qq >&2
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
