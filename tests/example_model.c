/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a small model with the input and output of the classifiers that the examples of the header
 * and the README load.
 *     example_model <file>
 */
#include <stdio.h>

#include "tests/model_text.h"

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    cvk_model *model = model_text(
        "in data 1x3x224x224; const w 16x3x7x7; const f 16x1000; c = Conv data w - strides=[4,4]\n"
        "r = Relu c; p = GlobalAveragePool r; l = Flatten p; y = Gemm l f; out y");
    cvk_status status = cvk_model_save(model, argv[1]);
    if (status) fprintf(stderr, "%s\n", cvk_last_error());
    cvk_model_free(&model);
    return status != CVK_OK;
}
