# SPDX-License-Identifier: Apache-2.0
"""Fused against unfused plans of networks, rows chosen over the graph against one by one: see scripts/fusions."""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

CLASSICS = ["alexnet", "vgg16", "googlenet", "inception-v3", "resnet18", "resnet50", "squeezenet1.1", "mobilenet",
            "mobilenetv2", "shufflenetv2", "densenet121", "efficientnet-b0", "nasnet-mobile", "lenet5"]
ALL_BUT_CHOICE = "quantise,rewrite,fold,map,gate,add,act,pool,bottleneck,concat"


def convoke(args, *words):
    done = subprocess.run([args.convoke, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def plan(args, path, device, extra):
    return json.loads(convoke(args, "plan", path, "--device", device, "--json", *extra))


def moved(plan_json):
    """Bytes that steps write and read of each other's results; weights and the model's inputs are not counted."""
    written = {step["output"]: step["bytes"] for step in plan_json["steps"]}
    return sum(written.values()) + sum(written.get(name, 0) for step in plan_json["steps"] for name in step["inputs"])


def times(args, path, device, ways):
    """Milliseconds of each way: medians of turns, in which each bench gives its median."""
    all_ms = {way: [] for way in ways}
    for _ in range(args.turns):
        for way, extra in ways.items():
            run = convoke(args, "bench", path, "--device", device, "--json", "--repeat", 10, "--warmup", 2, *extra)
            all_ms[way].append(json.loads(run)["median_ms"])
    return {way: statistics.median(ms) for way, ms in all_ms.items()}


def rows_of(plan_json):
    return [(step["output"], step["kernel"]) for step in plan_json["steps"]]


def row(args, name, device):
    path = pathlib.Path(name) if name.endswith(".onnx") else args.out / f"{name}.onnx"
    if not path.exists():
        convoke(args, "zoo", name, "--batch", 1, "-o", path)
    ways = {"fused": [], "apart": ["--no-fuse"], "local": ["--fuse", ALL_BUT_CHOICE]}
    plans = {way: plan(args, path, device, extra) for way, extra in ways.items()}
    fused, apart = plans["fused"], plans["apart"]
    same = rows_of(fused) == rows_of(plans["local"])
    if same:
        del ways["local"]
    ms = times(args, path, device, ways)
    return [path.stem, device, "same" if same else f"{ms['fused'] / ms['local']:.3f}", len(fused["steps"]), len(apart["steps"]), f"{moved(fused) / 1e6:.1f}",
            f"{moved(apart) / 1e6:.1f}", f"{ms['fused']:.2f}", f"{ms['apart']:.2f}",
            f"{ms['fused'] / ms['apart']:.2f}", f"{fused['activation_bytes'] / 1e6:.2f}",
            f"{fused['lower_bound_bytes'] / 1e6:.2f}"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=CLASSICS)
    parser.add_argument("--convoke", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--devices", default="cpu,opencl")
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    head = ["network", "device", "rows over the graph to one by one", "steps", "not fused", "MB moved", "not fused", "ms", "not fused", "ratio",
            "activations MB", "lower bound"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * (len(head) - 2)]
    print(*lines, sep="\n", flush=True)
    for name in args.networks:
        for device in args.devices.split(","):
            lines.append("| " + " | ".join(map(str, row(args, name, device))) + " |")
            print(lines[-1], flush=True)
    (args.out / "table.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
