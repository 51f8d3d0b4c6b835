import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "kerasclf": {"kerasclf"},
    "export": {"export", "kerasclf"},
    "tuning": {"tuning", "export", "kerasclf"},
    "benchmarks": {"benchmarks", "kerasclf"},
}


def find_wrong_imports(root: Path) -> list[str]:
    """file:line of every import that goes against export -> kerasclf, tuning -> both."""
    wrong = []
    for package, allowed in MAY_IMPORT.items():
        for file in sorted((root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module]
                else:
                    continue
                tops = {name.split(".")[0] for name in names} & set(MAY_IMPORT)
                wrong += [
                    f"{file.relative_to(root)}:{node.lineno} imports {top}"
                    for top in sorted(tops - allowed)
                ]
    return wrong


def test_packages_import_in_one_direction():
    assert find_wrong_imports(ROOT) == []


def test_a_wrong_import_is_found_with_its_line(tmp_path):
    for package in MAY_IMPORT:
        (tmp_path / package).mkdir()
    (tmp_path / "kerasclf" / "a.py").write_text("import os\n\nfrom export.tflite import x\n")
    (tmp_path / "export" / "b.py").write_text("def f():\n    import tuning.search\n")
    (tmp_path / "tuning" / "c.py").write_text("import export, kerasclf\n")
    assert find_wrong_imports(tmp_path) == [
        "kerasclf/a.py:3 imports export",
        "export/b.py:2 imports tuning",
    ]
