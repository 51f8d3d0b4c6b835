import random
import re

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL

from kerasclf.augmentation import new_rows, parallel
from kerasclf.augmentation.new_rows import COPY, KEPT, LEAK, augment_rows, extend
from kerasclf.augmentation.pairs import group_pairs, read_pairs
from kerasclf.augmentation.recipes import Material, change, make_recipe, swap_words
from kerasclf.augmentation.shares import share_new_rows
from kerasclf.config import RECIPES, TrainConfig
from kerasclf.data.duplicates import NearCopies, group_texts
from kerasclf.job.prepare import prepare_job
from kerasclf.layout import RunLayout
from kerasclf.train import main as train

TEXTS = [f"selamat pagi semua orang di kota {name}" for name in ("Solo", "Medan", "Bandung")]
STRANGE = ["", " ", "😀", "a", "a\0b", "நன்றி மிகவும் நல்லது நண்பரே", "(( ** [["]
LEXICON = [("yg", "yang"), ("org", "orang"), ("smua", "semua"), ("trims", "terima kasih")]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "cache"


def make(name, texts, seed=0):
    material = Material(TEXTS, LEXICON, [(text, f"kembali: {text}") for text in TEXTS])
    recipes = {name: make_recipe(name, material)}
    seeds = range(seed, seed + len(texts))
    return change(texts, [name] * len(texts), seeds, recipes)


def test_shares_by_hand():
    assert share_new_rows(np.array([60, 30, 10]), 50, False).tolist() == [30, 15, 5]
    # The smallest is raised to the next one first, then both together: 40 and 70 meet at 75.
    assert share_new_rows(np.array([100, 70, 40]), 40, True).tolist() == [0, 5, 35]
    # Once all are equal, they stay so.
    assert share_new_rows(np.array([10, 7, 4]), 12, True).tolist() == [1, 4, 7]
    assert share_new_rows(np.array([0, 5, 5]), 3, True).tolist() == [0, 2, 1]
    assert share_new_rows(np.array([0, 5]), 3, False).tolist() == [0, 3]


@pytest.mark.parametrize("balance", [False, True])
def test_shares_add_up_and_balance_never_overtakes(balance):
    generator = np.random.default_rng(0)
    for _ in range(200):
        counts = generator.integers(1, 500, size=generator.integers(1, 12))
        total = int(generator.integers(1, 2000))
        shares = share_new_rows(counts, total, balance)
        assert shares.sum() == total
        assert shares.min() >= 0
        if balance:
            after = counts + shares
            assert after[shares > 0].max() - after.min() <= 1


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_change_a_text_from_its_seed_alone(name):
    texts = TEXTS * 4
    made = make(name, texts)
    assert all(isinstance(text, str) for text in made)
    assert sum(a != b for a, b in zip(made, texts, strict=True)) >= 9
    assert make(name, texts[5:], seed=5) == made[5:]
    if name != "back-translation":
        assert make(name, texts, seed=100) != made


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_take_any_text(name):
    made = make(name, STRANGE * 5)
    assert len(made) == len(STRANGE) * 5
    assert all(isinstance(text, str) for text in made)


def test_recipes_keep_mentions_and_words_of_other_scripts_whole():
    for name in ("keyboard", "character", "word", "tfidf"):
        for text in make(name, ["@user #satu நன்றி"] * 5):
            assert len(text.split()) <= 3


def test_recipes_leave_the_global_generators_alone():
    states = random.getstate(), np.random.get_state()[1].copy()
    make("character", TEXTS)
    assert random.getstate() == states[0]
    assert (np.random.get_state()[1] == states[1]).all()


