"""What was measured, as text and as JSON."""

import operator
import statistics
from dataclasses import dataclass, field

# Of a column of figures, at least.
WIDTH = 11


@dataclass
class Bar:
    """A figure that is demanded."""

    what: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self):
        return (operator.ge if self.at_least else operator.le)(self.value, self.limit)

    def line(self):
        bound = f"{'at least' if self.at_least else 'at most'} {self.limit:g}"
        return f"  {'met   ' if self.met else 'MISSED'}  {self.what}: {self.value:.3g} ({bound})"


@dataclass
class Section:
    """One part of a run: a table of medians, what is demanded of them, and the rounds behind them."""

    title: str
    bars: list = field(default_factory=list)
    # Of the table: what each line is about, and its figures.
    lines: dict = field(default_factory=dict)
    rounds: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def at_least(self, what, value, limit):
        self.bars.append(Bar(what, value, limit, at_least=True))

    def at_most(self, what, value, limit):
        self.bars.append(Bar(what, value, limit))

    @property
    def met(self):
        return all(bar.met for bar in self.bars)

    def text(self):
        """The table, a line for each subject, and the bars."""
        out = [f"\n{self.title}"]
        columns = list(dict.fromkeys(key for figures in self.lines.values() for key in figures))
        names = {key: key.replace("_", " ") for key in columns}
        width = max(map(len, self.lines), default=0)
        if self.lines:
            out.append("  ".join([" " * width, *(f"{name:>{WIDTH}}" for name in names.values())]))
        for name, figures in self.lines.items():
            cell = lambda key: f"{figures[key]:.{digits(figures[key])}f}" if key in figures else ""
            out.append("  ".join([f"{name:{width}}", *(f"{cell(key):>{max(WIDTH, len(names[key]))}}" for key in columns)]).rstrip())
        return "\n".join([*out, *(f"  {note}" for note in self.notes), *(bar.line() for bar in self.bars)])

    def json(self):
        bars = [{"what": bar.what, "value": bar.value, "limit": bar.limit, "at_least": bar.at_least, "met": bar.met} for bar in self.bars]
        return {"title": self.title, "met": self.met, "bars": bars, "lines": self.lines, "notes": self.notes, "rounds": self.rounds}


def digits(value):
    """Of a figure after the point: what is large needs none."""
    return 0 if value >= 1000 else 1 if value >= 100 else 2


def medians(rounds, *keys):
    """Of the rounds' figures."""
    return {key: statistics.median(one[key] for one in rounds) for key in keys}


def beside(section, rounds, base="floor"):
    """Puts medians into the table, and of their ratios to what one subject made of the same turns: from one turn to the next the machine may
    become quicker or slower by half. A line called `a, b` is compared with the line `floor, b`. The ratios."""
    ratios = {}
    for name, made in rounds.items():
        turns = list(zip(made, rounds[base + name[name.find(",") :] if "," in name else base], strict=True))
        of = lambda key: statistics.median(one[key] / floor[key] for one, floor in turns)
        ratios[name] = throughput, latency = of("per_second"), of("p99_ms")
        figures = medians(made, "per_second", "median_ms", "p99_ms", "processor_us")
        section.lines[name] = {**figures, "of_the_floor": throughput, "times_its_p99": latency}
    section.rounds.update(rounds)
    return ratios
