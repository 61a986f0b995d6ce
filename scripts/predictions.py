#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares predicted with measured times, per network and device.

In: the names of networks of `convoke zoo` (default: those below), and a folder of ONNX files. Out: a table on
stdout, OUT/table.md and OUT/table.json. Of a network: the error of the whole run (predicted against the median
of the runs), and the median error of its steps, each weighted with its time. Each network is measured --rounds
times at the machine's full speed, of which the fastest counts: what else the machine does only makes runs slower.
A network that met no such moment in --tries rounds is marked "slow".
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

NETWORKS = ("alexnet nin vgg16 googlenet squeezenet1.0 squeezenet1.1 mobilenet mobilenetv2 inception-v3 resnet18 "
            "resnet50 resnet50v2 resnext50 xception densenet121 nasnet-mobile efficientnet-b0 shufflenet "
            "shufflenetv2 lenet5").split()


def command(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise RuntimeError(said[-1])
    return done.stdout


def weighted_median(pairs):
    """Of (value, weight): the value up to which half of the weight lies."""
    half, seen = sum(weight for _, weight in pairs) / 2, 0
    for value, weight in sorted(pairs):
        seen += weight
        if seen >= half:
            return value
    return 0.0


class Speed:
    """Whether the machine is at its full speed, by bench/speed.c: 80 % of the best multiplying, half the best passing."""

    def __init__(self, program):
        self.process = subprocess.Popen([str(program), str(os.cpu_count()), "20"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.best = [0.0, 0.0]
        for _ in range(10):
            self.full()

    def full(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        now = [float(word) for word in self.process.stdout.readline().split()]
        self.best = [max(pair) for pair in zip(self.best, now)]
        return now[0] >= 0.8 * self.best[0] and now[1] >= 0.5 * self.best[1]


def measure(args, path, device, speed):
    """What convoke bench says of the fastest round, of those at full speed if there are any; and whether there are."""
    found = []
    for turn in range(args.tries):
        began = speed.full()
        bench = json.loads(command(args.convoke, "bench", path, "--layers", "--json", "--warmup", 2, "--repeat",
                                   args.repeat, "--device", device))
        found.append((began and speed.full(), bench))
        if sum(full for full, _ in found) >= args.rounds:
            break
    return min(found, key=lambda pair: (not pair[0], pair[1]["median_ms"]))


def row_of(name, device, full_speed, bench):
    steps = [(abs(step["predicted_ms"] / step["ms"] - 1), step["ms"]) for step in bench["steps"] if step["ms"] > 0]
    return {"network": name, "device": device, "full_speed": full_speed, "measured_ms": bench["median_ms"],
            "predicted_ms": bench["predicted_ms"], "error": bench["predicted_ms"] / bench["median_ms"] - 1,
            "steps": len(steps), "step_error": weighted_median(steps)}


def table(rows):
    lines = ["| network | device | measured ms | predicted ms | error of the run | median error of its steps |",
             "|---|---|---:|---:|---:|---:|"]
    for row in rows:
        mark = "" if row["full_speed"] else " (slow)"
        lines.append(f"| {row['network']}{mark} | {row['device']} | {row['measured_ms']:.3f} | {row['predicted_ms']:.3f} | "
                     f"{100 * row['error']:+.0f} % | {100 * row['step_error']:.0f} % |")
    for device in dict.fromkeys(row["device"] for row in rows):
        own = [row for row in rows if row["device"] == device]
        run = statistics.median(abs(row["error"]) for row in own)
        step = statistics.median(row["step_error"] for row in own)
        lines.append(f"| median of {len(own)} | {device} | | | {100 * run:.0f} % | {100 * step:.0f} % |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--convoke", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--devices", default="cpu,opencl")
    parser.add_argument("--models", type=pathlib.Path, help="a folder of ONNX files, which are measured too")
    parser.add_argument("--speed", type=pathlib.Path, default="build/release/bench/bench_speed")
    parser.add_argument("--rounds", type=int, default=2, help="at full speed")
    parser.add_argument("--tries", type=int, default=6, help="rounds at most")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("networks", nargs="*")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in args.networks or NETWORKS:
        path = args.out / f"{name}.onnx"
        if not path.exists():
            command(args.convoke, "zoo", name, "-o", path)
        paths.append(path)
    if args.models:
        paths += sorted(args.models.glob("*.onnx"))
    speed, rows, skipped = Speed(args.speed), [], 0
    for device in args.devices.split(","):
        for path in paths:
            try:
                rows.append(row_of(path.stem, device, *measure(args, path, device, speed)))
            except RuntimeError as error:
                print(f"{path.stem} on {device} is left out: {error}", file=sys.stderr)
                skipped += 1
    text = table(rows)
    print(text, end="")
    (args.out / "table.md").write_text(text)
    (args.out / "table.json").write_text(json.dumps(rows, indent=1) + "\n")
    return 1 if skipped and not args.models else 0


if __name__ == "__main__":
    sys.exit(main())
