/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions over any dimensions, and argmax. float32; sums are made of short partial sums or keep
 * what rounding lost, so that a million elements cost no accuracy.
 *
 *   reduce_run    the innermost dimension is reduced: 16 elements of a run at once
 *   reduce_lanes  it is kept: 16 results, neighbours along it, at once
 *   argmax        [outer][length][inner] -> a place along length per outer and inner
 *
 * How elements become one result is a fold, known when these are compiled; what a kind
 * (cvk_reduce_kind, by number) folds and does with the end, is chosen per launch. An item does
 * `span` units of work.
 */

enum { PARTIAL = 64 }; /* vectors in a partial sum */

enum { PLAIN, SQUARES, ABS, EXP, MAX, MIN, PRODUCT }; /* folds; EXP is of the distance from shift */

/* cvk_reduce_kind */
enum {
    KIND_MEAN,
    KIND_SUM,
    KIND_MAX,
    KIND_MIN,
    KIND_PROD,
    KIND_L1,
    KIND_L2,
    KIND_SUM_SQUARE,
    KIND_LOG_SUM,
    KIND_LOG_SUM_EXP
};

typedef struct {
    int span, kind;
    int results, length; /* runs: results; elements of a run. lanes: length of a row of results */
    int chunks, repeats; /* lanes: chunks of 16 per row; how many runs or vectors make one result */
    float count;         /* elements behind a result */
    rows_args kept, reduced; /* a: strides in src */
} reduce_args;

/* The result of no elements. */
INLINE float zero_of(const int fold)
{
    return fold == MAX ? -INFINITY : fold == MIN ? INFINITY : fold == PRODUCT ? 1.0f : 0.0f;
}

INLINE float16 part_of(const int fold, float16 x, float16 shift)
{
    switch (fold) {
    case SQUARES: return x * x;
    case ABS: return fabs(x);
    case EXP: return exp(x - shift);
    default: return x;
    }
}

INLINE float16 join(const int fold, float16 a, float16 b)
{
    switch (fold) {
    case MAX: return fmax(a, b);
    case MIN: return fmin(a, b);
    case PRODUCT: return a * b;
    default: return a + b;
    }
}

/* The same with what sums lose to rounding kept in *lost (Kahan). */
INLINE void join_exactly(const int fold, float16 *total, float16 *lost, float16 part)
{
    if (fold > EXP) {
        *total = join(fold, *total, part);
        return;
    }
    float16 y = part - *lost, t = *total + y;
    *lost = isinf(t) ? (float16)(0.0f) : (t - *total) - y;
    *total = t;
}

