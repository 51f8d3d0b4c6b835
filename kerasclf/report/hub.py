"""The header of a model card: what the Hugging Face Hub reads of it.

Source: https://huggingface.co/docs/hub/model-cards, "Model card metadata" and "Evaluation results".
"""

from typing import Any

METRICS = {"accuracy": "accuracy", "macro_f1": "f1"}
"""Test metrics in the header, and the Hub's name of each."""


def describe_card(metrics: dict[str, Any], findings: dict[str, Any]) -> str:
    """The header as YAML, between its lines of hyphens.

    Args:
        metrics: content of metrics.json.
        findings: content of doctor.json.
    """
    import yaml

    source = findings["source"]
    measures = metrics["test"]["measures"]
    results = [
        {
            "type": METRICS[name],
            "name": f"{name.replace('macro_f1', 'macro-F1')} (test)",
            "value": round(measures[name]["value"], 4),
        }
        for name in METRICS
    ]
    data_set = source.get("data set", metrics["name"])
    header: dict[str, Any] = {
        "license": source.get("licence", "unknown").lower().replace(" ", "-"),
        "library_name": "keras",
        "pipeline_tag": "text-classification",
        "tags": ["kerasclf", "tflite"],
        "model-index": [
            {
                "name": metrics["name"],
                "results": [
                    {
                        "task": {"type": "text-classification"},
                        "dataset": {"name": data_set, "type": data_set},
                        "metrics": results,
                    }
                ],
            }
        ],
    }
    if "languages" in source:
        header = {"language": source["languages"].split(", "), **header}
    return "---\n" + yaml.safe_dump(header, sort_keys=False, allow_unicode=True) + "---"
