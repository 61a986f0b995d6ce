/* SPDX-License-Identifier: Apache-2.0
 *
 * The parameters of every operator kind, one plain struct each, as src/ops parses and normalises
 * them. After infer, pads are explicit, axes are in [0, rank), and sizes known from the inputs are
 * filled in, so that kernels never derive them again. Operators that are absent here have none.
 */
#ifndef CVK_GRAPH_PARAMS_H
#define CVK_GRAPH_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/shape.h"

typedef enum cvk_auto_pad {
    CVK_PAD_EXPLICIT,
    CVK_PAD_SAME_UPPER,
    CVK_PAD_SAME_LOWER,
    CVK_PAD_VALID
} cvk_auto_pad;

/* A window that slides over the spatial dimensions: [0] is the outermost (H, or W in 1-D). */
enum { CVK_MAX_SPATIAL = 3 };
typedef struct cvk_window {
    int spatial; /* spatial dimensions; 0 until known */
    int64_t kernel[CVK_MAX_SPATIAL], stride[CVK_MAX_SPATIAL], dilation[CVK_MAX_SPATIAL];
    int64_t pad_begin[CVK_MAX_SPATIAL], pad_end[CVK_MAX_SPATIAL]; /* may be negative: a crop */
    cvk_auto_pad auto_pad;
} cvk_window;

/* Conv, ConvTranspose. Inputs X, W, [B]. W is (oc, ic / group, k...) for Conv and
 * (ic, oc / group, k...) for ConvTranspose. */
typedef struct cvk_conv_params {
    cvk_window window;
    int64_t group;
    int64_t output_padding[CVK_MAX_SPATIAL]; /* ConvTranspose */
    int64_t output_shape[CVK_MAX_SPATIAL];   /* ConvTranspose, parse only */
    bool has_output_shape;
} cvk_conv_params;

/* MaxPool, AveragePool, LpPool, GlobalLpPool (whose window infer makes), Pool. */
typedef enum cvk_pool_kind { CVK_POOL_MAX, CVK_POOL_AVERAGE, CVK_POOL_LP } cvk_pool_kind;
typedef struct cvk_pool_params {
    cvk_pool_kind kind;
    cvk_window window;
    bool ceil_mode;
    bool count_include_pad; /* average: padding counts in the divisor (never what lies beyond it) */
    bool column_major;      /* MaxPool storage_order of the indices */
    int64_t p;              /* LP: (sum of |x|^p)^(1/p) */
} cvk_pool_params;

/* MaxUnpool: inputs X, indices, [output_shape]. The indices count in a tensor of `shape`, the one
 * that the window gives, which lies in the output's first corner. */
typedef struct cvk_unpool_params {
    cvk_window window;
    cvk_shape shape;
} cvk_unpool_params;

/* GlobalAveragePool, GlobalMaxPool, GlobalPool: over all spatial dimensions; output keeps them
 * as 1. */
typedef struct cvk_global_pool_params {
    cvk_pool_kind kind;
} cvk_global_pool_params;

/* Unary, and the activation in an epilogue. y = f(x):
 *   RELU max(x, 0) · LEAKY_RELU x < 0 ? a x : x · ELU x < 0 ? a (exp(x) - 1) : x · SIGMOID · TANH
 *   HARD_SIGMOID max(0, min(1, a x + b)) · HARD_SWISH x max(0, min(1, x / 6 + 1/2))
 *   CLIP min(max(x, a), b) · SQRT · EXP · LINEAR a x + b
 *   QDQ (saturate(round_half_even(x / a) + b) to [c, d] - b) a, quantised and back
 *   SWISH x sigmoid(a x) · ROUND half to even · SIGN -1, 0, 1 · RECIPROCAL 1 / x
 *   GELU x (1 + erf(x / sqrt 2)) / 2 · GELU_TANH x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
 *   SOFTPLUS log(1 + exp(x)) · MISH x tanh(softplus(x)) · SOFTSIGN x / (1 + |x|)
 *   SELU x <= 0 ? b a (exp(x) - 1) : b x · CELU x < 0 ? a (exp(x / a) - 1) : x
 *   THRESHOLDED_RELU x > a ? x : 0 · SHRINK x < -a ? x + b : x > a ? x - b : 0 */
