# SPDX-License-Identifier: Apache-2.0
"""onnx.checker over every model in a folder, each with full shape inference. Exit status 77: no onnx."""
import pathlib
import sys

try:
    import onnx
except ImportError:
    print("skipped: this Python has no package onnx")
    sys.exit(77)

failed = 0
models = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
for path in models:
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:
        failed += 1
        print(f"{path.name}: {error}")
print(f"{len(models)} models checked by onnx {onnx.__version__}, {failed} refused")
sys.exit(1 if failed or not models else 0)
