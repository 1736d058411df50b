/** Texts to begin with: each is a step that works as it stands. */

export interface Starter {
  readonly name: string
  readonly title: string
  readonly text: string
}

export const STARTERS: readonly Starter[] = [
  {
    name: 'table',
    title: 'Table → table',
    text: `def add_column(
    table: Table,
    *,
    name: Annotated[str, Field(description="Name of the new column.", min_length=1)] = "total",
) -> Table:
    """Add a column

    The sum of all columns that hold numbers, row by row.
    """
    frame = table.pandas()
    frame[name] = frame.select_dtypes("number").sum(axis=1)
    context.log(f"{len(frame)} rows, new column {name}")
    return Table.from_pandas(frame, like=table)
`,
  },
  {
    name: 'metrics',
    title: 'Table → metrics',
    text: `def measure(
    table: Table,
    *,
    places: Annotated[int, Field(description="Digits behind the point.", ge=0, le=10)] = 3,
) -> Metrics:
    """Measure a table

    How many rows and columns it has, and how much is missing.
    """
    frame = table.pandas()
    missing = float(frame.isna().to_numpy().mean()) if frame.size else 0.0
    values = {
        "rows": {"value": len(frame)},
        "columns": {"value": len(frame.columns)},
        "missing": {"value": round(missing, places)},
    }
    return Metrics.of({"task": "table", "values": values})
`,
  },
  {
    name: 'figures',
    title: 'Tables → figures',
    text: `def compare(
    tables: list[Table],
    *,
    column: Annotated[str, Field(description="The column to compare; it holds numbers."), Column("tables")],
) -> Figures:
    """Compare tables

    One box for each table that is connected.
    """
    boxes = []
    for number, table in enumerate(tables, 1):
        context.progress(number / len(tables), f"table {number} of {len(tables)}")
        values = table.pandas([column])[column].dropna().tolist()
        boxes.append({"type": "box", "name": f"Table {number}", "y": values})
    layout = {"yaxis": {"title": {"text": column}}}
    return Figures.of([{"title": column, "figure": {"data": boxes, "layout": layout}}])
`,
  },
]
