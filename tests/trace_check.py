# SPDX-License-Identifier: Apache-2.0
"""trace_check.py FILE WORKERS: a trace of one CPU session. Exits 1 with a sentence if it is wrong:
every event has its keys, rows are named, the slices of a row do not overlap, and the steps fill the
time from the first to the last, which lies within the run."""
import json
import sys

SLACK = 2  # microseconds: times are written in decimals

with open(sys.argv[1]) as file:
    events = json.load(file)["traceEvents"]
workers = int(sys.argv[2])
named, rows, steps, run = {}, {}, {}, None
for event in events:
    missing = {"name", "ph", "ts", "pid", "tid"} - event.keys()
    if missing:
        sys.exit(f"{event}: lacks {missing}")
    if event["ph"] == "M":
        named[event["name"], event["tid"]] = event["args"]["name"]
        continue
    if event["ph"] != "X" or event["dur"] < 0 or event["ts"] < 0:
        sys.exit(f"{event}: a slice was expected")
    rows.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))
    if event["tid"] == 0:
        run = event
        continue
    missing = {"kernel", "shape", "gflops", "step"} - event["args"].keys()
    if missing:
        sys.exit(f"{event}: lacks {missing}")
    steps[event["args"]["step"]] = event["args"]["step_ms"] * 1e3
if ("process_name", 0) not in named:
    sys.exit("the process has no name")
if run is None or len(rows) - 1 > workers or len(rows) < 2:
    sys.exit(f"{len(rows)} rows: the run and up to {workers} workers were expected")
for tid, slices in rows.items():
    if ("thread_name", tid) not in named:
        sys.exit(f"row {tid} has no name")
    slices.sort()
    for (_, end), (begin, _) in zip(slices, slices[1:]):
        if begin < end - SLACK:
            sys.exit(f"row {tid}: slices overlap at {begin}")
slices = [slice for tid in rows if tid for slice in rows[tid]]
span = max(end for _, end in slices) - min(begin for begin, _ in slices)
total, whole = sum(steps.values()), run["dur"]
if not 0.5 * span - SLACK <= total <= whole + SLACK or span > whole + SLACK:
    sys.exit(f"the steps take {total:.1f} us within {span:.1f} us, the run {whole:.1f}")
