"""A few points on a few lines -> an SVG that reads in light and in dark, each line named at its end."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 60, 110, 20, 50
COLOURS = ("#2f6fde", "#d9822b", "#3d9a5f", "#a05cc4")
LINE = 16
_TEXT = 'font-family="system-ui, sans-serif" font-size="13" fill="#7a7f87"'
_STEPS = (1, 2, 2.5, 5, 10)


def lines(series: Mapping[str, Sequence[tuple[float, float]]], *, across: str, up: str) -> str:
    """Both axes begin at 0 and end at a round number."""
    columns, rows = (_ticks(max(point[at] for points in series.values() for point in points)) for at in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return round(LEFT + wide * x / columns[-1], 1), round(HEIGHT - BOTTOM - high * y / rows[-1], 1)

    drawn = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    drawn.append(f"<title>{escape(up)} by {escape(across)}: {escape(', '.join(series))}</title>")
    for tick in rows:
        _, y = place(0, tick)
        drawn.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#7a7f87" stroke-opacity=".25"/>')
        drawn.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end" {_TEXT}>{tick:,.0f}</text>')
    for tick in columns:
        x, bottom = place(tick, 0)
        drawn.append(f'<text x="{x}" y="{bottom + 20}" text-anchor="middle" {_TEXT}>{tick:,.0f}</text>')
    drawn.append(f'<text x="{LEFT}" y="{TOP - 6}" {_TEXT}>{escape(up)}</text>')
    drawn.append(
        f'<text x="{(WIDTH - RIGHT + LEFT) / 2}" y="{HEIGHT - 8}" text-anchor="middle" {_TEXT}>{escape(across)}</text>'
    )
    lowest = 0.0
    for (name, points), colour in zip(sorted(series.items(), key=_end), COLOURS, strict=False):
        placed = [place(*point) for point in points]
        path = "L".join(f"{x} {y}" for x, y in placed)
        drawn.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in placed]
        x, y = placed[-1]
        lowest = max(y + 4, lowest + LINE)  # names never lie on each other
        drawn.append(f'<text x="{x + 10}" y="{lowest}" {_TEXT.replace("#7a7f87", colour)}>{escape(name)}</text>')
    return "\n".join([*drawn, "</svg>", ""])


def _end(line: tuple[str, Sequence[tuple[float, float]]]) -> float:
    """The highest first."""
    return -line[1][-1][1]


def _ticks(most: float) -> list[float]:
    size = 10 ** math.floor(math.log10(most / 4))
    step = next(size * times for times in _STEPS if size * times * 6 >= most)
    return [step * at for at in range(math.ceil(most / step) + 1)]
