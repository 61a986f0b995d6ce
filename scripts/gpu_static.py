#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles the OpenCL kernels for GPUs that are not here, and tells what each would take of them.

In: lines of list_kernels (file, kernel, defines). Out: a table on stdout, OUT/table.md, and OUT/table.json with every
kernel in every form. Three ways, each where its tools are installed:

    AMD     clang with libclc to assembly, whose metadata have registers, local and private memory, and spills
    NVIDIA  clang with libclc to PTX, of which ptxas makes machine code and says the same
    Intel   ocloc, whose log names the kernels that spill; it does not tell registers

What clang makes of a kernel is not what a vendor's own front end makes; registers are nearly the same. Exit status 1
if a kernel does not compile, or spills vector registers.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

CLC = pathlib.Path("/usr/lib/clc")
CLANG = ["clang-15", "-x", "cl", "-cl-std=CL1.2", "-Xclang", "-finclude-default-header", "-O3", "-Wno-everything",
         "-DCVK_FMA=1"]
AMD = ["gfx900", "gfx906", "gfx1030", "gfx1100"]
NVIDIA = ["sm_60", "sm_70", "sm_80", "sm_90"]
INTEL = ["gen9", "gen12lp", "dg2", "pvc"]

Unit = collections.namedtuple("Unit", "file defines kernels")


class Failed(Exception):
    pass


def run(words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if "error" in line.lower()]
        raise Failed((said or [f"exit status {done.returncode}"])[0])
    return done.stdout + done.stderr


def with_clc(triple, library):
    return [f"--target={triple}", "-nogpulib", "-Xclang", "-mlink-builtin-bitcode", "-Xclang", CLC / library]


def amd(source, stem, unit, target):
    library = f"{target}-amdgcn--.bc" if (CLC / f"{target}-amdgcn--.bc").exists() else "amdgcn--amdhsa.bc"
    out = stem.with_suffix(".s")
    run([*CLANG, *unit.defines.split(), *with_clc("amdgcn-amd-amdhsa", library), f"-mcpu={target}", "-S", "-o", out, source])
    found = {}
    for block in re.split(r"\n  - (?=\.)", out.read_text().split("amdhsa.kernels:")[-1]):
        fields = dict(re.findall(r"\.(\w+):\s+(\S+)", re.sub(r"\.args:.*?(?=\n    \.\w)", "", block, flags=re.S)))
        if "symbol" not in fields:
            continue
        found[fields["symbol"].removesuffix(".kd")] = {
            "registers": int(fields["vgpr_count"]), "local": int(fields["group_segment_fixed_size"]),
            "private": int(fields["private_segment_fixed_size"]), "spills": int(fields["vgpr_spill_count"]),
            "scalar_spills": int(fields["sgpr_spill_count"])}
    return found