#define CVK_ACT_LIST(X)                                                                            \
    X(NONE, "Identity")                                                                            \
    X(RELU, "Relu")                                                                                \
    X(LEAKY_RELU, "LeakyRelu")                                                                     \
    X(ELU, "Elu")                                                                                  \
    X(SIGMOID, "Sigmoid")                                                                          \
    X(HARD_SIGMOID, "HardSigmoid")                                                                 \
    X(HARD_SWISH, "HardSwish")                                                                     \
    X(TANH, "Tanh")                                                                                \
    X(CLIP, "Clip")                                                                                \
    X(SQRT, "Sqrt")                                                                                \
    X(EXP, "Exp")                                                                                  \
    X(LINEAR, "Linear")                                                                            \
    X(QDQ, "QuantizeLinear/DequantizeLinear")                                                      \
    X(SWISH, "Swish")                                                                              \
    X(ABS, "Abs")                                                                                  \
    X(NEG, "Neg")                                                                                  \
    X(FLOOR, "Floor")                                                                              \
    X(CEIL, "Ceil")                                                                                \
    X(ROUND, "Round")                                                                              \
    X(SIGN, "Sign")                                                                                \
    X(RECIPROCAL, "Reciprocal")                                                                    \
    X(SOFTSIGN, "Softsign")                                                                        \
    X(THRESHOLDED_RELU, "ThresholdedRelu")                                                         \
    X(SHRINK, "Shrink")                                                                            \
    X(SELU, "Selu")                                                                                \
    X(CELU, "Celu")                                                                                \
    X(LOG, "Log")                                                                                  \
    X(ERF, "Erf")                                                                                  \
    X(GELU, "Gelu")                                                                                \
    X(GELU_TANH, "Gelu/tanh")                                                                      \
    X(SOFTPLUS, "Softplus")                                                                        \
    X(MISH, "Mish")                                                                                \
    X(SIN, "Sin")                                                                                  \
    X(COS, "Cos")                                                                                  \
    X(TAN, "Tan")                                                                                  \
    X(ASIN, "Asin")                                                                                \
    X(ACOS, "Acos")                                                                                \
    X(ATAN, "Atan")                                                                                \
    X(SINH, "Sinh")                                                                                \
    X(COSH, "Cosh")                                                                                \
    X(ASINH, "Asinh")                                                                              \
    X(ACOSH, "Acosh")                                                                              \
    X(ATANH, "Atanh")

typedef enum cvk_act_kind {
#define CVK_ACT_ENUM(id, text) CVK_ACT_##id,
    CVK_ACT_LIST(CVK_ACT_ENUM)
#undef CVK_ACT_ENUM
        CVK_ACT_COUNT
} cvk_act_kind;

typedef struct cvk_act {
    cvk_act_kind kind;
    float a, b, c, d;
} cvk_act;

/* Bottleneck: a 1x1 convolution ("expand"), a depthwise one, a 1x1 convolution ("project"), the first
 * or the last of which may be absent; into it goes what is computed between the three. Inputs, by
 * number; M is the depthwise convolution's number of channels:
 *   X, DW (M, 1, kH, kW), [DB (M)], [DS (M or 1)], [EW (M, C, 1, 1)], [EB (M)], [ES (M or 1)],
 *   [PW (oc, M, 1, 1)], [PB (oc)]
 * Behind expand: PRelu with the slopes ES if there are any, else expand_act; behind the depthwise
 * convolution DS, depthwise_act. Behind the last there is nothing but the node's posts. */
enum {
    CVK_BOTTLENECK_X,
    CVK_BOTTLENECK_DW,
    CVK_BOTTLENECK_DB,
    CVK_BOTTLENECK_DS,
    CVK_BOTTLENECK_EW,
    CVK_BOTTLENECK_EB,
    CVK_BOTTLENECK_ES,
    CVK_BOTTLENECK_PW,
    CVK_BOTTLENECK_PB,
    CVK_BOTTLENECK_INPUTS
};
typedef struct cvk_bottleneck_params {
    cvk_conv_params depthwise;
    cvk_act expand_act, depthwise_act;
} cvk_bottleneck_params;

/* Unary: input X, any shape. */
typedef struct cvk_unary_params {
    cvk_act act;
} cvk_unary_params;

/* Binary: two inputs, numpy broadcasting. PRELU: x < 0 ? slope x : x. MOD has the sign of the
 * divisor, FMOD that of the dividend. From EQUAL to XOR the result is bool; what follows is of
 * integers. */
