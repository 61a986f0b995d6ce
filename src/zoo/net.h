/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers for the networks. Each reads the value n->at, adds its weights and its node, both named
 * after the layer, and moves n->at on to its output. A branch begins where n->at is set back to a
 * value that was kept: `net_value x = n->at; ...; n->at = x;`. The first failure sticks; what
 * follows does nothing.
 *
 * Weights are uniform, seeded: variance 2 / fan-in (He) where a ReLU or its like follows, 2 /
 * (fan-in + fan-out) (Glorot) where none does. Biases are small. So that signals keep their size
 * through any depth, each value carries the mean and variance that its elements are expected to
 * have, and batch normalisation gets statistics near those.
 */
#ifndef CVK_ZOO_NET_H
#define CVK_ZOO_NET_H

#include <convoke/convoke.h>

#include "zoo/zoo.h"

enum { NET_NAME = 96 };

typedef struct net_value {
    char name[NET_NAME];
    int rank;        /* 4, or 2: features */
    int64_t c, h, w; /* of rank 2: c features, h = w = 1 */
    int depth;       /* layers with weights on the longest way here */
    double mean, variance;
} net_value;

typedef struct net {
    net_value at; /* what the next layer reads */
    int channels, size, classes;
    float epsilon;    /* of every batch normalisation: 1e-5 unless the network sets it */
    bool fixed_scale; /* batch normalisation trains no scale: ones, which are no parameters */
    cvk_status status;
    /* What the layers keep for themselves. */
    cvk_model *model;
    uint64_t random;
    int batch, depth;
    bool outline, has_output;
    char scope[NET_NAME], tower[16];
    float *buffer;
    size_t room;
} net;

/* An empty model with the input "image". */
void net_begin(net *n, const cvk_zoo_entry *entry, const cvk_zoo_options *options);
/* Adds an input, batch x n->channels x n->size x n->size, and reads it. */
void net_input(net *n, const char *name);
/* Adds n->at to the outputs. */
void net_output(net *n);
/* Adds n->at to the outputs if none was added; gives the model and its depth (may be NULL), or
 * frees all. */
cvk_status net_end(net *n, cvk_model **model, int *depth);

/* Layers added between these are called PREFIX.name; they nest. */
void net_enter(net *n, const char *format, ...) __attribute__((format(printf, 2, 3)));
void net_leave(net *n);
/* From here on nodes and values are called TOWER.name, weights keep their names and are shared with
 * the towers before; "" ends it. */
void net_tower(net *n, const char *tower);

/* What a layer with a window may have; zero is the default. */
typedef struct net_spec {
    int filters;
    bool depthwise;       /* a group and `filters` (0: one) filters for each channel */
    int kernel, kernel_w; /* height, and width where it is another */
    int stride, dilation, groups;
    int pad;        /* on all four sides */
    int pads[4];    /* more of it: top, left, bottom, right */
    bool same;      /* as Keras has it: ceil(size / stride), the odd row and column at the end */
    bool no_bias;   /* convolutions */
    bool linear;    /* convolutions: no ReLU or its like follows */
    bool ceil;      /* pools: the last window may be cut off */
    bool count_pad; /* average pools: padding counts in the divisor */
    int output_padding; /* transposed convolutions */
} net_spec;

void net_conv(net *n, const char *name, net_spec spec);
/* NAME.depthwise, without bias, then the 1x1 convolution NAME.pointwise with spec.filters, bias,
 * linear. */
void net_separable(net *n, const char *name, net_spec spec);
/* same: size * stride. */
void net_conv_transpose(net *n, const char *name, net_spec spec);
/* Gemm with bias, Glorot; n->at is flattened first if it must be. */
void net_dense(net *n, const char *name, int features);
/* The same before a ReLU: He. */
void net_dense_he(net *n, const char *name, int features);

/* Four parameters per channel, or three with n->fixed_scale. */
void net_batch_norm(net *n, const char *name);
void net_lrn(net *n, const char *name, int size, double alpha, double beta, double bias);

typedef enum net_act {
    NET_LINEAR, /* nothing */
    NET_RELU,
    NET_RELU6,
    NET_SIGMOID,
    NET_TANH,
    NET_SWISH
} net_act;
void net_activate(net *n, const char *name, net_act act);
void net_relu(net *n, const char *name);

/* Convolution NAME as the spec says, NAME.bn, NAME.act. */
void net_conv_bn(net *n, const char *name, net_spec spec, net_act act);
/* Convolution NAME, NAME.act. */
void net_conv_act(net *n, const char *name, net_spec spec, net_act act);

void net_max_pool(net *n, const char *name, net_spec spec);
void net_average_pool(net *n, const char *name, net_spec spec);
void net_global_average_pool(net *n, const char *name); /* c x 1 x 1 */
void net_global_max_pool(net *n, const char *name);

/* n->at with another value: broadcast as ONNX does, so that a gate is c x 1 x 1. */
void net_add(net *n, const char *name, const net_value *other);
void net_mul(net *n, const char *name, const net_value *other);
void net_sub(net *n, const char *name, const net_value *other);
void net_scale(net *n, const char *name, double factor);
/* Along the channels; n->at counts only if it is listed. */
void net_concat(net *n, const char *name, const net_value *values, int count);

void net_softmax(net *n, const char *name); /* over the channels */
void net_flatten(net *n, const char *name);
/* Channels as groups x rest, transposed. */
void net_shuffle(net *n, const char *name, int groups);
/* Channels [from, to). */
void net_channels(net *n, const char *name, int64_t from, int64_t to);
/* Rows and columns of zeros: top, left, bottom, right. */
void net_pad(net *n, const char *name, const int pads[4]);
/* Rows [top, top + h), columns [left, left + w). */
void net_crop(net *n, const char *name, int64_t top, int64_t left, int64_t h, int64_t w);

/* Below the layers, for what has no function here. A node's inputs are full names; its output is
 * called after the layer and becomes n->at, whose shape comes from the library; its mean, variance
 * and depth stay as they are. */
void net_node(net *n, const char *op, const char *name, const char *const *inputs, int n_inputs,
              const cvk_attr *attrs, int n_attrs);
/* A name; the network fails if it is too long. */
void net_text(net *n, char text[NET_NAME], const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Weights NAME.SUFFIX, which comes back in `full`, uniform in [center - reach, center + reach]. */
void net_weights(net *n, const char *name, const char *suffix, int rank, const int64_t *dims,
                 double center, double reach, char full[NET_NAME]);
/* Integers NAME.SUFFIX, which are no parameters. */
void net_integers(net *n, const char *name, const char *suffix, const int64_t *values, int count,
                  char full[NET_NAME]);
/* A single number (rank 0: no parameter), known by its full name and made once. */
void net_scalar(net *n, const char *full, double value);

/* What an activation makes of n->at.mean and n->at.variance. */
void net_expect(net *n, double (*f)(double));

#endif
