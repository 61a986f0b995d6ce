/* SPDX-License-Identifier: Apache-2.0
 *
 * The activations and the binary operations on one element, in double. Formulas: graph/params.h.
 */
#include <math.h>

#include "ops/op.h"

/* min(max(x, low), high), where a NaN stays one. */
static double clip(double x, double low, double high)
{
    double y = x < low ? low : x;
    return y > high ? high : y;
}

/* The quotient is a float32, as ONNX types it: which way a tie goes depends on it. */
static double qdq(const cvk_act *act, double x)
{
    double step = (double)nearbyintf((float)x / act->a) + act->b;
    return (clip(step, act->c, act->d) - act->b) * act->a;
}

double cvk_act_apply(const cvk_act *act, double x)
{
    double a = act->a, b = act->b;
    switch (act->kind) {
    case CVK_ACT_RELU: return x < 0 ? 0 : x;
    case CVK_ACT_LEAKY_RELU: return x < 0 ? a * x : x;
    case CVK_ACT_ELU: return x < 0 ? a * expm1(x) : x;
    case CVK_ACT_SIGMOID: return 1 / (1 + exp(-x));
    case CVK_ACT_HARD_SIGMOID: return clip(a * x + b, 0, 1);
    case CVK_ACT_HARD_SWISH: return x * clip(x / 6 + 0.5, 0, 1);
    case CVK_ACT_TANH: return tanh(x);
    case CVK_ACT_CLIP: return clip(x, a, b);
    case CVK_ACT_SQRT: return sqrt(x);
    case CVK_ACT_EXP: return exp(x);
    case CVK_ACT_LINEAR: return a * x + b;
    case CVK_ACT_QDQ: return qdq(act, x);
    case CVK_ACT_SWISH: return x / (1 + exp(-a * x));
    case CVK_ACT_NONE:
    case CVK_ACT_COUNT: break;
    }
    return x;
}

double cvk_binary_apply(cvk_binary_kind kind, double a, double b)
{
    switch (kind) {
    case CVK_BINARY_ADD: return a + b;
    case CVK_BINARY_SUB: return a - b;
    case CVK_BINARY_MUL: return a * b;
    case CVK_BINARY_DIV: return a / b;
    case CVK_BINARY_POW: return pow(a, b);
    case CVK_BINARY_MIN: return a < b || isnan(a) ? a : b;
    case CVK_BINARY_MAX: return a > b || isnan(a) ? a : b;
    case CVK_BINARY_PRELU: return a < 0 ? a * b : a;
    case CVK_BINARY_COUNT: break;
    }
    return a;
}
