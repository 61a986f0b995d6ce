# SPDX-License-Identifier: Apache-2.0
"""ncnn on the CPU in float32, the model converted by pnnx."""
import numpy as np

from adaptor import Adaptor, serve, tool


class Ncnn(Adaptor):
    def start(self):
        import ncnn
        self.library = ncnn
        return ncnn.__version__

    def convert(self):
        shapes = ",".join(str(list(np.load(file).shape)).replace(" ", "") for file in self.files.values())
        files = [f"ncnnparam={self.work}/ncnn.param", f"ncnnbin={self.work}/ncnn.bin"]
        tool("pnnx", self.model, f"inputshape={shapes}", "fp16=0", *files, folder=self.work)
        if not (self.work / "ncnn.param").exists():
            raise RuntimeError("pnnx wrote no model")

    def load(self):
        self.net = self.library.Net()
        self.net.opt.num_threads = self.threads
        for half in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
            setattr(self.net.opt, half, False)
        for loader, name in ((self.net.load_param, "ncnn.param"), (self.net.load_model, "ncnn.bin")):
            if loader(str(self.work / name)):
                raise RuntimeError(f"ncnn cannot load what pnnx made of the model ({name})")
        self.mats = [self.library.Mat(np.ascontiguousarray(array[0])) for array in self.feeds.values()]

    def run(self):
        extractor = self.net.create_extractor()
        for i, mat in enumerate(self.mats):
            extractor.input(f"in{i}", mat)
        results = []
        for i in range(len(self.names)):
            code, mat = extractor.extract(f"out{i}")
            if code:
                raise RuntimeError(f"ncnn cannot compute output {i}: code {code}")
            results.append(np.array(mat))
        return results

    def steps(self):
        return sum(layer.type not in ("Input", "Split") for layer in self.net.layers())


if __name__ == "__main__":
    serve(Ncnn)
