/* SPDX-License-Identifier: Apache-2.0
 *
 * Single tensors in files: ONNX TensorProto and NumPy .npy. Behind cvk_tensor_load and
 * cvk_tensor_save_npy.
 */
#ifndef CVK_ONNX_TENSOR_FILE_H
#define CVK_ONNX_TENSOR_FILE_H

#include "base/arena.h"
#include "base/status.h"

/* Either format, told apart by the first bytes; data comes from malloc. */
cvk_status cvk_tensor_read_file(const char *path, cvk_tensor *tensor);
cvk_status cvk_tensor_write_npy(const char *path, const cvk_tensor *tensor);

/* A TensorProto file; data and name in the arena. */
cvk_status cvk_onnx_read_tensor(const char *path, cvk_arena *arena, cvk_tensor *tensor);

#endif
