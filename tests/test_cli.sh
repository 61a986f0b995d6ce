#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_cli.sh CONVOKE REPOSITORY: every sub-command from outside: results, JSON keys, exit statuses.
set -uo pipefail
convoke=$1
repo=$2
model=$repo/models/lenet5-fashion.onnx
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here" || exit 1
failures=0
# One driver that a leak checker has nothing to say about.
pocl=/etc/OpenCL/vendors/pocl.icd
[ ! -f $pocl ] || export OCL_ICD_VENDORS=$pocl

wrong() {
    echo "WRONG: $*" >&2
    failures=$((failures + 1))
}

# expect STATUS ARGUMENTS...: runs the command; its output is in `out`, its complaints are in `err`.
expect() {
    local want=$1
    shift
    "$convoke" "$@" >out 2>err
    local got=$?
    [ "$got" -eq "$want" ] || wrong "convoke $*: status $got, expected $want: $(head -c 300 err)"
    if [ "$want" -ge 2 ] && [ "$(grep -c '^convoke: ' err)" -ne 1 ]; then
        wrong "convoke $*: not one sentence on stderr: $(cat err)"
    fi
}

# says TEXT...: the last output has each of them.
says() {
    for text in "$@"; do
        grep -qF -- "$text" out || wrong "no '$text' in: $(head -c 300 out)"
    done
}

# complains TEXT: so has the last complaint.
complains() {
    grep -qF -- "$1" err || wrong "no '$1' in: $(head -c 300 err)"
}

# keys NAME...: the last output is a JSON object that has these keys somewhere.
keys() {
    python3 -m json.tool out >/dev/null || wrong "no JSON: $(head -c 300 out)"
    for key in "$@"; do
        grep -q "\"$key\": " out || wrong "no key '$key' in: $(head -c 300 out)"
    done
}

# Help, version, wrong use.
expect 0 --version && says 0.
expect 0 --help && says devices info plan run eval bench check compare tune selftest cache zoo
expect 2
expect 2 teapot && complains 'the commands are devices, info'
for command in devices info plan run eval bench check compare tune selftest cache zoo; do
    expect 0 $command --help && says "usage: convoke $command"
    expect 2 $command --no-such-option
done
expect 2 info
expect 0 plan "$model" --json && keys choice && says '"choice": "cpu'
expect 2 plan "$model" two
expect 2 plan "$model" --precision int8 && complains 'int8 is not available'
expect 2 bench "$model" --precision bf16 && complains 'expected f32 or f16'
expect 2 run "$model" --precision && complains 'needs a value'
expect 2 plan "$model" --threads zero && complains 'whole number'
expect 2 plan "$model" --threads
expect 2 plan "$model" --device all
expect 3 plan "$model" --shape image=1x1
expect 2 plan "$model" --shape nothing=1x1x28x28
expect 4 plan "$model" --device opencl:none-of-this-name
expect 4 plan "$model" --device teapot

# Bad files.
expect 3 info no-such-file.onnx
head -c 1000 "$model" >short.onnx
expect 3 info short.onnx
echo nonsense >text
expect 3 info text
expect 3 run "$model" text && complains 'neither a JPEG nor a PNG'
expect 3 eval "$model" --dataset "$here/nowhere"
mkdir empty
expect 3 check empty
expect 3 plan "$model" --device cpu --dot no-such-folder/plan.dot

# devices, info, plan.
expect 0 devices --device cpu && says cpu
expect 0 devices --device cpu --measure --json && keys devices id name kind driver peak_gflops gbytes_per_s
expect 0 info "$model" && says 61706 Conv
expect 0 info "$model" --json && keys inputs outputs ops parameters macs weight_bytes
expect 0 info "$model" --shape image=2x1x28x28 --json && says '"macs": 833040'
expect 0 plan "$model" --device cpu --dot plan.dot --svg plan.svg && says conv1,relu1,pool1
grep -q 'digraph' plan.dot || wrong "no digraph in the DOT file"
python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("plan.svg")' || wrong "the SVG file is no XML"
expect 0 plan "$model" --device cpu --json
keys steps nodes op device kernel fused offset bytes activation_bytes lower_bound_bytes workspace_bytes weight_bytes
keys predicted_ms calibrated
expect 0 plan "$model" --device cpu --no-fuse --json && says '"fused": 0'
expect 0 plan "$model" --device cpu --isa scalar --threads 1 --workspace 64M --verbose
expect 0 plan "$model" --device cpu --prefer conv_plain --json && says '"kernel": "conv_plain"'
expect 0 plan "$model" --device cpu --prefer fast --json
complains "no kernel row 'fast' accepts a step of this network here"

