"""A few points on a few lines -> an SVG that reads in light and in dark, each line named at its end."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 60, 110, 20, 50
COLOURS = ("#2f6fde", "#d9822b", "#3d9a5f", "#a05cc4")
TICKS = 5
_TEXT = 'font-family="system-ui, sans-serif" font-size="13" fill="#7a7f87"'


def lines(series: Mapping[str, Sequence[tuple[float, float]]], *, across: str, up: str) -> str:
    """Both axes begin at 0."""
    right = max(x for points in series.values() for x, _ in points)
    top = max(y for points in series.values() for _, y in points)

    def place(x: float, y: float) -> tuple[float, float]:
        wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return round(LEFT + wide * x / right, 1), round(HEIGHT - BOTTOM - high * y / top, 1)

    drawn = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    drawn.append(f"<title>{escape(up)} by {escape(across)}: {escape(', '.join(series))}</title>")
    for tick in range(TICKS + 1):
        (x, bottom), (_, y) = place(right * tick / TICKS, 0), place(0, top * tick / TICKS)
        drawn.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#7a7f87" stroke-opacity=".25"/>')
        drawn.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end" {_TEXT}>{top * tick / TICKS:,.0f}</text>')
        drawn.append(f'<text x="{x}" y="{bottom + 20}" text-anchor="middle" {_TEXT}>{right * tick / TICKS:,.0f}</text>')
    drawn.append(f'<text x="{LEFT}" y="{TOP - 6}" {_TEXT}>{escape(up)}</text>')
    drawn.append(
        f'<text x="{(WIDTH - RIGHT + LEFT) / 2}" y="{HEIGHT - 8}" text-anchor="middle" {_TEXT}>{escape(across)}</text>'
    )
    for (name, points), colour in zip(series.items(), COLOURS, strict=False):
        placed = [place(*point) for point in points]
        path = "L".join(f"{x} {y}" for x, y in placed)
        drawn.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in placed]
        x, y = placed[-1]
        drawn.append(f'<text x="{x + 10}" y="{y + 4}" {_TEXT.replace("#7a7f87", colour)}>{escape(name)}</text>')
    return "\n".join([*drawn, "</svg>", ""])
