"""Inside the sandbox: from a user's source text to its component, or to what is wrong with the text, each with its line.

The text is one module. Either one function carries `@component`, or there is one public function, which is the component. The names of the
kit (`Table`, `Field`, `Annotated`, …) are there without an import.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import inspect
import linecache
import re
import sys
import traceback
import types
from dataclasses import asdict
from typing import Any

from workers.sdk import component as kit
from workers.sdk.code import GIVEN
from workers.sdk.component import Component
from workers.sdk.errors import ComponentDefinitionError
from workers.sdk.kinds import KINDS

Json = dict[str, Any]
FILE = "step.py"
MODULE = "step"
_FRAMES = {"DataFrame": "table.pandas()", "Series": "table.pandas()", "ndarray": "table.pandas().to_numpy()"}


class Problems(Exception):
    """The text gives no component. `problems` are {line, message, hint}, in the order of the lines; line 0 means the whole text."""

    def __init__(self, *problems: Json):
        self.problems = sorted(problems, key=lambda p: p["line"])
        super().__init__("; ".join(p["message"] for p in self.problems))


def problem(line: int | None, message: str, hint: str = "") -> Json:
    return {"line": line or 0, "message": message[:1].upper() + message[1:].rstrip(".") + ".", "hint": hint}


def load(text: str) -> Component:
    """The component that the text defines. Runs the text. Raises Problems."""
    linecache.cache[FILE] = (len(text), None, text.splitlines(keepends=True), FILE)
    try:
        tree = ast.parse(text, FILE)
        code = compile(tree, FILE, "exec", dont_inherit=True)
    except SyntaxError as exc:
        raise Problems(problem(exc.lineno, f"this is not Python: {exc.msg}")) from None
    except (ValueError, RecursionError, MemoryError) as exc:
        raise Problems(problem(0, f"this is not Python: {exc or 'it is nested too deeply'}")) from None
    module = types.ModuleType(MODULE)
    module.__file__ = FILE
    module.__dict__.update(GIVEN)
    sys.modules[MODULE] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 - this is what the sandbox is for
    except ComponentDefinitionError as exc:
        raise Problems(_definition(tree, exc)) from None
    except Exception as exc:
        line = next((f.lineno for f in reversed(traceback.extract_tb(exc.__traceback__)) if f.filename == FILE), 0)
        raise Problems(_crash(exc, line)) from None
    return _component(tree, module)


def _component(tree: ast.Module, module: types.ModuleType) -> Component:
    made = {name: v for name, v in vars(module).items() if isinstance(v, Component) and getattr(v.function, "__module__", "") == MODULE}
    if len(made) > 1:
        extra = list(made)[1:]
        raise Problems(*(problem(_line(tree, made[name].name), f"“{name}” is one component too many: a step has one",
                                 "Take “@component” away from the others.") for name in extra))  # fmt: skip
    if made:
        return _checked(tree, next(iter(made.values())))
    functions = {n: f for n, f in vars(module).items() if isinstance(f, types.FunctionType) and f.__module__ == MODULE and n[:1] != "_"}
    if not functions:
        raise Problems(problem(0, "there is no function here", "Write one function with types and a docstring: it is the step."))
    if len(functions) > 1:
        hint = "Write “@component()” above the one that is the step, or begin the names of the others with “_”."
        raise Problems(*(problem(_line(tree, n), f"“{n}” is one function too many: only one can be the step", hint)
                         for n in list(functions)[1:]))  # fmt: skip
    (function,) = functions.values()
    try:
        return _checked(tree, kit.component()(function))
    except ComponentDefinitionError as exc:
        raise Problems(_definition(tree, exc)) from None
    except Problems:
        raise
    except Exception as exc:  # the types, written as text, do not evaluate
        name = getattr(exc, "name", None)
        where = next((n.lineno for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == name), _line(tree, function.__name__))
        raise Problems(_crash(exc, where)) from None


def _checked(tree: ast.Module, one: Component) -> Component:
    line = _line(tree, one.name)
    if inspect.iscoroutinefunction(one.function) or inspect.isgeneratorfunction(one.function) or inspect.isasyncgenfunction(one.function):
        raise Problems(problem(line, f"“{one.name}” must be a plain function that returns its outputs", "No “async” and no “yield”."))
    try:
        _ = one.parameters
    except Exception as exc:
        raise Problems(problem(line, f"a parameter of “{one.name}” has a type that no form can show: {_first(exc)}",
                               "Use str, int, float, bool, Literal[…] or list[…] of them.")) from None  # fmt: skip
    return one


def _definition(tree: ast.Module, exc: ComponentDefinitionError) -> Json:
    """The kit's error, at the line it speaks of."""
    said = str(exc)
    name, _, rest = said.partition(": ")
    about = re.search(r"(?:parameter|input|output) \*?(\w+)", rest)
    function = next((n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name), None)
    line, hint = (function.lineno if function else 0), ""
    annotation: ast.expr | None = None
    if function is not None and "return type" in rest and function.returns is not None:
        line, annotation = function.returns.lineno, function.returns
    if function is not None and about is not None:
        a = function.args
        for one in (*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)):
            if one.arg == about[1]:
                line, annotation = one.lineno, one.annotation
    used = next((n for n in ast.walk(annotation) if isinstance(n, ast.Name | ast.Attribute)
                 and (n.attr if isinstance(n, ast.Attribute) else n.id) in _FRAMES), None) if annotation else None  # fmt: skip
    if used is not None:
        word = used.attr if isinstance(used, ast.Attribute) else used.id
        hint = f"{word} does not travel between steps: write Table, take {_FRAMES[word]} and give Table.from_pandas(frame)."
    elif "must come after *" in rest or "artifact kind" in rest:
        hint = "Kinds are: " + ", ".join(sorted(KINDS)) + "."
    elif "docstring" in rest:
        hint = 'Begin the function with """Title""".'
    elif "has no description" in rest and about is not None:
        hint = f'For example {about[1]}: Annotated[int, Field(description="How many rows.", ge=1)] = 10.'
    return problem(line, said, hint)


def _crash(exc: BaseException, line: int | None) -> Json:
    if isinstance(exc, NameError) and (name := exc.name):
        near = difflib.get_close_matches(name, [*GIVEN], 1)
        hint = f"Did you mean {near[0]}?" if near else ("Kinds are: " + ", ".join(sorted(KINDS)) + "." if name[:1].isupper() else "")
        return problem(line, f"“{name}” is not known here", hint)
    if isinstance(exc, ModuleNotFoundError):
        return problem(line, f"there is no library “{exc.name}” here", "Ask whoever runs the studio to install it on the workers.")
    return problem(line, f"running the text stops here: {type(exc).__name__}: {_first(exc)}")


def _first(exc: BaseException) -> str:
    with contextlib.suppress(Exception):
        return (str(exc).strip().splitlines() or [""])[0][:300]
    return ""


def _line(tree: ast.Module, name: str) -> int:
    return next((n.lineno for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and n.name == name), 0)


def spec(one: Component) -> Json:
    """What the palette, the form and the wires need, as plain JSON."""
    return {
        "name": one.name,
        "title": one.title,
        "summary": one.summary,
        "help": one.help,
        "inputs": [asdict(p) for p in one.inputs],
        "outputs": [asdict(p) for p in one.outputs],
        "parameters": one.parameters,
        "cacheable": one.cacheable,
    }


def line_of(exc: BaseException) -> int:
    """The innermost line of the text that `exc` came through; 0 where it did not."""
    return next((f.lineno or 0 for f in reversed(traceback.extract_tb(exc.__traceback__)) if f.filename == FILE), 0)
