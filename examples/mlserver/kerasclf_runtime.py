"""A finished run behind MLServer, without TensorFlow: `mlserver start examples/mlserver`."""

import asyncio

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.codecs.lists import is_list_of
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse
from mlserver.utils import get_model_uri

import kerasclf


class KerasclfRuntime(MLModel):
    """Answers `/v2/models/NAME/infer` with the outputs of `kerasclf serve`."""

    async def load(self) -> bool:
        """Loads the run, or the newest run in the folder, that `parameters.uri` names.

        Raises:
            UserError: it is not finished, or damaged.
        """
        self._classifier = kerasclf.load(await get_model_uri(self.settings))
        # A damaged file is found now, and no request waits for LiteRT.
        self._classifier.run_on(["selamat pagi"])
        number = self._classifier.run.name
        self._version = int(number) if number.isdecimal() else 0
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Labels the texts in the input, BYTES [n] or [n, 1].

        Raises:
            InferenceError: the input is another one.
        """
        if [tensor.datatype for tensor in payload.inputs] != ["BYTES"]:
            raise InferenceError("expected one input, 'text' of BYTES [n]")
        data = payload.inputs[0].data.root
        # The codec would read any other value as an empty text.
        if not is_list_of(data, (str, bytes)):
            raise InferenceError("expected a flat list of texts as data")
        try:
            texts = StringCodec.decode_input(payload.inputs[0])
        except UnicodeDecodeError as error:
            raise InferenceError(f"a text is not UTF-8: {error}") from error
        # In a thread: health checks are answered meanwhile.
        decided, review, probabilities = await asyncio.to_thread(self._classifier.run_on, texts)
        labels = [self._classifier.labels[class_id] for class_id in decided]
        arrays = {
            "class_id": decided.astype(np.int32),
            "probabilities": probabilities.astype(np.float32),
            "review": review,
            "version": np.full(len(texts), self._version),
        }
        outputs = [StringCodec.encode_output("label", labels)]
        outputs += [NumpyCodec.encode_output(name, array) for name, array in arrays.items()]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)
