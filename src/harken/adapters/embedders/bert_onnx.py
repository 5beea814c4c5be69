"""The weights of a BERT -> an ONNX graph that gives one vector a text, without torch.

    input_ids (int64, texts x tokens)  ->  embedding (float32, texts x width), of length 1

The texts of one call have the same number of tokens: there is no padding, and no mask that hides it.
Source: Devlin et al. 2019, as in Hugging Face's `BertModel`; the mean over the tokens as in sentence-transformers.
Opset 20 is the first that has Gelu (and LayerNormalization) as one node, which the runtime has fast kernels for.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

OPSET, IR_VERSION = 20, 9
IDS, EMBEDDING = "input_ids", "embedding"

Weights = Mapping[str, npt.NDArray[Any]]
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.")


def graph(weights: Weights, *, heads: int, epsilon: float = 1e-12) -> onnx.ModelProto:
    """Raises KeyError where a tensor of a BERT is missing."""
    made = _Graph(weights, heads, epsilon)
    hidden = made.embedded()
    for layer in range(1 + max(int(found[1]) for found in map(_LAYER.match, weights) if found)):
        hidden = made.layer(hidden, f"encoder.layer.{layer}")
    made.mean(hidden)
    return made.model()


def quantise(model: onnx.ModelProto, path: Path) -> None:
    """Weights as int8, in a file a quarter as large; what flows between them is quantised as it comes.

    A scale for each column, and 7 of the 8 bits: with all of them, processors without VNNI clip sums, and others do not.
    """
    add_pre_process_metadata(model)  # or it advises us to prepare the graph, which has nothing to prepare
    quantize_dynamic(model, path, per_channel=True, reduce_range=True)


class _Graph:
    """Nodes and weights as they are added; every method gives the name of what it computes."""

    def __init__(self, weights: Weights, heads: int, epsilon: float) -> None:
        self._weights, self._heads, self._epsilon = weights, heads, epsilon
        self._width: int = weights["embeddings.word_embeddings.weight"].shape[1]
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def const(self, value: Any) -> str:
        name = f"const_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value).reshape(np.shape(value)), name))
        return name

    def axes(self, *numbers: int) -> str:
        return self.const(np.array(numbers, np.int64))

    def embedded(self) -> str:
        """What a word, its position and the one segment there is have as vectors, added up."""
        words = self.op("Gather", self._weight("embeddings.word_embeddings.weight"), IDS)
        length = self.op("Gather", self.op("Shape", IDS), self.axes(1))
        positions = self.op(
            "Slice", self._weight("embeddings.position_embeddings.weight"), self.axes(0), length, self.axes(0)
        )
        segment = self.const(self._weights["embeddings.token_type_embeddings.weight"][0].astype(np.float32))
        return self._norm(self.op("Add", self.op("Add", words, positions), segment), "embeddings.LayerNorm")

    def layer(self, hidden: str, prefix: str) -> str:
        """Attention, then the two dense layers, each added to what came in."""
        heard = self._linear(self._attention(hidden, f"{prefix}.attention.self"), f"{prefix}.attention.output.dense")
        hidden = self._norm(self.op("Add", heard, hidden), f"{prefix}.attention.output.LayerNorm")
        wide = self.op("Gelu", self._linear(hidden, f"{prefix}.intermediate.dense"))
        thought = self._linear(wide, f"{prefix}.output.dense")
        return self._norm(self.op("Add", thought, hidden), f"{prefix}.output.LayerNorm")

    def mean(self, hidden: str) -> None:
        """Over the tokens, at length 1."""
        mean = self.op("ReduceMean", hidden, self.axes(1), keepdims=0)
        self._nodes.append(helper.make_node("LpNormalization", [mean], [EMBEDDING], axis=1, p=2))

    def model(self) -> onnx.ModelProto:
        tokens = helper.make_tensor_value_info(IDS, TensorProto.INT64, ["texts", "tokens"])
        output = helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["texts", self._width])
        made = helper.make_graph(self._nodes, "bert", [tokens], [output], self._constants)
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model

    def _attention(self, hidden: str, prefix: str) -> str:
        size = self._width // self._heads
        apart, together = self.axes(0, 0, self._heads, size), self.axes(0, 0, self._width)
        query, key, value = (
            self.op("Transpose", self.op("Reshape", self._linear(hidden, f"{prefix}.{name}"), apart), perm=order)
            for name, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3]))
        )
        scaled = self.op("Mul", self.op("MatMul", query, key), self.const(np.float32(size**-0.5)))
        weighed = self.op("MatMul", self.op("Softmax", scaled, axis=-1), value)
        return self.op("Reshape", self.op("Transpose", weighed, perm=[0, 2, 1, 3]), together)

    def _weight(self, name: str) -> str:
        return self.const(self._weights[name].astype(np.float32))

    def _linear(self, hidden: str, prefix: str) -> str:
        # Hugging Face keeps a dense layer as (out, in).
        matrix = self.const(self._weights[f"{prefix}.weight"].T.astype(np.float32))
        return self.op("Add", self.op("MatMul", hidden, matrix), self._weight(f"{prefix}.bias"))

    def _norm(self, hidden: str, prefix: str) -> str:
        scale, shift = self._weight(f"{prefix}.weight"), self._weight(f"{prefix}.bias")
        return self.op("LayerNormalization", hidden, scale, shift, axis=-1, epsilon=self._epsilon)
