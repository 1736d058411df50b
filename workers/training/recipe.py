"""How raw rows become numbers: learned from the training part, kept as plain JSON, applied in numpy and written into ONNX.

`fit` learns, `apply` computes, `write` puts the same computation into an ONNX graph. All three must agree to the last bit where
they can: trees compare with thresholds. Free text is hashed before the graph, by the same code everywhere (`workers.sdk.texts`): a graph
takes its numbers. What a recipe cannot use (nested values, columns that name each row) it leaves out and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workers.sdk import texts as reading
from workers.sdk.errors import StepError
from workers.training import texts
from workers.training.rows import NUMERIC, raw_column

if TYPE_CHECKING:
    from workers.training.onnx_graph import Graph

FORMAT = "headrace-recipe/1"
FORMAT_WITH_TEXTS = "headrace-recipe/2"
FORMATS = (FORMAT, FORMAT_WITH_TEXTS)
DATE_PARTS = (
    "elapsed",
    "year",
    "month",
    "day",
    "weekday",
    "hour",
    "year_sin",
    "year_cos",
    "weekday_sin",
    "weekday_cos",
    "hour_sin",
    "hour_cos",
)
# float32 knows today's seconds to 128: half of that is added before the hour is cut off, so that a full hour stays in its hour.
HALF_STEP = 64.0
# Days from the first of March of year 0 to 1970: with it every count of days is positive and integer division is simple.
EPOCH_SHIFT = 719468


def fit(
    table: Any,
    types: Mapping[str, str],
    *,
    target: str = "",
    leave_out: Sequence[str] = (),
    of_files: Sequence[str] = (),
    fill: str = "median",
    scale: str = "standard",
    encode: str = "one-hot",
    most_categories: int = 50,
    rare_below: float = 0.002,
    dates: bool = True,
    free_texts: bool = True,
    as_texts: Sequence[str] = (),
    text_dimensions: int = 128,
) -> dict[str, Any]:
    """Learn a recipe from an Arrow table.

    `fill`: median, mean, zero, or keep (missing numbers reach the model as such). `scale`: standard, range, robust or none.
    `encode`: one-hot or ordinal. Categories seen in less than `rare_below` of the rows, and those beyond `most_categories`,
    share one bucket with those never seen. `of_files` are columns that tell about the file that a text came from. A column of free
    text, or one of `as_texts`, becomes at most `text_dimensions` numbers.
    """
    recipe: dict[str, Any] = {"format": FORMAT, "target": target, "rows": table.num_rows, "columns": [], "left_out": []}
    if not table.num_rows:
        raise StepError("The training part has no rows.")
    for name in table.column_names:
        type_ = types.get(name, "category")
        if name == target:
            continue
        if name in leave_out:
            recipe["left_out"].append({"name": name, "why": "you left it out"})
            continue
        if name in of_files and name not in as_texts:
            recipe["left_out"].append({"name": name, "why": "it tells about the file, not what is in it"})
            continue
        if type_ in {"json", "image"}:
            recipe["left_out"].append({"name": name, "why": {"json": "nested values"}.get(type_, "images")})
            continue
        as_text = name in as_texts
        values = raw_column(table[name], name, "text" if as_text else type_)
        if as_text or (type_ not in NUMERIC and (type_ == "text" or reading.looks_free(values))):
            type_ = "text"
            learned = texts.column(values, wanted=free_texts, chosen=as_text, dimensions=text_dimensions)
        elif type_ == "datetime":
            learned = _fit_date(values, scale) if dates else "dates are not used"
        elif type_ in NUMERIC:
            learned = _fit_number(values, fill, scale, type_)
        else:
            learned = _fit_category(values, encode, most_categories, rare_below)
        if isinstance(learned, str):
            recipe["left_out"].append({"name": name, "why": learned})
        else:
            recipe["columns"].append({"name": name, "type": type_, **learned})
    if _of(recipe, "text"):
        recipe["format"] = FORMAT_WITH_TEXTS
    if not recipe["columns"]:
        raise StepError(
            "No column can be used to predict from: " + "; ".join(f"{c['name']} ({c['why']})" for c in recipe["left_out"][:10]) + ".",
            hint="Correct the columns' types on the data set's page, or choose other columns.",
        )
    recipe["features"] = feature_names(recipe)
    return recipe


def _scaling(values: Any, scale: str) -> tuple[float, float]:
    """Centre and factor, such that (value - centre) * factor is what the model sees."""
    import numpy as np

    if scale == "none" or not len(values):
        return 0.0, 1.0
    if scale == "range":
        centre, spread = float(values.min()), float(values.max() - values.min())
    elif scale == "robust":
        low, centre, high = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
        spread = (high - low) or float(values.std())
    else:
        centre, spread = float(values.mean()), float(values.std())
    return centre, 1.0 / spread if spread > 0 else 1.0


def _fit_number(values: Any, fill: str, scale: str, type_: str) -> dict[str, Any] | str:
    import numpy as np

    there = values[~np.isnan(values)].astype(np.float64)
    if not len(there):
        return "every value is missing"
    if there.min() == there.max() and len(there) == len(values):
        return "every value is the same"
    filling = {"median": float(np.median(there)), "mean": float(there.mean()), "zero": 0.0, "keep": None}[fill]
    centre, factor = _scaling(there if filling is None else np.append(there, np.full(len(values) - len(there), filling)), scale)
    middle = float(np.quantile(there, 0.5, method="nearest"))
    return {
        "use": "number",
        "fill": filling,
        "centre": centre,
        "factor": factor,
        "flag": filling is not None and len(there) < len(values),
        "missing": 1 - len(there) / len(values),
        "minimum": float(there.min()),
        "maximum": float(there.max()),
        "example": bool(middle) if type_ == "boolean" else int(middle) if type_ == "integer" else round(middle, 6),
    }


def _fit_category(values: Any, encode: str, most: int, rare_below: float) -> dict[str, Any] | str:
    import numpy as np

    found, counts = np.unique(values.astype(str), return_counts=True)
    present = found != ""
    if not present.any():
        return "every value is missing"
    if len(found) == 1:
        return "every value is the same"
    if len(found) > 50 and len(found) > 0.9 * len(values):
        return "nearly every row has a value of its own"
    order = np.argsort(-counts[present], kind="stable")
    names, seen = found[present][order], counts[present][order]
    kept = [str(n) for n, c in zip(names, seen, strict=True) if c >= max(1, rare_below * len(values))][:most]
    kept = kept or [str(names[0])]
    # '' (missing) is a value like any other once it was seen; everything else falls into the last bucket.
    codes = sorted(kept) + ([""] if not present.all() else [])
    return {
        "use": "category",
        "encode": encode,
        "values": codes,
        "missing": float(counts[~present].sum()) / len(values),
        "choices": sorted(str(n) for n in names[:200]),
        "example": str(names[0]),
    }


def _fit_date(values: Any, scale: str) -> dict[str, Any] | str:
    import numpy as np

    there = values[~np.isnan(values)]
    if not len(there):
        return "every value is missing"
    middle = float(np.median(there))
    filled = np.where(np.isnan(values), np.float32(middle), values)
    parts = []
    for part, numbers in date_parts(filled).items():
        if numbers.min() < numbers.max():
            centre, factor = _scaling(numbers, scale)
            parts.append({"part": part, "centre": centre, "factor": factor})
    if not parts:
        return "every date is the same"
    return {
        "use": "date",
        "fill": middle,
        "parts": parts,
        "missing": 1 - len(there) / len(values),
        "minimum": float(there.min()),
        "maximum": float(there.max()),
        "example": middle,
    }


def feature_names(recipe: Mapping[str, Any]) -> list[str]:
    """The name of every number the model sees, in order: numbers, their missing-flags, dates, categories."""
    names = [c["name"] for c in _of(recipe, "number")]
    names += [f"{c['name']} missing" for c in _of(recipe, "number") if c["flag"]]
    names += [f"{c['name']} {p['part'].replace('_', ' ')}" for c in _of(recipe, "date") for p in c["parts"]]
    for c in _of(recipe, "category"):
        names += (
            [c["name"]]
            if c["encode"] == "ordinal"
            else [f"{c['name']} = {v or '(missing)'}" for v in c["values"]] + [f"{c['name']} = (other)"]
        )
    return names + [f"{c['name']} · {i + 1}" for c in _of(recipe, "text") for i in range(c["dimensions"])]


def _of(recipe: Mapping[str, Any], use: str) -> list[dict[str, Any]]:
    return [c for c in recipe["columns"] if c["use"] == use]


def date_parts(seconds: Any) -> dict[str, Any]:
    """The parts of dates given as float32 seconds since 1970, each as float64."""
    import numpy as np

    exact = seconds.astype(np.float64) + HALF_STEP
    days = np.floor(exact / 86400.0)
    hour = np.floor((exact - days * 86400.0) / 3600.0)
    shifted = days.astype(np.int64) + EPOCH_SHIFT
    era = shifted // 146097
    of_era = shifted - era * 146097
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march = (5 * of_year + 2) // 153
    day = of_year - (153 * march + 2) // 5 + 1
    month = np.where(march < 10, march + 3, march - 9)
    year = year_of_era + era * 400 + (month <= 2)
    weekday = (shifted + 2) % 7
    parts = {
        "elapsed": exact / (86400.0 * 365.25),
        "year": year.astype(np.float64),
        "month": month.astype(np.float64),
        "day": day.astype(np.float64),
        "weekday": weekday.astype(np.float64),
        "hour": hour,
    }
    for name, index in (("year", of_year), ("weekday", weekday), ("hour", hour.astype(np.int64))):
        parts[f"{name}_sin"], parts[f"{name}_cos"] = (wave[index] for wave in _waves(name))
    return parts


def _waves(cycle: str) -> tuple[Any, Any]:
    """Sine and cosine for every day of the year, weekday or hour. Looked up, never computed: two libraries' sines differ in the last bit,
    and a tree's threshold may lie just there."""
    import numpy as np

    steps, length = {"year": (366, 365.25), "weekday": (7, 7.0), "hour": (24, 24.0)}[cycle]
    turn = np.arange(steps) * (2 * np.pi / length)
    return np.sin(turn), np.cos(turn)


