# SPDX-License-Identifier: Apache-2.0
"""OpenCV's module for networks, its CPU target or its OpenCL target (float32), which it offers on Intel's GPUs only
unless told otherwise. The device is OPENCV_OPENCL_DEVICE, by default PoCL's."""
import os

from adaptor import Adaptor, serve


class OpenCv(Adaptor):
    def start(self):
        os.environ["OPENCV_DNN_OPENCL_ALLOW_ALL_DEVICES"] = "1"
        os.environ.setdefault("OPENCV_OPENCL_DEVICE", "Portable Computing Language:CPU:")
        import cv2
        self.library = cv2
        cv2.setNumThreads(self.threads)
        return cv2.__version__

    def load(self):
        cv2 = self.library
        if self.device == "opencl" and not cv2.ocl.haveOpenCL():
            raise RuntimeError("OpenCV finds no OpenCL device called " + os.environ["OPENCV_OPENCL_DEVICE"])
        cv2.ocl.setUseOpenCL(self.device == "opencl")
        self.net = cv2.dnn.readNetFromONNX(self.model)
        self.net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
        targets = {"cpu": cv2.dnn.DNN_TARGET_CPU, "opencl": cv2.dnn.DNN_TARGET_OPENCL}
        self.net.setPreferableTarget(targets[self.device])

    def run(self):
        for name, array in self.feeds.items():
            self.net.setInput(array, name)
        return self.net.forward(self.names)

    def steps(self):
        _, times = self.net.getPerfProfile()
        return int((times > 0).sum())


if __name__ == "__main__":
    serve(OpenCv)