def test_tfidf_puts_in_words_of_the_training_texts_only():
    words = {word for text in TEXTS for word in text.split()}
    for text in make("tfidf", TEXTS * 10):
        assert {word.lower() for word in text.split()} <= {word.lower() for word in words}
    # A second material is not answered from the first one's statistics.
    other = make_recipe("tfidf", Material(["x y z", "x w", "x w v"]))
    found = change(["x y z w"] * 20, ["tfidf"] * 20, range(20), {"tfidf": other})
    assert {word.lower() for text in found for word in text.split()} <= set("xyzwv")


def test_words_are_swapped_by_hand():
    forms = group_pairs([("yg", "yang"), ("Yg", "yang"), ("sama", "Sama")])
    assert forms == {"yg": ["yang", "yang"]}
    swap = random.Random(0)
    assert swap_words('orang "Yg" baik, yg.', forms, 1.0, swap) == 'orang "yang" baik, yang.'
    assert swap_words("tidak  ada", forms, 1.0, swap) == "tidak  ada"


def test_pairs_are_read_in_their_encoding(tmp_path):
    (tmp_path / "l.csv").write_bytes("caf\xe9,kafe\n".encode("latin-1"))
    assert read_pairs(tmp_path / "l.csv", "--lexicon", "latin-1") == [("café", "kafe")]


def test_the_stored_lexicon_is_read(mirror):
    pairs = read_pairs(next(mirror.rglob("new_kamusalay.csv")), "--lexicon", "latin-1")
    assert len(pairs) == 15167
    assert ("3x", "tiga kali") in pairs


def test_near_copies_are_what_would_share_a_group():
    known = ["Selamat pagi semua orang di kota!", "apa kabar"]
    texts = ["selamat pagi semua orang di kota", "Selamat pagi semua orang di kotak", "apa", "?"]
    found = NearCopies(known).find(texts)
    assert found.tolist() == [True, True, False, False]
    groups = group_texts([*known, *texts])
    assert [group in groups[:2] for group in groups[2:]] == found.tolist()


CLASSES = np.repeat([0, 1], [40, 10])
ROWS = [f"baris nomor {i} tentang barang {i * 7} di toko" for i in range(50)]


def config_of(**choices):
    return TrainConfig(**{"augment": "keyboard,word", **choices})


def test_new_rows_are_seeded_and_of_training_rows():
    frame = augment_rows(config_of(), ROWS, CLASSES, ["lain sekali"])
    texts, classes, sources = extend(ROWS, CLASSES, frame)
    assert len(sources) == 25
    assert np.bincount(classes[50:]).tolist() == [20, 5]
    assert (classes[50:] == CLASSES[sources]).all()
    assert len(set(texts)) == 75
    assert set(frame["recipe"]) == {"keyboard", "word"}
    assert np.bincount(sources).max() <= 2
    other = augment_rows(config_of(seed=1), ROWS, CLASSES, ["lain sekali"])
    assert frame["text"].tolist() != other["text"].tolist()


def test_balance_makes_classes_equal():
    frame = augment_rows(
        config_of(augment_ratio=0.8, balance_classes=True), ROWS, CLASSES, ["lain sekali"]
    )
    classes = extend(ROWS, CLASSES, frame)[1]
    assert np.bincount(classes).tolist() == [45, 45]


def test_near_copies_of_measured_rows_and_copies_are_dropped_and_counted():
    # Of each class, one text gives way to a text that is measured on, one to another row.
    pairs = {ROWS[0]: "yang diukur nanti", ROWS[1]: ROWS[2], ROWS[45]: "sesuatu yang baru"}
    table = [*pairs.items()]
    material = Material(ROWS, [], table)
    wanted = np.array([2, 1])
    config = config_of(augment="back-translation")
    frame = new_rows._make_rows(config, material, CLASSES, ["Yang diukur, nanti!"], wanted)
    by_text = dict(zip(frame["text"], frame["dropped"], strict=True))
    kept = extend(ROWS, CLASSES, frame)[0][50:]
    assert set(kept) <= {"sesuatu yang baru"}
    assert by_text.get("yang diukur nanti", LEAK) == LEAK
    assert set(frame["dropped"]) <= {KEPT, COPY, LEAK}
    everything = np.array([40, 10])
    frame = new_rows._make_rows(config, material, CLASSES, ["Yang diukur, nanti!"], everything)
    assert extend(ROWS, CLASSES, frame)[0][50:] == ["sesuatu yang baru"]
    described = new_rows.describe(frame.assign(label="a"))
    assert described["kept_by_recipe"] == {"back-translation": 1}
    assert described["dropped"][LEAK] >= 1
    assert sum(described["dropped"].values()) + 1 == described["made"]


