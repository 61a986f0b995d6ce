#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures Convoke and its peers on the same networks, taking turns in the same run.

For each network every adaptor (bench/peers/) is a process that has the same ONNX file and the same input; the outputs
are compared before a time counts; then rounds are run in which each adaptor has one turn, in an order that is shuffled
anew. Results go to OUT/results.json after each network, then a table and pictures beside it. scripts/bench sets up
what this needs; bench/README.md says what the figures mean.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from harness import Failed, command, present_devices, relative_l2
from models import networks, pictures, report
from models.contestant import PEERS, Contestant

PAUSE_S = 0.05  # for the threads of the last turn to stop spinning
MOST_RUNS = 200
FEWEST_ROUNDS = 3
SLOW_TURNS = 10  # a run longer than this is its own warm-up
# of the machine at its best, multiplying and passing a token: a turn that begins or ends below does not count
FULL_SPEED = (0.8, 0.5)
SPEED_MS = 10
PEAK_TRIES, SPEED_TRIES = 5, 50
SLOW_SHARE = 1  # times as many turns as asked for may be slow, then no more are tried


def load(contestant, row):
    """Loads, and reads back what the network gives; False if it fails, which the row then says."""
    try:
        row |= contestant.load()
        count = contestant.ask("output")["outputs"]
        row["outputs"] = [np.load(contestant.work / f"output_{i}.npy") for i in range(count)]
    except Failed as error:
        fail(contestant, row, f"failed: {error}")
    return row["status"] == "ok"


def fail(contestant, row, why):
    module = re.search(r"ModuleNotFoundError: No \w+ named '([\w.]+)'", why)
    row["status"] = f"not installed: {module[1]}" if module else why.replace(f"{pathlib.Path.cwd()}/", "")
    contestant.close()


def distance(ours, theirs):
    """The largest error of any output. Libraries that know no batch leave its dimension of 1 out."""
    if len(ours) != len(theirs) or any(a.size != b.size for a, b in zip(ours, theirs)):
        return float("inf")
    return max(relative_l2(a, b.reshape(a.shape)) for a, b in zip(ours, theirs))


def judge(rows, limit):
    """Compares all with the output that most agree with, the first of several; an error beyond the limit is a
    wrong result, whose time does not count."""
    running = [row for row in rows if row["status"] == "ok"]
    if not running:
        return

    def friends(row):
        return sum(distance(row["outputs"], other["outputs"]) <= limit for other in running)

    reference = max(running, key=friends)
    for row in running:
        row["error"] = distance(reference["outputs"], row["outputs"])
        if not row["error"] <= limit:
            row["status"] = f"wrong result: relative L2 {row['error']:.1e}"
    for row in running:
        del row["outputs"]


def pace(contestant, row, args):
    """How many runs warm a turn up, how many are timed in it, and how many turns there are."""
    if row["warm"]["first_ms"] > SLOW_TURNS * args.turn_ms:
        return 0, 1, min(args.rounds, FEWEST_ROUNDS)
    ms = min(contestant.ask("run", 1, 3)["ms"])
    count = int(min(max(args.turn_ms / ms, 1), MOST_RUNS))
    warmup = int(min(max(args.turn_ms / 10 / ms, 1), MOST_RUNS))
    rounds = args.rounds if ms <= args.turn_ms else max(int(args.rounds * args.turn_ms / ms), FEWEST_ROUNDS)
    return warmup, count, min(rounds, args.rounds)