/* Over all runs of one result, lane by lane. */
INLINE float16 fold_runs(const int fold, const __global float *src, const reduce_args *args,
                         float shift)
{
    const int16 lane = (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const float16 zero = (float16)(zero_of(fold));
    float16 total = zero, lost = (float16)(0.0f);
    for (int r = 0; r < args->repeats; r++) {
        const __global float *run = src + row_places(&args->reduced, r).x;
        int whole = args->length / 16, rest = args->length - whole * 16;
        for (int i = 0; i < whole; i += PARTIAL) {
            float16 part = zero;
            for (int k = i; k < min(i + PARTIAL, whole); k++)
                part = join(fold, part, part_of(fold, vload16(k, run), (float16)(shift)));
            join_exactly(fold, &total, &lost, part);
        }
        if (!rest) continue;
        float16 x = part_of(fold, load_n(run + whole * 16, rest), (float16)(shift));
        join_exactly(fold, &total, &lost, select(zero, x, lane < rest));
    }
    return total;
}

/* The lanes as one number. */
INLINE float join_lanes(const int fold, float16 v)
{
    float16 a = join(fold, v, v.s89abcdef01234567);
    a = join(fold, a, a.s456789abcdef0123);
    a = join(fold, a, a.s23456789abcdef01);
    return join(fold, a, a.s123456789abcdef0).s0;
}

INLINE float fold_run(const int fold, const __global float *src, const reduce_args *args,
                      float shift)
{
    return join_lanes(fold, fold_runs(fold, src, args, shift));
}

/* Of 16 results, or of `lanes`. */
INLINE float16 fold_lanes(const int fold, const __global float *src, const reduce_args *args,
                          int lanes, float16 shift)
{
    float16 total = (float16)(zero_of(fold)), lost = (float16)(0.0f);
    for (int r = 0; r < args->repeats; r++) {
        float16 x = load_n(src + row_places(&args->reduced, r).x, lanes);
        join_exactly(fold, &total, &lost, part_of(fold, x, shift));
    }
    return total;
}

static float16 finish(const reduce_args *args, float16 v, float16 shift)
{
    switch (args->kind) {
    case KIND_MEAN: return v / args->count;
    case KIND_L2: return sqrt(v);
    case KIND_LOG_SUM: return log(v);
    case KIND_LOG_SUM_EXP: return log(v) + shift;
    default: return v;
    }
}

/* unit: one result, made of `repeats` runs */
__kernel void reduce_run(const __global float *src, __global float *dst, const reduce_args args)
{
    int begin = (int)get_global_id(0) * args.span, end = min(begin + args.span, args.results);
    for (int u = begin; u < end; u++) {
        const __global float *from = src + row_places(&args.kept, u).x;
        float v, shift = 0.0f;
        switch (args.kind) {
        case KIND_MAX: v = fold_run(MAX, from, &args, shift); break;
        case KIND_MIN: v = fold_run(MIN, from, &args, shift); break;
        case KIND_PROD: v = fold_run(PRODUCT, from, &args, shift); break;
        case KIND_L1: v = fold_run(ABS, from, &args, shift); break;
        case KIND_L2:
        case KIND_SUM_SQUARE: v = fold_run(SQUARES, from, &args, shift); break;
        case KIND_LOG_SUM_EXP:
            shift = fold_run(MAX, from, &args, shift);
            shift = isinf(shift) ? 0.0f : shift;
            v = fold_run(EXP, from, &args, shift);
            break;
        default: v = fold_run(PLAIN, from, &args, shift); break;
        }
        dst[u] = finish(&args, (float16)(v), (float16)(shift)).s0;
    }
}

/* unit: 16 neighbours along the innermost dimension */
__kernel void reduce_lanes(const __global float *src, __global float *dst, const reduce_args args)
{
    int begin = (int)get_global_id(0) * args.span,
        end = min(begin + args.span, args.results * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x = (u - row * args.chunks) * 16,
            lanes = min(16, args.length - x);
        const __global float *from = src + row_places(&args.kept, row).x + x;
        float16 v, shift = (float16)(0.0f);
        switch (args.kind) {
        case KIND_MAX: v = fold_lanes(MAX, from, &args, lanes, shift); break;
        case KIND_MIN: v = fold_lanes(MIN, from, &args, lanes, shift); break;
        case KIND_PROD: v = fold_lanes(PRODUCT, from, &args, lanes, shift); break;
        case KIND_L1: v = fold_lanes(ABS, from, &args, lanes, shift); break;
        case KIND_L2:
        case KIND_SUM_SQUARE: v = fold_lanes(SQUARES, from, &args, lanes, shift); break;
        case KIND_LOG_SUM_EXP:
            shift = fold_lanes(MAX, from, &args, lanes, shift);
            shift = isinf(shift) ? (float16)(0.0f) : shift;
            v = fold_lanes(EXP, from, &args, lanes, shift);
            break;
        default: v = fold_lanes(PLAIN, from, &args, lanes, shift); break;
        }
        store_n(finish(&args, v, shift), dst + row * args.length + x, lanes);
    }
}

typedef struct {
    int span, outer, length, inner;
    int smallest, last; /* ArgMin; of equal ones the last counts, else the first */
} argmax_args;

/* unit: one result */
__kernel void argmax(const __global float *src, __global long *dst, const argmax_args args)
{
    int begin = (int)get_global_id(0) * args.span,
        end = min(begin + args.span, args.outer * args.inner);
    for (int u = begin; u < end; u++) {
        int outer = u / args.inner, x = u - outer * args.inner, best = 0;
        const __global float *from = src + outer * args.length * args.inner + x;
        float top = from[0];
        for (int i = 1; i < args.length; i++) {
            float v = from[i * args.inner];
            if ((args.smallest ? v < top : v > top) || (args.last && v == top)) {
                top = v;
                best = i;
            }
        }
        dst[u] = best;
    }
}
