# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on its CPU provider, all optimisations."""
import json
import pathlib

from adaptor import Adaptor, serve


class OnnxRuntime(Adaptor):
    def start(self):
        import onnxruntime
        self.library = onnxruntime
        return onnxruntime.__version__

    def session(self, profile):
        options = self.library.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3
        options.enable_profiling = profile
        options.profile_file_prefix = str(self.work / "profile")
        return self.library.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])

    def load(self):
        self.ready = self.session(profile=False)

    def run(self):
        return self.ready.run(self.names, self.feeds)

    def steps(self):
        session = self.session(profile=True)
        session.run(self.names, self.feeds)
        path = pathlib.Path(session.end_profiling())
        events = json.loads(path.read_text())
        path.unlink()
        return sum(event.get("cat") == "Node" and event["name"].endswith("_kernel_time") for event in events)


if __name__ == "__main__":
    serve(OnnxRuntime)
