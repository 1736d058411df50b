"""Which row goes to which part. Deterministic for a seed; keeps the rows' order inside each part."""

from __future__ import annotations

from typing import Any

from workers.sdk.errors import StepError


def assign(rows: int, values: Any, method: str, test_share: float, validation_share: float, seed: int) -> dict[str, Any]:
    """Row numbers of `train`, `test` and `validation`. `values` is the class, group or time of each row (an Arrow column)."""
    import numpy as np

    random = np.random.default_rng(seed)
    test, validation = round(rows * test_share), round(rows * validation_share)
    if method == "random":
        order = random.permutation(rows)
    elif method == "by time":
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            raise StepError(
                "The time column holds text.",
                hint="Choose a date or number column, or correct its type on the data set's page.",
                field="column",
            )
        if values.null_count:
            raise StepError(f"{values.null_count} rows have no time.", hint="Remove or fill them first.", field="column")
        order = (
            pc.sort_indices(values, sort_keys=[("", "ascending")]).to_numpy()[::-1].copy()
        )  # newest first: test, then validation, then train
    else:
        codes = _codes(values)
        groups = int(codes.max()) + 1 if rows else 0
        if method == "grouped":
            if groups < 2 + (validation > 0):
                raise StepError(f"There are only {groups} groups.", hint="Choose a column with more groups.", field="column")
            part = np.zeros(groups, dtype=int)
            sizes, taken = np.bincount(codes, minlength=groups), {1: 0, 2: 0}
            wanted = {1: test, 2: validation}
            for group in random.permutation(groups):
                for name in (1, 2):
                    # a group goes where it brings the part nearer to its share than leaving it out would
                    if wanted[name] and taken[name] < wanted[name] and (taken[name] == 0 or taken[name] + sizes[group] / 2 <= wanted[name]):
                        part[group], taken[name] = name, taken[name] + sizes[group]
                        break
            where = part[codes]
            return {name: np.flatnonzero(where == i) for i, name in enumerate(("train", "test", "validation"))}
        where = np.zeros(rows, dtype=int)
        for code in range(groups):
            members = random.permutation(np.flatnonzero(codes == code))
            t, v = round(len(members) * test_share), round(len(members) * validation_share)
            where[members[:t]], where[members[t : t + v]] = 1, 2
        return {name: np.flatnonzero(where == i) for i, name in enumerate(("train", "test", "validation"))}
    return {
        "train": np.sort(order[test + validation :]),
        "test": np.sort(order[:test]),
        "validation": np.sort(order[test : test + validation]),
    }


def _codes(values: Any) -> Any:
    import pyarrow.compute as pc

    # missing values form a class (or group) of their own
    return pc.dictionary_encode(
        values.combine_chunks() if hasattr(values, "combine_chunks") else values, null_encoding="encode"
    ).indices.to_numpy(zero_copy_only=False)
