"""What `kerasclf COMMAND --help` prints: usage, options in groups, and examples."""

import ast
import inspect
import itertools
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import tyro

from kerasclf.usage import EXAMPLES, GROUPS, OWN, REQUIRED, VALUES

MOST_COLUMNS = 100
INDENT, HELP_AT = 2, 26
"""Columns where options and their explanations begin."""
_WORDS = {int: "INT", float: "FLOAT", Path: "PATH"}


@dataclass(frozen=True)
class Line:
    """An argument as the page shows it.

    Attributes:
        name: of its field.
        left: how it is written, such as "--seed INT" or "RUN".
        right: what it means, and its default.
        positional: whether it is written without a name.
        required: whether the command refuses to run without it.
    """

    name: str
    left: str
    right: str
    positional: bool
    required: bool


def describe_command(options_class: type, prog: str, default: Any = None) -> str:
    """The page of a command.

    Args:
        options_class: dataclass of its options.
        prog: the command, such as "kerasclf train".
        default: default values of the options; None for those of the dataclass.
    """
    width = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
    command = prog.removeprefix("kerasclf ")
    lines = list(_read_lines(options_class, command, default))
    positional = [line for line in lines if line.positional]
    written = [
        line.left if line.required else f"[{line.left}]"
        for line in lines
        if line.positional or line.required
    ]
    page = [f"usage: {' '.join([prog, *written, '[OPTIONS]'])}", ""]
    page += _wrap(inspect.getdoc(options_class) or "", width, 0)
    groups = {"arguments": positional, **_group([x for x in lines if not x.positional])}
    for title, members in groups.items():
        if members:
            page += ["", f"{title}:"]
            page += [text for line in members for text in _show(line, width)]
    if examples := EXAMPLES.get(command):
        page += ["", "examples:"]
        for what, example in examples:
            page += [f"  # {what}", f"  kerasclf {example}"]
    return "\n".join(page)


def _group(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """The options by the title of their group: those of the command alone come first."""
    title_of = {name: title for title, names in GROUPS.items() for name in names}
    groups: dict[str, list[Line]] = {OWN: [], **{title: [] for title in GROUPS}}
    for line in lines:
        groups[title_of.get(line.name, OWN)].append(line)
    return groups


def _read_lines(options_class: type, command: str, default: Any) -> Iterator[Line]:
    hints = get_type_hints(options_class, include_extras=True)
    texts = read_docstrings(options_class)
    for field in fields(options_class):
        hint = hints[field.name]
        marks = hint.__metadata__ if get_origin(hint) is Annotated else ()
        if tyro.conf.Suppress in marks:
            continue
        kind = get_args(hint)[0] if marks else hint
        declared = next((mark for mark in marks if hasattr(mark, "help_behavior_hint")), None)
        text = (declared and declared.help) or texts.get(field.name, "")
        value = field.default if default is None else getattr(default, field.name)
        positional = tyro.conf.Positional in marks
        required = field.name in REQUIRED.get(command, ())
        name = (declared and declared.name) or field.name
        word = VALUES.get(name) or _metavar(name, kind, positional)
        if tyro.conf.UseAppendAction in marks:
            word = word.removesuffix(" ...")
        if positional:
            left = word
        elif kind is bool:
            left = f"--no-{_flag(name)}" if field.default is True else f"--{_flag(name)}"
        else:
            left = f"--{_flag(name)} {word}"
        hint_text = declared.help_behavior_hint if declared else None
        ending = "(required)" if required else hint_text or _default(value, kind, text)
        yield Line(field.name, left, f"{text} {ending}".strip(), positional, required)


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _metavar(name: str, kind: Any, positional: bool) -> str:
    """The word that stands for a value."""
    arguments = [part for part in get_args(kind) if part is not NoneType]
    if get_origin(kind) is tuple:
        single = (
            name.upper().removesuffix("S") if positional else _metavar(name, arguments[0], False)
        )
        return f"{single} ..."
    if positional:
        return name.upper()
    if get_origin(kind) is Literal:
        return "{" + ",".join(map(str, arguments)) + "}"
    if arguments:
        return _metavar(name, arguments[0], False)
    # Of a text, the last word of the option says what it is: --text-column COLUMN.
    return _WORDS.get(kind) or name.rpartition("_")[2].upper()


def _default(value: Any, kind: Any, text: str) -> str:
    """The end of an explanation: the default, unless there is none or the text says it."""
    if kind is bool or value in (None, (), "", MISSING) or "default: " in text:
        return ""
    shown = " ".join(map(str, value)) if isinstance(value, tuple) else value
    return f"(default: {shown})"


def _show(line: Line, width: int) -> list[str]:
    """An argument in two columns; a long one has the first line for itself."""
    left = " " * INDENT + line.left
    right = _wrap(line.right, width, HELP_AT)
    if len(left) + 2 > HELP_AT or not right:
        return [left, *right]
    return [left + right[0][len(left) :], *right[1:]]


def _wrap(text: str, width: int, indent: int) -> list[str]:
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    margin = " " * indent
    return textwrap.wrap(
        " ".join(paragraphs),
        max(width, indent + 30),
        initial_indent=margin,
        subsequent_indent=margin,
        break_on_hyphens=False,
    )


def read_docstrings(options_class: type) -> Mapping[str, str]:
    """The string below each field of a dataclass and of its bases.

    Args:
        options_class: whose source is at hand.
    """
    found: dict[str, str] = {}
    for base in reversed(options_class.__mro__[:-1]):
        tree = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for field, below in itertools.pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                found[field.target.id] = str(below.value.value)
    return found