#define CVK_BINARY_LIST(X)                                                                         \
    X(ADD, "Add")                                                                                  \
    X(SUB, "Sub")                                                                                  \
    X(MUL, "Mul")                                                                                  \
    X(DIV, "Div")                                                                                  \
    X(POW, "Pow")                                                                                  \
    X(MIN, "Min")                                                                                  \
    X(MAX, "Max")                                                                                  \
    X(PRELU, "PRelu")                                                                              \
    X(FMOD, "Mod/fmod")                                                                            \
    X(MOD, "Mod")                                                                                  \
    X(EQUAL, "Equal")                                                                              \
    X(LESS, "Less")                                                                                \
    X(LESS_EQUAL, "LessOrEqual")                                                                   \
    X(GREATER, "Greater")                                                                          \
    X(GREATER_EQUAL, "GreaterOrEqual")                                                             \
    X(AND, "And")                                                                                  \
    X(OR, "Or")                                                                                    \
    X(XOR, "Xor")                                                                                  \
    X(BIT_AND, "BitwiseAnd")                                                                       \
    X(BIT_OR, "BitwiseOr")                                                                         \
    X(BIT_XOR, "BitwiseXor")                                                                       \
    X(SHIFT_LEFT, "BitShift/left")                                                                 \
    X(SHIFT_RIGHT, "BitShift/right")
typedef enum cvk_binary_kind {
#define CVK_BINARY_ENUM(id, text) CVK_BINARY_##id,
    CVK_BINARY_LIST(CVK_BINARY_ENUM)
#undef CVK_BINARY_ENUM
        CVK_BINARY_COUNT
} cvk_binary_kind;
typedef struct cvk_binary_params {
    cvk_binary_kind kind;
} cvk_binary_params;

/* IsInf: which infinities count. */
typedef struct cvk_is_inf_params {
    bool positive, negative;
} cvk_is_inf_params;

/* Where: inputs condition (bool), X, Y, broadcast: X where the condition holds, else Y. Of any type.
 * No parameters. */

/* Affine: inputs X (N, C, ...), scale (C), shift (C): y = x scale[c] + shift[c]. No parameters. */

/* Dropout. */
typedef struct cvk_dropout_params {
    bool typed_mask; /* the mask has the type of X, not bool (opset < 10) */
} cvk_dropout_params;

/* BatchNormalization: inputs X, scale, B, mean, var. */
typedef struct cvk_batch_normalization_params {
    float epsilon;
} cvk_batch_normalization_params;

/* InstanceNormalization: inputs X, scale, B. */
typedef struct cvk_instance_normalization_params {
    float epsilon;
} cvk_instance_normalization_params;

/* LayerNormalization, GroupNormalization, RowNormalization: rows of `length` neighbours to mean 0
 * and variance 1, then scale and shift: element i of row r by entry
 *     r % groups * (length / inner) + i / inner
 * of the two. infer fills in rows, length and inner; inner is 0 where the entries of a
 * LayerNormalization broadcast in another way. Inputs X, [scale], [shift]; outputs Y, [mean],
 * [1 / standard deviation]. */
typedef struct cvk_row_normalization_params {
    float epsilon;
    int64_t axis;           /* LayerNormalization */
    bool scale_per_channel; /* GroupNormalization, else per group */
    int64_t rows, length, groups, inner;
} cvk_row_normalization_params;

/* MeanVarianceNormalization: over axes; y = (x - mean) / (standard deviation + 1e-9). */

/* LpNormalization: y = x / p-norm along axis, p 1 or 2; 0 where the norm is 0. */
typedef struct cvk_lp_normalization_params {
    int64_t axis, p;
} cvk_lp_normalization_params;

/* LRN: y = x / (bias + alpha / size * sum over channels [c - (size-1)/2, c + size/2] of x^2)^beta.
 */
typedef struct cvk_lrn_params {
    float alpha, beta, bias;
    int64_t size;
} cvk_lrn_params;

/* Gemm: alpha op(A) op(B) + beta C; C broadcasts to (M, N). */
typedef struct cvk_gemm_params {
    float alpha, beta;
    bool trans_a, trans_b;
} cvk_gemm_params;

/* Softmax, LogSoftmax. coerce (opset < 13): all dims from axis on are one; else only axis. */
typedef struct cvk_softmax_params {
    int64_t axis;
    bool coerce, log;
} cvk_softmax_params;

/* Concat, Flatten, Gather, GatherElements, OneHot: one axis. */
typedef struct cvk_axis_params {
    int64_t axis;
} cvk_axis_params;

/* Reduce{Mean, Sum, Max, ...}, Reduce; ArgMax and ArgMin use axes[0] and keepdims. The kernels' programs know
 * the kinds by their numbers. Over an empty set of axes each element is reduced alone: a sum of
 * squares is a square then. */
