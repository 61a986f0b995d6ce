/* SPDX-License-Identifier: Apache-2.0
 *
 * A small network built with the public functions, and files as bytes, for the tests of models.
 */
#ifndef CVK_TESTS_ONNX_NET_H
#define CVK_TESTS_ONNX_NET_H

#include <convoke/convoke.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct net_builder {
    cvk_model *model;
    cvk_status status; /* the first failure stays */
} net_builder;

static inline void net_constant(net_builder *b, const char *name, int rank, int64_t d0, int64_t d1,
                                int64_t d2, int64_t d3)
{
    cvk_tensor tensor = {.name = name, .dtype = CVK_F32, .rank = rank, .dims = {d0, d1, d2, d3}};
    size_t count = (size_t)cvk_tensor_count(&tensor);
    float *data = malloc(count * sizeof *data + 1);
    for (size_t i = 0; data && i < count; i++) data[i] = (float)((i * 7919) % 1000) / 1000 - 0.5f;
    tensor.data = data;
    if (!b->status) b->status = cvk_model_add_constant(b->model, &tensor);
    free(data);
}

static inline void net_node(net_builder *b, const char *op, const char *in, const char *weight,
                            const char *bias, const char *out, const cvk_attr *attrs, int n_attrs)
{
    const char *inputs[] = {in, weight, bias};
    int n_inputs = bias ? 3 : weight ? 2 : 1;
    if (!b->status)
        b->status =
            cvk_model_add_node(b->model, op, out, inputs, n_inputs, &out, 1, attrs, n_attrs);
}

/* Nx3x8x8 -> Conv 4 -> Relu -> MaxPool -> Flatten -> Gemm 5 -> Softmax. */
static inline cvk_status net_build(cvk_model **model)
{
    net_builder b = {0};
    const int64_t three[] = {3, 3}, two[] = {2, 2}, pads[] = {1, 1, 1, 1};
    const cvk_attr conv[] = {
        {.name = "kernel_shape", .kind = CVK_ATTR_INTS, .count = 2, .ints = three},
        {.name = "pads", .kind = CVK_ATTR_INTS, .count = 4, .ints = pads}};
    const cvk_attr pool[] = {
        {.name = "kernel_shape", .kind = CVK_ATTR_INTS, .count = 2, .ints = two},
        {.name = "strides", .kind = CVK_ATTR_INTS, .count = 2, .ints = two},
        {.name = "auto_pad", .kind = CVK_ATTR_STRING, .s = "VALID"}};
    const cvk_attr gemm[] = {{.name = "transB", .kind = CVK_ATTR_INT, .i = 1},
                             {.name = "alpha", .kind = CVK_ATTR_FLOAT, .f = 0.5f}};
    b.status = cvk_model_create("small", 13, &b.model);
    cvk_tensor input = {.name = "image", .dtype = CVK_F32, .rank = 4, .dims = {-1, 3, 8, 8}};
    if (!b.status) b.status = cvk_model_add_input(b.model, &input);
    net_constant(&b, "conv_w", 4, 4, 3, 3, 3);
    net_constant(&b, "conv_b", 1, 4, 0, 0, 0);
    net_constant(&b, "fc_w", 2, 5, 64, 0, 0);
    net_constant(&b, "fc_b", 1, 5, 0, 0, 0);
    net_node(&b, "Conv", "image", "conv_w", "conv_b", "conv", conv, 2);
    net_node(&b, "Relu", "conv", NULL, NULL, "relu", NULL, 0);
    net_node(&b, "MaxPool", "relu", NULL, NULL, "pool", pool, 3);
    net_node(&b, "Flatten", "pool", NULL, NULL, "flat", NULL, 0);
    net_node(&b, "Gemm", "flat", "fc_w", "fc_b", "fc", gemm, 2);
    net_node(&b, "Softmax", "fc", NULL, NULL, "prob", NULL, 0);
    if (!b.status) b.status = cvk_model_set_output(b.model, "prob");
    if (b.status)
        cvk_model_free(&b.model);
    else
        *model = b.model;
    return b.status;
}

/* A whole file in memory from malloc; NULL if it cannot be read. */
static inline unsigned char *net_slurp(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    unsigned char *data = size >= 0 ? malloc((size_t)size + 1) : NULL;
    *bytes = data ? fread(data, 1, (size_t)size, file) : 0;
    fclose(file);
    return data;
}

#endif
