"""Writes ONNX graphs by hand: a recipe followed by a linear model, a network of dense layers, or trees.

Writing them here (and not with a converter for each library) keeps the answers equal: trees compare float32 features with thresholds
rounded so that every comparison falls as in the original, linear models are computed in double precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OPSET = 18


class Graph:
    """An ONNX graph under construction. Every method gives the name of the tensor it made."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: list[Any] = []
        self._initializers: dict[tuple[str, tuple[int, ...], bytes], tuple[str, Any]] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._used: set[str] = set()

    def input(self, name: str, dtype: str, width: int = 1) -> str:
        """One raw column, `[batch, 1]`, or the numbers of a text, `[batch, width]`."""
        from onnx import helper

        self._used.add(name)
        self._inputs.append(helper.make_tensor_value_info(name, _types()[dtype], ["batch", width]))
        return name

    def output(self, tensor: str, name: str, dtype: str, width: int) -> None:
        """Give `tensor` (`[batch, width]`) its public name."""
        from onnx import helper

        self._nodes.append(helper.make_node("Identity", [tensor], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, _types()[dtype], ["batch", width]))

    def node(self, operator: str, inputs: Sequence[str], domain: str = "", **attributes: Any) -> str:
        """One operation with one result."""
        from onnx import helper

        result = self._name()
        self._nodes.append(helper.make_node(operator, list(inputs), [result], domain=domain, **attributes))
        return result

    def constant(self, value: Any) -> str:
        """A fixed array (equal ones are kept once)."""
        import numpy as np

        value = np.asarray(value)
        key = (str(value.dtype), value.shape, value.tobytes())
        if key not in self._initializers:
            self._initializers[key] = (self._name(), value)
        return self._initializers[key][0]

    def cast(self, tensor: str, dtype: str) -> str:
        return self.node("Cast", [tensor], to=_types()[dtype])

    def concat(self, tensors: Sequence[str]) -> str:
        """Side by side; a single one as it is."""
        return tensors[0] if len(tensors) == 1 else self.node("Concat", tensors, axis=1)

    def model(self) -> Any:
        """The finished, checked model."""
        import onnx
        from onnx import helper, numpy_helper

        graph = helper.make_graph(
            self._nodes,
            self.name,
            self._inputs,
            self._outputs,
            [numpy_helper.from_array(v, name=n) for n, v in self._initializers.values()],
        )
        made = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)],
            producer_name="headrace",
            ir_version=9,
        )
        onnx.checker.check_model(made)
        return made

    def _name(self) -> str:
        # a column may be called anything, also like one of ours
        number = len(self._used)
        while (name := f"headrace:{number}") in self._used:
            number += 1
        self._used.add(name)
        return name


def _types() -> dict[str, int]:
    from onnx import TensorProto as T

    return {"float32": T.FLOAT, "float64": T.DOUBLE, "string": T.STRING, "int64": T.INT64, "uint8": T.UINT8, "bool": T.BOOL}


def write_linear(graph: Graph, features: str, weights: Any, bias: Any) -> str:
    """features @ weights + bias, in double precision: `[batch, outputs]`."""
    import numpy as np

    exact = graph.cast(features, "float64")
    scores = graph.node("MatMul", [exact, graph.constant(np.ascontiguousarray(weights, dtype=np.float64))])
    return graph.node("Add", [scores, graph.constant(np.atleast_2d(np.asarray(bias, dtype=np.float64)))])


def write_dense(graph: Graph, features: str, layers: Sequence[tuple[Any, Any]]) -> str:
    """Dense layers (weights `[in, out]`, bias) with ReLU between them, in single precision."""
    import numpy as np

    hidden = features
    for i, (weights, bias) in enumerate(layers):
        hidden = graph.node(
            "Gemm", [hidden, graph.constant(np.ascontiguousarray(weights, dtype=np.float32)), graph.constant(np.float32(bias))]
        )
        if i < len(layers) - 1:
            hidden = graph.node("Relu", [hidden])
    return hidden


def write_classes(graph: Graph, scores: str, labels: int, columns: int) -> None:
    """Scores to the output `probabilities`: two labels from one column by the logistic function, else softmax."""
    import numpy as np

    if columns == 1 and labels == 2:
        second = graph.node("Sigmoid", [scores])
        kept = graph.cast(second, "float32")
        chances = graph.concat([graph.node("Sub", [graph.constant(np.array([[1.0]], dtype=np.float32)), kept]), kept])
    else:
        chances = graph.cast(graph.node("Softmax", [scores], axis=1), "float32")
    graph.output(chances, "probabilities", "float32", labels)


def write_value(graph: Graph, value: str) -> None:
    """The output `value` of a regression."""
    graph.output(graph.cast(value, "float32"), "value", "float32", 1)