def apply(recipe: Mapping[str, Any], rows: Mapping[str, Any]) -> Any:
    """The numbers the model sees: float32 `[rows, features]`, from raw rows (`workers.training.rows`)."""
    import numpy as np

    parts: list[Any] = []
    numbers = _of(recipe, "number")
    if numbers:
        stacked = np.stack([rows[c["name"]] for c in numbers], axis=1)
        gaps = np.isnan(stacked)
        filled = np.where(gaps, _floats([np.nan if c["fill"] is None else c["fill"] for c in numbers]), stacked)
        parts.append((filled - _floats([c["centre"] for c in numbers])) * _floats([c["factor"] for c in numbers]))
        if flags := [i for i, c in enumerate(numbers) if c["flag"]]:
            parts.append(gaps[:, flags].astype(np.float32))
    for column in _of(recipe, "date"):
        seconds = rows[column["name"]]
        found = date_parts(np.where(np.isnan(seconds), np.float32(column["fill"]), seconds))
        parts += [((found[p["part"]] - p["centre"]) * p["factor"]).astype(np.float32)[:, None] for p in column["parts"]]
    for column in _of(recipe, "category"):
        codes = {v: i for i, v in enumerate(column["values"])}
        other = len(codes)
        values, inverse = np.unique(rows[column["name"]].astype(str), return_inverse=True)
        code = np.array([codes.get(str(v), other) for v in values], dtype=np.int64)[inverse]
        parts.append(
            code.astype(np.float32)[:, None]
            if column["encode"] == "ordinal"
            else (code[:, None] == np.arange(other + 1)).astype(np.float32)
        )
    parts += [read(rows[name]) for name, read in readers(recipe).items()]
    return np.ascontiguousarray(np.concatenate(parts, axis=1), dtype=np.float32)


