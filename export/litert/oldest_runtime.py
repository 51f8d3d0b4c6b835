"""The oldest release of TensorFlow Lite (now LiteRT) that runs a .tflite.

TensorFlow's converter writes it into the file, as `min_runtime_version`, from a table of the
releases that each version of each op came with (tensorflow/lite/tools/versioning). What changes
after conversion is not in it: lookups that `export.litert.lookup` puts in, weights that
ai-edge-quantizer makes int8 without a new version of their op, and where it puts constants. Needs
only numpy and ai-edge-litert.
"""

from ai_edge_litert import schema_py_generated as schema

METADATA = b"min_runtime_version"
LOOKUPS = {1: "1.13.0", 2: "1.14.0", 3: "1.14.0", 4: "2.18.0"}
"""The release of each version of EMBEDDING_LOOKUP, from that table."""
DENSE = {schema.TensorType.FLOAT32: "2.17.0", schema.TensorType.INT8: "2.12.0"}
"""For a dense layer with an int8 scale per channel, by type of its input. The first is from that
table (FULLY_CONNECTED 12). Versions do not tell the second: it is the oldest that was tried."""

CONSTANTS_BEHIND = "2.14.0"
"""For constants behind the flatbuffer; TensorFlow 2.13 was tried, too, and does not find them."""


def find_oldest_runtime(model: bytes) -> str | None:
    """The oldest release that runs a flatbuffer, such as "2.4.0".

    Returns:
        The release; None if the file does not tell, or has a lookup of an unknown version.
    """
    flatbuffer = schema.Model.GetRootAsModel(model, 0)
    found = [_read_metadata(flatbuffer)]
    if any(flatbuffer.Buffers(i).Offset() > 1 for i in range(flatbuffer.BuffersLength())):
        found.append(CONSTANTS_BEHIND)
    for graph in map(flatbuffer.Subgraphs, range(flatbuffer.SubgraphsLength())):
        for operator in map(graph.Operators, range(graph.OperatorsLength())):
            code = flatbuffer.OperatorCodes(operator.OpcodeIndex())
            if code.BuiltinCode() == schema.BuiltinOperator.EMBEDDING_LOOKUP:
                found.append(LOOKUPS.get(code.Version()))
            elif code.BuiltinCode() == schema.BuiltinOperator.FULLY_CONNECTED:
                source, weights = (graph.Tensors(operator.Inputs(i)) for i in range(2))
                scales = weights.Quantization().ScaleLength() if weights.Quantization() else 0
                if weights.Type() == schema.TensorType.INT8 and scales > 1:
                    found.append(DENSE.get(source.Type()))
    releases = [release for release in found if release is not None]
    return max(releases, key=_parse) if len(releases) == len(found) else None


def _read_metadata(flatbuffer: schema.Model) -> str | None:
    """What the converter wrote, without the zeros at its end."""
    for entry in map(flatbuffer.Metadata, range(flatbuffer.MetadataLength())):
        if entry.Name() == METADATA:
            content = flatbuffer.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
            return content.rstrip(b"\0").decode() or None
    return None


def _parse(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))