typedef enum cvk_reduce_kind {
    CVK_REDUCE_MEAN,
    CVK_REDUCE_SUM,
    CVK_REDUCE_MAX,
    CVK_REDUCE_MIN,
    CVK_REDUCE_PROD,
    CVK_REDUCE_L1,
    CVK_REDUCE_L2,
    CVK_REDUCE_SUM_SQUARE,
    CVK_REDUCE_LOG_SUM,
    CVK_REDUCE_LOG_SUM_EXP
} cvk_reduce_kind;
typedef struct cvk_reduce_params {
    cvk_reduce_kind kind;
    int n_axes; /* before infer: as given; 0 with !noop: all */
    int64_t axes[CVK_MAX_RANK];
    bool keepdims, noop_with_empty_axes;
    bool takes_bools; /* the maximum and minimum (opset 20) */
    bool last_index;  /* ArgMax, ArgMin: select_last_index */
    bool smallest;    /* ArgMin */
} cvk_reduce_params;

/* Reshape. */
typedef struct cvk_reshape_params {
    bool allow_zero;
} cvk_reshape_params;

/* Shape: the dims [start, end), as given until infer counts them from the front. */
typedef struct cvk_shape_params {
    int64_t start, end;
} cvk_shape_params;

/* Squeeze, Unsqueeze (axes as an attribute before opset 13, else an input). */
typedef struct cvk_axes_params {
    int n_axes;
    int64_t axes[CVK_MAX_RANK];
} cvk_axes_params;

typedef struct cvk_transpose_params {
    int n_perm; /* 0: reversed, until infer fills it */
    int64_t perm[CVK_MAX_RANK];
} cvk_transpose_params;

/* Slice. After infer: for each input dimension, first index, step (may be negative) and length. */
typedef struct cvk_slice_params {
    bool from_attributes; /* opset < 10 */
    int n;
    int64_t starts[CVK_MAX_RANK], ends[CVK_MAX_RANK], axes[CVK_MAX_RANK];
    bool has_axes;
    int64_t begin[CVK_MAX_RANK], step[CVK_MAX_RANK], length[CVK_MAX_RANK];
} cvk_slice_params;

/* Split: sizes along axis after infer. */
enum { CVK_MAX_SPLIT = 64 };
typedef struct cvk_split_params {
    int64_t axis;
    int n_sizes;
    int64_t sizes[CVK_MAX_SPLIT];
    int64_t num_outputs; /* 0: as many as there are */
    bool smaller_last;   /* equal parts but for the last (opset 18) */
} cvk_split_params;

typedef enum cvk_pad_mode {
    CVK_PAD_CONSTANT,
    CVK_PAD_REFLECT,
    CVK_PAD_EDGE,
    CVK_PAD_WRAP
} cvk_pad_mode;
typedef struct cvk_pad_params {
    cvk_pad_mode mode;
    int n;                                          /* dims, after infer = rank */
    int64_t begin[CVK_MAX_RANK], end[CVK_MAX_RANK]; /* negative: crop */
    float value;
} cvk_pad_params;

/* Resize, Upsample. After infer, scales has one entry per dimension of the input. */
typedef enum cvk_resize_mode {
    CVK_RESIZE_NEAREST,
    CVK_RESIZE_LINEAR,
    CVK_RESIZE_CUBIC
} cvk_resize_mode;
typedef enum cvk_resize_coord {
    CVK_COORD_HALF_PIXEL,
    CVK_COORD_PYTORCH_HALF_PIXEL,
    CVK_COORD_ALIGN_CORNERS,
    CVK_COORD_ASYMMETRIC,
    CVK_COORD_CROP,
    CVK_COORD_TF_HALF_PIXEL, /* (x + 1/2) / scale: tf_half_pixel_for_nn */
    CVK_COORD_HALF_PIXEL_SYMMETRIC
} cvk_resize_coord;
typedef enum cvk_resize_round {
    CVK_ROUND_PREFER_FLOOR,
    CVK_ROUND_PREFER_CEIL,
    CVK_ROUND_FLOOR,
    CVK_ROUND_CEIL
} cvk_resize_round;
typedef enum cvk_resize_aspect {
    CVK_ASPECT_STRETCH,
    CVK_ASPECT_NOT_LARGER,
    CVK_ASPECT_NOT_SMALLER
} cvk_resize_aspect; /* what sizes ask for: themselves, or one scale for all axes */
typedef struct cvk_resize_params {
    cvk_resize_mode mode;
    cvk_resize_coord coord;
    cvk_resize_round round;
    float cubic_a, extrapolation;
    bool exclude_outside;
    bool upsample; /* scales come as Upsample has them */
    bool antialias;
    cvk_resize_aspect aspect;
    int n_axes; /* what the inputs are about; 0: all dimensions */
    int64_t axes[CVK_MAX_RANK];
    int n;
    float scales[CVK_MAX_RANK];
    float roi_begin[CVK_MAX_RANK],
        roi_end[CVK_MAX_RANK]; /* CVK_COORD_CROP, in lengths of the input less 1 */
} cvk_resize_params;