# Weights of fully connected layers in 16 bits: said of each step, and half the bytes.
fc_bytes() {
    python3 -c 'import json, sys; print(json.load(open("out"))["weight_bytes"])'
}
expect 0 plan "$model" --device cpu --json --precision f32 && keys weights weights_rel_l2
wide=$(fc_bytes)
grep -q '"weights": "float16"' out && wrong "float16 weights that nobody asked for"
expect 0 plan "$model" --device cpu --precision f16 && says 'weights float16, relative L2 '
expect 0 plan "$model" --device cpu --json --precision f16 && says '"weights": "float16"'
[ "$(fc_bytes)" -lt $((wide * 2 / 3)) ] || wrong "weights take $(fc_bytes) bytes in f16, $wide in f32"
expect 0 bench "$model" --device cpu --repeat 2 --precision f16 --json && keys weights_rel_l2
python3 - <<'END' || wrong "bench --precision f16 tells no error of the weights"
import json
result = json.load(open("out"))
assert 1e-5 < result["weights_rel_l2"] <= 2**-11, result["weights_rel_l2"]
END

# zoo.
expect 0 zoo list && says lenet5 61706 lenet5-rgb 62958 vgg19 143667240
expect 0 zoo lenet5 -o batch.onnx
expect 0 plan batch.onnx --device cpu --shape image=64x1x32x32 --memory 400K --json && keys batch && says 'batch of 64: 64 on cpu in '
expect 0 bench batch.onnx --device cpu --batch 64 --memory 400K --repeat 2 --json
expect 5 plan batch.onnx --device cpu --shape image=64x1x32x32 --memory 10K && complains 'a batch of 1 takes'
expect 0 plan batch.onnx --device cpu,cpu --split-batch --shape image=8x1x32x32 && says 'batch of 8: 8 on cpu in 1 run' 'none on cpu'
expect 3 plan batch.onnx --device cpu,cpu --split-batch && complains 'the batch cannot be split: the batch is one picture'
expect 0 zoo list --json && keys networks name parameters macs depth weight_bytes
expect 0 zoo lenet5 -o a.onnx && expect 0 zoo lenet5 --output b.onnx && expect 0 zoo lenet5 -o c.onnx --seed 2
cmp -s a.onnx b.onnx || wrong "the same seed gives another file"
cmp -s a.onnx c.onnx && wrong "another seed gives the same file"
expect 0 zoo lenet5-rgb -o d.onnx --classes 3 --size 64 --batch 2 --json && keys parameters
expect 0 info d.onnx && says 2x3x64x64 2x3
expect 0 zoo mobilenet -o a.onnx --size 32 && expect 0 zoo mobilenet -o b.onnx --size 32
cmp -s a.onnx b.onnx || wrong "the same seed gives another mobilenet"
expect 2 zoo siamese -o e.onnx --classes 5 && complains 'tells no classes apart'
expect 3 zoo unet -o e.onnx --size 200 && complains 'a multiple of 16'
expect 2 zoo lenet5
expect 2 zoo no-such-network -o e.onnx
expect 3 zoo lenet5 -o no-such-folder/e.onnx
expect 3 zoo lenet5 -o e.onnx --size 4 && complains 'expected 16 to 4096'

