"""The formats in which labels travel: one file, one format, each a `travel.Format` named `FORMAT`.

| format | holds | loses |
|---|---|---|
| `labelstudio` | everything, as Label Studio's own JSON | nothing |
| `jsonl` | everything, a line an item | nothing |
| `csv`, `tsv` | everything, a row an annotation, a column a control | nothing |
| `coco` | boxes, polygons, masks, key points | other shapes become outlines; answers, relations |
| `yolo` | upright boxes, polygons | as COCO, and masks, key points |
| `voc` | upright boxes | other outlines become the box around them; masks |
| `conll` | spans of one control, over words | overlaps |
| `masks` | pixels of a class | what is a region of its own |
| `preferences` | pairs and rankings, as text | which item a pair is of: it is not read back |

What is lost in an export is counted while it is written (`Writing.lost`), by the same lines that leave it out.
"""

from __future__ import annotations

from workers.sdk.labels.formats import coco, conll, csvs, jsonl, labelstudio, masks, preferences, voc, yolo
from workers.sdk.labels.travel import Format

FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        labelstudio.FORMAT, jsonl.FORMAT, csvs.FORMAT, csvs.TABS, coco.FORMAT, yolo.FORMAT, voc.FORMAT, masks.FORMAT, conll.FORMAT,
        preferences.FORMAT,
    )
}  # fmt: skip
