import random
import re

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL

from kerasclf.augmentation import new_rows, parallel
from kerasclf.augmentation.new_rows import (
    COPY,
    KEPT,
    LEAK,
    augment_rows,
    describe,
    extend,
    make_new_rows,
)
from kerasclf.augmentation.pairs import group_pairs, read_pairs
from kerasclf.augmentation.recipes import Resources, apply_recipes, make_recipe, swap_words
from kerasclf.augmentation.shares import share_new_rows
from kerasclf.config import RECIPES, TrainConfig
from kerasclf.data.duplicates import NearDuplicateIndex, group_texts
from kerasclf.job.prepare import prepare_job
from kerasclf.run.layout import RunLayout
from kerasclf.train import main as train

TEXTS = [f"selamat pagi semua orang di kota {name}" for name in ("Solo", "Medan", "Bandung")]
STRANGE = ["", " ", "😀", "a", "a\0b", "நன்றி மிகவும் நல்லது நண்பரே", "(( ** [["]
LEXICON = [("yg", "yang"), ("org", "orang"), ("smua", "semua"), ("trims", "terima kasih")]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "cache"


def augment(name, texts, seed=0):
    resources = Resources(TEXTS, LEXICON, [(text, f"kembali: {text}") for text in TEXTS])
    recipes = {name: make_recipe(name, resources)}
    seeds = range(seed, seed + len(texts))
    return apply_recipes(texts, [name] * len(texts), seeds, recipes)


def test_shares_by_hand():
    assert share_new_rows(np.array([60, 30, 10]), 50, False).tolist() == [30, 15, 5]
    # The smallest class is raised first, then both together: 40 and 70 become 75.
    assert share_new_rows(np.array([100, 70, 40]), 40, True).tolist() == [0, 5, 35]
    # Once all classes are equal, they stay equal.
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
    augmented = augment(name, texts)
    assert all(isinstance(text, str) for text in augmented)
    assert sum(a != b for a, b in zip(augmented, texts, strict=True)) >= 9
    assert augment(name, texts[5:], seed=5) == augmented[5:]
    if name != "back-translation":
        assert augment(name, texts, seed=100) != augmented


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_accept_any_text(name):
    augmented = augment(name, STRANGE * 5)
    assert len(augmented) == len(STRANGE) * 5
    assert all(isinstance(text, str) for text in augmented)


@pytest.mark.parametrize("name", ["keyboard", "character", "word", "tfidf"])
def test_recipes_do_not_split_mentions_and_words_of_other_scripts(name):
    counts = [len(text.split()) for text in augment(name, ["@user #satu நன்றி"] * 5)]
    assert len(counts) == 5
    # A word may be deleted.
    assert 1 <= min(counts) <= max(counts) <= 3


def test_recipes_leave_the_global_generators_alone():
    states = random.getstate(), np.random.get_state()[1].copy()
    augment("character", TEXTS)
    assert random.getstate() == states[0]
    assert (np.random.get_state()[1] == states[1]).all()


def words_of(texts):
    return {word.lower() for text in texts for word in text.split()}


def test_tfidf_inserts_only_words_of_the_training_texts():
    augmented = augment("tfidf", TEXTS * 10)
    assert len(augmented) == 30
    assert words_of(augmented) <= words_of(TEXTS)
    # A second recipe does not use the statistics of the first.
    other = make_recipe("tfidf", Resources(["x y z", "x w", "x w v"]))
    texts = ["x y z w"] * 20
    augmented = apply_recipes(texts, ["tfidf"] * 20, range(20), {"tfidf": other})
    assert augmented != texts
    assert words_of(augmented) <= set("xyzwv")


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


def test_near_duplicates_are_texts_that_would_share_a_group():
    indexed = ["Selamat pagi semua orang di kota!", "apa kabar"]
    texts = ["selamat pagi semua orang di kota", "Selamat pagi semua orang di kotak", "apa", "?"]
    matches = NearDuplicateIndex(indexed).matches(texts)
    assert matches.tolist() == [True, True, False, False]
    groups = group_texts([*indexed, *texts])
    assert [group in groups[:2] for group in groups[2:]] == matches.tolist()


CLASS_IDS = np.repeat([0, 1], [40, 10])
ROWS = [f"baris nomor {i} tentang barang {i * 7} di toko" for i in range(50)]


