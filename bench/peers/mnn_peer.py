# SPDX-License-Identifier: Apache-2.0
"""MNN on the CPU in float32, the model converted by mnnconvert."""
import numpy as np

from adaptor import Adaptor, serve, tool


class Mnn(Adaptor):
    def start(self):
        import MNN
        self.library = MNN
        return MNN.version()

    def convert(self):
        tool("mnnconvert", "-f", "ONNX", "--modelFile", self.model, "--MNNModel", f"{self.work}/model.mnn",
             "--bizCode", "bench", folder=self.work)
        if not (self.work / "model.mnn").exists():
            raise RuntimeError("mnnconvert wrote no model")

    def host_tensor(self, array):
        kinds = {"float32": self.library.Halide_Type_Float, "int32": self.library.Halide_Type_Int}
        if str(array.dtype) not in kinds:
            raise TypeError(f"no tensor of {array.dtype} in MNN's Python interface")
        return self.library.Tensor(array.shape, kinds[str(array.dtype)], array, self.library.Tensor_DimensionType_Caffe)

    def load(self):
        self.net = self.library.Interpreter(str(self.work / "model.mnn"))
        self.session = self.net.createSession({"backend": "CPU", "numThread": self.threads, "precision": "high",
                                               "saveTensors": tuple(self.names)})
        for name, array in self.feeds.items():
            self.net.resizeTensor(self.net.getSessionInput(self.session, name), array.shape)
        self.net.resizeSession(self.session)
        self.inputs = [(self.net.getSessionInput(self.session, name), self.host_tensor(array))
                       for name, array in self.feeds.items()]
        outputs = [self.net.getSessionOutput(self.session, name) for name in self.names]
        self.arrays = [np.empty(tensor.getShape(), np.float32) for tensor in outputs]
        self.outputs = [(tensor, self.host_tensor(array)) for tensor, array in zip(outputs, self.arrays)]

    def run(self):
        for tensor, host in self.inputs:
            tensor.copyFrom(host)
        self.net.runSession(self.session)
        results = []
        for tensor, host in self.outputs:
            tensor.copyToHostTensor(host)
            results.append(host.getNumpyData())
        return results

    def steps(self):
        seen = []

        def before(tensors, operator):
            seen.append(operator.getName())
            return True

        self.net.runSessionWithCallBackInfo(self.session, before, lambda tensors, operator: True)
        return len(seen)


if __name__ == "__main__":
    serve(Mnn)
