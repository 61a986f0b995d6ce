/* SPDX-License-Identifier: Apache-2.0
 *
 * Put before every .cl file: vector loads and stores with a tail, the activations, the
 * epilogue, windows, exact division.
 * OpenCL C 1.2. What it takes from the build:
 *
 *   CVK_FMA           1: fma() is a machine instruction here; 0 (default): a * b + c
 *   CVK_EXACT_DIVIDE  1: divisions are correctly rounded; 0 (default): as OpenCL allows
 *   ACT_RARE          1: with the activations beyond ACT_SWISH, which take long to compile; 0
 *                     (default): without
 *   POSTS             which posts the kernels have code for: 0: max and min, 1: and before them a
 *                     residual, 2: and a PRelu (what posts_args calls `simple`), 3 (default): all. It
 *                     is looked at where posts are applied: the files of one program may differ
 *
 * The blocked layout ("nchw16c") is channels in blocks of BLOCK, the channel within its block
 * innermost; counted in float16: [n][block of c][h][w]. Lanes beyond the last channel hold
 * anything.
 */
#ifndef CVK_COMMON
#define CVK_COMMON

#ifndef CVK_FMA
#define CVK_FMA 0
#endif
#ifndef CVK_EXACT_DIVIDE
#define CVK_EXACT_DIVIDE 0
#endif

#ifndef ACT_RARE
#define ACT_RARE 0
#endif
#ifndef POSTS
#define POSTS 3
#endif

#define BLOCK 16

/* For functions that work on a register tile of their caller's: a call would put it in memory. */
#define INLINE static inline __attribute__((always_inline, unused))
/* For all others: what no kernel needs is dropped before it costs anything. oclgrind 21.10 does not know
 * what LLVM leaves where it has inlined one that returns a struct: see tile_of in conv_direct.cl. */
#define OUTLINE static __attribute__((unused))

/* The first `count` of 16 lanes (0 or more; any alignment); the others read as 0, stay unset. */
OUTLINE float16 load_n(__global const float *p, int count)
{
    if (count >= 16) return vload16(0, p);
    float lane[16];
    for (int i = 0; i < 16; i++) lane[i] = i < count ? p[i] : 0.0f;
    return vload16(0, lane);
}

OUTLINE void store_n(float16 x, __global float *p, int count)
{
    if (count >= 16) {
        vstore16(x, 0, p);
        return;
    }
    float lane[16];
    vstore16(x, 0, lane);
    for (int i = 0; i < count; i++) p[i] = lane[i];
}

/* With HALF the activations of a file's kernels are float16 in memory (and float32 in registers);
 * loading and storing them takes no extension. Pixels are 16 lanes of the blocked layout. */
#ifndef HALF
#define HALF 0
#endif
#if HALF
typedef half stored_t;
#else
typedef float stored_t;
#endif

INLINE float load_stored(__global const stored_t *p, size_t i)
{
#if HALF
    return vload_half(i, p);
#else
    return p[i];
#endif
}

INLINE float16 load_pixel(__global const stored_t *p, size_t i)
{
#if HALF
    return vloada_half16(i, p);
#else
    return ((__global const float16 *)p)[i];
#endif
}

INLINE void store_pixel(float16 x, __global stored_t *p, size_t i)
{
#if HALF
    vstorea_half16_rte(x, i, p);
#else
    ((__global float16 *)p)[i] = x;
#endif
}

