"""Draw the images of a parcel's four steps into `assets/`: `python -m tools.draw_parcel_steps`. It needs Chromium.

They have the shape that Messenger shows in a carousel, 1.91 to 1. They contain no words, so they suit every language.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTH, HEIGHT = 764, 400
SKIES = (("#7b8cff", "#4c5fe6"), ("#3fb4f2", "#1d7fd6"), ("#ffb347", "#f2762e"), ("#4fd18b", "#1c9c68"))
# The centres of the dots in the progress bar at the bottom.
DOTS, BAR_Y = (187, 317, 447, 577), 352

BOX = """<g>
<path d="M-70-40 0-70 70-40 70 50 0 84-70 50Z" fill="#c98d4b"/><path d="M-70-40 0-6 0 84-70 50Z" fill="#dba463"/>
<path d="M-70-40 0-70 70-40 0-6Z" fill="#efc58a"/><path d="M-43-51.500 28-20 28-2 41-8 41-26-30-57Z" fill="#fff3dc"/>
<path d="M-56 22-22 38-22 58-56 42Z" fill="#fff" opacity=".9"/></g>"""
GHOST = """<path d="M-70-40 0-70 70-40 70 50 0 84-70 50Z" fill="#fff" opacity=".16"/>
<path d="M-70-40 0-70 70-40 70 50 0 84-70 50Z M-70-40 0-6 70-40 M0-6 0 84" fill="none" stroke="#fff" stroke-width="5"
stroke-dasharray="12 9" stroke-linejoin="round" stroke-linecap="round"/>"""
LABEL = """<g><rect x="-62" y="-78" width="124" height="156" rx="12" fill="#fff"/>
<rect x="-44" y="-58" width="56" height="11" rx="5.500" fill="#4c5fe6"/>
<rect x="-44" y="-36" width="88" height="8" rx="4" fill="#cfd5f6"/>
<rect x="-44" y="-20" width="70" height="8" rx="4" fill="#cfd5f6"/>
<path d="M-42 8v50M-34 8v50M-22 8v50M-12 8v50M-4 8v50M10 8v50M16 8v50M28 8v50M40 8v50" stroke="#27306b"
stroke-width="5"/></g>"""
TRUCK = """<g><rect x="-120" y="-70" width="150" height="112" rx="12" fill="#fff"/>
<path d="M38-38h40c8 0 14 3 19 10l22 32c3 4 4 8 4 13v19c0 4-3 6-6 6H38Z" fill="#ffd166"/>
<path d="M54-24h22c4 0 8 2 10 5l15 23H54Z" fill="#bfe6ff"/>
<rect x="-120" y="34" width="243" height="13" rx="5" fill="#2b3a67"/>
<path d="M-45-40-20-51 5-40 5-6-20 6-45-6Z" fill="#efc58a"/><path d="M-45-40-20-28 5-40-20-51Z" fill="#f7dcb0"/>
<path d="M-45-40-20-28-20 6-45-6Z" fill="#dba463"/>
<g fill="#2b3a67"><circle cx="-70" cy="48" r="25"/><circle cx="78" cy="48" r="25"/></g>
<g fill="#e8ecf7"><circle cx="-70" cy="48" r="11"/><circle cx="78" cy="48" r="11"/></g></g>"""
HOUSE = """<g><path d="M-84-6 0-80 84-6" fill="none" stroke="#7a3b2e" stroke-width="17"
stroke-linejoin="round" stroke-linecap="round"/>
<path d="M-66-12 0-70 66-12V80H-66Z" fill="#fff6e9"/>
<rect x="-16" y="20" width="36" height="60" rx="4" fill="#7a3b2e"/><circle cx="12" cy="52" r="3.500" fill="#ffd166"/>
<rect x="32" y="2" width="24" height="24" rx="3" fill="#bfe6ff"/>
<rect x="-52" y="2" width="24" height="24" rx="3" fill="#bfe6ff"/></g>"""
PIN = """<g><path d="M0 46C-30 8-38-6-38-24a38 38 0 0 1 76 0C38-6 30 8 0 46Z" fill="#e63946"/>
<circle cy="-24" r="15" fill="#fff"/></g>"""
TICK = """<g><circle r="44" fill="#fff"/><circle r="36" fill="#1c9c68"/>
<path d="M-17 1-5 14 18-13" fill="none" stroke="#fff" stroke-width="10" stroke-linecap="round"
stroke-linejoin="round"/></g>"""
GROUND = '<rect y="290" width="764" height="110" fill="#000" opacity=".1"/>'
SPEED = """<path d="M150 150h70M110 190h92M150 230h60" stroke="#fff" stroke-width="9"
stroke-linecap="round" opacity=".75"/>"""
ROAD = """<path d="M316 276C370 306 430 244 498 278" fill="none" stroke="#fff" stroke-width="7"
stroke-dasharray="2 18" stroke-linecap="round"/>"""


def at(x: float, y: float, scale: float, shape: str) -> str:
    """A shape with its centre at this point."""
    return f'<g transform="translate({x} {y}) scale({scale})" filter="url(#shadow)">{shape}</g>'


SCENES = (
    at(330, 180, 1.35, GHOST) + at(450, 186, 1.05, LABEL),
    GROUND + SPEED + at(400, 200, 1.4, TRUCK),
    GROUND + at(176, 214, 1, TRUCK) + ROAD + at(590, 200, 1.15, HOUSE) + at(590, 76, 0.9, PIN),
    GROUND + at(300, 178, 1.45, HOUSE) + at(460, 232, 0.85, BOX) + at(520, 160, 0.85, TICK),
)


def bar(step: int) -> str:
    """The progress bar: the dots up to this step are filled, and its own dot is larger."""
    reached = DOTS[step]
    drawn = (
        f'<path d="M{DOTS[0]} {BAR_Y}H{DOTS[-1]}" stroke="#fff" stroke-width="8" opacity=".35" stroke-linecap="round"/>'
        f'<path d="M{DOTS[0]} {BAR_Y}H{reached}" stroke="#fff" stroke-width="8" stroke-linecap="round"/>'
    )
    for number, x in enumerate(DOTS):
        if number < step:
            drawn += f'<circle cx="{x}" cy="{BAR_Y}" r="13" fill="#fff"/>'
        elif number == step:
            drawn += (
                f'<circle cx="{x}" cy="{BAR_Y}" r="20" fill="#fff"/>'
                f'<circle cx="{x}" cy="{BAR_Y}" r="11" fill="{SKIES[step][1]}"/>'
            )
        else:
            drawn += (
                f'<circle cx="{x}" cy="{BAR_Y}" r="13" fill="{SKIES[step][1]}"/>'
                f'<circle cx="{x}" cy="{BAR_Y}" r="13" fill="#fff" opacity=".45"/>'
            )
    return drawn


def svg(step: int) -> str:
    """The image of a step, counted from 0."""
    high, low = SKIES[step]
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">
<defs><linearGradient id="sky" x2="0" y2="1">
<stop stop-color="{high}"/><stop offset="1" stop-color="{low}"/></linearGradient>
<filter id="shadow" x="-30%" y="-30%" width="160%" height="170%">
<feDropShadow dy="5" stdDeviation="6" flood-color="#101840" flood-opacity=".28"/></filter></defs>
<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#sky)"/>
<circle cx="640" cy="40" r="150" fill="#fff" opacity=".08"/><circle cx="90" cy="110" r="90" fill="#fff" opacity=".07"/>
{SCENES[step]}{bar(step)}</svg>"""


def main() -> int:
    """Draw all four. The exit code is 1 if there is no Chromium."""
    example = "Example: python -m tools.draw_parcel_steps"
    argparse.ArgumentParser("python -m tools.draw_parcel_steps", description=__doc__, epilog=example).parse_args()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.stderr.write("Chromium is not installed: install it, or leave the images as they are.\n")
        return 1
    for step in range(len(SCENES)):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "step.html"
            page.write_text(f"<!doctype html><style>body{{margin:0}}svg{{display:block}}</style>{svg(step)}", "utf-8")
            target = Path(__file__).parents[1] / "assets" / f"step-{step + 1}.png"
            options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder}"]
            size, shot = f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={target}"
            subprocess.run([browser, *options, size, shot, str(page)], check=True, capture_output=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
