/* SPDX-License-Identifier: Apache-2.0
 *
 * libFuzzer: bytes are parsed as an ONNX file, shapes inferred, sizes counted. Anything but a crash
 * is right. Build with clang, -DCONVOKE_FUZZ=ON and, for coverage of the library,
 * -DCMAKE_C_FLAGS=-fsanitize=fuzzer-no-link,address,undefined.
 */
#include <convoke/convoke.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    cvk_model *model = NULL;
    cvk_model_info info;
    static const uint8_t nothing;
    if (!cvk_model_parse(bytes ? data : &nothing, bytes, &model))
        (void)cvk_model_get_info(model, &info);
    cvk_model_free(&model);
    return 0;
}