def readers(recipe: Mapping[str, Any]) -> dict[str, reading.Reader]:
    """What makes numbers of the text columns, by name. Raises StepError for those of another version of the studio."""
    try:
        return {c["name"]: reading.reader(c) for c in _of(recipe, "text")}
    except ValueError as error:
        raise StepError(f"This recipe cannot be used: {error}.", hint="Run the step that prepares the features again.") from None


def _floats(values: Sequence[float]) -> Any:
    import numpy as np

    return np.asarray(values, dtype=np.float32)


def write(recipe: Mapping[str, Any], graph: Graph) -> str:
    """Put the recipe into an ONNX graph: makes an input for every column and gives the name of the features' tensor.
    The input of a text column takes its reader's numbers."""
    import numpy as np

    parts: list[str] = []
    numbers = _of(recipe, "number")
    if numbers:
        inputs = [graph.input(c["name"], "float32") for c in numbers]
        stacked = graph.concat(inputs)
        fills = _floats([np.nan if c["fill"] is None else c["fill"] for c in numbers])[None]
        needs_gaps = not np.isnan(fills).all()
        filled = stacked
        if needs_gaps:
            gaps = graph.node("IsNaN", [stacked])
            filled = graph.node("Where", [gaps, graph.constant(fills), stacked])
        centre, factor = _floats([c["centre"] for c in numbers])[None], _floats([c["factor"] for c in numbers])[None]
        if centre.any() or (factor != 1).any():
            filled = graph.node("Mul", [graph.node("Sub", [filled, graph.constant(centre)]), graph.constant(factor)])
        parts.append(filled)
        if flags := [i for i, c in enumerate(numbers) if c["flag"]]:
            chosen = graph.node("Gather", [gaps, graph.constant(np.asarray(flags, dtype=np.int64))], axis=1)
            parts.append(graph.cast(chosen, "float32"))
    for column in _of(recipe, "date"):
        found = _write_date(column, graph)
        for part in column["parts"]:
            moved = graph.node("Sub", [found[part["part"]], graph.constant(np.float64(part["centre"]))])
            parts.append(graph.cast(graph.node("Mul", [moved, graph.constant(np.float64(part["factor"]))]), "float32"))
    for column in _of(recipe, "category"):
        text = graph.input(column["name"], "string")
        code = graph.node(
            "LabelEncoder",
            [text],
            domain="ai.onnx.ml",
            keys_strings=column["values"],
            values_int64s=list(range(len(column["values"]))),
            default_int64=len(column["values"]),
        )
        if column["encode"] == "ordinal":
            parts.append(graph.cast(code, "float32"))
        else:
            every = graph.constant(np.arange(len(column["values"]) + 1, dtype=np.int64)[None])
            parts.append(graph.cast(graph.node("Equal", [code, every]), "float32"))
    parts += [graph.input(c["name"], "float32", c["dimensions"]) for c in _of(recipe, "text")]
    return graph.concat(parts)


