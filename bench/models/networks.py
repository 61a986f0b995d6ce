# SPDX-License-Identifier: Apache-2.0
"""The networks of the bench: where a model comes from, and the one file and input that every peer gets."""
import collections
import json

import numpy as np
import onnx

from harness import Failed, command, expose_logits

DEFAULT = ["vgg16", "resnet18", "resnet50", "googlenet", "inception-v3", "densenet121", "alexnet", "squeezenet1.1",
           "mobilenet", "mobilenetv2", "efficientnet-b0", "lenet5"]
QUICK = ["squeezenet1.1", "mobilenetv2", "resnet18"]
QUANTISED = {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "ConvInteger", "MatMulInteger"}
# height and width where a model leaves them free
SIZES = {"pp-ocrv4-det": (320, 320), "pp-ocrv4-rec-en": (48, 320), "pp-ocr-cls-v2": (48, 192)}
ANY_SIZE = (256, 256)
LIMITS = {"float32": 1e-3, "float16": 1e-2}

Network = collections.namedtuple("Network", "name path folder inputs outputs limit model macs parameters")


def graph_inputs(graph):
    weights = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in weights]


def fix_shapes(model, name):
    """Batch 1, and a size of our own where height and width are free, so that no peer plans for any size."""
    sizes = SIZES.get(name, ANY_SIZE)
    for value in graph_inputs(model.graph):
        dims = value.type.tensor_type.shape.dim
        for i, dim in enumerate(dims):
            if dim.dim_value <= 0:
                dim.dim_value = 1 if i < len(dims) - 2 else sizes[i - len(dims)]


def show_outputs(model):
    """Shapes for the outputs as well: what is behind a Softmax is an output too, and readers want all shapes."""
    expose_logits(model)
    inferred = onnx.shape_inference.infer_shapes(model).graph
    shapes = {value.name: value.type for value in [*inferred.value_info, *inferred.output]}
    for value in model.graph.output:
        value.type.CopyFrom(shapes[value.name])


def name_nodes(model):
    """A name for every node, by which the steps of a plan are found again."""
    for i, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{i}"


def is_float(path):
    """True for float networks, their weights perhaps stored in fewer bits; False for quantised ones."""
    model = onnx.load(path, load_external_data=False)
    return not any(node.op_type in QUANTISED for node in model.graph.node)


def save_inputs(model, folder, seed):
    """Seeded numbers for each input: {name: .npy}."""
    random = np.random.default_rng(seed)
    files = {}
    for i, value in enumerate(graph_inputs(model.graph)):
        dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        if dtype not in (np.float32, np.float16):
            raise Failed(f"input '{value.name}' is {dtype}: only float inputs are filled")
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        files[value.name] = folder / f"input_{i}.npy"
        np.save(files[value.name], random.standard_normal(shape, dtype=np.float32).astype(dtype))
    return files


def prepare(convoke, name, source, folder, seed):
    """Writes the model and its inputs into the folder. source: an ONNX file, or None for a network of the zoo."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    if source is None:
        command(convoke, "zoo", name, "-o", path)
    model = onnx.load(source or path)
    fix_shapes(model, name)
    name_nodes(model)
    show_outputs(model)
    onnx.save(model, path)
    told = json.loads(command(convoke, "info", path, "--json"))
    inputs = save_inputs(model, folder, seed)
    limit = LIMITS[str(np.load(next(iter(inputs.values()))).dtype)]
    outputs = [value.name for value in model.graph.output]
    return Network(name, path, folder, inputs, outputs, limit, model, told["macs"], told["parameters"])


def traffic(model):
    """A function that tells how many bytes the nodes of a step must move at least: what they read from outside,
    weights included, and what others read of them, each once."""
    inferred = onnx.shape_inference.infer_shapes(model)
    counts = {}
    for value in [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]:
        counts[value.name] = int(np.prod([max(dim.dim_value, 1) for dim in value.type.tensor_type.shape.dim]))
    counts |= {tensor.name: int(np.prod(tensor.dims)) for tensor in inferred.graph.initializer}
    nodes = {node.name: node for node in inferred.graph.node}

    def of_step(names):
        inside = [nodes[name] for name in names if name in nodes]
        made = {value for node in inside for value in node.output}
        read = {value for node in inside for value in node.input} - made
        last = set(inside[-1].output) if inside else set()
        return 4 * sum(counts.get(value, 0) for value in read | last)

    return of_step