def nvidia(source, stem, unit, target):
    out = stem.with_suffix(".ptx")
    run([*CLANG, *unit.defines.split(), *with_clc("nvptx64--nvidiacl", "nvptx64--nvidiacl.bc"), "-Xclang", "-target-cpu",
         "-Xclang", "sm_60", "-Xclang", "-target-feature", "-Xclang", "+ptx70", "-S", "-o", out, source])
    said = run([args.ptxas, "-v", f"-arch={target}", out, "-o", os.devnull])
    found = {}
    for part in said.split("Compiling entry function '")[1:]:
        number = lambda pattern: int((re.search(pattern, part) or [0, 0])[1])
        found[part.split("'")[0]] = {
            "registers": number(r"Used (\d+) registers"), "local": number(r"(\d+) bytes smem"),
            "private": number(r"(\d+) bytes stack frame"), "spills": number(r"(\d+) bytes spill stores") // 4}
    return found


def intel(source, stem, unit, target):
    said = run([args.ocloc, "compile", "-file", source, "-device", target, "-output", stem.name, "-out_dir", stem.parent,
                "-options", f"-cl-std=CL1.2 -DCVK_FMA=1 {unit.defines}"])
    spilled = dict(re.findall(r"kernel (\w+)\s+compiled SIMD\d+ allocated \d+ regs and spilled around (\d+)", said))
    return {kernel: {"spills": int(spilled.get(kernel, 0))} for kernel in unit.kernels}


def compile_unit(unit, target, how):
    """[{file, kernel, defines, target, ...}] of the unit's kernels, or one entry with "error"."""
    name = re.sub(r"\W+", "_", f"{unit.file} {unit.defines} {target}")
    source, stem = args.out / "units" / f"{name}.cl", args.out / "units" / name
    begin = time.monotonic()
    source.write_text((args.kernels / "common.cl").read_text() + (args.kernels / unit.file).read_text())
    here = {"file": unit.file, "defines": unit.defines, "target": target}
    try:
        found = how(source, stem, unit, target)
        here["seconds"] = round(time.monotonic() - begin, 2)
        return [here | {"kernel": kernel} | found[kernel] for kernel in unit.kernels]
    except (Failed, KeyError) as why:
        return [here | {"kernel": " ".join(unit.kernels), "error": str(why)}]
    finally:
        for left in (args.out / "units").glob(f"{name}*"):
            left.unlink()


def targets():
    """{target: how}, and sentences about those that are left out."""
    found, missing = {}, []
    ways = [("AMD", AMD, amd, shutil.which("clang-15") and (CLC / "amdgcn--amdhsa.bc").exists(), "clang-15 and libclc-15"),
            ("NVIDIA", NVIDIA, nvidia, shutil.which("clang-15") and args.ptxas and (CLC / "nvptx64--nvidiacl.bc").exists(),
             "clang-15, libclc-15 and ptxas"),
            ("Intel", INTEL, intel, args.ocloc, "ocloc")]
    for vendor, names, how, there, needs in ways:
        if not set(names) & set(args.targets):
            continue
        if there:
            found |= {name: how for name in names if name in args.targets}
        else:
            missing.append(f"{vendor} is left out: it needs {needs}.")
    return found, missing


def cell(entries):
    """The worst form of a kernel: registers, and with a + the spilled ones."""
    if any("error" in entry for entry in entries):
        return "does not compile"
    spills = max(entry["spills"] for entry in entries)
    registers = max(entry.get("registers", -1) for entry in entries)
    if registers < 0:
        return f"+{spills}" if spills else "0"
    return f"{registers} +{spills}" if spills else f"{registers}"


def table(entries, names):
    rows = collections.defaultdict(lambda: collections.defaultdict(list))
    for entry in entries:
        rows[entry["file"], entry["kernel"]][entry["target"]].append(entry)
    lines = ["| file | kernel | forms | local | private | " + " | ".join(names) + " |",
             "|---|---|" + "---:|" * (len(names) + 3)]
    for (file, kernel), row in sorted(rows.items()):
        most = lambda what: max(entry.get(what, 0) for each in row.values() for entry in each)
        forms = len({entry["defines"] for each in row.values() for entry in each})
        cells = [cell(row[name]) if row[name] else "-" for name in names]
        lines.append(f"| {file} | {kernel} | {forms} | {most('local')} | {most('private')} | {' | '.join(cells)} |")
    return lines


def read_units(stream):
    kernels = collections.defaultdict(set)
    for line in stream:
        file, kernel, defines = line.rstrip("\n").split("\t")
        kernels[file, defines].add(kernel)
    return [Unit(file, defines, sorted(names)) for (file, defines), names in sorted(kernels.items())]


def main():
    (args.out / "units").mkdir(parents=True, exist_ok=True)
    units = read_units(sys.stdin)
    ways, missing = targets()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(compile_unit, unit, target, how) for unit in units for target, how in ways.items()]
        entries = [entry for job in jobs for entry in job.result()]
    wrong = [entry for entry in entries if "error" in entry]
    spilled = [entry for entry in entries if entry.get("spills")]
    lines = table(entries, list(ways))
    lines.append("")
    lines += [f"{entry['target']}: {entry['file']} {entry['kernel']} {entry['defines']}: {entry['error']}" for entry in wrong]
    lines += [f"{entry['target']}: {entry['file']} {entry['kernel']} {entry['defines']}: {entry['spills']} spilled"
              for entry in spilled]
    lines += [*missing, f"{len(units)} programs of {sum(len(unit.kernels) for unit in units)} kernels for {len(ways)} "
              f"targets: {len(wrong)} do not compile, {len(spilled)} kernels spill."]
    (args.out / "table.md").write_text("\n".join(lines) + "\n")
    (args.out / "table.json").write_text(json.dumps(entries, indent=1) + "\n")
    print("\n".join(lines))
    return 1 if wrong or spilled else 0


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--kernels", type=pathlib.Path, default="kernels/opencl", help="the folder of .cl files")
parser.add_argument("--out", type=pathlib.Path, default="build/gpu-static")
parser.add_argument("--ptxas", help="NVIDIA's assembler")
parser.add_argument("--ocloc", help="Intel's offline compiler")
parser.add_argument("--targets", type=lambda text: text.split(","), default=AMD + NVIDIA + INTEL,
                    help=f"default: {','.join(AMD + NVIDIA + INTEL)}")
args = parser.parse_args()
args.out = args.out.absolute()
sys.exit(main())
