# SPDX-License-Identifier: Apache-2.0
"""onnx.checker over every model in a folder, each with full shape inference; models of operator sets that this
onnx does not have yet are counted. Exit status 77: no onnx."""
import pathlib
import sys

try:
    import onnx
except ImportError:
    print("skipped: this Python has no package onnx")
    sys.exit(77)

failed = newer = 0
models = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
for path in models:
    if onnx.load(str(path)).opset_import[0].version > onnx.defs.onnx_opset_version():
        newer += 1
        continue
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:
        failed += 1
        print(f"{path.name}: {error}")
print(f"{len(models) - newer} models checked by onnx {onnx.__version__}, {failed} refused; {newer} are too new for it")
sys.exit(1 if failed or not models else 0)
