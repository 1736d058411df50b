"""Spans are judged exactly as they are labelled: what is missing, unknown or nowhere is said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.spans import cited, table
from workers.sdk.errors import StepError


def test_unknown_labels_are_missed_and_what_cannot_be_measured_says_why(run: Any, step: Any, wine: Any) -> None:
    known = cited(60)
    model = run("train_span_tagger", {"train": table(known[:40])}, epochs=3, width=16)["model"]
    other = [(text, [{**one, "labels": ["other"]} for one in said]) for text, said in known[40:]]
    found = run("evaluate_spans", {"model": model, "test": table(other)}, bootstrap_rounds=0)["metrics"].value
    assert found["values"]["recall"]["value"] == 0 and found["per_class"]["other"]["support"]["value"] == sum(len(s) for _, s in other)
    assert any("never seen the label “other”" in line for line in step.report.lines)

    silent = [("", []), (" \n ", [])]
    with pytest.raises(StepError, match="no span in the test texts, and the model finds none"):
        run("evaluate_spans", {"model": model, "test": table(silent)})
    with pytest.raises(StepError, match="no column “elsewhere”"):
        run("evaluate_spans", {"model": model, "test": table(other)}, spans_column="elsewhere")
    with pytest.raises(StepError, match="This model finds no spans"):
        linear = run("train_linear", {"train": wine}, target="target")["model"]
        run("evaluate_spans", {"model": linear, "test": table(other)})
    for wrong in ("evaluate_classification", "evaluate_regression"):
        with pytest.raises(StepError) as refused:
            run(wrong, {"model": model, "test": table(other)})
        assert "spans" in str(refused.value), json.dumps([str(refused.value), refused.value.hint])