/* a b + c, rounded once where the machine does so. */
INLINE float16 mad16(float16 a, float16 b, float16 c)
{
#if CVK_FMA
    return fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* Activations: the numbers of cvk_act_kind (graph/params.h), in its order. */
enum {
    ACT_NONE,
    ACT_RELU,
    ACT_LEAKY_RELU,
    ACT_ELU,
    ACT_SIGMOID,
    ACT_HARD_SIGMOID,
    ACT_HARD_SWISH,
    ACT_TANH,
    ACT_CLIP,
    ACT_SQRT,
    ACT_EXP,
    ACT_LINEAR,
    ACT_QDQ,
    ACT_SWISH,
    ACT_ABS,
    ACT_NEG,
    ACT_FLOOR,
    ACT_CEIL,
    ACT_ROUND,
    ACT_SIGN,
    ACT_RECIPROCAL,
    ACT_SOFTSIGN,
    ACT_THRESHOLDED_RELU,
    ACT_SHRINK,
    ACT_SELU,
    ACT_CELU,
    ACT_LOG,
    ACT_ERF,
    ACT_GELU,
    ACT_GELU_TANH,
    ACT_SOFTPLUS,
    ACT_MISH,
    ACT_SIN,
    ACT_COS,
    ACT_TAN,
    ACT_ASIN,
    ACT_ACOS,
    ACT_ATAN,
    ACT_SINH,
    ACT_COSH,
    ACT_ASINH,
    ACT_ACOSH,
    ACT_ATANH
};

/* min(max(x, low), high); NaN stays NaN. */
INLINE float16 clamp16(float16 x, float low, float high)
{
    x = x < low ? (float16)(low) : x;
    return x > high ? (float16)(high) : x;
}

/* 1 + exp(x) for the denominators of sigmoid and Swish, within 2e-7: x = n ln(2) + r, and a minimax
 * polynomial of r. Adding MAGIC rounds to an integer, which is then in the low bits; 2^(n - 1) has an
 * exponent for every n within the bounds, beyond which the sum is 1 or inf. NaN stays NaN. */
INLINE float16 one_plus_exp16(float16 x)
{
    const float MAGIC = 12582912.0f; /* 1.5 * 2^23 */
    x = clamp16(x, -87.0f, 89.0f);
    const float16 shifted = mad16(x, (float16)(1.44269504088896341f), (float16)(MAGIC));
    const float16 r = mad16(shifted - MAGIC, (float16)(-0.693147180559945309f), x);
    float16 p = mad16((float16)(8.3125093952e-3f), r, (float16)(4.1890334338e-2f));
    p = mad16(p, r, (float16)(1.6667115688e-1f));
    p = mad16(p, r, (float16)(4.9999231100e-1f));
    p = mad16(r * r, p, r) + 1.0f;
    p *= as_float16((as_uint16(shifted) << 23) + (126u << 23));
    return mad16(p, (float16)(2.0f), (float16)(1.0f));
}

#if ACT_RARE
/* (1 + tanh(t)) / 2 = sigmoid(2 t) */
OUTLINE float16 gelu_tanh16(float16 x)
{
    float16 t = 1.59576912161f * x * (1.0f + 0.044715f * x * x);
    return x / (1.0f + exp(-t));
}

OUTLINE float16 softplus16(float16 x)
{
    return fmax(x, 0.0f) + log1p(exp(-fabs(x)));
}

/* tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2), e = exp(x); 1 in float32 above 20. */
OUTLINE float16 mish16(float16 x)
{
    float16 e = exp(x > 20.0f ? (float16)(20.0f) : x), n = e * (e + 2.0f);
    return x * (n / (n + 2.0f));
}

OUTLINE float16 sign16(float16 x)
{
    return x > 0.0f ? (float16)(1.0f) : x < 0.0f ? (float16)(-1.0f) : x;
}

OUTLINE float16 trig16(int kind, float16 x)
{
    return kind == ACT_SIN ? sin(x) : kind == ACT_COS ? cos(x) : tan(x);
}

/* Some drivers lose small angles that stand beside huge ones (or NaN) in a vector: those apart. */
OUTLINE float16 angle16(int kind, float16 x)
{
    int16 far = !(fabs(x) <= 30000.0f);
    float16 y = trig16(kind, far ? (float16)(0.0f) : x);
    return any(far) ? (far ? trig16(kind, far ? x : (float16)(100000.0f)) : y) : y;
}

OUTLINE float16 act_rare16(int kind, float a, float b, float16 x)
{
    const float16 zero = (float16)(0.0f);
    switch (kind) {
    case ACT_ABS: return fabs(x);
    case ACT_NEG: return -x;
    case ACT_FLOOR: return floor(x);
    case ACT_CEIL: return ceil(x);
    case ACT_ROUND: return rint(x);
    case ACT_SIGN: return sign16(x);
    case ACT_RECIPROCAL: return 1.0f / x;
    case ACT_SOFTSIGN: return x / (1.0f + fabs(x));
    case ACT_THRESHOLDED_RELU: return x > a ? x : zero;
    case ACT_SHRINK: return x < -a ? x + b : x > a ? x - b : zero;
    case ACT_SELU: return b * (x > 0.0f ? x : a * expm1(x));
    case ACT_CELU: return x < 0.0f ? a * expm1(x / a) : x;
    case ACT_LOG: return log(x);
    case ACT_ERF: return erf(x);
    case ACT_GELU: return 0.5f * x * erfc(-0.70710678118f * x);
    case ACT_GELU_TANH: return gelu_tanh16(x);
    case ACT_SOFTPLUS: return softplus16(x);
    case ACT_MISH: return mish16(x);
    case ACT_SIN:
    case ACT_COS:
    case ACT_TAN: return angle16(kind, x);
    case ACT_ASIN: return asin(x);
    case ACT_ACOS: return acos(x);
    case ACT_ATAN: return atan(x);
    case ACT_SINH: return sinh(x);
    case ACT_COSH: return cosh(x);
    case ACT_ASINH: return asinh(x);
    case ACT_ACOSH: return acosh(x);
    case ACT_ATANH: return atanh(x);
    }
    return x;
}
#endif

/* The activation of that cvk_act; kind may be a constant. */
INLINE float16 act16(int kind, float a, float b, float c, float d, float16 x)
{
    switch (kind) {
    case ACT_RELU: return x < 0.0f ? (float16)(0.0f) : x;
    case ACT_LEAKY_RELU: return x < 0.0f ? a * x : x;
    case ACT_ELU: return x < 0.0f ? a * expm1(x) : x;
    case ACT_SIGMOID: return 1.0f / one_plus_exp16(-x);
    case ACT_HARD_SIGMOID: return clamp16(a * x + b, 0.0f, 1.0f);
    case ACT_HARD_SWISH: return x * clamp16(x * (1.0f / 6.0f) + 0.5f, 0.0f, 1.0f);
    case ACT_TANH: return tanh(x);
    case ACT_CLIP: return clamp16(x, a, b);
    case ACT_SQRT: return sqrt(x);
    case ACT_EXP: return exp(x);
    case ACT_LINEAR: return a * x + b;
    case ACT_QDQ: return (clamp16(rint(x / a) + b, c, d) - b) * a;
    case ACT_SWISH: return x / one_plus_exp16(-a * x);
#if ACT_RARE
    default: return act_rare16(kind, a, b, x);
#else
    default: return x;
#endif
    }
}

/* What follows in the same kernel: cvk_cl_posts of kernels/opencl/launch.h. The kinds are those of
 * cvk_post_kind (graph/graph.h). */
enum { POST_ADD = 1, POST_ACT, POST_PRELU };
typedef struct {
    int kind;
    int act;
    float a, b, c, d;
} post_args;
typedef struct {
    int count;
    int add;    /* 1: a post adds the residual */
    int prelu;  /* 1: a post is a PRelu with a slope per channel; 2: with one slope for all */
    int simple; /* the posts are at most a residual, then a PRelu, or max(low) and min(high) */
    float low, high;
    post_args list[4];
} posts_args;

/* Post i, found by comparing: indices that are not constant trouble some drivers. */
OUTLINE post_args post_of(const posts_args *posts, int i)
{
    post_args p = posts->list[0];
    if (i == 1) p = posts->list[1];
    if (i == 2) p = posts->list[2];
    if (i == 3) p = posts->list[3];
    return p;
}

/* Posts of any kind on 16 results. residual and slope matter only where posts says so. */
OUTLINE float16 apply_list(const posts_args *posts, float16 x, float16 residual, float16 slope)
{
    for (int i = 0; i < posts->count; i++) {
        const post_args p = post_of(posts, i);
        if (p.kind == POST_ADD)
            x += residual;
        else if (p.kind == POST_ACT)
            x = act16(p.act, p.a, p.b, p.c, p.d, x);
        else
            x = x < 0.0f ? slope * x : x;
    }
    return x;
}

/* An activation post on n results in memory: the usual ones have loops of their own. */
OUTLINE void act_all(const post_args p, float16 *x, int n)
{
    switch (p.act) {
    case ACT_SWISH:
        for (int i = 0; i < n; i++) x[i] = act16(ACT_SWISH, p.a, p.b, p.c, p.d, x[i]);
        break;
    case ACT_SIGMOID:
        for (int i = 0; i < n; i++) x[i] = act16(ACT_SIGMOID, p.a, p.b, p.c, p.d, x[i]);
        break;
    case ACT_HARD_SWISH:
        for (int i = 0; i < n; i++) x[i] = act16(ACT_HARD_SWISH, p.a, p.b, p.c, p.d, x[i]);
        break;
    case ACT_LEAKY_RELU:
        for (int i = 0; i < n; i++) x[i] = act16(ACT_LEAKY_RELU, p.a, p.b, p.c, p.d, x[i]);
        break;
    default:
        for (int i = 0; i < n; i++) x[i] = act16(p.act, p.a, p.b, p.c, p.d, x[i]);
    }
}

INLINE float16 apply_simple(const int level, const posts_args *posts, float16 x, float16 residual,
                            float16 slope)
{
    if (level >= 1 && posts->add) x += residual;
    if (level >= 2 && posts->prelu) return x < 0.0f ? slope * x : x;
    return clamp16(x, posts->low, posts->high);
}

/* The posts before a pool, on 16 results: as a macro, since the list costs a compiler much. */
#define apply_posts(posts, x, residual, slope)                                                     \
    (POSTS >= 3 && !(posts)->simple ? apply_list(posts, x, residual, slope)                        \
                                    : apply_simple(POSTS, posts, x, residual, slope))

/* Rows of nested loops over two tensors (cvk_cl_rows of kernels/opencl/steps.h): all dimensions but
 * the innermost, outermost first, with their strides in both. */
typedef struct {
    int n, dims[8], a[8], b[8];
} rows_args;

/* Where row `row` begins in both. */
OUTLINE int2 row_places(const rows_args *rows, int row)
{
    int2 at = (int2)(0, 0);
    for (int i = 7; i >= 0;
         i--) { /* unrolled: indices that are not constant trouble some drivers */
        if (i >= rows->n) continue;
        int k = row % rows->dims[i];
        row /= rows->dims[i];
        at += (int2)(k * rows->a[i], k * rows->b[i]);
    }
    return at;
}

/* The taps of the window at output position o that lie in the input: first, last + 1, how many; and
 * in w how many lie in the input or its padding. */
INLINE int4 window_taps(int o, int stride, int taps, int dilation, int pad_begin, int pad_end,
                        int in)
{
    int start = o * stride - pad_begin, end = start + (taps - 1) * dilation + 1;
    if (start >= 0 && end <= in) return (int4)(start, end, taps, taps);
    int padded = max((min(end, in + pad_end) - start + dilation - 1) / dilation, 0);
    if (start < 0) start += (dilation - 1 - start) / dilation * dilation;
    end = min(end, in);
    return (int4)(start, end, max((end - start + dilation - 1) / dilation, 0), padded);
}

/* a / b, correctly rounded: where the device does not promise that, the quotient is brought to within
 * a unit in its last place, and of its neighbours the one that leaves the least is taken. */
INLINE float16 divide16(float16 a, float16 b)
{
    const float16 raw = a / b;
#if CVK_EXACT_DIVIDE
    return raw;
#else
    const float16 near = fma(fma(-raw, b, a), 1.0f / b, raw);
    const float16 above = as_float16(as_int16(near) + 1), below = as_float16(as_int16(near) - 1);
    const float16 left = fabs(fma(-near, b, a)), left_above = fabs(fma(-above, b, a)),
                  left_below = fabs(fma(-below, b, a));
    float16 best = left_above < left ? above : near;
    best = left_below < left ? below : best;
    return select(raw, best, isnormal(raw));
#endif
}

#endif
