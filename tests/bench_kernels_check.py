# SPDX-License-Identifier: Apache-2.0
"""bench_kernels_check.py PROGRAM LAYERS [LIBRARIES]: runs it on two problems, fused and bare, and
checks its JSON; then that every list of named layers holds what it says."""
import json
import pathlib
import subprocess
import sys
import tempfile

program, layers = sys.argv[1], pathlib.Path(sys.argv[2])
libraries = [name for name in "".join(sys.argv[3:]).split(",") if name]
networks = """alexnet densenet121 efficientnet-b0 googlenet inception-v3 lenet5 mobilenetv2 resnet50
squeezenet1.1 vgg16""".split()
figures = "median_ms low_ms high_ms gflops peak_fraction bandwidth_fraction fraction ratio".split()


def check(condition, *what):
    if not condition:
        sys.exit(" ".join(str(word) for word in what))


def check_entry(entry, bare, works):
    if entry["by"] == "convoke":
        check("refused" not in entry, entry, "a row that accepts runs")
    elif entry["name"] not in works:
        check(False, entry, "a library without an entry among the libraries")
    elif bare:
        check("refused" not in entry, entry, "every library has bare products")
    if "refused" in entry:
        return
    check(all(entry[key] >= 0 for key in figures), entry)
    check(0 < entry["low_ms"] <= entry["median_ms"] <= entry["high_ms"], entry)
    if entry["by"] != "convoke":
        check(entry["relative_l2"] <= 1e-4, entry)


def check_run(bare):
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/out.json"
        command = [program, "cpu", "--rounds", "2", "--threads", "2", "--only", "6->16", "--json", path]
        command += ["--layers", str(layers / "lenet5.txt"), "--layers", folder + "/one.txt"]
        command += ["--bare"] if bare else []
        command += ["--against", ",".join(libraries)] if libraries else []
        with open(folder + "/one.txt", "w") as file:
            file.write("# a comment\n\nproduct 6->16 | Gemm | 3x6 c:6x16 c:16 | | Relu | 7\n")
        result = subprocess.run(command, capture_output=True, text=True)
        check(result.returncode == 0, command, result.stdout, result.stderr)
        with open(path) as file:
            root = json.load(file)
    check(root["peak_gflops"] > 0 and root["bandwidth_gbytes_per_s"] > 0 and root["bare"] == bare, root)
    check([library["name"] for library in root["libraries"]] == libraries, root["libraries"])
    works = [library["name"] for library in root["libraries"] if library["works"]]
    check(len(root["problems"]) == 2 and root["problems"][1]["count"] == 7, root["problems"])
    for problem in root["problems"]:
        check(problem["macs"] > 0 and problem["bytes"] > 0, problem)
        check(problem["bound"] in ("peak", "bandwidth"), problem)
        rows = [entry for entry in problem["entries"] if entry["by"] == "convoke"]
        check(rows and min(row["ratio"] for row in rows) == 1, problem)
        check(len(problem["entries"]) == len(rows) + len(works), problem)
        for entry in problem["entries"]:
            check_entry(entry, bare, works)
    check([total["name"] for total in root["sums"]] == works, root["sums"])
    for total in root["sums"]:
        check(total["asked"] == 8 and (total["ran"] == 8 or not bare), total)


for bare in (False, True):
    check_run(bare)
for network in networks:
    lines = (layers / (network + ".txt")).read_text().splitlines()
    rows = [line.split("|") for line in lines if not line.startswith("#")]
    check(rows and all(len(row) == 6 and int(row[5]) > 0 for row in rows), network)
    check(len({"|".join(row[1:5]) for row in rows}) == len(rows), network, "has a problem twice")
wrong = subprocess.run([program, "cpu", "--rounds", "0"], capture_output=True, text=True)
check(wrong.returncode == 2 and "--rounds" in wrong.stderr, wrong)
print("all right")