def _write_date(column: Mapping[str, Any], graph: Graph) -> dict[str, str]:
    """The same arithmetic as `date_parts`, in ONNX; with integer divisions of positive numbers only."""
    import numpy as np

    whole = lambda value: graph.constant(np.int64(value))  # noqa: E731
    real = lambda value: graph.constant(np.float64(value))  # noqa: E731
    op = lambda name, *inputs: graph.node(name, list(inputs))  # noqa: E731
    seconds = graph.input(column["name"], "float32")
    filled = op("Where", op("IsNaN", seconds), graph.constant(np.float32(column["fill"])), seconds)
    exact = op("Add", graph.cast(filled, "float64"), real(HALF_STEP))
    days = op("Floor", op("Div", exact, real(86400.0)))
    hour = op("Floor", op("Div", op("Sub", exact, op("Mul", days, real(86400.0))), real(3600.0)))
    shifted = op("Add", graph.cast(days, "int64"), whole(EPOCH_SHIFT))
    era = op("Div", shifted, whole(146097))
    of_era = op("Sub", shifted, op("Mul", era, whole(146097)))
    leaps = op("Sub", op("Div", of_era, whole(36524)), op("Div", of_era, whole(146096)))
    year_of_era = op("Div", op("Add", op("Sub", of_era, op("Div", of_era, whole(1460))), leaps), whole(365))
    before = op("Sub", op("Add", op("Mul", year_of_era, whole(365)), op("Div", year_of_era, whole(4))), op("Div", year_of_era, whole(100)))
    of_year = op("Sub", of_era, before)
    march = op("Div", op("Add", op("Mul", of_year, whole(5)), whole(2)), whole(153))
    day = op("Add", op("Sub", of_year, op("Div", op("Add", op("Mul", march, whole(153)), whole(2)), whole(5))), whole(1))
    month = op("Where", op("Less", march, whole(10)), op("Add", march, whole(3)), op("Sub", march, whole(9)))
    early = graph.cast(op("LessOrEqual", month, whole(2)), "int64")
    year = op("Add", op("Add", year_of_era, op("Mul", era, whole(400))), early)
    weekday = op("Mod", op("Add", shifted, whole(2)), whole(7))
    parts = {"elapsed": op("Div", exact, real(86400.0 * 365.25)), "hour": hour}
    parts |= {n: graph.cast(v, "float64") for n, v in (("year", year), ("month", month), ("day", day), ("weekday", weekday))}
    for name, index in (("year", of_year), ("weekday", weekday), ("hour", graph.cast(hour, "int64"))):
        parts[f"{name}_sin"], parts[f"{name}_cos"] = (op("Gather", graph.constant(wave), index) for wave in _waves(name))
    wanted = {p["part"] for p in column["parts"]}
    return {n: v for n, v in parts.items() if n in wanted}


def input_columns(recipe: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns a caller must give, as the model's manifest lists them."""
    from datetime import UTC, datetime

    columns = []
    for c in recipe["columns"]:
        column: dict[str, Any] = {"name": c["name"], "type": c["type"], "required": c["missing"] == 0}
        if c["use"] == "category":
            column |= {"choices": c["choices"], "example": c["example"]}
        elif c["use"] == "text":
            # an empty text is a text, so it may be empty but must be there
            column |= {"required": True, "example": c["example"], "text": c["text"], "most_characters": reading.MOST_CHARACTERS}
        elif c["use"] == "date":
            column["example"] = datetime.fromtimestamp(round(c["example"]), UTC).isoformat()
        else:
            column |= {"minimum": c["minimum"], "maximum": c["maximum"], "example": c["example"]}
        columns.append(column)
    return columns
