#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows trained models real pictures, checks what they answer, and draws it.

In: a folder of models and one of pictures. Out: a line per model with what was published and what came out; OUT/
with the pictures as PNG, all of them on OUT/all.png, and OUT/results.json. Exit status 1: an answer is wrong; 77: a
folder is absent. What is asked and published is in pictures_table.py. Needs numpy and Pillow; scripts/pictures
sets them up.
"""
import argparse
import json
import pathlib
import sys
import time

import pictures_draw
import pictures_nets as nets
from pictures_table import CHECKS

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = 77
WIDTH = 42  # of a column of answers


def numbers(fact):
    return fact[1:]


def text(fact):
    """dog 0.8285 133 206 324 542"""
    return " ".join([fact[0]] + [str(each) if isinstance(each, int) else f"{each:.4f}" for each in numbers(fact)])


def distance(published, got, limits):
    """The fact that is furthest off, measured in limits: (how many, difference, published, got)."""
    worst = (0.0, 0.0, published[0], got[0])
    for old, new in zip(published, got, strict=True):
        for a, b, limit in zip(numbers(old), numbers(new), limits[:len(old) - 1], strict=True):
            off = abs(a - b)
            if not off < float("inf"):  # nor a NaN
                return (float("inf"), None, old, new)
            share = off / limit if limit else off and float("inf")
            if share > worst[0]:
                worst = (share, off, old, new)
    return worst


def judge(published, got, limits):
    """{expected, got, difference, ok} of one picture"""
    alike = [fact[0] for fact in published] == [fact[0] for fact in got]
    if not alike or not published:
        listed = [", ".join(map(text, facts)) or "nothing" for facts in (published, got)]
        return {"expected": listed[0], "got": listed[1], "off": 0.0 if alike else float("inf"), "difference": None}
    off, difference, old, new = distance(published, got, limits)
    return {"expected": text(old), "got": text(new), "off": off, "difference": difference}


def ask(world, check, source, published):
    row = {"model": check.model, "what": check.what, "picture": str(source), "limits": check.limits}
    try:
        got = check.ask(world, check, world.picture(source))
        row |= judge(published, got, check.limits) | {"published": published, "facts": got}
    except (nets.Failed, OSError, ValueError, KeyError) as error:
        row |= {"expected": ", ".join(map(text, published)), "got": str(error), "off": float("inf"), "difference": None}
    row["ok"] = bool(row["off"] <= 1)
    return row


def cut(words, width):
    return words if len(words) <= width else words[:width - 1] + "…"


def line(model, rows):
    """The answer of a model that is furthest off stands for all of them."""
    right = sum(row["ok"] for row in rows)
    worst = max(rows, key=lambda row: row["off"])
    off = "-" if worst["difference"] is None else f"{worst['difference']:.1e}"
    status = "ok" if right == len(rows) else "FAILED"
    return (f"{model:<34} {worst['what']:<16} {right}/{len(rows)} {cut(worst['expected'], WIDTH):<{WIDTH}} "
            f"{cut(worst['got'], WIDTH):<{WIDTH}} {off:>8} {status}")


def check_all(world):
    """Prints a line per model; all answers."""
    print(f"{'model':<34} {'what':<16} {'of':<3} {'expected':<{WIDTH}} {'got':<{WIDTH}} {'off by':>8}")
    rows = []
    for model in dict.fromkeys(check.model for check in CHECKS):
        asked = [(check, *case) for check in CHECKS if check.model == model for case in check.answers.items()]
        of_model = [ask(world, *each) for each in asked]
        print(line(model, of_model), flush=True)
        rows += of_model
    for path in sorted(world.models.glob("*.onnx")):
        if path.stem not in {check.model for check in CHECKS}:
            print(f"{path.stem:<34} is not in the table: not checked")
    return rows


def draw_all(world, out):
    """Each picture, then the sheet of all; what could not be drawn."""
    made, failed = [], []
    for name, title, draw in pictures_draw.PICTURES:
        try:
            image = draw(world)
        except (nets.Failed, OSError, ValueError, KeyError) as error:
            failed.append(f"{name}: not drawn: {error}")
            continue
        image.save(out / f"{name}.png")
        made.append((title, image))
    if made:
        pictures_draw.sheet(made).save(out / "all.png")
    return made, failed


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared, build = ROOT.parent / "shared", ROOT / "build"
    parser.add_argument("--models", type=pathlib.Path, default=shared / "models", help="folder of the ONNX files")
    parser.add_argument("--images", type=pathlib.Path, default=shared / "images", help="folder of the pictures")
    parser.add_argument("--device", default="cpu", help="which convoke runs on (default cpu)")
    parser.add_argument("--out", type=pathlib.Path, default=build / "pictures", help="folder for the pictures")
    parser.add_argument("--convoke", default=build / "release" / "convoke", help="the command to test")
    return parser.parse_args()


def main():
    args = options()
    for folder, what in ((args.models, "trained models"), (args.images, "pictures")):
        if not folder.is_dir():
            print(f"skipped: there is no folder {folder} with {what}")
            return SKIPPED
    args.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    world = nets.World(args.convoke, args.device, args.models, args.images)
    rows = check_all(world)
    made, undrawn = draw_all(world, args.out)
    answers = [{key: value for key, value in row.items() if key != "off"} for row in rows]
    results = {"device": args.device, "answers": answers, "undrawn": undrawn}
    (args.out / "results.json").write_text(json.dumps(results, indent=2, default=float) + "\n")
    for sentence in undrawn:
        print(sentence)
    wrong = [row for row in rows if not row["ok"]]
    for row in wrong:
        print(f"FAILED {row['model']}, {row['picture']}: expected {row['expected']}, got {row['got']}")
    models = {row["model"] for row in rows}
    print(f"{len(models) - len({row['model'] for row in wrong})} of {len(models)} models, {len(rows) - len(wrong)} of "
          f"{len(rows)} answers as published on {args.device}; {len(made)} pictures in {args.out}, see all.png "
          f"({world.runs} runs, {time.monotonic() - began:.0f} s)")
    return 1 if wrong or undrawn else 0


if __name__ == "__main__":
    sys.exit(main())