/* GridSample: inputs X, grid. */
typedef enum cvk_grid_padding {
    CVK_GRID_ZEROS,
    CVK_GRID_BORDER,
    CVK_GRID_REFLECTION
} cvk_grid_padding;
typedef struct cvk_grid_params {
    cvk_resize_mode mode;
    cvk_grid_padding padding;
    bool align_corners;
} cvk_grid_params;

/* RoiAlign: inputs X, rois, batch indices. sampling: 0: as many as a bin has elements. */
enum { CVK_ROI_MOST_SAMPLES = 4096 };
typedef struct cvk_roi_params {
    bool max, half_pixel;
    int64_t oh, ow, sampling;
    float scale;
} cvk_roi_params;

/* DeformConv: inputs X, W, offset, [B], [mask]. */
typedef struct cvk_deform_params {
    cvk_conv_params conv;
    int64_t offset_group;
} cvk_deform_params;

/* Resample: one dimension of a Resize, as tables: output x is the sum over taps k of weight[x taps +
 * k] times the input's element at[x taps + k]; `fill` where the first of them is -1. */
typedef struct cvk_resample_params {
    int64_t axis, length; /* of the output */
    int taps;
    const int32_t *at;
    const float *weight;
    float fill;
} cvk_resample_params;

/* DepthToSpace, SpaceToDepth. */
typedef struct cvk_depth_space_params {
    int64_t block;
    bool crd; /* DepthToSpace mode CRD */
} cvk_depth_space_params;

typedef struct cvk_cast_params {
    cvk_dtype to;
} cvk_cast_params;

/* QuantizeLinear, DequantizeLinear: inputs X, scale, [zero point]; axis for a per-channel scale. */
typedef struct cvk_quantize_params {
    int64_t axis;
    int64_t block; /* elements along the axis that share a scale; 0: all or one (opset 21) */
    cvk_dtype to;  /* output_dtype; CVK_NONE: the zero point's type */
} cvk_quantize_params;

/* The quantised operators. All their tensors are plain; X, A, B, W and a residual are uint8 or int8,
 * each of its own. graph/quant.h holds the arithmetic, bit for bit.
 *
 * How a result becomes integers: q = zp + the rounded value, clamped to [lo, hi] (an activation is
 * in lo and hi), stored as dtype, uint8 or int8. */
typedef struct cvk_quant_range {
    int32_t zp, lo, hi;
    cvk_dtype dtype;
} cvk_quant_range;

/* QConv: inputs X, W (oc, ic / group, k...), [B int32 (oc)], [M float32 (oc)], [WZ int32 (oc)],
 * then those of posts, from index 5 on.
 *   acc[oc] = B[oc] + sum of (x - x_zp) (w - WZ[oc]); what the window sees of padding counts as 0
 *   y = cvk_requantise(acc, M[oc], &y); without M the output is acc, int32. */
typedef struct cvk_qconv_params {
    cvk_conv_params conv; /* first, so that cvk_geom_conv reads it */
    int32_t x_zp;
    cvk_quant_range y; /* without M only dtype, CVK_I32, counts */
} cvk_qconv_params;

/* QMatMul: inputs A (.., m, k), B (.., k, n) with numpy's broadcasting, [bias int32 (n)],
 * [M float32 (n) or (1)], [BZ int32 (n) or (1)], then those of posts, from index 5 on.
 *   acc = bias[n] + sum over k of (a - a_zp) (b - BZ[n]); the rest as QConv. */
typedef struct cvk_qmatmul_params {
    int32_t a_zp;
    cvk_quant_range y;
} cvk_qmatmul_params;

