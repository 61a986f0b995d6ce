# SPDX-License-Identifier: Apache-2.0
"""PyTorch on the CPU: onnx2torch makes a module of the model, which is traced, frozen and optimised for inference."""
from adaptor import Adaptor, serve


class Torch(Adaptor):
    def start(self):
        import torch
        self.library = torch
        torch.set_num_threads(self.threads)
        return torch.__version__

    def convert(self):
        import onnx2torch
        torch = self.library = __import__("torch")
        torch.save(onnx2torch.convert(self.model).eval(), self.work / "model.pt")

    def load(self):
        torch = self.library
        module = torch.load(self.work / "model.pt", weights_only=False).eval()
        self.inputs = tuple(torch.from_numpy(array) for array in self.feeds.values())
        with torch.inference_mode():
            traced = torch.jit.trace(module, self.inputs, check_trace=False)
            self.module = torch.jit.optimize_for_inference(torch.jit.freeze(traced.eval()))

    def run(self):
        with self.library.inference_mode():
            results = self.module(*self.inputs)
        return [tensor.numpy() for tensor in (results if isinstance(results, (tuple, list)) else [results])]

    def steps(self):
        constants = ("prim::Constant", "prim::ListConstruct", "prim::TupleConstruct")
        return sum(node.kind() not in constants for node in self.module.graph.nodes())


if __name__ == "__main__":
    serve(Torch)