# eval: a small data set of the first training-free pictures, as IDX files, and as folders of pictures.
fashion=/usr/share/datasets/fashion-mnist
if [ -d $fashion ]; then
    common=(--scale 1/255 --device cpu --limit 200)
    expect 0 eval "$model" --dataset $fashion "${common[@]}" --expect 80% --contact-sheet sheet.png \
        --labels "$repo/models/fashion-labels.txt" --json
    keys images accuracy top5 images_per_s predictions_crc device
    first=$(grep predictions_crc out)
    expect 0 eval "$model" --dataset $fashion/t10k "${common[@]}" --batch 7 --json
    [ "$(grep predictions_crc out)" = "$first" ] || wrong "another batch gives other predictions"
    expect 1 eval "$model" --dataset $fashion "${common[@]}" --expect 0.999
    expect 0 eval "$model" --dataset $fashion "${common[@]}" --isa scalar --threads 1 --no-fuse --json
    [ "$(grep predictions_crc out)" = "$first" ] || wrong "scalar and unfused gives other predictions"
    expect 2 eval "$model"
    expect 0 eval "$model" --dataset $fashion --scale 1/255 --limit 50 --device all && says cpu
    head -c 8 sheet.png | grep -q PNG || wrong "the contact sheet is no PNG"
    mkdir -p classes/0 classes/7
    cp sheet.png classes/7/x.png
    expect 0 eval "$model" --dataset classes --device cpu --json && says '"images": 1'
    expect 3 eval "$model" --dataset classes/0
    gzip -dc $fashion/t10k-labels-idx1-ubyte.gz >bad-labels-idx1-ubyte
    head -c 100000 <(gzip -dc $fashion/t10k-images-idx3-ubyte.gz) >bad-images-idx3-ubyte
    expect 3 eval "$model" --dataset bad && complains 'do not fit'
fi

# run: pictures of every kind, 4x4 pixels.
picture() {
    base64 -d >"$1"
}
picture gray.jpg <<'END'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/wAALCAAEAAQBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/AOZr/9k=
END
picture palette.png <<'END'
iVBORw0KGgoAAAANSUhEUgAAAAQAAAAEAQMAAACTPww9AAAABlBMVEUAAADIPBRT8tO1AAAAEElEQVR4nGP4wMTAxMDEAAAGsAD3BC0B8wAAAABJRU5ErkJggg==
END
picture alpha.png <<'END'
iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAYAAACp8Z5+AAAAFUlEQVR4nGM8YSPSwIAEmBjQAGEBAGo4AaAQchomAAAAAElFTkSuQmCC
END
picture sixteen.png <<'END'
iVBORw0KGgoAAAANSUhEUgAAAAQAAAAEEAAAAADcCh3hAAAAFklEQVR4nGOMimJgYGBgYGBiYMDFAAAY9gC8zeKmwQAAAABJRU5ErkJggg==
END
picture gray-alpha.png <<'END'
iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAQAAAAD+Fb1AAAAFklEQVR4nGOM+s/AwMDAwMDEwICLAQAu4AFhQZbHLAAAAABJRU5ErkJggg==
END
for file in gray.jpg palette.png alpha.png sixteen.png gray-alpha.png; do
    expect 0 run "$model" $file --scale 1/255 --device cpu --top 2 --labels "$repo/models/fashion-labels.txt" --json
    keys outputs name shape top index label score ms
done
expect 0 run "$model" gray.jpg sixteen.png --device cpu --json && keys runs
expect 0 run "$model" gray.jpg --device cpu --resize 32x30 --crop center --mean 1 --std 2 --bgr
expect 3 run "$model" gray.jpg --device cpu --resize 32x32 && complains '--crop center'
expect 3 run "$model" gray.jpg --device cpu --nhwc
head -c 60 palette.png >cut.png
expect 3 run "$model" cut.png --device cpu
head -c 100 gray.jpg >cut.jpg
expect 3 run "$model" cut.jpg --device cpu
expect 2 run "$model"

# A tensor goes out as .npy and in again; values of the 16-bit and the gray-alpha picture are equal.
expect 0 run "$model" sixteen.png --device cpu --save saved && says probability
[ -s saved/sixteen.png.probability.npy ] || wrong "no saved output: $(ls saved)"
python3 - <<'END'
import struct
header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 28, 28), }"
header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
with open("in.npy", "wb") as f:
    f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    f.write(struct.pack("<1568f", *[90.0] * 1568))
END
expect 0 run "$model" --input image=in.npy --device cpu --save saved --softmax && says 2x10
tail -c 40 saved/probability.npy >one
tail -c 40 saved/sixteen.png.probability.npy | cmp -s - one || wrong "a picture and the same tensor give other outputs"
expect 2 run "$model" --input nothing=in.npy
expect 2 run "$model" --input image
expect 3 run "$model" --input image=text
expect 3 run "$model" --input image=in.npy --shape image=1x1x28x28 --device cpu