def test_several_processes_make_the_same_rows(monkeypatch):
    texts, names = ROWS * 2, ["keyboard", "tfidf"] * 50
    alone = parallel.change_texts(texts, names, range(100), Material(ROWS))
    monkeypatch.setattr(parallel, "TEXTS_A_PROCESS", 50)
    monkeypatch.setattr(parallel, "CHUNK", 30)
    monkeypatch.setattr(parallel.os, "cpu_count", lambda: 2)
    assert parallel.change_texts(texts, names, range(100), Material(ROWS)) == alone


def test_equal_choices_are_answered_from_the_cache(cache, monkeypatch):
    first = augment_rows(config_of(), ROWS, CLASSES, ["lain"])
    monkeypatch.setattr(new_rows, "change_texts", lambda *arguments: 1 / 0)
    pd.testing.assert_frame_equal(first, augment_rows(config_of(), ROWS, CLASSES, ["lain"]))
    for changed in (
        (config_of(seed=1), ROWS, CLASSES, ["lain"]),
        (config_of(), ROWS[::-1], CLASSES, ["lain"]),
        (config_of(), ROWS, CLASSES, ["lain", "lagi"]),
    ):
        with pytest.raises(ZeroDivisionError):
            augment_rows(*changed)
    assert len(list(cache.rglob("*.parquet"))) == 1


def test_a_run_keeps_its_new_rows(table, tmp_path, capsys):
    (tmp_path / "l.csv").write_text("pagi,malam\nmorning,evening\nguten,schönen\n")
    options = ["--augment=keyboard,lexicon", f"--lexicon={tmp_path}/l.csv", "--balance-classes"]
    options += ["--augment-ratio=0.6", "--epochs=1", f"--output={tmp_path}/runs"]
    assert train([f"--data={table}", *options, *SMALL]) == 0
    layout = RunLayout.open(tmp_path / "runs" / "greetings")
    frame, split = pd.read_parquet(layout.augmented), pd.read_parquet(layout.split)
    inside = split[split["split"] == "train"].set_index("row")["label"]
    assert (inside.loc[frame["row"]].to_numpy() == frame["label"]).all()
    kept = frame[frame["dropped"] == ""]
    metrics = new_rows.describe(frame)
    assert metrics["kept"] == len(kept) > 10
    assert f"{len(kept)} new rows to train on" in capsys.readouterr().err
    assert TrainConfig.from_yaml(layout.config).class_weights == "none"
    after = inside.value_counts() + kept["label"].value_counts().reindex(inside.unique()).fillna(0)
    assert after.max() - after.min() <= 1
    assert "<h2>New rows</h2>" in layout.report.read_text()


def test_weights_count_original_rows_and_what_is_odd_is_warned_of(table, tmp_path):
    (tmp_path / "b.csv").write_text("thank you Leeds,many thanks from Leeds\n")
    plain = prepare_job(TrainConfig(data=table, class_weights="balanced"))
    augmented = prepare_job(
        TrainConfig(
            data=table,
            class_weights="balanced",
            augment="back-translation",
            back_translation=tmp_path / "b.csv",
            balance_classes=True,
        )
    )
    assert augmented.class_weights() == plain.class_weights()
    text = "\n".join(augmented.warnings())
    assert "count the imbalance twice" in text
    assert re.search(r"only [01] of \d+ new rows could be made", text)
