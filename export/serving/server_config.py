"""The files beside the models that TF Serving is started with."""

from pathlib import Path

from export.serving.versions import Versions
from kerasclf.files import write_text

MODELS = "models.config"
ONCE = ("batching.config", "monitoring.config", "compose.yaml", "kubernetes.yaml")
"""Files that are written only if they are missing, so that users can edit them."""

HEAD = """\
# A ModelServerConfig, written again by each publish and rollback: edits here are lost.
# The three newest versions stay loaded, so that no label names a version that is being unloaded.
# A request without version or label gets the newest version.
"""
MODEL = """\
  config {{
    name: "{name}"
    base_path: "/models/{name}"
    model_platform: "tensorflow"
    model_version_policy {{ latest {{ num_versions: 3 }} }}
{labels}
  }}
"""


def write_server_files(root: Path) -> None:
    """Writes models.config for all models in a folder, and the other files if they are missing.

    Call it under `export.serving.versions.lock`: it removes the files that killed processes left.

    Args:
        root: folder of all models, which the server sees as /models.
    """
    for name in (MODELS, *ONCE):
        for path in root.glob(f".[0-9]*.{name}"):
            path.unlink()
    models = [Versions(path) for path in sorted(root.glob("[!.]*")) if path.is_dir()]
    write_text(root / MODELS, _describe([model for model in models if model.published()]))
    templates = Path(__file__).parent / "templates"
    for name in ONCE:
        if not (root / name).exists():
            write_text(root / name, (templates / name).read_text(encoding="utf-8"))


def _describe(models: list[Versions]) -> str:
    blocks = []
    for model in models:
        lines = [
            f'    version_labels {{ key: "{label}" value: {number} }}'
            for label, number in model.version_labels().items()
        ]
        blocks.append(MODEL.format(name=model.name, labels="\n".join(lines)))
    return f"{HEAD}model_config_list {{\n{''.join(blocks)}}}\n"
