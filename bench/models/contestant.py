# SPDX-License-Identifier: Apache-2.0
"""An adaptor as its driver sees it: one process for one peer, one device and one network."""
import json
import os
import pathlib
import re
import selectors
import signal
import subprocess
import sys
import time

from harness import Failed

PEERS_FOLDER = pathlib.Path(__file__).parent.parent / "peers"
LOAD_S, RUN_S = 600, 300
RUNTIME = re.compile(r"/(ld-linux|libc|libm|libdl|libpthread|librt)[-.]")

# who can take part: on which devices, whether the model is converted first, whose Python (None: our adaptor, with
# the kernels of that name wherever they accept a layer)
PEERS = {
    "onnxruntime": (["cpu"], False, sys.executable),
    "openvino": (["cpu"], False, sys.executable),
    "ncnn": (["cpu"], True, sys.executable),
    "mnn": (["cpu"], True, sys.executable),
    "torch": (["cpu"], True, sys.executable),
    "opencv": (["cpu", "opencl"], False, "/usr/bin/python3"),
    "clblast": (["opencl"], False, None),
}


class Contestant:
    """name: "convoke" or a key of PEERS; device: "cpu" or "opencl", which `spec` says more exactly."""

    def __init__(self, name, device, spec, network, args):
        self.name, self.device = name, device
        self.work = (network.folder / f"{name}-{device}").absolute()
        self.process = None
        self.converts = name in PEERS and PEERS[name][1]
        python = PEERS[name][2] if name in PEERS else None
        program = [python, PEERS_FOLDER / f"{name}_peer.py"] if python else [args.adaptor]
        if name in PEERS and not python:
            program += ["--prefer", name]
        words = ["--model", network.path.absolute(), "--device", spec, "--threads", args.threads, "--work", self.work]
        words += [word for key, file in network.inputs.items() for word in ("--input", f"{key}={file.absolute()}")]
        words += [word for key in network.outputs for word in ("--output", key)]
        self.words = [str(word) for word in [*program, *words]]
        self.threads = str(args.threads)

    def environment(self):
        """Caches of our own, so that the first start finds them empty and the second full."""
        cache = self.work / "cache"
        ours = {"CONVOKE_CACHE_DIR": cache / "convoke", "POCL_CACHE_DIR": cache / "pocl",
                "OPENCV_OPENCL_CACHE_DIR": cache / "opencv", "OMP_NUM_THREADS": self.threads,
                "POCL_MAX_PTHREAD_COUNT": self.threads}
        for folder in list(ours.values())[:3]:
            folder.mkdir(parents=True, exist_ok=True)
        return os.environ | {key: str(value) for key, value in ours.items()}

    def start(self):
        """Starts the process, which does not have its library yet."""
        self.close()
        self.work.mkdir(parents=True, exist_ok=True)
        with open(self.work / "log", "a") as log:
            self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                            cwd=self.work, env=self.environment())
        self.answer(LOAD_S)
        self.base_bytes, self.base_libraries = self.resident("VmRSS"), self.mapped()

    def answer(self, seconds):
        """The next line that the process says, as an object."""
        line, until = b"", time.monotonic() + seconds
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not ready.select(max(until - time.monotonic(), 0)):
                    self.close()
                    raise Failed(f"no answer within {seconds} s")
                part = os.read(self.process.stdout.fileno(), 1 << 16)
                if not part:
                    raise Failed(self.last_words())
                line += part
        told = json.loads(line)
        if "error" in told:
            raise Failed(told["error"])
        return told

    def ask(self, *words, seconds=RUN_S):
        try:
            self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(self.last_words()) from None
        return self.answer(seconds)

    def last_words(self):
        """Why a process is gone."""
        code = self.process.wait()
        said = (self.work / "log").read_text(errors="replace").strip().splitlines() or ["nothing"]
        how = signal.Signals(-code).name if code < 0 else f"status {code}"
        return f"ended with {how}; said last: {said[-1][:200]}"

    def resident(self, key):
        """Bytes: VmRSS now, VmHWM at most so far."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{key}:\s*(\d+) kB", status)[1]) * 1024

    def mapped(self):
        """The shared libraries of the process: {path: bytes}, without those of the C language."""
        maps = pathlib.Path(f"/proc/{self.process.pid}/maps").read_text()
        paths = {path for path in re.findall(r"(/\S*\.so\S*)$", maps, re.MULTILINE) if not RUNTIME.search(path)}
        return {path: os.path.getsize(path) for path in sorted(paths) if os.path.exists(path)}

    def libraries(self):
        """The libraries that came with the peer; of a program in C, all of them."""
        before = self.base_libraries if self.name in PEERS else {}
        return {path: size for path, size in self.mapped().items() if path not in before}

    def load(self):
        """Converts if need be, then starts twice: with empty caches and with filled ones."""
        told = {}
        if self.converts:
            self.start()
            told |= self.ask("convert", seconds=LOAD_S)
        for state in ("cold", "warm"):
            self.start()
            loaded = self.ask("load", seconds=LOAD_S)
            told |= {"version": loaded["version"], "steps": loaded["steps"]}
            told[state] = {key: loaded[key] for key in ("start_ms", "load_ms", "first_ms")}
        return told

    def close(self):
        if self.process is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None
