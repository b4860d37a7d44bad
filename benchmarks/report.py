"""Tables as text: a row for each contender, then the ratios beside their targets."""

from __future__ import annotations

from benchmarks.figures import Cost, CostTable, Figure, Ratio, Row, Table

_HEAD = f"{'':9}{'':40}{'per second':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}{'MB':>7}"


def printed(table: Table | CostTable) -> str:
    """The whole table, ready to print."""
    lines = [table.title]
    if isinstance(table, CostTable):
        lines += [f"{'':49}{'CPU us':>11}", *(_cost(cost) for cost in table.costs)]
    else:
        lines += [_HEAD, *(_row(row) for row in table.rows)]
    lines += [_ratio(ratio) for ratio in table.ratios]
    lines += [f"  WRONG: {problem}" for problem in table.problems]
    return "\n".join(lines) + "\n"


def _row(row: Row) -> str:
    start = f"{row.role:9}{row.name:40}"
    return start + (_figure(row.median()) if row.rounds else f"  {row.note}")


def _cost(cost: Cost) -> str:
    start = f"{cost.role:9}{cost.name:40}"
    return start + (f"{cost.value:11,.1f}" if cost.values else f"  {cost.note}")


def _figure(figure: Figure) -> str:
    cpu = f"{figure.cpu_us:9,.0f}" if figure.cpu_us is not None else f"{'-':>9}"
    memory = f"{figure.memory_mb:7,.0f}" if figure.memory_mb is not None else f"{'-':>7}"
    return f"{figure.rate:11,.0f}{figure.p50_ms:9.2f}{figure.p99_ms:9.2f}{cpu}{memory}"


def _ratio(ratio: Ratio) -> str:
    low, high = min(ratio.values), max(ratio.values)
    spread = f"({low:.2f} to {high:.2f})" if len(ratio.values) > 1 else ""
    text = f"  {ratio.words:47}{ratio.value:11.2f}  {spread:20}"
    if ratio.target is None:
        return text.rstrip()
    sign = "at most" if ratio.is_ceiling else "at least"
    return f"{text}{sign} {ratio.target:g}: {'met' if ratio.is_met else 'NOT MET'}"
