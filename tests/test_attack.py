import json
import random
import re

import numpy as np
import pandas as pd
import pytest

from kerasclf import cli
from kerasclf.augmentation.pairs import group_pairs
from kerasclf.decision.rule import Decision
from kerasclf.evaluation.attacks import (
    HOMOGLYPHS,
    LEET,
    make_attacks,
    measure_attacks,
    perturb,
)

SLANG = group_pairs([("yang", "yg"), ("tidak", "gak"), ("tidak", "nggak")])
TEXTS = [f"Orang yang baik tidak datang ke pasar nomor {i}" for i in range(40)]
ATTACKS = make_attacks(SLANG)


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_seeded_and_a_text_does_not_depend_on_others(name):
    found = perturb(TEXTS, name, ATTACKS[name], 0)
    assert found == perturb(TEXTS, name, ATTACKS[name], 0)
    assert found[:7] == perturb(TEXTS[:7], name, ATTACKS[name], 0)
    assert found != perturb(TEXTS, name, ATTACKS[name], 1)
    assert sum(a != b for a, b in zip(found, TEXTS, strict=True)) > 30


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_take_any_text(name):
    strange = ["", " ", "a", "😀", "a\0b", "  a  b ", "நன்றி", "ß"] * 5
    assert all(isinstance(text, str) for text in perturb(strange, name, ATTACKS[name], 0))


def test_attacks_undone_give_the_text_back():
    undo = {
        "leet": lambda text: text.translate({ord(v): k for k, v in LEET.items()}).lower(),
        "homoglyph": lambda text: text.translate({ord(v): k for k, v in HOMOGLYPHS.items()}),
        "case": str.lower,
        "spacing": lambda text: text.replace(" ", ""),
        "repeat": lambda text: re.sub(r"(.)\1+", r"\1", text),
        "slang": lambda text: text.replace("yg", "yang").replace("nggak", "gak"),
    }
    for name, restore in undo.items():
        texts = [re.sub(r" nomor \d+", "", text) for text in TEXTS]
        for text, found in zip(texts, perturb(texts, name, ATTACKS[name], 3), strict=True):
            expected = text.replace("tidak", "gak") if name == "slang" else text
            assert restore(found) == restore(expected), name


def test_homoglyphs_look_alike_but_differ():
    assert all(a.isascii() and not b.isascii() and len(b) == 1 for a, b in HOMOGLYPHS.items())
    assert all(a.isupper() == b.isupper() for a, b in HOMOGLYPHS.items())


def test_a_typo_keeps_most_letters():
    for text, found in zip(TEXTS, perturb(TEXTS, "typo", ATTACKS["typo"], 0), strict=True):
        assert len(found.split()) == len(text.split())
        assert not set(found) - set(text)


def test_figures_by_hand():
    """A classifier that only knows the small letter "a" from all others."""
    texts, class_ids = ["a", "b"] * 50, np.array([0, 1] * 50)

    def logits(texts):
        return np.array([[5.0, 0.0] if text == "a" else [0.0, 5.0] for text in texts])

    attacks = {"none": lambda text, _: text, "all": lambda text, _: text.upper()}
    found = measure_attacks(texts, class_ids, logits, Decision(1.0, (0.0, 0.0)), attacks, 0)
    assert found["rows"] == 100
    assert found["clean"]["macro_f1"]["value"] == 1.0
    assert found["attacks"]["none"]["changed"] == 0
    assert found["attacks"]["none"]["difference"]["difference"] == 0
    everything = found["attacks"]["all"]
    assert everything["changed"] == 1
    assert everything["example"] == ["a", "A"]
    # Class 1 has precision 1/2 and recall 1, class 0 nothing: (2/3 + 0) / 2.
    assert everything["macro_f1"]["value"] == pytest.approx(1 / 3)
    assert everything["difference"]["difference"] == pytest.approx(-2 / 3)
    assert everything["difference"]["verdict"] == "worse"
    assert everything["macro_f1"]["low"] < 1 / 3 < everything["macro_f1"]["high"]


def test_case_by_hand():
    generator = random.Random(0)
    flips = [generator.random() < 0.3 for _ in "abcd"]
    expected = "".join(c.upper() if flip else c for c, flip in zip("abcd", flips, strict=True))
    assert ATTACKS["case"]("abcd", random.Random(0)) == expected


def test_attack_command(run, tmp_path, capsys):
    (tmp_path / "l.csv").write_text("pgi,pagi\nmrning,morning\n")
    arguments = ["attack", str(run), f"--lexicon={tmp_path}/l.csv"]
    assert cli.main([*arguments, f"--output={tmp_path}/a.html", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    metrics = json.loads((run / "metrics.json").read_text())
    assert found["clean"]["macro_f1"] == metrics["test"]["measures"]["macro_f1"]
    assert list(found["attacks"]) == list(ATTACKS)
    page = (tmp_path / "a.html").read_text()
    assert page.count("<svg") == 1
    assert "<script" not in page
    assert f"{found['attacks']['leet']['macro_f1']['value']:.4f}" in page
    assert cli.main(["attack", str(run), f"--output={tmp_path}/a.svg", "--seed=3"]) == 0
    printed = capsys.readouterr().out
    assert "homoglyph" in printed
    assert "slang" not in printed
    assert (tmp_path / "a.svg").read_text().startswith("<svg")


BAD_ATTACKS = {
    "no run given": [],
    "no run ": ["{dir}/none"],
    "expected FILE.svg or FILE.html": ["{run}", "--output={dir}/a.png"],
    "is not a folder": ["{run}", "--output={table}/a.svg"],
    "cannot read --lexicon": ["{run}", "--lexicon={dir}/none.csv"],
    "row 1 is .*expected two non-empty cells": ["{run}", "--lexicon={dir}/one.csv"],
    "needs --lexicon FILE": ["{run}", "--lexicon-encoding=latin-1"],
    "--seed is -1": ["{run}", "--seed=-1"],
}


@pytest.mark.parametrize("message", BAD_ATTACKS)
def test_bad_attacks(message, run, table, tmp_path, capsys):
    pd.Series(["a"]).to_csv(tmp_path / "one.csv", index=False, header=False)
    places = {"run": run, "table": table, "dir": tmp_path}
    arguments = [argument.format(**places) for argument in BAD_ATTACKS[message]]
    assert cli.main(["attack", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err), captured.err
    assert [path.name for path in tmp_path.iterdir()] == ["one.csv"]