/* QBinary: inputs A, B, numpy broadcasting; ADD or MUL. y = cvk_qbinary(&params, a, b). */
typedef struct cvk_qbinary_params {
    cvk_binary_kind kind;
    float a_scale, b_scale, y_scale;
    int32_t a_zp, b_zp;
    cvk_quant_range y;
} cvk_qbinary_params;

/* QPool: input X; averages. With n the divisor of the window (its taps inside X, or with
 * count_include_pad those in X or its padding) and sum that of (x - x_zp) over the taps inside X:
 * y = cvk_requantise(sum, cvk_qpool_scale(&params, n), &params.y). */
typedef struct cvk_qpool_params {
    cvk_pool_params pool; /* kind CVK_POOL_AVERAGE */
    float x_scale, y_scale;
    int32_t x_zp;
    cvk_quant_range y;
} cvk_qpool_params;

/* Constant (value in an attribute) and ConstantOfShape: the element that fills it; dtype, bytes. */
typedef struct cvk_constant_params {
    cvk_view value; /* Constant: owned by the graph's arena. ConstantOfShape: one element */
} cvk_constant_params;

/* GatherND: the first batch_dims dims are the same in data, indices and output. */
typedef struct cvk_gather_nd_params {
    int64_t batch_dims;
} cvk_gather_nd_params;

/* Scatter, ScatterElements, ScatterND (no axis): data with updates put, or combined with what is
 * there, where indices say. */
typedef enum cvk_scatter_kind {
    CVK_SCATTER_NONE,
    CVK_SCATTER_ADD,
    CVK_SCATTER_MUL,
    CVK_SCATTER_MAX,
    CVK_SCATTER_MIN
} cvk_scatter_kind;
typedef struct cvk_scatter_params {
    int64_t axis;
    cvk_scatter_kind kind;
} cvk_scatter_params;

/* TopK. k: after infer, where its input is constant; else -1 and dims that depend on it too. */
typedef struct cvk_top_k_params {
    int64_t axis, k;
    bool smallest, k_attribute; /* before opset 10 k is an attribute */
} cvk_top_k_params;

/* CumSum. axis: after infer, where its input is constant. */
typedef struct cvk_cum_sum_params {
    int64_t axis;
    bool exclusive, reverse;
} cvk_cum_sum_params;

/* Compress, Unique: along an axis, or over the elements in order. */
typedef struct cvk_along_params {
    int64_t axis;
    bool flat;
    bool unsorted; /* Unique: in the order of first occurrence */
} cvk_along_params;

/* EyeLike: ones on diagonal k of a matrix; dtype NONE: the input's. Trilu: k is an input. */
typedef struct cvk_diagonal_params {
    cvk_dtype dtype;
    int64_t k;
    bool lower; /* Trilu: keeps what is on and below the diagonal */
} cvk_diagonal_params;

/* ReverseSequence: one is axis 0, the other axis 1. */
typedef struct cvk_reverse_sequence_params {
    int64_t batch_axis, time_axis;
} cvk_reverse_sequence_params;

/* NonMaxSuppression: boxes are centre and size, not two corners. */
typedef struct cvk_non_max_suppression_params {
    bool center;
} cvk_non_max_suppression_params;

/* Einsum. After infer over known ranks: every dimension of every input has a label; labels [0,
 * rank) are the output's dimensions in order, the others are summed over. */
enum { CVK_EINSUM_INPUTS = 8, CVK_EINSUM_LABELS = 16 };
typedef struct cvk_einsum_params {
    const char *equation;
    int n_in, rank, n_labels;
    int n_dims[CVK_EINSUM_INPUTS], label[CVK_EINSUM_INPUTS][CVK_MAX_RANK];
    int64_t length[CVK_EINSUM_LABELS]; /* -1: not known yet */
} cvk_einsum_params;

/* AffineGrid. */
typedef struct cvk_affine_grid_params {
    bool align_corners;
} cvk_affine_grid_params;

/* Copy: out[i0, i1, ...] = in[offset + i0 stride[0] + i1 stride[1] + ...] for all i below the
 * output's dims, counted in elements of plain tensors. Slice, Split, Transpose, Expand,
 * DepthToSpace and SpaceToDepth become this. `dims` is what is walked: the output's elements in
 * order, which may be split into more dimensions than the output's shape has. */
typedef struct cvk_copy_params {
    int n;
    int64_t dims[CVK_MAX_RANK], strides[CVK_MAX_RANK], offset;
} cvk_copy_params;

/* Reorder: one float32 or float16 input, one output of the same shape in the other layout. No parameters.
 * Transfer: the same elements in another device's memory. No parameters. */

#endif
