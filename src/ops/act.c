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

/* exp(-t) keeps what 1 + tanh and 1 + erf lose where they come near 0. */
static double gelu_tanh(double x)
{
    double t = 2 * 0.79788456080286535588 * (x + 0.044715 * x * x * x);
    return x / (1 + exp(-t));
}

static double softplus(double x)
{
    return (x > 0 ? x : 0) + (isinf(x) ? 0 : log1p(exp(-fabs(x))));
}

static double shrink(double x, double lambda, double bias)
{
    return x < -lambda ? x + bias : x > lambda ? x - bias : 0;
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
    case CVK_ACT_ABS: return fabs(x);
    case CVK_ACT_NEG: return -x;
    case CVK_ACT_FLOOR: return floor(x);
    case CVK_ACT_CEIL: return ceil(x);
    case CVK_ACT_ROUND: return nearbyint(x);
    case CVK_ACT_SIGN: return isnan(x) ? x : (x > 0) - (x < 0);
    case CVK_ACT_RECIPROCAL: return 1 / x;
    case CVK_ACT_SOFTSIGN: return x / (1 + fabs(x));
    case CVK_ACT_THRESHOLDED_RELU: return x > a ? x : 0;
    case CVK_ACT_SHRINK: return shrink(x, a, b);
    case CVK_ACT_SELU: return x <= 0 ? b * a * expm1(x) : b * x;
    case CVK_ACT_CELU: return x < 0 ? a * expm1(x / a) : x;
    case CVK_ACT_LOG: return log(x);
    case CVK_ACT_ERF: return erf(x);
    case CVK_ACT_GELU: return 0.5 * x * erfc(-x * 0.70710678118654752440);
    case CVK_ACT_GELU_TANH: return gelu_tanh(x);
    case CVK_ACT_SOFTPLUS: return softplus(x);
    case CVK_ACT_MISH: return x * tanh(softplus(x));
    case CVK_ACT_SIN: return sin(x);
    case CVK_ACT_COS: return cos(x);
    case CVK_ACT_TAN: return tan(x);
    case CVK_ACT_ASIN: return asin(x);
    case CVK_ACT_ACOS: return acos(x);
    case CVK_ACT_ATAN: return atan(x);
    case CVK_ACT_SINH: return sinh(x);
    case CVK_ACT_COSH: return cosh(x);
    case CVK_ACT_ASINH: return asinh(x);
    case CVK_ACT_ACOSH: return acosh(x);
    case CVK_ACT_ATANH: return atanh(x);
    case CVK_ACT_NONE:
    case CVK_ACT_COUNT: break;
    }
    return x;
}

/* The remainder with the sign of the divisor. */
static double mod(double a, double b)
{
    double rest = fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
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
    case CVK_BINARY_MOD: return mod(a, b);
    case CVK_BINARY_FMOD: return fmod(a, b);
    case CVK_BINARY_EQUAL: return a == b;
    case CVK_BINARY_LESS: return a < b;
    case CVK_BINARY_LESS_EQUAL: return a <= b;
    case CVK_BINARY_GREATER: return a > b;
    case CVK_BINARY_GREATER_EQUAL: return a >= b;
    default: break; /* of bools and integers only: cvk_reference_binary */
    }
    return a;
}
