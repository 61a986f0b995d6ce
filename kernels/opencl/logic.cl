/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons, logic of bools, and Where: plain tensors of any type with broadcasting.
 *
 *   rows     r0   [ ....chunk 0.... | ....chunk 1.... | .. ]     a unit is one chunk of one row
 *            r1   [ ................|.................| .. ]     an item does `span` units
 *
 *   operands walk the row with step 1 or 0 (0: the same element again); where rows begin comes from
 *   nested loops with a list of strides for each operand, 0 where it repeats
 *
 *   T        type of the operands (compare), or any type of that size (where)
 */
#ifndef T
#define T float
#endif

/* kind: the numbers of cvk_binary_kind (graph/params.h) from EQUAL on, in its order */
enum { EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, AND, OR, XOR };

static bool holds(int kind, T a, T b)
{
    switch (kind) {
    case EQUAL: return a == b;
    case LESS: return a < b;
    case LESS_EQUAL: return a <= b;
    case GREATER: return a > b;
    case GREATER_EQUAL: return a >= b;
    case AND: return a != (T)0 && b != (T)0;
    case OR: return a != (T)0 || b != (T)0;
    }
    return (a != (T)0) != (b != (T)0);
}

typedef struct {
    int span, rows, length, chunk, chunks;
    rows_args walk;
    int step_a, step_b, kind;
} compare_args;

__kernel void compare(const __global T *a, const __global T *b, __global uchar *dst,
                      const compare_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.length);
        int2 at = row_places(&args.walk, row);
        for (int x = x0; x < x1; x++)
            dst[row * args.length + x] =
                holds(args.kind, a[at.x + x * args.step_a], b[at.y + x * args.step_b]) ? 1 : 0;
    }
}

typedef struct {
    int span, rows, length, chunk, chunks;
    rows_args walk, condition; /* over X and Y; over the condition, with the same rows */
    int step_a, step_b, step_condition;
} where_args;

__kernel void where(const __global uchar *condition, const __global T *a, const __global T *b,
                    __global T *dst, const where_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.length);
        int2 at = row_places(&args.walk, row);
        int from = row_places(&args.condition, row).x;
        for (int x = x0; x < x1; x++)
            dst[row * args.length + x] = condition[from + x * args.step_condition]
                                             ? a[at.x + x * args.step_a]
                                             : b[at.y + x * args.step_b];
    }
}