@dataclass
class Trees:
    """A sum of decision trees as the flat lists ONNX wants. Add trees, then `write`."""

    outputs: int
    tree_ids: list[Any] = field(default_factory=list)
    node_ids: list[Any] = field(default_factory=list)
    features: list[Any] = field(default_factory=list)
    thresholds: list[Any] = field(default_factory=list)
    left: list[Any] = field(default_factory=list)
    right: list[Any] = field(default_factory=list)
    missing_left: list[Any] = field(default_factory=list)
    leaf: list[Any] = field(default_factory=list)
    target_trees: list[Any] = field(default_factory=list)
    target_nodes: list[Any] = field(default_factory=list)
    target_ids: list[Any] = field(default_factory=list)
    target_weights: list[Any] = field(default_factory=list)

    def add(
        self, *, feature: Any, threshold: Any, left: Any, right: Any, missing_left: Any, weights: Any, output: int | None = None
    ) -> None:
        """One tree as arrays over its nodes; `left` is -1 at leaves. `weights` is `[nodes, outputs]`, or `[nodes]` for one `output`."""
        import numpy as np

        tree, count = len(self.tree_ids), len(left)
        leaf = left < 0
        self.tree_ids.append(np.full(count, tree))
        self.node_ids.append(np.arange(count))
        self.features.append(np.where(leaf, 0, feature))
        self.thresholds.append(np.where(leaf, 0, _floor32(threshold)))
        self.left.append(np.where(leaf, 0, left))
        self.right.append(np.where(leaf, 0, right))
        self.missing_left.append(np.where(leaf, 0, missing_left))
        self.leaf.append(leaf)
        nodes = np.flatnonzero(leaf)
        if output is None:
            rows, columns = np.nonzero(weights[nodes])
            # a leaf needs at least one weight to be legal
            empty = np.setdiff1d(np.arange(len(nodes)), rows)
            rows, columns = np.concatenate([rows, empty]), np.concatenate([columns, np.zeros(len(empty), dtype=int)])
            self.target_nodes.append(nodes[rows])
            self.target_ids.append(columns)
            self.target_weights.append(weights[nodes][rows, columns])
        else:
            self.target_nodes.append(nodes)
            self.target_ids.append(np.full(len(nodes), output))
            self.target_weights.append(weights[nodes])
        self.target_trees.append(np.full(len(self.target_nodes[-1]), tree))

    def write(self, graph: Graph, features: str) -> str:
        """The sum of all trees: `[batch, outputs]` float32."""
        import numpy as np

        flat = {k: np.concatenate(v).tolist() for k, v in vars(self).items() if k != "outputs"}
        return graph.node(
            "TreeEnsembleRegressor",
            [features],
            domain="ai.onnx.ml",
            n_targets=self.outputs,
            aggregate_function="SUM",
            post_transform="NONE",
            nodes_treeids=flat["tree_ids"],
            nodes_nodeids=flat["node_ids"],
            nodes_featureids=flat["features"],
            nodes_values=flat["thresholds"],
            nodes_truenodeids=flat["left"],
            nodes_falsenodeids=flat["right"],
            nodes_missing_value_tracks_true=flat["missing_left"],
            nodes_modes=["LEAF" if x else "BRANCH_LEQ" for x in flat["leaf"]],
            target_treeids=flat["target_trees"],
            target_nodeids=flat["target_nodes"],
            target_ids=flat["target_ids"],
            target_weights=flat["target_weights"],
        )


def _floor32(thresholds: Any) -> Any:
    """The largest float32 not above each threshold: for float32 x, x <= t holds exactly when x <= floor32(t)."""
    import numpy as np

    exact = np.clip(np.asarray(thresholds, dtype=np.float64), -np.finfo(np.float32).max, np.finfo(np.float32).max)
    near = exact.astype(np.float32)
    return np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)


def trees_of_forest(forest: Any, outputs: int) -> Trees:
    """A scikit-learn forest; the mean over trees is put into the leaves."""
    import numpy as np

    made = Trees(outputs)
    for one in forest.estimators_:
        tree = one.tree_
        weights = tree.value[:, 0, :] / len(forest.estimators_)
        made.add(
            feature=tree.feature,
            threshold=tree.threshold,
            left=tree.children_left,
            right=tree.children_right,
            missing_left=np.asarray(tree.missing_go_to_left, dtype=int),
            weights=weights,
        )
    return made


def trees_of_lightgbm(booster: Any, outputs: int, best: int | None = None) -> Trees:
    """A LightGBM booster: tree i adds to output i modulo outputs."""
    import numpy as np

    made = Trees(outputs)
    for i, described in enumerate(booster.dump_model(num_iteration=best or -1)["tree_info"]):
        nodes: list[tuple[int, float, int, int, int, float]] = []
        _flatten(described["tree_structure"], nodes)
        feature, threshold, left, right, missing, value = (np.asarray(x) for x in zip(*nodes, strict=True))
        made.add(feature=feature, threshold=threshold, left=left, right=right, missing_left=missing, weights=value, output=i % outputs)
    return made


def _flatten(node: Mapping[str, Any], nodes: list[tuple[int, float, int, int, int, float]]) -> int:
    """Depth first; gives the node's number."""
    here = len(nodes)
    if "split_feature" not in node:
        nodes.append((0, 0.0, -1, -1, 0, float(node["leaf_value"])))
        return here
    if node["decision_type"] != "<=":
        raise ValueError(f"A split of the kind {node['decision_type']} cannot be published")
    threshold = float(node["threshold"])
    # a model that saw no missing value reads one as 0
    missing = bool(node["default_left"]) if node["missing_type"] == "NaN" else threshold >= 0
    nodes.append((0, 0.0, 0, 0, 0, 0.0))
    left = _flatten(node["left_child"], nodes)
    right = _flatten(node["right_child"], nodes)
    nodes[here] = (int(node["split_feature"]), threshold, left, right, int(missing), 0.0)
    return here