def choose(**choices):
    return TrainConfig(**{"augment": "keyboard,word", **choices})


def test_new_rows_are_seeded_and_come_from_training_rows():
    frame = augment_rows(choose(), ROWS, CLASS_IDS, ["lain sekali"])
    texts, class_ids, sources = extend(ROWS, CLASS_IDS, frame)
    assert len(sources) == 25
    assert np.bincount(class_ids[50:]).tolist() == [20, 5]
    assert (class_ids[50:] == CLASS_IDS[sources]).all()
    assert len(set(texts)) == 75
    assert set(frame["recipe"]) == {"keyboard", "word"}
    assert np.bincount(sources).max() <= 2
    other = augment_rows(choose(seed=1), ROWS, CLASS_IDS, ["lain sekali"])
    assert frame["text"].tolist() != other["text"].tolist()


def test_balance_makes_classes_equal():
    frame = augment_rows(
        choose(augment_ratio=0.8, balance_classes=True), ROWS, CLASS_IDS, ["lain sekali"]
    )
    class_ids = extend(ROWS, CLASS_IDS, frame)[1]
    assert np.bincount(class_ids).tolist() == [45, 45]


def test_copies_and_near_duplicates_of_held_out_rows_are_dropped_and_counted():
    # One text becomes a held-out text, one another training row, and one a new text; the recipe
    # returns all others unchanged.
    translations = [
        (ROWS[0], "yang diukur nanti"),
        (ROWS[1], ROWS[2]),
        (ROWS[45], "sesuatu yang baru"),
    ]
    frame = make_new_rows(
        choose(augment="back-translation"),
        Resources(ROWS, [], translations),
        CLASS_IDS,
        ["Yang diukur, nanti!"],
        np.array([40, 10]),
    )
    first_round = frame[:50]
    reasons = dict(zip(first_round["source"], first_round["dropped"], strict=True))
    assert reasons == dict.fromkeys(range(50), COPY) | {0: LEAK, 45: KEPT}
    assert extend(ROWS, CLASS_IDS, frame)[0][50:] == ["sesuatu yang baru"]
    assert describe(frame.assign(label="a")) == {
        # 50 rows, and 4 more rounds without the one that was kept.
        "made": 50 + 4 * 49,
        "kept": 1,
        "dropped": {COPY: 244, LEAK: 1},
        "kept_by_recipe": {"back-translation": 1},
        "kept_by_label": {"a": 1},
    }


def test_several_processes_create_the_same_rows(monkeypatch):
    texts, names = ROWS * 2, ["keyboard", "tfidf"] * 50
    one_process = parallel.augment_texts(texts, names, range(100), Resources(ROWS))
    assert len(one_process) == 100
    monkeypatch.setattr(parallel, "TEXTS_PER_PROCESS", 50)
    monkeypatch.setattr(parallel, "CHUNK", 30)
    monkeypatch.setattr(parallel.os, "cpu_count", lambda: 2)
    assert parallel.augment_texts(texts, names, range(100), Resources(ROWS)) == one_process


def test_equal_choices_are_read_from_the_cache(cache, monkeypatch):
    first = augment_rows(choose(), ROWS, CLASS_IDS, ["lain"])
    monkeypatch.setattr(new_rows, "augment_texts", lambda *arguments: 1 / 0)
    pd.testing.assert_frame_equal(first, augment_rows(choose(), ROWS, CLASS_IDS, ["lain"]))
    for changed in (
        (choose(seed=1), ROWS, CLASS_IDS, ["lain"]),
        (choose(), ROWS[::-1], CLASS_IDS, ["lain"]),
        (choose(), ROWS, CLASS_IDS, ["lain", "lagi"]),
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
    assert describe(frame)["kept"] == len(kept) > 10
    assert f"{len(kept)} augmented rows to train on" in capsys.readouterr().err
    assert TrainConfig.from_yaml(layout.config).class_weights == "none"
    after = inside.value_counts() + kept["label"].value_counts().reindex(inside.unique()).fillna(0)
    assert after.max() - after.min() <= 1
    assert ">Augmented rows</h2>" in layout.report.read_text()


def test_class_weights_ignore_new_rows_and_odd_choices_are_warned_of(table, tmp_path):
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
    assert "correct the imbalance twice" in text
    assert re.search(r"only [01] of \d+ new rows could be created", text)
