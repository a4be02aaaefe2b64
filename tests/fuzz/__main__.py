"""A million hostile inputs: `make fuzz`, or `python -m tests.fuzz --inputs 1000 --seed 7`."""

import argparse
import multiprocessing
import os
import secrets
import sys
import time

from tests.fuzz.targets import TARGETS, portion

PORTION = 5_000


def main() -> int:
    """Run, print a table and what was found.

    Returns:
        1 if anything was found.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many in all (default: a million)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of the inputs (default: by chance)")
    options = parser.parse_args()
    work: list[tuple[int, int, int]] = []
    for index, target in enumerate(TARGETS):
        left = options.inputs * target.share // 100
        while left > 0:
            work.append((index, options.seed + len(work), min(PORTION, left)))
            left -= PORTION
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        outcomes = list(pool.imap_unordered(portion, work))
    sys.stdout.write(f"seed {options.seed}, {time.monotonic() - began:.0f} s\n")
    for index, target in enumerate(TARGETS):
        mine = [counted for which, counted, _ in outcomes if which == index]
        inputs, accepted = sum(each.inputs for each in mine), sum(each.accepted for each in mine)
        sys.stdout.write(f"{target.name:13} {inputs:>9,} inputs, {accepted:>8,} of them accepted as they should be\n")
    found = [text for _, _, text in outcomes if text]
    total = sum(counted.inputs for _, counted, _ in outcomes)
    sys.stdout.write(f"{'in all':13} {total:>9,} inputs, {len(found)} findings\n")
    for text in found[:20]:
        sys.stdout.write(f"- {text}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
