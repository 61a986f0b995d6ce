/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements and slices at indices that a run knows, int32 or int64, counted from the end if
 * negative. Which of several updates for one place stays is open, as ONNX leaves it.
 *
 *   elements  one place along an axis per index; a row is the last dimension of the indices
 *             tensor[base of the row + x step + index pitch]  <->  flat[row length + x]
 *   tuples    one slice per tuple of indices
 *             tensor[(batch places + place of the tuple) length + x]  <->  flat[tuple length + x]
 *
 * gather_.. copies from the tensor, scatter_.. into it. Elements have 1, 2, 4 or 8 bytes. An index
 * that is out of range, which only a computed one can be, gathers the nearest and scatters nothing.
 */

INLINE void move_element(__global uchar *dst, int to, const __global uchar *src, int from, int bytes)
{
    switch (bytes) {
    case 1: dst[to] = src[from]; break;
    case 2: ((__global ushort *)dst)[to] = ((const __global ushort *)src)[from]; break;
    case 4: ((__global uint *)dst)[to] = ((const __global uint *)src)[from]; break;
    default: ((__global ulong *)dst)[to] = ((const __global ulong *)src)[from]; break;
    }
}

/* Index number i into [0, dim) or, if it is outside, beyond those ends. */
INLINE long get_index(const __global int *indices, int wide, int i, int dim)
{
    long at = wide ? ((const __global long *)indices)[i] : (long)indices[i];
    return at < 0 ? at + dim : at;
}

typedef struct {
    int span, rows, length, chunk, chunks;
    int bytes, wide;      /* of an element; 1: int64 indices */
    int dim, pitch, step; /* the axis: elements, stride in the tensor; stride of x */
    rows_args walk;       /* a: strides in the tensor, 0 for the axis */
} elements_args;

/* Unit u: its first x, last + 1, where its row begins in the tensor and among the indices. */
static int4 elements_chunk(const elements_args *args, int u)
{
    int row = u / args->chunks, x0 = (u - row * args->chunks) * args->chunk;
    return (int4)(x0, min(x0 + args->chunk, args->length), row_places(&args->walk, row).x,
                  row * args->length);
}

__kernel void gather_elements(const __global uchar *src, const __global int *indices,
                              __global uchar *dst, const elements_args args)
{
    int begin = (int)get_global_id(0) * args.span,
        end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int4 k = elements_chunk(&args, u);
        for (int x = k.x; x < k.y; x++) {
            long index = get_index(indices, args.wide, k.w + x, args.dim);
            int at = (int)clamp(index, (long)0, (long)args.dim - 1);
            move_element(dst, k.w + x, src, k.z + x * args.step + at * args.pitch, args.bytes);
        }
    }
}

__kernel void scatter_elements(const __global uchar *src, const __global int *indices,
                               __global uchar *dst, const elements_args args)
{
    int begin = (int)get_global_id(0) * args.span,
        end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int4 k = elements_chunk(&args, u);
        for (int x = k.x; x < k.y; x++) {
            long at = get_index(indices, args.wide, k.w + x, args.dim);
            if (at < 0 || at >= args.dim) continue;
            move_element(dst, k.z + x * args.step + (int)at * args.pitch, src, k.w + x, args.bytes);
        }
    }
}

typedef struct {
    int span, rows, length, chunk, chunks; /* rows: tuples; length: of a slice */
    int bytes, wide;
    int each, places; /* tuples of a batch; slices of a batch of the tensor */
    int n, dims[8];   /* indices in a tuple, and their dimensions */
} tuples_args;

/* Where tuple `row` points, in slices; -1 if an index is outside and `strict`. */
static int tuple_place(const tuples_args *args, const __global int *indices, int row, int strict)
{
    int place = 0, outside = 0;
    for (int d = 0; d < 8; d++) { /* unrolled: indices that are not constant trouble some drivers */
        if (d >= args->n) continue;
        long index = get_index(indices, args->wide, row * args->n + d, args->dims[d]);
        int at = (int)clamp(index, (long)0, (long)args->dims[d] - 1);
        outside = outside || at != index;
        place = place * args->dims[d] + at;
    }
    return strict && outside ? -1 : row / args->each * args->places + place;
}

__kernel void gather_nd(const __global uchar *src, const __global int *indices, __global uchar *dst,
                        const tuples_args args)
{
    int begin = (int)get_global_id(0) * args.span,
        end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk,
            x1 = min(x0 + args.chunk, args.length),
            from = tuple_place(&args, indices, row, 0) * args.length, to = row * args.length;
        for (int x = x0; x < x1; x++) move_element(dst, to + x, src, from + x, args.bytes);
    }
}

__kernel void scatter_nd(const __global uchar *src, const __global int *indices,
                         __global uchar *dst, const tuples_args args)
{
    int begin = (int)get_global_id(0) * args.span,
        end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk,
            x1 = min(x0 + args.chunk, args.length),
            place = tuple_place(&args, indices, row, 1), to = place * args.length;
        for (int x = x0; x < x1 && place >= 0; x++)
            move_element(dst, to + x, src, row * args.length + x, args.bytes);
    }
}
