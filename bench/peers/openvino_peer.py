# SPDX-License-Identifier: Apache-2.0
"""OpenVINO on its CPU plugin, set for the latency of one request, in float32."""
from adaptor import Adaptor, serve

NO_WORK = {"Input", "Output", "Reshape"}


class OpenVino(Adaptor):
    def start(self):
        import openvino
        self.library = openvino
        return openvino.__version__.split("-")[0]

    def load(self):
        core = self.library.Core()
        settings = {"INFERENCE_NUM_THREADS": self.threads, "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_PRECISION_HINT": "f32"}
        self.compiled = core.compile_model(core.read_model(self.model), "CPU", settings)
        self.request = self.compiled.create_infer_request()
        for name, array in self.feeds.items():
            self.request.set_tensor(name, self.library.Tensor(array, shared_memory=True))

    def run(self):
        self.request.infer()
        return [self.request.get_output_tensor(i).data for i in range(len(self.names))]

    def steps(self):
        """Of the compiled graph, without what depends on constants alone and is done by then."""
        constants, count = set(), 0
        for op in self.compiled.get_runtime_model().get_ordered_ops():
            kind = op.get_rt_info()["layerType"].astype(str)
            sources = {source.get_node().get_friendly_name() for source in op.input_values()}
            if kind == "Const" or (sources and sources <= constants):
                constants.add(op.get_friendly_name())
            elif kind not in NO_WORK:
                count += 1
        return count


if __name__ == "__main__":
    serve(OpenVino)
