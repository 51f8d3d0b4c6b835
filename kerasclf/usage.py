"""What the help of commands says besides their options: groups, required ones, and examples."""

OWN = "options"
"""Title of the options that belong to no group: those of the command alone."""

GROUPS = {
    "data": (
        *("dataset", "data", "validation", "test", "text_column", "label_column"),
        *("group_column", "split_column", "source_column", "measure_on", "source_weights"),
        *("slice_column", "encoding", "delimiter", "sheet", "header", "label_order"),
        *("min_class_rows", "group_templates", "corrections", "correct_test"),
    ),
    "split": ("split", "validation_share", "test_share", "seed"),
    "model": (
        *("encoder", "linear", "linear_terms", "linear_c", "max_bytes", "max_tokens"),
        *("freeze_layers", "buckets", "embedding_dim", "filters", "towers", "dropout"),
    ),
    "imbalance": ("sampler", "class_weights", "loss", "focal_gamma", "label_smoothing"),
    "augmentation": (
        *("augment", "augment_ratio", "balance_classes", "lexicon", "lexicon_encoding"),
        "back_translation",
    ),
    "training": (
        *("epochs", "patience", "batch_size", "learning_rate", "weight_decay", "warmup_share"),
        *("clip_norm", "mixed_precision", "jit_compile"),
    ),
    "decision": ("cost_matrix", "review_below", "target"),
    "output": ("name", "output", "json", "debug"),
}
"""Options by the title of their group."""

VALUES = {
    "measure_on": "SOURCE ...",
    "source_weights": "SOURCE=WEIGHT ...",
    "label_order": "LABEL ...",
    "runs": "FOLDER",
    "delimiter": "CHARACTER",
    "encoding": "NAME",
    "lexicon_encoding": "NAME",
    "dataset": "NAME",
    "sheet": "NAME",
    "chief": "HOST:PORT",
}
"""What stands for the value of an option whose type and name do not say it."""

REQUIRED = {
    "evaluate": ("run",),
    "report": ("run",),
    "compare": ("runs",),
    "ensemble": ("runs",),
    "attack": ("run",),
    "predict": ("run",),
    "explain": ("run", "texts"),
    "review": ("run",),
    "suspects": ("run",),
    "label-next": ("run", "unlabelled"),
    "sources": ("source_column", "measure_on"),
    "search": ("space",),
    "prune": ("run",),
    "cluster": ("run",),
    "qat": ("run",),
    "tflite": ("run",),
    "compress": ("run",),
    "edge": ("source", "output"),
    "web": ("source", "output"),
    "onnx": ("run",),
    "tftrt": ("run",),
    "batch": ("model", "input", "output"),
    "serve": ("runs",),
    "verify": ("run",),
    "request": ("url", "texts"),
    "loadtest": ("url",),
}
"""By command: the arguments without which it refuses to run."""

EXAMPLES = {
    "train": (
        ("the embedded sample", "train"),
        (
            "a table of one's own",
            "train --data posts.xlsx --text-column tweet --label-column level",
        ),
        (
            "ordered labels; rows of one author stay in one split",
            "train --data posts.csv --label-order none weak strong --group-column author",
        ),
        ("go on after an interruption", "train --resume runs/posts/1.partial"),
    ),
    "evaluate": (("on new rows", "evaluate runs/posts --data new.csv --label-column level"),),
    "report": (("the newest run of a name", "report runs/posts"),),
    "compare": (("two runs, with a page", "compare runs/posts/1 runs/posts/2 --output compared"),),
    "crossval": (("five folds", "crossval --data posts.csv --folds 5"),),
    "ensemble": (
        ("weights from validation rows", "ensemble runs/posts/1 runs/posts/2 --weights auto"),
    ),
    "progress": (("all runs of a name", "progress posts"),),
    "attack": (("a page", "attack runs/posts --output attacks.html"),),
    "predict": (
        ("texts", 'predict runs/posts "selamat pagi" "apa kabar?"'),
        ("a table", "predict runs/posts --input new.csv --output labelled.csv"),
    ),
    "explain": (("one text", 'explain runs/posts "selamat pagi"'),),
    "sources": (
        (
            "what synthetic rows add to manual ones",
            "sources --data posts.csv --source-column source --measure-on manual",
        ),
    ),
    "review": (
        ("a page of the newest run of a name", "review runs/posts"),
        ("with texts to label next", "review runs/posts --unlabelled more.csv"),
    ),
    "suspects": (("for scripts", "suspects runs/posts --output suspects.jsonl"),),
    "label-next": (("100 texts", "label-next runs/posts --unlabelled more.csv --count 100"),),
    "doctor": (
        ("a table", "doctor posts.csv --text-column tweet --label-column level"),
        ("with the rows behind the counts", "doctor posts.csv --problems problems.csv"),
        ("a data set", "doctor --dataset id-hate"),
    ),
    "search": (("twenty random trials", "search --data posts.csv --space bytes --trials 20"),),
    "distill": (
        ("of a finished run", "distill runs/posts/1 --student small"),
        (
            "of an encoder, with texts that have no labels",
            "distill --teacher ENCODER --data labelled.csv --unlabelled posts.csv",
        ),
    ),
    "prune": (("four of five weights", "prune runs/posts --sparsity 0.8"),),
    "cluster": (("16 values a layer", "cluster runs/posts --clusters 16"),),
    "qat": (("the newest run of a name", "qat runs/posts"),),
    "tflite": (
        ("8-bit weights", "tflite runs/posts --output model.tflite"),
        ("32-bit weights", "tflite runs/posts --recipe float32 --output exact.tflite"),
    ),
    "compress": (("within limits", 'compress runs/posts --budget "size<500KB,macro_f1_drop<1%"'),),
    "edge": (("of a file", "edge model.tflite --output device"),),
    "web": (("of a file", "web model.tflite --output page"),),
    "onnx": (("the newest run of a name", "onnx runs/posts --output model.onnx"),),
    "tftrt": (("16-bit engines", "tftrt runs/posts --precision FP16"),),
    "saved_model": (
        ("publish", "saved_model runs/posts --to models/posts"),
        ("go back to the version before", "saved_model --to models/posts --rollback"),
    ),
    "batch": (("many files", "batch runs/posts --input 'posts/*.jsonl' --output labelled/part"),),
    "verify": (("after a copy", "verify runs/posts/3"),),
    "clean": (
        ("list what was left", "clean"),
        ("remove it, but no run", "clean runs saved_models scored --remove"),
    ),
    "serve": (
        ("the newest run of a name", "serve runs/posts"),
        ("two models for the whole network", "serve runs/posts runs/other --host 0.0.0.0"),
    ),
    "request": (("one text", 'request http://localhost:8501/v1/models/posts "selamat pagi"'),),
    "loadtest": (
        ("for a minute", "loadtest http://localhost:8501/v1/models/posts --rate 50 --seconds 60"),
    ),
    "datasets": (("for programs", "datasets --json"),),
    "completion": (("in ~/.bashrc, as: source <(kerasclf completion)", "completion"),),
}
"""By command: what an example does, and its arguments."""
