# SPDX-License-Identifier: Apache-2.0
"""What every peer's adaptor shares: the protocol with the driver, and how a time is taken.

An adaptor is a process that serves one peer and one network. It says one JSON object per line on stdout and reads
one word per line on stdin, so that the driver can let several of them take turns:

    (start)          {"ready": true}: the interpreter and NumPy are there, the peer's library is not yet
    convert          writes the model in the peer's own format into the work folder   {"convert_ms"}
    load             the library, the model, a first run   {"version", "start_ms", "load_ms", "first_ms", "steps"}
    run WARMUP N     N timed runs after WARMUP others               {"ms": [...]}
    output           writes what a run gave, output_0.npy ..., into the work folder   {"outputs": N}

Whatever goes wrong is answered with {"error": "sentence"}. A time is from inputs that lie in the caller's memory
to outputs that lie there.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np


def now_ms():
    return time.perf_counter() * 1e3


def timed(work):
    """What it returns, and the milliseconds that it took."""
    start = now_ms()
    result = work()
    return result, now_ms() - start


class Adaptor:
    """One peer; each says what these five do. self.feeds: {input name: array}; self.names: of the outputs."""

    def __init__(self, args):
        self.model, self.device, self.threads, self.work = args.model, args.device, args.threads, args.work
        self.files = dict(word.rsplit("=", 1) for word in args.input)
        self.names = args.output
        self.feeds, self.results = {}, []

    def start(self):
        """Imports the library; its version."""
        raise NotImplementedError

    def convert(self):
        """Writes the model in a format of the peer's own; not asked of peers that read ONNX."""

    def load(self):
        """Reads the model and makes it ready to run."""
        raise NotImplementedError

    def run(self):
        """Runs once; the outputs, as arrays in the order of self.names."""
        raise NotImplementedError

    def steps(self):
        """How many kernels or layers a run goes through; None if the library does not tell."""
        return None


def tool(name, *words, folder):
    """Runs a program that the peer's package brings, in `folder`; RuntimeError with the last that it said."""
    program = pathlib.Path(sys.executable).parent / name
    if not program.exists():
        raise ModuleNotFoundError(f"No program named '{name}'")
    done = subprocess.run([str(program), *words], cwd=folder, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    sys.stderr.write(done.stdout)
    if done.returncode:
        said = done.stdout.strip().splitlines() or ["nothing"]
        raise RuntimeError(f"{name} ended with status {done.returncode} and said: {said[-1]}")


def convert(adaptor):
    _, convert_ms = timed(adaptor.convert)
    return {"convert_ms": convert_ms}


def load(adaptor):
    adaptor.feeds = {name: np.load(file) for name, file in adaptor.files.items()}
    version, start_ms = timed(adaptor.start)
    _, load_ms = timed(adaptor.load)
    adaptor.results, first_ms = timed(adaptor.run)
    return {"version": version, "start_ms": start_ms, "load_ms": load_ms, "first_ms": first_ms,
            "steps": adaptor.steps()}


def run(adaptor, warmup, count):
    for _ in range(int(warmup)):
        adaptor.run()
    return {"ms": [timed(adaptor.run)[1] for _ in range(int(count))]}


def output(adaptor):
    for i, array in enumerate(adaptor.results):
        np.save(adaptor.work / f"output_{i}.npy", np.asarray(array))
    return {"outputs": len(adaptor.results)}


COMMANDS = {"convert": convert, "load": load, "run": run, "output": output}


def sentence(error):
    """One line of what may be many; C++ libraries like to lead with the place in their sources."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:4])}"[:400]


def serve(kind):
    """Answers the driver until it hangs up. What the library prints goes to stderr."""
    parser = argparse.ArgumentParser(description=sys.modules[kind.__module__].__doc__)
    parser.add_argument("--model", required=True, help="ONNX file")
    parser.add_argument("--device", default="cpu", choices=["cpu", "opencl"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for what is written")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=FILE", help=".npy of an input")
    parser.add_argument("--output", action="append", default=[], metavar="NAME", help="an output, in order")
    adaptor = kind(parser.parse_args())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(answer):
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    say({"ready": True})
    for line in sys.stdin:
        word, *numbers = line.split()
        try:
            say(COMMANDS[word](adaptor, *numbers))
        except BaseException as error:  # a peer's own kind of failure, SystemExit among them, is its row's reason
            say({"error": sentence(error)})
