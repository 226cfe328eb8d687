"""What `connect` found, in lines of text."""

import polars as pl

from ageingwell.jobs.connecting import Connected
from ageingwell.reading.showable import FEWEST_ROWS


def pages(found: Connected) -> list[str]:
    """What was found, in lines: the files, then a page a table with its verdict first, then what to ask for."""
    lines = ["Files"]
    for file in found.files:
        what = f"{file.title}; read as {file.profile}" if file.profile else file.title or "not recognised"
        lines.append(f"  {file.file}: {what}" + (f", into {', '.join(file.tables)}" if file.tables else ""))
        if file.columns_dropped:
            lines.append(f"    columns not used: {', '.join(file.columns_dropped)}")
        lines += [f"    to check: {one}" for one in file.to_check]
        if file.missing:
            lines.append(f"    columns it may have and does not: {', '.join(file.missing)}")
    for table in found.tables:
        lines += ["", f"{table.table} ({table.agency}): {table.verdict}", *(f"  {line}" for line in table.lines)]
        lines += [f"  {line}" for line in (*_label_lines(found, table.table), *_link_lines(found, table.table))]
    if found.problems:
        lines += ["", "A night would stop because", *(f"  {problem}" for problem in found.problems)]
    if found.ask:
        lines += ["", "Still to ask for, the most needed first", *(f"  {one}" for one in found.ask)]
    return lines


def _label_lines(found: Connected, table: str) -> list[str]:
    lines = []
    of_table = found.labels.filter(pl.col("table") == table)
    for (column,), rows in of_table.group_by("column", maintain_order=True):
        n = int(rows["n_rows"].sum())
        known = int(rows.filter(pl.col("known"))["n_rows"].sum())
        shown = [f"{row['label']} {row['n_rows']:,}" for row in rows.drop_nulls("label").to_dicts()]
        rare = int(rows.filter(pl.col("label").is_null())["n_rows"].sum())
        told = ", ".join(
            [*shown, *([f"others, each in fewer than {FEWEST_ROWS} rows or not shown {rare:,}"] if rare else [])]
        )
        lines.append(f"{column}: {100 * known / n:.0f} in 100 values recognised ({told})")
        unknown = rows.filter(~pl.col("known") & pl.col("label").is_not_null())["label"].to_list()
        lines += [f"{column}: not recognised: {', '.join(unknown)}"] if unknown else []
    return lines


def _link_lines(found: Connected, table: str) -> list[str]:
    rows = found.links.filter(pl.col("table") == table).iter_rows(named=True)
    return [f"{row['n_linked']:,} of {row['n']:,} {row['of']} are on the GP register of this folder" for row in rows]
