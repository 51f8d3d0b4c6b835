"""What may import what: the rooms of the project, from the bottom up."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from kerasclf.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]

ROOMS = (
    # kerasclf: the foundation, which needs neither Keras nor data.
    *("kerasclf.errors", "kerasclf.console", "kerasclf.temporary"),
    *("kerasclf.files", "kerasclf.manifest", "kerasclf.extras"),
    *("kerasclf.memory", "kerasclf.next_steps", "kerasclf.usage", "kerasclf.help_page"),
    *("kerasclf.encoders", "kerasclf.yaml_options", "kerasclf.config"),
    *("kerasclf.command", "kerasclf.train_options"),
    *("kerasclf.client", "kerasclf.callable_module"),
    # Predictions of whatever computes them, without TensorFlow.
    *("kerasclf.prediction", "kerasclf.edge_runtime"),
    # Arrays and tables.
    *("kerasclf.statistics", "kerasclf.data", "kerasclf.table_options"),
    *("kerasclf.augmentation", "kerasclf.decision"),
    # A run on disk, and a model in memory.
    *(
        "kerasclf.run",
        "kerasclf.models",
        "kerasclf.linear",
        "kerasclf.training",
        "kerasclf.classifier",
        "kerasclf.explanation",
    ),
    *(
        "kerasclf.light",
        "kerasclf.spark",
        "kerasclf.exporting",
        "kerasclf.trained",
        *("kerasclf.table_prediction", "kerasclf.server"),
    ),
    # What is measured, how it is shown, and the job that does all of it.
    *("kerasclf.evaluation", "kerasclf.report", "kerasclf.job", "kerasclf.api"),
    "kerasclf.reviewing",
    "kerasclf.text_classifier",
    # export: the program of every exported file, then one room per target.
    *("export.program", "export.litert", "export.device", "export.serving", "export.tensorrt"),
    *("export.compression", "export.distillation", "export.ladder", "export.scoring"),
    "export.api",
    "tuning",
)
"""Rooms in an order in which each imports only earlier ones (and itself)."""


def room_of(module: str) -> str:
    """The room of a module."""
    parts = module.split(".")
    for length in (2, 1):
        if ".".join(parts[:length]) in ROOMS:
            return ".".join(parts[:length])
    return module


@cache
def read_imports(root: Path, types: bool = True) -> dict[str, set[str]]:
    """The modules of the project that each of its modules imports, anywhere in the file.

    Args:
        root: folder of the packages.
        types: whether imports under `if TYPE_CHECKING` count.
    """
    names = {}
    for file in (f for p in ("kerasclf", "export", "tuning") for f in (root / p).rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    imports = {}
    for name, file in names.items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if not types:
            tree = RemoveTypeChecking().visit(tree)
        imported = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                # `from package import module` imports the module, `from module import name` too.
                members = {f"{node.module}.{alias.name}" for alias in node.names}
                imported |= (members & set(names)) or {node.module}
        imports[name] = {module for module in imported if module in names} - {name}
    return imports


class RemoveTypeChecking(ast.NodeTransformer):
    """Removes what only a type checker runs."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        is_guard = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return node.orelse if is_guard else self.generic_visit(node)


EXPORTING = "kerasclf.exporting"
"""The one module of kerasclf that imports `export`, when it is called."""


def is_command(module: str) -> bool:
    """Whether a module parses a command line; only the program itself may import it."""
    return module in {path for path, _ in COMMANDS.values()}


def find_wrong_imports(imports: dict[str, set[str]]) -> list[str]:
    """Lines «module imports module» that go up the list of rooms, or to a command."""
    order = {room: place for place, room in enumerate(ROOMS)}
    entries = {"kerasclf", "kerasclf.cli", "kerasclf.__main__"}
    return [
        f"{module} imports {imported}"
        for module, others in sorted(imports.items())
        for imported in sorted(others)
        if not (module == EXPORTING and imported.startswith("export."))
        if is_command(imported)
        or (
            not (is_command(module) or module in entries)
            and order.get(room_of(imported), 0) > order.get(room_of(module), -1)
        )
    ]


def test_rooms_import_only_earlier_rooms():
    assert find_wrong_imports(read_imports(ROOT)) == []


def test_every_module_has_a_room():
    modules = {m for m in read_imports(ROOT) if "." in m and not is_command(m)}
    outside = {m for m in modules if room_of(m) not in ROOMS}
    assert outside == {"kerasclf.cli", "kerasclf.__main__"}
    assert {room_of(m) for m in modules} >= set(ROOMS) - {"tuning"}


def test_no_module_imports_itself_through_others():
    try:
        TopologicalSorter(read_imports(ROOT, types=False)).prepare()
    except CycleError as error:
        pytest.fail(f"circular import: {' -> '.join(error.args[1])}")


def test_packages_import_in_one_direction():
    allowed = {
        "kerasclf": {"kerasclf"},
        "export": {"export", "kerasclf"},
        "tuning": {"tuning", "export", "kerasclf"},
    }
    wrong = [
        f"{module} imports {imported}"
        for module, others in read_imports(ROOT).items()
        for imported in others
        if module != EXPORTING
        if imported.split(".")[0] not in allowed[module.split(".")[0]]
    ]
    assert wrong == []


def test_a_wrong_import_is_found(tmp_path):
    for package in ("kerasclf/data", "kerasclf/report", "export", "tuning"):
        (tmp_path / package).mkdir(parents=True)
    (tmp_path / "kerasclf/train.py").write_text("")
    (tmp_path / "kerasclf/report/page.py").write_text("from kerasclf.data import tables\n")
    (tmp_path / "kerasclf/data/tables.py").write_text(
        "def f():\n    from kerasclf.report.page import x\n    from kerasclf import train\n"
    )
    assert find_wrong_imports(read_imports(tmp_path)) == [
        "kerasclf.data.tables imports kerasclf.report.page",
        "kerasclf.data.tables imports kerasclf.train",
    ]
