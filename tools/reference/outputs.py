"""output-files.md: what a night leaves behind."""

import pandera.polars as pa

from ageingwell.contracts.impact_made import IMPACT_TABLES as OF_IMPACT
from ageingwell.kept.frames import CONTRACTS, NIGHT_FORMAT, frame_file
from ageingwell.views import columns
from tools.reference.markdown import made_type, prose, table

OUTPUT_TABLES: dict[str, type[pa.DataFrameModel]] = {frame_file(name): model for name, model in CONTRACTS.items()}


IMPACT_TABLES: dict[str, type[pa.DataFrameModel]] = {
    f"{name}.parquet of an impact": model for name, model in OF_IMPACT.items()
}
IMPACT = (
    "## What `impact` leaves\n\n"
    "In the folder `--out`: `impact.html` for the chair, `impact-annex.html` for a statistician, `impact.json` (the "
    "answers and what was looked at), the tables below, and `SHA256SUMS`. No row is about one person, and small counts "
    "are hidden in all of them."
)


def output_files() -> str:
    """The format of a night, and the columns of each file it keeps."""
    parts = [_format(), *map(_output, OUTPUT_TABLES), _views(), _json(), IMPACT, *map(_output, IMPACT_TABLES)]
    return "\n\n".join(parts)


def _format() -> str:
    return (
        "## Format of a night\n\n"
        f"This version writes nights of **format {NIGHT_FORMAT}** (`format` in `manifest.json`; a "
        "night without the key is of format 1). The number is raised whenever a file or column that pages are drawn "
        "from comes, goes or changes its meaning. From a night of another format people are taken off as from any "
        "other; the revision then has no pages, and `WITHDRAWN.txt` says why."
    )


def _views() -> str:
    """The columns of a recipient's view, the same in its workbook, CSV, Parquet and JSON."""
    anyone = {column.name for column in columns.FOR_ANYONE} | {columns.OFFERS.name}
    order = [*columns.FOR_READERS_OF_RISK]
    order.insert([column.name for column in order].index("action") + 1, columns.OFFERS)
    rows = (
        (
            f"`{column.name}`",
            column.title,
            "everyone" if column.name in anyone else "who may read the risk",
            column.meaning,
        )
        for column in order
    )
    said = (
        "A recipient's own view: one row a person at a door where it leads or is asked to come along. Workbook, CSV, "
        "Parquet and JSON hold the same cells in the same order. `needs`, `facts`, `raises`, `lowers`, `offers` and "
        "`known_to` are lists of texts (in CSV and workbook joined by semicolons); every other cell is a text. The "
        "CSV and the workbook have the columns to fill in behind them, and the CSV a last column `notices`. Before "
        "them the CSV says in `list_code` which list it is, and in `list_keys` the fingerprints of its keys; the "
        "workbook says so on its cover, the Parquet file in its metadata. `agencies/gp/<practice>` has the same files "
        "for each GP practice, with its own patients alone."
    )
    head = ("column", "heading", "who has it", "what it is")
    return f"## agencies/&lt;agency&gt;.parquet, .json, .csv, .xlsx\n\n{said}\n\n{table(head, rows)}"


JSON_KEYS = (
    ("format", "whole number", "version of this form; 1"),
    ("night", "text", "the night, year-month-day"),
    ("recipient", "text", "whose view it is"),
    ("notices", "list of texts", "what every output of the night has to say: made-up people, late or missing records"),
    ("notes", "list of texts", "what the recipient has to know about its own view"),
    ("columns", "list of objects", "each column's `name`, `title`, `meaning` and `type`"),
    ("rows", "list of objects", "one a person; each has every column by its name"),
)


def _json() -> str:
    rows = ((f"`{key}`", kind, what) for key, kind, what in JSON_KEYS)
    said = "One object. The Parquet file holds night, recipient, code, keys, notices and meanings as its metadata."
    return f"## agencies/&lt;agency&gt;.json\n\n{said}\n\n{table(('key', 'type', 'what it is'), rows)}"


def _output(name: str) -> str:
    model = (OUTPUT_TABLES | IMPACT_TABLES)[name]
    rows = (
        (f"`{column}`", made_type(field.dtype.type), "yes" if field.nullable else "no", field.description or "")
        for column, field in model.to_schema().columns.items()
    )
    return f"## {name}\n\n{prose(model.__doc__)}\n\n" + table(("column", "type", "may be empty", "what it is"), rows)
