#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the disassembly of micro-kernels: no innermost loop of multiply-adds may keep a sum on the stack.

    spills.py OBJDUMP OBJECT...

For each object: how many loops there are with at least FEWEST multiply-adds, the most in one, and how many vectors
they move to and from the stack. A loop is what control passes through between the target of a backward jump and the
jump (from a block that returns to an epilogue laid out before it, none does); innermost, if no other loop lies within.
Exit status 1 if a vector is moved, or if an object has no such loop at all.
"""
import pathlib
import re
import subprocess
import sys

FEWEST = 8
FMA = re.compile(r"^(vfmadd|fmla\b|vfnmadd)")
X86_STACK = re.compile(r"^vmov\w+\s.*\(%r[sb]p\b")
ARM_STACK = re.compile(r"^(ldr|str|ldp|stp|ldur|stur)\s+q\d+,.*\[(sp|x29)\b")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(.*)$")
JUMP = re.compile(r"^(?:j\w+|b\.\w+|b|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#\d+,)\s+([0-9a-f]+)\s*<")
LEAVES = re.compile(r"^(jmp|ret|b\s|br\s|ud2|brk)")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")


def functions(objdump, path):
    """(name, [(address, text)]) of each function of an object."""
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", str(path)], check=True, capture_output=True, text=True)
    name, body = None, []
    for line in text.stdout.splitlines():
        start, instruction = FUNCTION.match(line), INSTRUCTION.match(line)
        if start:
            if body:
                yield name, body
            name, body = start[1], []
        elif instruction:
            body.append((int(instruction[1], 16), instruction[2].strip()))
    if body:
        yield name, body


def successors(body):
    """Of each instruction, the indices that control may pass to next."""
    at = {address: i for i, (address, _) in enumerate(body)}
    follow = []
    for i, (_, text) in enumerate(body):
        jump = JUMP.match(text)
        target = at.get(int(jump[1], 16)) if jump else None
        follow.append([] if LEAVES.match(text) or i + 1 == len(body) else [i + 1])
        if target is not None:
            follow[i].append(target)
    return follow


def reached(start, follow, first, last):
    """What can be reached from `start` without leaving first .. last."""
    seen, todo = {start}, [start]
    while todo:
        for i in follow[todo.pop()]:
            if first <= i <= last and i not in seen:
                seen.add(i)
                todo.append(i)
    return seen


def innermost_loops(body):
    """The indices of each loop that holds no other."""
    follow = successors(body)
    before = [[] for _ in body]
    for i, nexts in enumerate(follow):
        for k in nexts:
            before[k].append(i)
    loops = {}
    for i, nexts in enumerate(follow):
        for target in (k for k in nexts if k <= i):
            inside = reached(target, follow, target, i)
            if i in inside:
                loops[target, i] = inside & reached(i, before, target, i)
    return [inside for loop, inside in loops.items()
            if not any(other != loop and loop[0] <= other[0] and other[1] <= loop[1] for other in loops)]


def check(objdump, path):
    """(loops that multiply, most multiply-adds in one, [where vectors go to or come from the stack])"""
    loops, most, found = 0, 0, []
    for name, body in functions(objdump, path):
        for loop in innermost_loops(body):
            inside = [body[i][1] for i in sorted(loop)]
            fmas = sum(bool(FMA.match(text)) for text in inside)
            if fmas < FEWEST:
                continue
            loops, most = loops + 1, max(most, fmas)
            spilled = [text for text in inside if X86_STACK.match(text) or ARM_STACK.match(text)]
            if spilled:
                found.append(f"{name}: {len(spilled)} in a loop of {fmas} multiply-adds, as {spilled[0]}")
    return loops, most, found


def main():
    objdump, *paths = sys.argv[1:]
    failed = False
    for path in map(pathlib.Path, paths):
        loops, most, found = check(objdump, path)
        level = path.parent.parent.parent.name.removesuffix(".dir").removeprefix("cvk_kernels_")
        print(f"{level} {path.name}: {loops} loops, at most {most} multiply-adds, {len(found)} with the stack in them")
        for line in found:
            print(f"    {line}")
        failed = failed or bool(found) or not loops
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
