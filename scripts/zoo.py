#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the networks of `convoke zoo` and compares each, on every device, with ONNX Runtime.

In: the names of networks (default: all). Out: a table on stdout, OUT/table.md and OUT/table.json; exit
status 1 if a file is refused, a count is wrong or an output is further than 1e-4 (relative L2) from
ONNX Runtime's. Where a network ends in a Softmax or Sigmoid, which hides errors, its input is compared as
well. Needs the Python packages numpy, onnx and onnxruntime; scripts/zoo sets them up.
"""
import argparse
import json
import pathlib
import re
import shutil
import sys

import numpy as np
import onnx
import onnxruntime

from harness import command, expose_logits, present_devices, relative_l2

CASES = pathlib.Path(__file__).parent.parent / "tests" / "zoo_cases.def"
LIMIT = 1e-4
THREADS = "2"


def published():
    """{network: parameters}, from the table that the test of the counts reads; a count may be a sum."""
    rows = re.findall(r'^X\("([^"]+)",\s*([\d\s+]+),', CASES.read_text(), re.MULTILINE)
    return {name: sum(int(part) for part in parameters.split("+")) for name, parameters in rows}


def onnx_runtime(path, folder, seed):
    """Saves a seeded input, and runs it: {input name: .npy}, {output name: array}."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(THREADS)
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(seed)
    feeds, files = {}, {}
    for value in session.get_inputs():
        feeds[value.name] = random.standard_normal(value.shape, dtype=np.float32)
        files[value.name] = folder / f"{value.name}.npy"
        np.save(files[value.name], feeds[value.name])
    names = [value.name for value in session.get_outputs()]
    return files, dict(zip(names, session.run(names, feeds)))


def on_device(convoke, path, device, inputs, expected, folder):
    """The largest error of any output, and milliseconds per run."""
    saved = folder / device.replace(":", "-")
    saved.mkdir()
    chosen = ["--device", device, "--threads", THREADS]
    feed = [word for name, file in inputs.items() for word in ("--input", f"{name}={file}")]
    command(convoke, "run", path, *feed, "--save", saved, *chosen)
    error = max(relative_l2(np.load(saved / f"{name}.npy"), value) for name, value in expected.items())
    bench = json.loads(command(convoke, "bench", path, "--json", "--warmup", 1, "--repeat", 5, *chosen))
    return error, bench["median_ms"]


def choices(args):
    """The options of convoke zoo, as they were given."""
    given = {key: getattr(args, key) for key in ("batch", "size", "classes")}
    return [word for key, value in given.items() if value for word in (f"--{key}", value)]


def compare(args, entry, devices):
    """One row of the table."""
    row = {"name": entry["name"], "depth": entry["depth"]}
    if not args.size and not args.classes:
        row["expected"] = published().get(entry["name"])
    folder = args.out / entry["name"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = args.out / f"{entry['name']}.onnx"
    try:
        built = json.loads(command(args.convoke, "zoo", entry["name"], "-o", path, "--json", *choices(args)))
        row["parameters"], row["macs"] = built["parameters"], built["macs"]
        onnx.checker.check_model(path, full_check=True)
        model = onnx.load(path)
        if expose_logits(model):
            onnx.save(model, path)
        inputs, expected = onnx_runtime(path, folder, args.seed)
        for column, (device, _) in devices.items():
            error, ms = on_device(args.convoke, path, device, inputs, expected, folder)
            row[f"error_{column}"], row[f"ms_{column}"] = error, ms
        wrong = [column for column in devices if not row[f"error_{column}"] <= LIMIT]
        if row.get("expected") not in (None, row["parameters"]):
            wrong.append("parameters")
        row["status"] = f"WRONG: {', '.join(wrong)}" if wrong else "ok"
    except Exception as error:  # of the checker, ONNX Runtime or convoke: the other networks still get their turn
        row["status"] = f"FAILED: {str(error).strip().splitlines()[0]}"
    if not args.keep:
        shutil.rmtree(folder)
        path.unlink(missing_ok=True)
    return row


def cell(row, key):
    value = row.get(key)
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.1e}" if key.startswith("error") else f"{value:.3g}"
    return str(value)


def write_tables(rows, devices, batch, out):
    titles = {"name": "network", "expected": "parameters expected", "parameters": "counted", "macs": "multiply-adds",
              "depth": "depth"}
    titles |= {f"ms_{column}": f"ms {column}" for column in devices}
    titles |= {f"error_{column}": f"error {column}" for column in devices}
    titles["status"] = "status"
    lines = [f"| {' | '.join(titles.values())} |", "|---|" + "---:|" * (len(titles) - 2) + "---|"]
    lines += [f"| {' | '.join(cell(row, key) for key in titles)} |" for row in rows]
    about = {column: f"{identity}, {name}" for column, (identity, name) in devices.items()}
    notes = [f"{column}: {text}" for column, text in about.items()]
    notes.append(f"errors: relative L2 to ONNX Runtime {onnxruntime.__version__}; {THREADS} threads, batch {batch}")
    text = "\n".join(lines) + "\n\n" + "; ".join(notes) + "\n"
    (out / "table.md").write_text(text)
    summary = {"devices": about, "onnxruntime": onnxruntime.__version__, "limit": LIMIT, "networks": rows}
    (out / "table.json").write_text(json.dumps(summary, indent=2) + "\n")
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--convoke", default="build/release/convoke", help="the command to test")
    parser.add_argument("--out", type=pathlib.Path, default="build/zoo", help="folder of the tables and the models")
    parser.add_argument("--devices", default="cpu,opencl", help="backends to compare (default: cpu,opencl)")
    parser.add_argument("--batch", type=int, default=1, help="pictures in a run (default 1)")
    parser.add_argument("--size", type=int, help="height and width of the pictures (default: each network's own)")
    parser.add_argument("--classes", type=int, help="classes to tell apart (default: each network's own)")
    parser.add_argument("--seed", type=int, default=1, help="of the input's numbers")
    parser.add_argument("--keep", action="store_true", help="keep the models, inputs and outputs")
    parser.add_argument("names", nargs="*", metavar="NETWORK", help="default: all")
    args = parser.parse_args()
    listed = json.loads(command(args.convoke, "zoo", "list", "--json", *choices(args)))["networks"]
    known = {entry["name"]: entry for entry in listed}
    unknown = [name for name in args.names if name not in known]
    if unknown:
        parser.error(f"no network of this size is called {', '.join(unknown)}: see convoke zoo list")
    devices = present_devices(args.convoke, args.devices.split(","))
    for backend in set(args.devices.split(",")) - set(devices):
        print(f"no device of backend {backend} is present: not compared", file=sys.stderr)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in args.names or known:
        rows.append(compare(args, known[name], devices))
        print(f"{name}: {rows[-1]['status']}", file=sys.stderr, flush=True)
    print(write_tables(rows, devices, args.batch, args.out), end="")
    failed = sum(row["status"] != "ok" for row in rows)
    print(f"{len(rows) - failed} networks agree, {failed} do not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
