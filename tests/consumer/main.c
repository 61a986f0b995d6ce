/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest program that uses the installed library for something: y = relu(x) on the CPU.
 */
#include <convoke/convoke.h>
#include <stdio.h>

int main(void)
{
    float x[3] = {-1, 0, 2}, y[3] = {9, 9, 9};
    const char *in = "x", *out = "y";
    cvk_tensor tx = {.name = "x", .dtype = CVK_F32, .rank = 2, .dims = {1, 3}, .data = x};
    cvk_tensor ty = {.dtype = CVK_F32, .rank = 2, .dims = {1, 3}, .data = y};
    cvk_model *model = NULL;
    cvk_device *device = NULL;
    cvk_session *session = NULL;
    cvk_status status = cvk_model_create("relu", 0, &model);
    if (!status) status = cvk_model_add_input(model, &tx);
    if (!status) status = cvk_model_add_node(model, "Relu", "relu", &in, 1, &out, 1, NULL, 0);
    if (!status) status = cvk_model_set_output(model, "y");
    if (!status) status = cvk_device_open("cpu", NULL, &device);
    if (!status) status = cvk_session_create(model, &device, 1, NULL, &session);
    if (!status) status = cvk_session_run(session, &tx, 1, &ty, 1);
    printf("convoke %s: %s %g %g %g\n", cvk_version(), status ? cvk_last_error() : "ok", y[0], y[1], y[2]);
    cvk_session_free(&session);
    cvk_device_close(&device);
    cvk_model_free(&model);
    return status || y[0] != 0 || y[1] != 0 || y[2] != 2;
}
