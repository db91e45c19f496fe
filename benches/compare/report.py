"""The table, for the terminal and for the pages, and the plot. It only shows what was measured."""

import html
import re
import statistics
from pathlib import Path

# What the README shows.
SHORT = ("login-plain", "login-tls", "session-tls", "fetch-plain", "fetch-tls", "fetch-small", "idle-tls", "idle-tls-in",
         "big-first", "big-warm", "rate-plain", "rate-tls")
HEAD = ("measure", "Postern", "Dovecot tuned", "Dovecot multi", "by tuned", "by multi", "goal")


def number(value):
    """Three digits that count."""
    if value is None:
        return ""
    size = abs(value)
    return f"{value:.3f}" if size < 1 else f"{value:.2f}" if size < 10 else f"{value:.1f}" if size < 100 else f"{value:,.0f}"


class Line:
    """One row of the table: the figures of one row of one metric."""

    def __init__(self, metric, row, place, figures):
        self.metric, self.row = metric, row
        self.values = {name: [found[place] for found in rounds] for name, rounds in figures.items()}
        name = f", {row.title}" if row.title else ""
        self.title = f"{metric.title}{name}: {row.unit}"

    def ratio(self, server):
        """The median of the ratios of paired runs."""
        pairs = zip(self.values.get("postern", []), self.values.get(server, []))
        ratios = [ours / theirs for ours, theirs in pairs if theirs]
        return statistics.median(ratios) if ratios else None

    def cell(self, server):
        values = self.values.get(server)
        if not values:
            return ""
        middle = number(statistics.median(values))
        return middle if len(values) == 1 else f"{middle} [{number(min(values))}..{number(max(values))}]"

    def checks(self):
        """Each part of the goal: what it is of, the bound, and whether it holds (None: not measured)."""
        row, found = self.row, []
        for server in ("tuned", "multi"):
            if (bound := getattr(row, server)) is not None:
                found.append((server, bound, self.within(self.ratio(server), bound)))
        if row.absolute is not None:
            values = self.values.get("postern")
            found.append(("", row.absolute, self.within(statistics.median(values) if values else None, row.absolute)))
        return found

    def within(self, value, bound):
        if value is None:
            return None
        return value >= bound if self.row.more else value <= bound

    def ratio_cell(self, server):
        ratio, bound = self.ratio(server), getattr(self.row, server)
        if ratio is None or self.metric.name == "verify":
            return ""
        sign = ">=" if self.row.more else "<="
        return number(ratio) + (f" ({sign} {bound:g})" if bound is not None else "")

    def verdict(self):
        checks = [holds for _, _, holds in self.checks() if holds is not None]
        if not checks:
            return ""
        absolute = self.row.absolute
        own = f" ({'>=' if self.row.more else '<='} {absolute:g})" if absolute is not None else ""
        return ("held" if all(checks) else "NOT held") + own

    def cells(self):
        return (self.title, self.cell("postern"), self.cell("tuned"), self.cell("multi"),
                self.ratio_cell("tuned"), self.ratio_cell("multi"), self.verdict())


def lines_of(metric, figures):
    return [Line(metric, row, place, figures) for place, row in enumerate(metric.rows)]


def terminal(lines):
    """The table with aligned columns."""
    table = [HEAD, *(line.cells() for line in lines)]
    used = [place for place in range(len(HEAD)) if any(row[place] for row in table[1:]) or place == 0]
    widths = {place: max(len(row[place]) for row in table) for place in used}
    return "\n".join("  ".join(row[place].ljust(widths[place]) for place in used).rstrip() for row in table)


def markdown(lines):
    rows = [HEAD, ("---",) * len(HEAD), *(line.cells() for line in lines)]
    return "\n".join("| " + " | ".join(cell.replace("NOT held", "**not held**").replace("<=", "≤").replace(">=", "≥")
                                       for cell in row) + " |" for row in rows)


def short(lines):
    """The table of the README: some goals, medians alone."""
    rows = [("", "Postern", "Dovecot tuned", "Dovecot multi", "ratio"), ("---",) * 5]
    for line in (line for line in charted(lines) if line.metric.name in SHORT):
        values = [number(statistics.median(line.values[name])) if line.values.get(name) else ""
                  for name in ("postern", "tuned", "multi")]
        ratios = " / ".join(number(ratio) for ratio in (line.ratio("tuned"), line.ratio("multi")) if ratio is not None)
        rows.append((line.title, *values, ratios))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def charted(lines):
    """One line of each metric that is compared: the first with a goal."""
    seen = {}
    for line in lines:
        if line.metric.chart and (line.row.tuned or line.row.multi) and line.ratio("tuned") is not None:
            seen.setdefault(line.metric.name, line)
    return list(seen.values())


def replace_between(page, text):
    """Puts the text between the markers of a page."""
    path = Path(page)
    marked = re.compile(r"(<!-- figures begin -->\n).*?(<!-- figures end -->)", re.S)
    old = path.read_text()
    if not marked.search(old):
        raise SystemExit(f"bench: {page} has no <!-- figures begin --> and <!-- figures end -->; put them back")
    path.write_text(marked.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", old))


BAR, GAP, LEFT, WIDE = 9, 8, 330, 480
COLOURS = {"tuned": "#2f6f9f", "multi": "#d98b2b"}


def svg(lines):
    """Bars of Postern's share of Dovecot's cost, up to 1; a black mark at each goal. Shorter is better."""
    lines = charted(lines)
    height = 60 + sum(GAP + BAR * len(bars(line)) for line in lines)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDE + 60} {height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{LEFT + WIDE + 60}" height="{height}" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="16">Postern / Dovecot: 1 is as much as Dovecot, shorter is better</text>']
    for place, name in enumerate(COLOURS):
        at = LEFT + place * 120
        out.append(f'<rect x="{at}" y="24" width="10" height="10" fill="{COLOURS[name]}"/>'
                   f'<text x="{at + 15}" y="33">Dovecot {name}</text>')
    out.append(f'<rect x="{LEFT + 242}" y="23" width="2" height="12"/><text x="{LEFT + 250}" y="33">goal</text>')
    top = 44
    for share in (0.25, 0.5, 0.75, 1):
        x = LEFT + WIDE * share
        out.append(f'<line x1="{x}" x2="{x}" y1="{top}" y2="{height - 14}" stroke="#dddddd"/>'
                   f'<text x="{x}" y="{height - 3}" text-anchor="middle" font-size="10">{share:g}</text>')
    for line in lines:
        found = bars(line)
        middle = top + BAR * len(found) / 2 + 4
        out.append(f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{html.escape(name_of(line))}</text>')
        for server, share, goal in found:
            out.append(f'<rect x="{LEFT}" y="{top}" width="{WIDE * min(share, 1.1):.1f}" height="{BAR - 1}" '
                       f'fill="{COLOURS[server]}"><title>{number(share)}</title></rect>')
            if goal is not None:
                out.append(f'<rect x="{LEFT + WIDE * min(goal, 1.1) - 1:.1f}" y="{top - 1}" width="2" height="{BAR + 1}"/>')
            top += BAR
        top += GAP
    return "\n".join(out) + "\n</svg>\n"


def bars(line):
    """Shares where less is better: of a speed, Dovecot's by ours."""
    turn = (lambda value: 1 / value) if line.row.more else (lambda value: value)
    found = []
    for server in COLOURS:
        if ratio := line.ratio(server):
            goal = getattr(line.row, server)
            found.append((server, turn(ratio), None if goal is None else turn(goal)))
    return found


def name_of(line):
    return re.sub(r" \(.*\)", "", line.metric.title)
