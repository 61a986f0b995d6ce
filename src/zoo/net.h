/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers for the networks: each adds its weights and node, named after the layer, and moves on to
 * its output. The first failure sticks; what follows does nothing.
 */
#ifndef CVK_ZOO_NET_H
#define CVK_ZOO_NET_H

#include <convoke/convoke.h>

typedef struct net {
    cvk_model *model;
    cvk_status status;
    uint64_t random;  /* state of the generator */
    char at[64];      /* the value that the next layer reads */
    int64_t channels; /* of it; after net_flatten: features */
    int64_t size;     /* its height and width */
} net;

/* A model with the input "image", batch x channels x size x size; batch 0: free. */
void net_begin(net *n, const char *name, int batch, int channels, int size, uint64_t seed);
/* Square filters with bias, stride 1. Weights uniform with variance 2 / fan-in (He), biases 0. */
void net_conv(net *n, const char *name, int filters, int kernel, int pad);
void net_relu(net *n, const char *name);
void net_max_pool(net *n, const char *name, int kernel, int stride);
void net_flatten(net *n, const char *name);
/* Gemm with bias. Weights uniform with variance 2 / (fan-in + fan-out) (Glorot), biases 0. */
void net_dense(net *n, const char *name, int features);
void net_softmax(net *n, const char *name);
/* Makes the last value the output; gives the model, or frees it. */
cvk_status net_end(net *n, cvk_model **model);

#endif
