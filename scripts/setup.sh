#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# setup.sh demo|pictures|test|bench|rusticl|gpu-static: installs what building, and each of these, need and this machine lacks.
# Debian 12; as root or with sudo. Quick where nothing is missing.
# setup.sh python: numpy, onnx and onnxruntime from PyPI in build/venv; setup.sh peers: what the bench compares with,
# and what draws its pictures, in build/venv-bench; setup.sh pocl-pypi|intel: these OpenCL implementations for CPUs
# in build/venv-opencl; gpu-static also unpacks Intel's ocloc in build/ocloc, and ptxas in build/venv-gpu. Exit status 77 where PyPI cannot be reached.
set -euo pipefail

build=(gcc libc6-dev cmake ninja-build pkg-config protobuf-c-compiler libprotobuf-c-dev libonnx-dev
    libcpuinfo-dev opencl-headers ocl-icd-opencl-dev libclblast-dev libsqlite3-dev
    libcmocka-dev libjansson-dev libjpeg-dev libpng-dev zlib1g-dev)
demo=(pocl-opencl-icd dataset-fashion-mnist)
pictures=(python3 python3-numpy python3-pil fonts-dejavu-core)
tests=("${demo[@]}" "${pictures[@]}" clang g++ libonnx-testdata oclgrind python3-onnx python3-venv
    gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)
gpu_static=(pocl-opencl-icd python3 python3-venv clang-15 libclc-15 libigdfcl1 libigc1 libigdgmm12)
bench=(pocl-opencl-icd git python3 python3-venv python3-opencv)

# pip_install VENV PACKAGE...: from PyPI, or a status of failure without much waiting
pip_install() {
    local venv=$1
    shift
    "$venv/bin/pip" install -q --retries 1 --timeout 20 "$@" >&2
}

# in_venv NAME MARK PACKAGE...: a folder of our own under build/ with these packages, all or none
in_venv() {
    local venv mark=$2
    venv="$(cd "$(dirname "$0")/.." && pwd)/build/$1"
    shift 2
    [ ! -f "$venv/$mark" ] || return 0
    echo "setting up $venv with $*" >&2
    if ! python3 -m venv "$venv" >&2; then
        echo "skipped: python3 -m venv does not work here (Debian: python3-venv)" >&2
        return 77
    fi
    if ! pip_install "$venv" "$@"; then
        echo "skipped: PyPI cannot be reached, which $* come from" >&2
        return 77
    fi
    touch "$venv/$mark"
}

# peer NAME PACKAGE...: one peer of the bench; one that cannot be installed is missing from its tables, no more
peer() {
    local name=$1
    shift
    in_venv venv-bench "ready-$name" "$@" || echo "$name cannot be installed: the bench will say so" >&2
}

# PyTorch for the CPU alone, a tenth of PyPI's, is taken where its site can be reached; pnnx asks for PyTorch, too
peers() {
    in_venv venv-bench ready numpy onnx matplotlib || return
    peer onnxruntime onnxruntime
    peer openvino openvino
    peer mnn MNN
    peer torch onnx2torch torch torchvision --extra-index-url https://download.pytorch.org/whl/cpu
    peer ncnn ncnn pnnx
}

# Libraries for AArch64, unpacked beside those of this machine, whose package lists stay as they are
aarch64() {
    local root apt deb
    root="$(cd "$(dirname "$0")/.." && pwd)/build/sysroot-aarch64"
    [ ! -f "$root/ready" ] || return 0
    mkdir -p "$root/lists/partial" "$root/cache/archives/partial" "$root/debs"
    apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::Lists="$root/lists"
        -o Dir::Cache="$root/cache" -o APT::Sandbox::User=)
    echo "unpacking libraries for AArch64 in $root" >&2
    if ! "${apt[@]}" update >&2 || ! (cd "$root/debs" && "${apt[@]}" download libcpuinfo0 libcpuinfo-dev \
        libprotobuf-c1 libprotobuf-c-dev libsqlite3-0 libsqlite3-dev libcmocka0 libcmocka-dev >&2); then
        echo "skipped: Debian's packages for AArch64 cannot be had" >&2
        return 77
    fi
    for deb in "$root"/debs/*.deb; do dpkg-deb -x "$deb" "$root"; done
    touch "$root/ready"
}

# NVIDIA's assembler, where there is none, and Intel's offline compiler, whose package would also put a driver in place
# that has no device here; what cannot be had is missing from the table
gpu_tools() {
    local root
    root="$(cd "$(dirname "$0")/.." && pwd)/build/ocloc"
    command -v ptxas >/dev/null || in_venv venv-gpu ready nvidia-cuda-nvcc-cu12 || true
    [ ! -x "$root/run" ] || return 0
    mkdir -p "$root"
    (cd "$root" && apt-get -qq -o APT::Sandbox::User= download intel-opencl-icd >&2 &&
        dpkg-deb -x intel-opencl-icd_*.deb . && rm intel-opencl-icd_*.deb) || return 0
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$root/usr/lib/x86_64-linux-gnu" \
        "$root/usr/bin/ocloc" >"$root/run"
    chmod +x "$root/run"
}

case "${1:-}" in
demo) wanted=("${build[@]}" "${demo[@]}") ;;
pictures) wanted=("${build[@]}" pocl-opencl-icd "${pictures[@]}") ;;
test) wanted=("${build[@]}" "${tests[@]}") ;;
bench) wanted=("${build[@]}" "${bench[@]}") ;;
rusticl) wanted=(mesa-opencl-icd) ;;
gpu-static)
    wanted=("${build[@]}" "${gpu_static[@]}")
    gpu_tools
    ;;
python)
    in_venv venv ready numpy onnx onnxruntime
    exit
    ;;
peers)
    peers
    exit
    ;;
pocl-pypi)
    in_venv venv-opencl ready-pocl pocl-binary-distribution
    exit
    ;;
intel)
    in_venv venv-opencl ready-intel intel-opencl-rt intel-cmplr-lib-rt tbb
    exit
    ;;
aarch64)
    aarch64
    exit
    ;;
*)
    echo "usage: scripts/setup.sh demo|pictures|test|bench|rusticl|gpu-static|python|peers|pocl-pypi|intel|aarch64" >&2
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
