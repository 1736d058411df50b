"""A label schema's XML, as Label Studio writes it, read into what the editor shows. Runs in a hand (`artifacts.aside`): Label Studio's
own parser, which has the last word on validity, needs memory that the web process does not have.

A tag or attribute that the editor cannot show is a problem here, when the schema is saved, never a surprise while labelling.
"""

from __future__ import annotations

import colorsys
import contextlib
import io
import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from backend.labeling import schema_answers
from workers.sdk.labels.brush import BRUSHES
from workers.sdk.labels.config import LABELLED, ON, TYPES, VALUE_TYPES, Label, LabelConfig, LabelControl, LabelObject

MOST_BYTES = 200_000
MOST_DEPTH = 30
MOST_LABELS = 2_000
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_.-]{0,63})")
COMMON = {
    "name",
    "toName",
    "required",
    "requiredMessage",
    "perRegion",
    "whenTagName",
    "whenLabelValue",
    "whenChoiceValue",
    "visibleWhen",
    "hint",
}
DRAWN = {
    "strokeWidth",
    "strokeColor",
    "fillColor",
    "opacity",
    "fillOpacity",
    "snap",
    "canRotate",
    "smart",
    "smartOnly",
    "pointSize",
    "pointStyle",
}
LINES = {
    "choice", "maxUsages", "showInline", "value", "closable", "curves", "skeleton", "minPoints", "maxPoints", "constrainToBounds",
    "pointSizeEnabled", "pointSizeDisabled", "pointsizeenabled", "pointsizedisabled",
}  # fmt: skip
KNOWN: dict[str, set[str]] = {
    "View": {"style", "className", "display", "visibleWhen", "whenTagName", "whenLabelValue", "whenChoiceValue", "idAttr"},
    "Header": {"value", "size", "style", "underline"},
    "Style": set(),
    "Image": {
        "name", "value", "zoom", "zoomControl", "zoomBy", "negativeZoom", "brightnessControl", "contrastControl", "rotateControl",
        "grid", "gridSize",
        "gridColor", "width", "maxWidth", "height", "maxHeight", "crosshair", "selectionControl", "horizontalAlignment",
        "verticalAlignment", "defaultZoom", "crossOrigin", "smoothing", "gammaControl", "valueList",
    },
    "Text": {"name", "value", "valueType", "saveTextResult", "encoding", "selectionEnabled", "highlightColor", "showLabels", "granularity",
        "whiteSpace",
    },
    "Audio": {"name", "value", "hotkey", "sync", "syncBuffer", "syncbuffer", "volume", "defaultvolume", "speed", "defaultspeed", "zoom",
        "defaultzoom", "defaultscale", "cursorwidth", "cursorcolor", "height", "waveheight", "waveHeight", "muted", "splitchannels",
        "spectrogram", "decoder", "player", "autocenter", "scrollparent", "selectionEnabled", "showLabels",
    },
    "Video": {"name", "value", "frameRate", "framerate", "sync", "syncBuffer", "syncbuffer", "muted", "height", "timelineHeight",
        "timelineheight", "defaultPlaybackSpeed", "defaultplaybackspeed", "minPlaybackSpeed", "minplaybackspeed",
    },
    "Choices": COMMON | {"choice", "showInline", "layout", "apiUrl", "allowNested", "value"},
    "Choice": {"value", "selected", "alias", "style", "hotkey", "html", "hint", "color", "background"},
    "Label": {"value", "selected", "maxUsages", "hint", "hotkey", "alias", "showAlias", "aliasStyle", "size", "background",
        "selectedColor", "granularity", "category",
    },
    "Rating": COMMON | {"maxRating", "defaultValue", "size", "icon", "hotkey"},
    "Number": COMMON | {"min", "max", "step", "defaultValue", "slider", "hotkey"},
    "TextArea": COMMON | {
        "value", "label", "placeholder", "maxSubmissions", "editable", "skipDuplicates", "transcription", "displayMode", "rows",
        "showSubmitButton",
    },
    **{tag: COMMON | DRAWN | {"choice", "maxUsages", "showInline", "opacity", "allowEmpty", "value"}
       for tag in TYPES if tag not in VALUE_TYPES},
    "KeyPointLabels": COMMON | DRAWN | {"choice", "maxUsages", "showInline", "opacity", "allowEmpty", "value", "skeleton"},
    "MagicWand": COMMON | DRAWN | {"blurradius", "defaultthreshold"},
    **dict.fromkeys(("Vector", "VectorLabels"), COMMON | DRAWN | LINES),
    **schema_answers.KNOWN,
}  # fmt: skip
NOT_YET = {"visibleWhen", "whenTagName", "whenLabelValue", "whenChoiceValue", "valueList", "apiUrl"}
"""Attributes that change what may be answered, and that the editor does not follow."""
Json = dict[str, Any]