# bench, compare.
expect 0 bench "$model" --device cpu --batch 4 --repeat 5 --warmup 1 --layers && says 'Gflop/s' 'Relu, MaxPool' predicted
expect 0 bench "$model" --device cpu --repeat 2 --layers --json && keys predicted_ms predicted_error calibrated
expect 0 bench "$model" --device cpu --repeat 3 --profile trace.json --json
keys device batch median_ms min_ms p90_ms images_per_s gflops peak_fraction build_ms first_run_ms resident_bytes steps
python3 "$repo/tests/trace_check.py" trace.json 2 || wrong "the trace is not as it should be"
expect 0 bench "$model" --device cpu --threads 1 --repeat 3 --profile trace.json
python3 "$repo/tests/trace_check.py" trace.json 1 || wrong "the trace of one worker is not as it should be"
expect 3 bench d.onnx --device cpu --batch 3
expect 0 compare "$model" --device cpu,cpu --json && keys steps node max_abs rel_l2
expect 0 compare "$model" gray.jpg --device cpu,cpu --scale 1/255 && says 'relative L2 0'
expect 2 compare "$model" --device cpu

# A device that is lost in the midst of a run (tests/opencl_fault_layer.h): status 4, or the CPU's answer when asked to.
if [ -n "${FAULT_LAYER_PATH:-}" ] && OPENCL_LAYERS=$FAULT_LAYER_PATH FAULT_LAYER=gpu "$convoke" devices --json | grep -q '"kind": "gpu"'; then
    export OPENCL_LAYERS=$FAULT_LAYER_PATH
    expect 0 run "$model" gray.jpg --device cpu --scale 1/255 --save cpu
    FAULT_LAYER=gpu expect 0 run "$model" gray.jpg --device opencl --scale 1/255 --continue-on-cpu --json && says '"device": "opencl:0"'
    export FAULT_LAYER="gpu lost EnqueueNDRangeKernel=3"
    expect 4 run "$model" gray.jpg --device opencl --scale 1/255 && complains 'clEnqueueNDRangeKernel failed'
    expect 0 run "$model" gray.jpg --device opencl --scale 1/255 --continue-on-cpu --save lost --json && says '"device": "cpu"'
    complains 'convoke: warning: continued on the CPU'
    cmp -s cpu/*.npy lost/*.npy || wrong "not the CPU's answer after the device was lost"
    expect 0 bench "$model" --device opencl --repeat 2 --continue-on-cpu --json && says '"device": "cpu"' '"peak_fraction": null'
    if [ -d $fashion ]; then
        expect 0 eval "$model" --dataset $fashion --scale 1/255 --limit 50 --device opencl --continue-on-cpu --json && says '"device": "cpu"'
    fi
    unset OPENCL_LAYERS FAULT_LAYER
fi

# check: a case made here, one with a wrong answer, one with an operator that does not exist.
python3 - <<'END'
import os
import struct


def field(number, payload):
    return bytes([number << 3 | 2, len(payload)]) + payload


def tensor(value):
    if isinstance(value, bytes):  # uint8
        return bytes([1 << 3, 1, 2 << 3, 2]) + field(9, value)
    return bytes([1 << 3, 1, 2 << 3, 1]) + field(9, struct.pack("<f", value))


def info(name, dtype=1):
    return field(1, name) + field(2, field(1, bytes([1 << 3, dtype]) + field(2, field(1, bytes([1 << 3, 1])))))


def case(folder, op, value, inputs=1):
    node = field(1, b"x") * inputs + field(2, b"y") + field(3, b"n") + field(4, op)
    result = info(b"y", 2 if isinstance(value, bytes) else 1)
    graph = field(1, node) + field(2, b"g") + field(11, info(b"x")) + field(12, result)
    data = folder + "/test_data_set_0"
    os.makedirs(data)
    with open(folder + "/model.onnx", "wb") as f:
        f.write(bytes([1 << 3, 7]) + field(7, graph) + field(8, bytes([2 << 3, 13])))
    with open(data + "/input_0.pb", "wb") as f:
        f.write(tensor(-2.0))
    with open(data + "/output_0.pb", "wb") as f:
        f.write(tensor(value))


case("cases/right", b"Relu", 0.0)
case("cases/deeper/wrong", b"Relu", 1.0)
case("cases/unknown", b"NoSuchOperator", 1.0)
case("steps/one", b"QuantizeLinear", b"\2", 2)  # x / x is 1
case("steps/two", b"QuantizeLinear", b"\3", 2)
END
expect 0 check cases/right --device cpu && says '1 passed, 0 failed, 0 skipped'
expect 1 check cases --device cpu && says 'failed wrong: ' NoSuchOperator
[ "$(tail -n 1 out)" = '1 passed, 1 failed, 1 skipped' ] || wrong "last line: $(tail -n 1 out)"
expect 0 check cases --device cpu --atol 2 --json && keys cases name status reason max_abs max_rel passed failed skipped
expect 1 check steps/one --device cpu && says 'failed one: '
expect 0 check steps/one --device cpu --quantised 0.1 && says '1 passed'
expect 1 check steps --device cpu --quantised 0.1 && says 'failed two: '
expect 0 check cases/unknown --device all && says '0 passed, 0 failed, 1 skipped'

# Tuning and the store, which is one of its own from here on.
export CONVOKE_CACHE_DIR=$here/cache
store=$here/cache/convoke.sqlite
expect 2 tune
expect 2 tune "$model" --budget 0 && complains 'more than 0'
expect 2 tune "$model" --budget soon
expect 2 tune "$model" --device all
expect 3 tune no-such-file.onnx
expect 4 tune "$model" --device teapot
expect 2 cache
expect 2 cache fill && complains 'list, clear, verify, export or import'
expect 2 cache list more && complains 'one argument too many'
expect 2 cache export && complains 'a file is missing'
expect 2 cache import && complains 'a file is missing'
expect 0 cache list && says 'in all 0 rows, 0 bytes'
expect 0 cache verify
expect 0 cache clear
expect 0 plan "$model" --device cpu
[ ! -e "$store" ] || wrong "plan or cache made a store"

# number KEY: its value in the last JSON output.
number() {
    grep -o "\"$1\": [0-9][0-9.]*" out | head -n 1 | grep -o '[0-9.]*$'
}

expect 0 tune "$model" --device cpu --json && keys layers problem kernel ms default_ms speedup
keys problems known measured left
problems=$(number problems)
[ "$problems" -ge 1 ] || wrong "tune: no problem with a choice"
rows=$((problems + 1)) # in the store: the device's rates, too
[ "$(number measured)" -eq "$problems" ] || wrong "tune: not all measured: $(cat out)"
expect 0 tune "$model" --device cpu --json && keys speedup
[ "$(number measured) $(number known)" = "0 $problems" ] || wrong "tune measured again: $(cat out)"
expect 0 tune "$model" --device cpu && says "$problems were known, 0 measured now, 0 left" speedup
expect 0 tune "$model" --device cpu --isa scalar --budget 0.000001 --json
[ "$(number left)" -ge 1 ] || wrong "tune: a budget of no time was not kept: $(cat out)"
expect 0 cache list && says 'tuned row' 'Conv | ' 'device rates' "in all $rows rows"
expect 0 cache list --json && keys entries kind name value bytes used sound rows bytes damaged
[ "$(number rows)" -eq "$rows" ] || wrong "cache list: $(head -c 300 out)"
expect 0 cache verify && says "checked $rows rows"
expect 0 cache verify --json && keys rows bytes damaged problem

# To a file, away, and back.
bytes=$(number bytes)
expect 0 cache export "$here/tuned.sqlite" && says "exported $rows rows"
expect 3 cache export "$here/nowhere/tuned.sqlite"
expect 0 cache clear --json && keys rows bytes
[ "$(number rows)" -eq "$rows" ] || wrong "cache clear: $(cat out)"
expect 0 cache list && says 'in all 0 rows'
expect 0 cache import "$here/tuned.sqlite" --json && keys rows bytes
[ "$(number bytes)" -eq "$bytes" ] || wrong "cache import: $(cat out), exported were $bytes bytes"
expect 0 tune "$model" --device cpu && says "$problems were known, 0 measured now"
expect 3 cache import no-such-file
expect 3 cache import text
expect 3 cache import "$model"
expect 0 cache list && says "in all $rows rows"

# What the plan makes of a record: one that names another row, by hand.
python3 - "$store" <<'END' || wrong "the store could not be changed"
import sqlite3
import sys


def fnv(data, value):
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


db = sqlite3.connect(sys.argv[1])
for row, key in db.execute("SELECT rowid, key FROM entry").fetchall():
    data = b"no_such_row 1 ms, default 2 ms"
    total = fnv(data, fnv(key, 0xCBF29CE484222325))
    total -= (total >> 63) << 64
    size = len(key) + len(data)
    db.execute("UPDATE entry SET data=?, bytes=?, sum=? WHERE rowid=?", (data, size, total, row))
db.commit()
END
expect 0 cache verify
expect 0 plan "$model" --device cpu && says 'tuned: no_such_row is not used: there is no such row'

# Damage: first in entries, then of the file.
python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE entry SET sum = sum + 1 WHERE rowid = (SELECT min(rowid) FROM entry)")
db.commit()' "$store"
expect 1 cache verify && says '1 damaged'
expect 0 cache list && says 'damaged'
expect 1 cache verify --json && keys damaged
head -c 5000 "$model" >"$store"
expect 1 cache verify && says 'damaged'
expect 3 cache list
expect 0 cache clear
expect 0 cache verify && says 'checked 0 rows'

# The self-test: all right; then a kernel made wrong, which plans avoid until it passes again.
expect 2 selftest more
expect 2 selftest --kernel teapot && complains "no kernel row 'teapot'"
expect 4 selftest --device teapot
expect 0 selftest --device cpu --json && keys device kernels kernel op cases status denied passed not_reached
[ "$(number passed)" -eq "$(number rows)" ] || wrong "selftest: not all passed: $(head -c 300 out)"
expect 0 selftest --device cpu --isa scalar --kernel softmax && says '1 passed, 0 wrong, 0 failed, 0 not reached'
expect 0 cache list && says 'in all 0 rows'
if "$convoke" devices --device opencl >out 2>err; then
    mkdir cl
    cp "$repo"/kernels/opencl/*.cl cl
    sed -i 's|tap = wgt\[kx\];|tap = -wgt[kx];|' cl/depthwise.cl
    expect 0 zoo mobilenet -o deep.onnx --size 32
    expect 0 plan deep.onnx --device opencl && says depthwise
    CONVOKE_CL_DIR=$here/cl expect 1 selftest --device opencl --kernel depthwise
    says 'denied now' '1 wrong' 'relative L2 error'
    expect 0 cache list && says 'denied row' 'Conv depthwise'
    expect 0 plan deep.onnx --device opencl && says 'depthwise: denied by selftest on this driver'
    expect 0 plan deep.onnx --device opencl --json && says 'depthwise: denied by selftest on this driver'
    CONVOKE_CL_DIR=$here/cl expect 1 selftest --device opencl --kernel depthwise --json
    python3 - <<'END' || wrong "selftest --json: $(cat out)"
import json
run = json.load(open("out"))
assert run["denied"] == ["depthwise"] and run["wrong"] == 1
assert run["kernels"][0]["status"] == "wrong" and run["kernels"][0]["was_denied"]
END
    expect 0 selftest --device cpu,opencl --kernel softmax --json && keys runs
    expect 0 selftest --device opencl --kernel depthwise && says 'no longer denied' '1 passed'
    expect 0 cache list
    grep -q 'denied row' out && wrong "a row that passes is denied still: $(head -c 300 out)"
    expect 0 plan deep.onnx --device opencl
    grep -q 'denied by selftest' out && wrong "a plan does without a row that passes"
fi
export CONVOKE_CACHE_DIR=
expect 0 selftest --device cpu --kernel softmax
expect 3 cache list && complains 'there is no store'
expect 3 tune "$model" --device cpu && complains 'there is no store'

[ $failures -eq 0 ] || {
    echo "$failures wrong" >&2
    exit 1
}
echo "all right"