class Speed:
    """How fast the machine is, from one turn to the next (bench/speed.c). The cores of virtual machines may be moved
    apart or be shared for seconds, which changes some times and not others."""

    def __init__(self, args):
        self.process = subprocess.Popen([args.speed, str(args.threads), str(SPEED_MS)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.best, self.last = (0, 0), (0, 0)
        for _ in range(SPEED_TRIES):
            self.is_full()

    def is_full(self):
        """Whether it was fast when this was asked last and is so now."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        before, self.last = self.last, tuple(map(float, self.process.stdout.readline().split()))
        self.best = tuple(map(max, self.best, self.last))
        return all(min(pair) >= share * best for *pair, share, best in zip(before, self.last, FULL_SPEED, self.best))


def take_turns(pairs, args, shuffler):
    """The rounds. Each row gets the median of each of its turns, and the times of all. Turns for which the machine
    was slow are tried again, and counted in the row."""
    paces, rows = {}, dict(pairs)
    for contestant, row in pairs:
        try:
            paces[contestant] = pace(contestant, row, args)
        except Failed as error:
            fail(contestant, row, f"failed: {error}")
    kept, slow = {each: [] for each in paces}, {each: [] for each in paces}
    for _ in range((1 + SLOW_SHARE) * args.rounds):
        order = [each for each in paces if rows[each]["status"] == "ok" and len(kept[each]) < paces[each][2]
                 and len(slow[each]) < SLOW_SHARE * paces[each][2]]
        if not order:
            break
        shuffler.shuffle(order)
        args.machine.is_full()
        for each in order:
            try:
                ms = each.ask("run", *paces[each][:2])["ms"]
                time.sleep(PAUSE_S)
                (kept if args.machine.is_full() else slow)[each].append(ms)
            except Failed as error:
                fail(each, rows[each], f"failed: {error}")
    for contestant, row in pairs:
        if row["status"] == "ok":
            row |= summary(kept[contestant] or slow[contestant])
            row |= {"base_bytes": contestant.base_bytes, "peak_bytes": contestant.resident("VmHWM"),
                    "libraries": contestant.libraries(), "turns": len(kept[contestant]),
                    "slow_turns": len(slow[contestant])}


def summary(turns):
    every = sorted(ms for turn in turns for ms in turn)
    q1, median, q3 = np.percentile(every, [25, 50, 75])
    return {"median_ms": median, "q1_ms": q1, "q3_ms": q3, "min_ms": every[0], "runs": len(every),
            "turns_ms": [statistics.median(turn) for turn in turns]}


def ratio(ours, theirs):
    """Ours to theirs, turn by turn of the same rounds: the median and the quartiles."""
    q1, median, q3 = np.percentile([a / b for a, b in zip(ours["turns_ms"], theirs["turns_ms"])], [25, 50, 75])
    return {"peer": theirs["peer"], "peer_device": theirs["device"], "ratio": median, "q1": q1, "q3": q3}


def compare(rows):
    """For each of our devices the ratio to the fastest peer of all, and to the fastest on a device of that kind."""
    valid = [row for row in rows if row["status"] == "ok"]
    peers = sorted((row for row in valid if row["peer"] != "convoke"), key=lambda row: row["median_ms"])
    ratios = {}
    for ours in valid:
        same = [row for row in peers if row["device"] == ours["device"]]
        if ours["peer"] == "convoke" and peers:
            ratios[ours["device"]] = {"best": ratio(ours, peers[0]), "same": ratio(ours, same[0]) if same else None}
    return ratios


def layers(network, devices, args):
    """The steps of Convoke's plan with their times, fused and not: {device: {"fused": [...], "unfused": [...]}}."""
    moved = networks.traffic(network.model)
    found = {}
    for device, (spec, _) in devices.items():
        for form, option in (("fused", []), ("unfused", ["--no-fuse"])):
            told = json.loads(command(args.convoke, "bench", network.path, "--json", "--layers", "--device", spec,
                                      "--threads", args.threads, "--repeat", 5, "--warmup", 1, *option))
            found.setdefault(device, {})[form] = [
                {key: step[key] for key in ("op", "kernel", "fused", "shape", "macs", "ms")}
                | {"moved_bytes": moved(step["nodes"])} for step in told["steps"]]
    return found


def measure(name, source, devices, args, shuffler):
    """One network: everything that results.json says of it."""
    result = {"name": name, "status": "ok", "rows": []}
    folder = args.out / "networks" / name
    shutil.rmtree(folder, ignore_errors=True)
    contestants = []
    try:
        network = networks.prepare(args.convoke, name, source, folder, args.seed)
        result |= {"macs": network.macs, "parameters": network.parameters}
        wanted = [("convoke", device, spec) for device, (spec, _) in devices.items()]
        wanted += [(peer, device, device) for peer in args.peers for device in PEERS[peer][0] if device in args.devices]
        contestants = [Contestant(peer, device, spec, network, args) for peer, device, spec in wanted]
        rows = result["rows"] = [{"peer": each.name, "device": each.device, "status": "ok"} for each in contestants]
        for contestant, row in zip(contestants, rows):
            load(contestant, row)
        judge(rows, network.limit)
        running = [pair for pair in zip(contestants, rows) if pair[1]["status"] == "ok"]
        take_turns(running, args, shuffler)
        for contestant in contestants:
            contestant.close()
        result["ratios"] = compare(rows)
        result["layers"] = layers(network, devices, args)
    except Failed as error:
        result["status"] = f"failed: {error}"
    finally:
        for contestant in contestants:
            contestant.close()
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return result


def describe_machine(args):
    """What the figures depend on beside the code: the machine, the versions, the date, and how idle it was."""
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    revision = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True)
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    measured = [json.loads(command(args.convoke, "devices", "--json", "--measure"))["devices"] for _ in range(PEAK_TRIES)]
    best = [max(same, key=lambda device: device["peak_gflops"]) for same in zip(*measured)]
    return {"cpu": cpu[1] if cpu else platform.machine(), "cores": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
            "system": system[1] if system else platform.system(), "kernel": platform.release(),
            "load": os.getloadavg()[0], "revision": revision.stdout.strip() or None,
            "date": datetime.datetime.now().isoformat(timespec="minutes"), "devices": best}


def choose(args, parser):
    """{network: ONNX file, or None for one of the zoo}."""
    zoo = [entry["name"] for entry in json.loads(command(args.convoke, "zoo", "list", "--json"))["networks"]]
    files = {}
    for path in sorted(args.models.glob("*.onnx")):
        files[path.name if path.stem in zoo else path.stem] = path
    everything = dict.fromkeys(zoo) | files
    if args.networks == ["all"]:
        chosen = everything
    elif args.networks:
        unknown = [name for name in args.networks if name not in everything]
        if unknown:
            parser.error(f"no network is called {', '.join(unknown)}; there are {', '.join(everything)}")
        return {name: everything[name] for name in args.networks}
    else:
        chosen = dict.fromkeys(networks.QUICK if args.quick else networks.DEFAULT) | ({} if args.quick else files)
    return {name: path for name, path in chosen.items() if path is None or networks.is_float(path)}


def names(text):
    return [name for name in text.split(",") if name]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--convoke", default="build/release/convoke", help="the command")
    parser.add_argument("--adaptor", type=pathlib.Path, default="build/release/bench/peer_convoke",
                        help="the adaptor to Convoke")
    parser.add_argument("--speed", type=pathlib.Path, default="build/release/bench/bench_speed",
                        help="what tells how fast the machine is")
    parser.add_argument("--out", type=pathlib.Path, default="build/bench", help="folder of results, table and pictures")
    parser.add_argument("--models", type=pathlib.Path, default="../shared/models", help="folder of more ONNX files")
    parser.add_argument("--networks", type=names, default=[], metavar="A,B",
                        help="of the zoo or, by file stem, of the models; all: every one (default: twelve of the zoo "
                        "and the float models)")
    parser.add_argument("--devices", type=names, default=["cpu", "opencl"], help="backends (default: cpu,opencl)")
    parser.add_argument("--peers", type=names, default=list(PEERS), help=f"default: {','.join(PEERS)}")
    parser.add_argument("--threads", type=int, default=2, help="of each peer (default 2)")
    parser.add_argument("--rounds", type=int, help="turns of each peer (default 15, with --quick 5)")
    parser.add_argument("--turn-ms", type=float, help="milliseconds of a turn (default 300, with --quick 100)")
    parser.add_argument("--quick", action="store_true", help="three networks, and few and short rounds")
    parser.add_argument("--seed", type=int, default=1, help="of the inputs and of the order of turns")
    parser.add_argument("--continue", action="store_true", dest="resume",
                        help="leave out what OUT/results.json has, unless only from times when the machine was slow")
    parser.add_argument("--against", type=pathlib.Path, help="results.json of another run to compare ratios with")
    parser.add_argument("--keep", action="store_true", help="keep models, inputs, outputs and logs")
    args = parser.parse_args()
    args.rounds = args.rounds or (5 if args.quick else 15)
    args.turn_ms = args.turn_ms or (100 if args.quick else 300)
    args.adaptor = args.adaptor.absolute()
    unknown = set(args.peers) - set(PEERS) | set(args.devices) - {"cpu", "opencl"}
    if unknown:
        parser.error(f"no peer or device is called {', '.join(sorted(unknown))}")
    return args, choose(args, parser)


def slow_rows(network):
    """How many of the times were only taken while the machine was slow."""
    return sum(row["status"] == "ok" and not row.get("turns") for row in network["rows"])


def keep(result, measured):
    """Puts a network's result into the list, in the place of an older one unless that had fewer slow rows."""
    for i, old in enumerate(measured):
        if old["name"] == result["name"]:
            if slow_rows(result) < slow_rows(old):
                measured[i] = result
            return
    measured.append(result)


def save(results, path):
    """Whole or not at all, so that an interrupted run keeps what it had."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(results, indent=1) + "\n")
    new.replace(path)


def main():
    args, chosen = arguments()
    devices = present_devices(args.convoke, args.devices)
    for backend in set(args.devices) - set(devices):
        print(f"no device of backend {backend} is present: not measured", file=sys.stderr)
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "results.json"
    settings = {key: getattr(args, key) for key in ("threads", "rounds", "turn_ms", "seed", "peers")}
    args.machine = Speed(args)
    results = {"machine": describe_machine(args), "settings": settings, "networks": []}
    if args.resume and path.exists():
        results = json.loads(path.read_text())
    done = {network["name"] for network in results["networks"] if not slow_rows(network)}
    shuffler = random.Random(args.seed)
    for name, source in chosen.items():
        if name in done:
            continue
        start = time.monotonic()
        result = measure(name, source, devices, args, shuffler)
        keep(result, results["networks"])
        save(results, path)
        print(f"{name}: {report.headline(result)} ({time.monotonic() - start:.0f} s)", file=sys.stderr, flush=True)
    against = json.loads(args.against.read_text()) if args.against else None
    text = report.tables(results, against)
    (args.out / "table.md").write_text(text)
    pictures.draw(results, args.out)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