def read(xml: str, *, last_word: bool = True) -> Json:
    """{"config": `LabelConfig` as JSON or None, "problems": [{field, message, expected}]}; a field is `line N`. Without `last_word` Label
    Studio's own parser, which takes seconds to load, is not asked: for a schema that is being typed."""
    reader = _Reader()
    config = reader.config(xml)
    if last_word and config is not None and not reader.problems:
        reader.ask_label_studio(xml)
    return {"config": config.as_json() if config is not None and not reader.problems else None, "problems": reader.problems[:20]}


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Json] = []
        self.objects: list[LabelObject] = []
        self.controls: list[LabelControl] = []
        self.lines: dict[str, int] = {}

    def wrong(self, line: int, message: str, expected: str = "") -> None:
        self.problems.append({"field": f"line {line}", "message": message, "expected": expected})

    def config(self, xml: str) -> LabelConfig | None:
        from lxml import etree

        if len(xml.encode("utf-8", "replace")) > MOST_BYTES:
            self.wrong(1, "The schema is longer than 200 kB.", "a shorter one; long lists of choices belong in the data")
            return None
        if re.search(r"<!(DOCTYPE|ENTITY)", xml, re.IGNORECASE):
            self.wrong(1, "The schema declares entities.", "XML without <!DOCTYPE …>")
            return None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
        try:
            root = etree.fromstring(xml.strip().encode(), parser)
        except (etree.XMLSyntaxError, ValueError) as e:
            line = getattr(e, "lineno", None) or 1
            self.wrong(
                line,
                f"This is not well-formed XML: {str(e).split(', line')[0]}.",
                "every tag closed, attributes in quotes, & written &amp;",
            )
            return None
        if root.tag != "View":
            self.wrong(root.sourceline, f"The schema begins with <{root.tag}>.", "<View>…</View>")
            return None
        layout = self._view(root, 0)
        self._together()
        self._wands(layout)
        self._tracks(layout)
        schema_answers.alone(self.controls, self.lines, self.wrong)
        if self.problems or layout is None:
            return None
        return LabelConfig(objects=tuple(self.objects), controls=tuple(self.controls), layout=tuple(layout["children"]))

    def _view(self, element: Any, depth: int) -> Json | None:
        if depth > MOST_DEPTH:
            self.wrong(element.sourceline, "Views are nested too deeply.", f"at most {MOST_DEPTH} deep")
            return None
        self._attributes(element)
        across = "flex" in (element.get("style") or "").replace(" ", "") and "column" not in (element.get("style") or "")
        return {
            "kind": "view",
            "direction": "row" if across else "column",
            "children": [n for child in element if (n := self._node(child, depth))],
        }

    def _node(self, element: Any, depth: int) -> Json | None:
        tag = element.tag
        if tag == "View":
            return self._view(element, depth + 1)
        if tag == "Style":
            return None
        if tag == "Header":
            self._attributes(element)
            size = element.get("size") or "4"
            return {
                "kind": "header",
                "text": (element.get("value") or element.text or "").strip()[:2000],
                "size": int(size) if size in "123456" else 4,
            }
        if tag in ON:
            return self._object(element)
        if tag in TYPES:
            return self._control(element)
        if tag == "Relations":
            return None
        self.wrong(
            element.sourceline,
            f"<{tag}> cannot be shown by this studio's editor.",
            "one of " + ", ".join(sorted({*ON, *TYPES, "View", "Header"})),
        )
        return None

    def _attributes(self, element: Any) -> None:
        known = KNOWN[element.tag]
        for name in element.attrib:
            if name in NOT_YET:
                self.wrong(
                    element.sourceline, f"{name} of <{element.tag}> cannot be followed by this studio's editor.", "a schema without it"
                )
            elif name not in known:
                self.wrong(element.sourceline, f"<{element.tag}> has no attribute {name}.", "one of " + ", ".join(sorted(known - NOT_YET)))

    def _name(self, element: Any) -> str:
        name = element.get("name") or ""
        if not NAME.fullmatch(name):
            self.wrong(element.sourceline, f"<{element.tag}> needs a name.", 'name="…", letters and digits')
        elif name in self.lines:
            self.wrong(element.sourceline, f"The name “{name}” is used in line {self.lines[name]} already.", "another name")
        self.lines.setdefault(name, element.sourceline)
        return name

    def _object(self, element: Any) -> Json:
        self._attributes(element)
        name = self._name(element)
        variable = VARIABLE.fullmatch(element.get("value") or "")
        if variable is None:
            self.wrong(
                element.sourceline, f"<{element.tag}> needs the variable of the data that it shows.", f'value="${element.tag.lower()}"'
            )
        if element.tag == "Text" and element.get("valueType") == "url":
            self.wrong(element.sourceline, "Texts are shown from the data itself, not fetched.", 'valueType="text"')
        rate = next((n for key in ("frameRate", "framerate") if (n := self._number(element, key, 1)) is not None), None)
        title = (element.get("title") or "")[:300]
        if element.tag == "Table":
            schema_answers.table(element, self.wrong)
        self.objects.append(LabelObject(name=name, tag=element.tag, value=variable[1] if variable else "", frame_rate=rate, title=title))
        return {"kind": "object", "name": name}

    def _control(self, element: Any) -> Json:
        self._attributes(element)
        tag, name = element.tag, self._name(element)
        labels = self._labels(element) if tag != "Ranker" else ()
        if tag in LABELLED or tag in ("Labels", "Choices"):
            if not labels:
                self.wrong(
                    element.sourceline,
                    f"<{tag}> has no {'choices' if tag == 'Choices' else 'labels'}.",
                    f'<{_child(tag)} value="…"/> inside it',
                )
        elif len(element) and tag != "Ranker":
            self.wrong(element.sourceline, f"<{tag}> holds no other tags.", f"<{tag} …/>")
        rating, line = tag == "Rating", tag in ("Vector", "VectorLabels")
        for curved in ("curves", "skeleton") if line else ():
            if self._flag(element, curved):
                self.wrong(element.sourceline, f"<{tag}> draws lines from point to point only.", f"a schema without {curved}")
        to, *more = schema_answers.compared(element, self.wrong) if tag == "Pairwise" else (element.get("toName") or "",)
        self.controls.append(LabelControl(
            name=name, to=to, to_more=tuple(more), tag=tag,
            buckets=schema_answers.buckets(element, self.wrong) if tag == "Ranker" else (), type=TYPES[tag], labels=labels,
            multiple=tag == "Choices" and element.get("choice") == "multiple",
            required=self._flag(element, "required"), required_message=(element.get("requiredMessage") or "")[:300],
            per_region=self._flag(element, "perRegion") and tag in VALUE_TYPES, can_rotate=self._flag(element, "canRotate", True),
            minimum=self._number(element, "minPoints" if line else "min"), closable=line and self._flag(element, "closable"),
            maximum=self._number(element, "maxRating", 1) or 5 if rating else self._number(element, "maxPoints" if line else "max"),
            step=self._number(element, "step"), placeholder=(element.get("placeholder") or "")[:300],
            rows=int(self._number(element, "rows", 1) or 3),
            max_submissions=int(n) if (n := self._number(element, "maxSubmissions", 1)) else None,
            skeleton=() if line else self._skeleton(element, labels), wand=tag == "MagicWand",
            stroke_width=self._number(element, "strokeWidth", 0) or 2,
            opacity=min(self._number(element, "opacity", 0) or (0.5 if TYPES[tag] in BRUSHES else 0.2), 1),
        ))  # fmt: skip
        if tag == "Choices" and element.get("choice") not in (None, "single", "single-radio", "multiple"):
            self.wrong(element.sourceline, f'choice="{element.get("choice")}" is unknown.', "single or multiple")
        return {"kind": "control", "name": name}

    def _labels(self, element: Any) -> tuple[Label, ...]:
        found: list[Label] = []
        children = list(element)
        child = _child(element.tag)
        for place, one in enumerate(children):
            if child == "" or one.tag != child:
                self.wrong(
                    one.sourceline, f"<{one.tag}> does not belong in <{element.tag}>.", f'<{child} value="…"/>' if child else "no tags"
                )
                continue
            self._attributes(one)
            value = (one.get("value") or "").strip()
            if not value or len(value) > 200 or "$" in value[:1]:
                self.wrong(one.sourceline, f"<{one.tag}> needs a value.", 'value="…", at most 200 characters')
            elif any(label.value == value for label in found):
                self.wrong(one.sourceline, f"“{value}” is there twice.", "every value once")
            if len(one):
                self.wrong(one.sourceline, "Choices within choices cannot be shown by this studio's editor.", "one level of choices")
            color = one.get("background") or one.get("color")
            found.append(
                Label(
                    value=value,
                    color=self._color(one, color, place),
                    hotkey=(one.get("hotkey") or "")[:20],
                    hint=(one.get("hint") or "")[:300],
                )
            )
        if len(found) > MOST_LABELS:
            self.wrong(element.sourceline, f"<{element.tag}> has {len(found):,} values.", f"at most {MOST_LABELS:,}")
        return tuple(found[:MOST_LABELS])

    def _skeleton(self, element: Any, labels: tuple[Label, ...]) -> tuple[tuple[str, str], ...]:
        """`nose-left eye,nose-right eye`: a label may have a - in it."""
        known = {label.value for label in labels}
        edges = []
        for written in filter(None, (part.strip() for part in (element.get("skeleton") or "").split(","))):
            cuts = [(written[:n].strip(), written[n + 1 :].strip()) for n, letter in enumerate(written) if letter == "-"]
            edge = next(((a, b) for a, b in cuts if a in known and b in known and a != b), None)
            if edge is None:
                self.wrong(element.sourceline, f"“{written[:80]}” of the skeleton joins no two labels.", "two labels with a - between them")
            elif edge not in edges:
                edges.append(edge)
        return tuple(edges)

    def _color(self, element: Any, written: str | None, place: int) -> str:
        if written:
            from PIL import ImageColor

            with contextlib.suppress(ValueError):
                return "#" + "".join(f"{part:02x}" for part in ImageColor.getrgb(written.strip())[:3])
            self.wrong(element.sourceline, f"“{written[:40]}” is no colour.", "#1c7ed6 or a name such as green")
        return color_of(place)

    def _flag(self, element: Any, name: str, default: bool = False) -> bool:
        written = (element.get(name) or "").lower()
        if written not in ("", "true", "false"):
            self.wrong(element.sourceline, f'{name}="{written[:40]}" is neither true nor false.', "true or false")
        return default if written == "" else written == "true"

    def _number(self, element: Any, name: str, low: float | None = None) -> float | None:
        written = element.get(name)
        if written in (None, ""):
            return None
        with contextlib.suppress(ValueError):
            found = float(written)
            if abs(found) < 1e15 and (low is None or found >= low):
                return found
        self.wrong(
            element.sourceline,
            f'{name}="{written[:40]}" is not a fitting number.',
            "a number" if low is None else f"a number from {low:g} on",
        )
        return None

    def _together(self) -> None:
        """What no tag shows alone."""
        if not self.objects and not self.problems:
            self.wrong(1, "Nothing is shown.", "<Image …/>, <Text …/> or another object")
        if not self.controls and not self.problems:
            self.wrong(1, "Nothing is asked.", "a control such as <Choices …>")
        objects = {o.name: o for o in self.objects}
        for control in self.controls:
            line = self.lines.get(control.name, 1)
            for name in (control.to, *control.to_more):
                target = objects.get(name)
                if target is None:
                    self.wrong(
                        line,
                        f"toName of “{control.name}” names no object (“{name[:40]}”).",
                        "one of " + (", ".join(objects) or "the names of objects"),
                    )
                elif control.tag not in ON[target.tag]:
                    self.wrong(line, f"<{control.tag}> cannot speak of <{target.tag}>.", "one of " + ", ".join(sorted(ON[target.tag])))
            if control.per_region and not any(c.makes_regions and c.to == control.to for c in self.controls):
                self.wrong(
                    line, f"“{control.name}” is asked for every region, and nothing makes regions.", "a control such as <RectangleLabels …>"
                )

    def _wands(self, layout: Json | None) -> None:
        """A magic wand beside a brush is a tool of that brush: what it marks is the brush's."""
        brushes = {c.to for c in self.controls if c.type in BRUSHES and c.tag != "MagicWand"}
        wands = {c.name: c.to for c in self.controls if c.tag == "MagicWand" and c.to in brushes}
        kept = (c for c in self.controls if c.name not in wands)
        self.controls = [replace(c, wand=c.wand or (c.type in BRUSHES and c.to in wands.values())) for c in kept]
        _without(layout, wands)

    def _tracks(self, layout: Json | None) -> None:
        """`Labels` of a video name the boxes of its `VideoRectangle`, whose regions hold them."""
        videos = {o.name for o in self.objects if o.tag == "Video"}
        namers = [c for c in self.controls if c.tag == "Labels" and c.to in videos]
        boxes = [c for c in self.controls if c.type == "videorectangle"]
        for control in namers:
            if not any(box.to == control.to for box in boxes):
                self.wrong(self.lines[control.name], f"“{control.name}” has nothing to name.", "a <VideoRectangle …/> of the same video")
        for box in boxes:
            own = [c for c in namers if c.to == box.to]
            twice = [value for n, c in enumerate(own) for value in c.values for other in own[:n] if value in other.values]
            if len([b for b in boxes if b.to == box.to]) > 1 or twice:
                self.wrong(
                    self.lines[box.name],
                    "The labels of this video's boxes are not told apart.",
                    "one <VideoRectangle …/>, every label once",
                )

        def named(box: LabelControl) -> LabelControl:
            own = [c for c in namers if c.to == box.to]
            asked = next((c for c in own if c.required), box)
            labels = tuple(label for c in own for label in c.labels)
            return replace(box, labels=labels, required=asked.required, required_message=asked.required_message)

        kept = (c for c in self.controls if c not in namers)
        self.controls = [named(c) if c.type == "videorectangle" else c for c in kept]
        _without(layout, {c.name for c in namers})

    def ask_label_studio(self, xml: str) -> None:
        """Label Studio's own parser: what we keep, it must be able to open."""
        from label_studio_sdk.label_interface import LabelInterface

        try:
            with contextlib.redirect_stdout(io.StringIO()):
                LabelInterface(xml).validate()
        except Exception as e:  # its errors have no common class
            self.wrong(1, f"Label Studio would refuse this schema: {str(e)[:300]}", "a schema that Label Studio opens")


def _without(node: Json | None, names: Collection[str]) -> None:
    """Takes controls out of a layout."""
    if node is None:
        return
    node["children"] = [child for child in node["children"] if child.get("name") not in names]
    for child in node["children"]:
        if child["kind"] == "view":
            _without(child, names)


def _child(tag: str) -> str:
    return "Choice" if tag == "Choices" else "Label" if tag in LABELLED or tag == "Labels" else ""


def color_of(place: int) -> str:
    """Colours that are told apart: hues by the golden angle, in two lightnesses."""
    red, green, blue = colorsys.hls_to_rgb((0.58 + place * 0.381966) % 1, 0.42 if place % 2 else 0.52, 0.72)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
