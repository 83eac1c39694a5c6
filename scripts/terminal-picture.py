#!/usr/bin/env python3
"""Draws a captured terminal of 100 columns as an SVG picture, such as docs/pictures/live-view.svg.

With a shop running (`double11 serve --products 5000`), in a tmux session of 100 x 30:

    double11 load funnel --target http://127.0.0.1:8080 --products 5000 --rate 200 --peak \\
        --ramp 5s --duration 25s
    tmux capture-pane -p -e > capture        # from another window, while it runs
    python3 scripts/terminal-picture.py capture > docs/pictures/live-view.svg

Blocks and lines are drawn as rectangles, so that no font leaves gaps between them.
"""
import html
import re
import sys

COLUMNS, COLUMN, ROW, MARGIN = 100, 8.4, 19, 14
TEXT, PAPER = "#d7dce4", "#14181f"
COLOURS = {31: "#ef7d76", 32: "#7bc275", 33: "#e0b458", 34: "#6c9ef8", 35: "#c98bdb", 36: "#4fb3c8"}
FUNNEL = 34
HEIGHTS = {block: (n + 1) / 8 for n, block in enumerate("▁▂▃▄▅▆▇█")}
WIDTHS = {block: (n + 1) / 8 for n, block in enumerate("▏▎▍▌▋▊▉█")}
LINES = {"━": (8, 3, 1), "╸": (8, 3, 0.5), "─": (9, 1, 1)}
DRAWN = set(HEIGHTS) | set(WIDTHS) | set(LINES)


def pieces(line, look):
    """Column, text and look (colour, bold, faint) of each piece of a line."""
    column = 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if not part.startswith("\x1b"):
            if part:
                yield column, part, tuple(look)
            column += len(part)
            continue
        for code in part[2:-1].split(";"):
            code = int(code or 0)
            if code == 0:
                look[:] = [None, False, False]
            elif code == 1:
                look[1] = True
            elif code == 2:
                look[2] = True
            elif code == 22:
                look[1] = look[2] = False
            elif code == 39:
                look[0] = None
            elif code in COLOURS:
                look[0] = code


def rectangle(x, y, width, height, fill):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {fill}/>'


def draw(column, text, look, y):
    """The shapes of a piece."""
    colour, bold, faint = look
    fill = f'fill="{COLOURS.get(colour, TEXT)}"' + (' opacity=".65"' if faint else "")
    for run in re.finditer(r"(?P<same>.)(?P=same)*", text):
        sign, x = run["same"], MARGIN + (column + run.start()) * COLUMN
        width = len(run[0]) * COLUMN
        if sign in LINES:
            top, height, share = LINES[sign]
            yield rectangle(x, y + top, width * share, height, fill)
        elif sign in WIDTHS and (colour == FUNNEL or sign not in HEIGHTS):
            yield rectangle(x, y + 4, width * WIDTHS[sign], ROW - 6, fill)
        elif sign in HEIGHTS:
            height = HEIGHTS[sign] * (ROW - 4)
            yield rectangle(x, y + ROW - 3 - height, width, height, fill)
    drawn = "".join(map(re.escape, DRAWN))
    for words in re.finditer(rf"[^\s{drawn}]+( [^\s{drawn}]+)*", text):
        x, width = MARGIN + (column + words.start()) * COLUMN, len(words[0]) * COLUMN
        weight = ' font-weight="700"' if bold else ""
        words = html.escape(words[0])
        yield f'<text x="{x:.1f}" y="{y + 14}" textLength="{width:.1f}" {fill}{weight}>{words}</text>'


def main():
    with open(sys.argv[1], encoding="utf-8") as capture:
        lines = capture.read().rstrip().split("\n")
    width, height = round(2 * MARGIN + COLUMNS * COLUMN), 2 * MARGIN + len(lines) * ROW
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">')
    print("<title>A run of double11 load in a terminal</title>")
    print(f'<rect width="{width}" height="{height}" rx="8" fill="{PAPER}"/>')
    print("<g font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"14\">")
    look = [None, False, False]
    for number, line in enumerate(lines):
        for column, text, how in pieces(line, look):
            for shape in draw(column, text, how, MARGIN + number * ROW):
                print(shape)
    print("</g></svg>")


main()
