"""Measures the bot and the sandbox, and writes the figures as a page.

Example:
    python -m bench cold calls
    python -m bench --write docs/benchmarks.md
"""

import argparse
import datetime
import os
import platform
import sys
from pathlib import Path

from bench import calls, cold, load, loop

SECTIONS = {"cold": cold.section, "calls": calls.section, "loop": loop.section, "load": load.section}


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the bot and the sandbox.",
        epilog=(__doc__ or "").partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)} (default: all)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page to FILE too")
    options = parser.parse_args()
    if unknown := set(options.sections) - SECTIONS.keys():
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    parts = [
        f"""# Figures

Measured by `make bench` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, with {os.cpu_count()} processors and Python
{platform.python_version()}. The emulator runs functions as local processes, so do not compare these figures with AWS.
"""
    ]
    for name in options.sections or SECTIONS:
        print(f"Measuring: {name} …", file=sys.stderr, flush=True)
        parts.append(SECTIONS[name]())
    page = "\n".join(parts)
    print(page, end="")
    if options.write:
        options.write.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
