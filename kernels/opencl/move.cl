/* SPDX-License-Identifier: Apache-2.0
 *
 * What only moves elements: copy (any strides; concat in plain layout), gather, pad, concat in
 * blocked layout, and the two reorders.
 *
 *   rows     r0   [ ....chunk 0.... | ....chunk 1.... | .. ]     a unit is one chunk of one row
 *            r1   [ ................|.................| .. ]     an item does `span` units
 *
 *   copy     dst[to + .. + x step_dst] = src[from + .. + x step_src] over nested loops
 *   gather   dst[o][j][x] = src[o][index[j]][x]; a row is one (o, j)
 * Their elements have 1, 2, 4 or 8 bytes (the number in the kernel's name); only the size matters.
 * Blocked layout: [n][block][h][w], counted in float16.
 */

typedef struct {
    int span, rows, length, chunk, chunks;
    int from, to, step_src, step_dst;
    rows_args walk; /* a: src, b: dst */
} copy_args;

/* The chunk of unit u: its first and last + 1 element, and where the row begins in src and dst. */
static int4 copy_chunk(const copy_args *args, int u)
{
    int row = u / args->chunks, x0 = (u - row * args->chunks) * args->chunk;
    int2 at = row_places(&args->walk, row) + (int2)(args->from, args->to);
    return (int4)(x0, min(x0 + args->chunk, args->length), at.x, at.y);
}

static int2 copy_units(const copy_args *args)
{
    int begin = (int)get_global_id(0) * args->span;
    return (int2)(begin, min(begin + args->span, args->rows * args->chunks));
}

__kernel void copy1(const __global uchar *src, __global uchar *dst, const copy_args args)
{
    int2 units = copy_units(&args);
    for (int u = units.x; u < units.y; u++) {
        int4 k = copy_chunk(&args, u);
        for (int x = k.x; x < k.y; x++) dst[k.w + x * args.step_dst] = src[k.z + x * args.step_src];
    }
}

__kernel void copy2(const __global ushort *src, __global ushort *dst, const copy_args args)
{
    int2 units = copy_units(&args);
    for (int u = units.x; u < units.y; u++) {
        int4 k = copy_chunk(&args, u);
        for (int x = k.x; x < k.y; x++) dst[k.w + x * args.step_dst] = src[k.z + x * args.step_src];
    }
}

/* The one that activations use: whole vectors where both sides are runs. */
__kernel void copy4(const __global uint *src, __global uint *dst, const copy_args args)
{
    int2 units = copy_units(&args);
    int runs = args.step_src == 1 && args.step_dst == 1;
    for (int u = units.x; u < units.y; u++) {
        int4 k = copy_chunk(&args, u);
        int x = k.x;
        for (; runs && x + 16 <= k.y; x += 16)
            vstore16(vload16(0, src + k.z + x), 0, dst + k.w + x);
        for (; x < k.y; x++) dst[k.w + x * args.step_dst] = src[k.z + x * args.step_src];
    }
}

__kernel void copy8(const __global ulong *src, __global ulong *dst, const copy_args args)
{
    int2 units = copy_units(&args);
    for (int u = units.x; u < units.y; u++) {
        int4 k = copy_chunk(&args, u);
        for (int x = k.x; x < k.y; x++) dst[k.w + x * args.step_dst] = src[k.z + x * args.step_src];
    }
}

typedef struct {
    int span, rows, length, chunk, chunks; /* rows = outer x count */
    int count, size, wide; /* indices; elements of the gathered axis; 1: int64 indices */
} gather_args;

static int2 gather_units(const gather_args *args)
{
    int begin = (int)get_global_id(0) * args->span;
    return (int2)(begin, min(begin + args->span, args->rows * args->chunks));
}

/* As copy_chunk. An index counts from the end if negative; one that is out of range, which only a
 * computed index can be, takes the nearest element. */
static int4 gather_chunk(const gather_args *args, const __global int *indices, int u)
{
    int row = u / args->chunks, x0 = (u - row * args->chunks) * args->chunk;
    int outer = row / args->count, j = row - outer * args->count;
    long at = args->wide ? ((const __global long *)indices)[j] : (long)indices[j];
    if (at < 0) at += args->size;
    int index = (int)clamp(at, (long)0, (long)args->size - 1);
    return (int4)(x0, min(x0 + args->chunk, args->length),
                  (outer * args->size + index) * args->length, row * args->length);
}

__kernel void gather1(const __global uchar *src, const __global int *indices, __global uchar *dst,
                      const gather_args args)
{
    int2 units = gather_units(&args);
    for (int u = units.x; u < units.y; u++) {
        int4 k = gather_chunk(&args, indices, u);
        for (int x = k.x; x < k.y; x++) dst[k.w + x] = src[k.z + x];
    }
}

__kernel void gather2(const __global ushort *src, const __global int *indices, __global ushort *dst,
                      const gather_args args)
{
    int2 units = gather_units(&args);
    for (int u = units.x; u < units.y; u++) {
        int4 k = gather_chunk(&args, indices, u);
        for (int x = k.x; x < k.y; x++) dst[k.w + x] = src[k.z + x];
    }
}

__kernel void gather4(const __global uint *src, const __global int *indices, __global uint *dst,
                      const gather_args args)
{
    int2 units = gather_units(&args);
    for (int u = units.x; u < units.y; u++) {
        int4 k = gather_chunk(&args, indices, u);
        for (int x = k.x; x < k.y; x++) dst[k.w + x] = src[k.z + x];
    }
}

__kernel void gather8(const __global ulong *src, const __global int *indices, __global ulong *dst,
                      const gather_args args)
{
    int2 units = gather_units(&args);
    for (int u = units.x; u < units.y; u++) {
        int4 k = gather_chunk(&args, indices, u);
        for (int x = k.x; x < k.y; x++) dst[k.w + x] = src[k.z + x];
    }
}

/* Where output index i comes from along one dimension: i - begin, by mode (cvk_pad_mode: 0
 * constant, 1 reflect, 2 edge, 3 wrap) brought into [0, n); -1 for the constant. */
static int pad_source(int mode, int i, int begin, int n)
{
    int at = i - begin;
    if (at >= 0 && at < n) return at;
    if (mode == 0) return -1;
    if (mode == 3) return (at % n + n) % n;
    if (mode == 2 || n == 1) return clamp(at, 0, n - 1);
    int period = 2 * (n - 1);
    at = abs(at) % period;
    return at < n ? at : period - at;
}

typedef struct {
    int span, rows, length, chunk, chunks;
    int mode, iw, begin_w; /* of the innermost dimension, which the kernel walks */
    int n, in[8], out[8], begin[8], strides[8]; /* of the others, outermost first */
    uint value;                                 /* the constant's bits */
} pad_args;

/* Elements of 4 bytes. A row is a run of the innermost dimension of dst. */
__kernel void pad_plain(const __global uint *src, __global uint *dst, const pad_args args)
{
    int first = (int)get_global_id(0) * args.span;
    int end = min(first + args.span, args.rows * args.chunks);
    for (int u = first; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.length), rest = row, from = 0, inside = 1;
        for (int i = 7; i >= 0; i--) { /* unrolled */
            if (i >= args.n) continue;
            int at = pad_source(args.mode, rest % args.out[i], args.begin[i], args.in[i]);
            rest /= args.out[i];
            inside = inside && at >= 0;
            from += at * args.strides[i];
        }
        int left = clamp(args.begin_w, x0, x1), right = clamp(args.begin_w + args.iw, left, x1);
        if (!inside) left = right = x1;
        int x = x0;
        for (; x < left; x++) {
            int at = inside ? pad_source(args.mode, x, args.begin_w, args.iw) : -1;
            dst[row * args.length + x] = at < 0 ? args.value : src[from + at];
        }
        for (; x + 16 <= right; x += 16)
            vstore16(vload16(0, src + from + x - args.begin_w), 0, dst + row * args.length + x);
        for (; x < right; x++) dst[row * args.length + x] = src[from + x - args.begin_w];
        for (; x < x1; x++) {
            int at = pad_source(args.mode, x, args.begin_w, args.iw);
            dst[row * args.length + x] = at < 0 ? args.value : src[from + at];
        }
    }
}

typedef struct {
    int span, planes, ih, iw, oh, ow; /* planes: images x blocks */
    int mode, begin_h, begin_w;
    float value;
} pad_blocked_args;

/* Pixels [from, to) of row u of dst, beside the image; row: theirs of src, if there is one. */
static void pad_pixels(const __global float *row, __global float *dst, const pad_blocked_args *args,
                       int u, int inside, int from, int to)
{
    for (int x = from; x < to; x++) {
        int at = inside ? pad_source(args->mode, x, args->begin_w, args->iw) : -1;
        float16 v = (float16)(args->value);
        if (at >= 0) v = vload16(at, row);
        vstore16(v, u * args->ow + x, dst);
    }
}

/* unit: one row of dst */
__kernel void pad_blocked(const __global float *src, __global float *dst,
                          const pad_blocked_args args)
{
    int begin = (int)get_global_id(0) * args.span,
        end = min(begin + args.span, args.planes * args.oh);
    for (int u = begin; u < end; u++) {
        int plane = u / args.oh;
        int y = pad_source(args.mode, u - plane * args.oh, args.begin_h, args.ih);
        const int left = y < 0 ? args.ow : clamp(args.begin_w, 0, args.ow);
        const int right = clamp(args.begin_w + args.iw, left, args.ow);
        const __global float *row = src + (plane * args.ih + y) * args.iw * 16;
        pad_pixels(row, dst, &args, u, y >= 0, 0, left);
        for (int x = left; x < right; x++)
            vstore16(vload16(x - args.begin_w, row), u * args.ow + x, dst);
        pad_pixels(row, dst, &args, u, y >= 0, right, args.ow);
    }
}

typedef struct {
    int span, n, spatial, chunk, chunks;
    int src_c, dst_blocks, offset; /* channels of this input, blocks of dst, first channel in dst */
} concat_args;

/* A chunk of pixels of one block: its first and last + 1, and where the block begins in src and dst,
 * in pixels of 16. */
static int4 concat_block_chunk(const concat_args *args, int u)
{
    int blocks = (args->src_c + 15) / 16;
    int row = u / args->chunks, x0 = (u - row * args->chunks) * args->chunk;
    int n = row / blocks, block = row - n * blocks;
    int to = (n * args->dst_blocks + args->offset / 16 + block) * args->spatial;
    return (int4)(x0, min(x0 + args->chunk, args->spatial), row * args->spatial, to);
}

/* One of a channel: the same, counted in elements. */
static int4 concat_lane_chunk(const concat_args *args, int u)
{
    int blocks = (args->src_c + 15) / 16;
    int row = u / args->chunks, x0 = (u - row * args->chunks) * args->chunk;
    int n = row / args->src_c, c = row - n * args->src_c, k = args->offset + c;
    int from = (n * blocks + c / 16) * args->spatial * 16 + c % 16;
    int to = (n * args->dst_blocks + k / 16) * args->spatial * 16 + k % 16;
    return (int4)(x0, min(x0 + args->chunk, args->spatial), from, to);
}

static int2 concat_units(const concat_args *args, int rows)
{
    int begin = (int)get_global_id(0) * args->span;
    return (int2)(begin, min(begin + args->span, args->n * rows * args->chunks));
}

/* One input of a concat over channels whose first channel begins a block. unit: a chunk of pixels
 * of one block. Elements of 4 bytes, then of 2. */
__kernel void concat_blocks4(const __global uint *src, __global uint *dst, const concat_args args)
{
    int2 units = concat_units(&args, (args.src_c + 15) / 16);
    for (int u = units.x; u < units.y; u++) {
        int4 k = concat_block_chunk(&args, u);
        for (int x = k.x; x < k.y; x++) vstore16(vload16(k.z + x, src), k.w + x, dst);
    }
}

__kernel void concat_blocks2(const __global ushort *src, __global ushort *dst,
                             const concat_args args)
{
    int2 units = concat_units(&args, (args.src_c + 15) / 16);
    for (int u = units.x; u < units.y; u++) {
        int4 k = concat_block_chunk(&args, u);
        for (int x = k.x; x < k.y; x++) vstore16(vload16(k.z + x, src), k.w + x, dst);
    }
}

/* One that begins inside a block: its channels are put into dst one by one. unit: a chunk of pixels
 * of one channel. */
__kernel void concat_lanes4(const __global uint *src, __global uint *dst, const concat_args args)
{
    int2 units = concat_units(&args, args.src_c);
    for (int u = units.x; u < units.y; u++) {
        int4 k = concat_lane_chunk(&args, u);
        for (int x = k.x; x < k.y; x++) dst[k.w + x * 16] = src[k.z + x * 16];
    }
}

__kernel void concat_lanes2(const __global ushort *src, __global ushort *dst,
                            const concat_args args)
{
    int2 units = concat_units(&args, args.src_c);
    for (int u = units.x; u < units.y; u++) {
        int4 k = concat_lane_chunk(&args, u);
        for (int x = k.x; x < k.y; x++) dst[k.w + x * 16] = src[k.z + x * 16];
    }
}

typedef struct {
    int span, n, spatial, chunk, chunks;
    int c0, c1; /* channels of the inputs */
} pair_args;

/* Lanes below `cut` of `low`, the others of `high`. */
INLINE uint16 join_lanes(uint16 low, uint16 high, int cut)
{
    const int16 lane = (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return select(high, low, lane < cut);
}

/* Pixel x of a block of dst: lanes below `cut` are the last of `before`, the others the first of
 * `after`, either of which may be NULL. */
INLINE uint16 shifted_pixel(const __global uint *before, const __global uint *after, int x, int cut)
{
    uint lane[16];
    for (int i = 0; i < 16; i++) {
        const __global uint *from = i < cut ? before : after;
        lane[i] = from ? from[x * 16 + (i < cut ? i + 16 - cut : i - cut)] : 0u;
    }
    return vload16(0, lane);
}

/* A concat of two inputs over channels, whole vectors at a time also where the second begins within a
 * block:
 *
 *   dst block  [a a a a a b b b b b ..][b b b b b b b b ..]     cut = 5
 *   b's blocks            [0 1 2 3 4 ..      .. 15][..         one load begins `cut` lanes before a
 *                                                              pixel, one within it
 *
 * unit: a chunk of pixels of one block of dst. The first and last pixel of a block are put together
 * lane by lane, where those loads could leave the tensor. */
__kernel void concat_pair4(const __global uint *a, const __global uint *b, __global uint *dst,
                           const pair_args args)
{
    const int blocks0 = (args.c0 + 15) / 16, blocks1 = (args.c1 + 15) / 16, cut = args.c0 % 16;
    const int blocks = (args.c0 + args.c1 + 15) / 16, plane = args.spatial * 16;
    const int begin = (int)get_global_id(0) * args.span;
    const int end = min(begin + args.span, args.n * blocks * args.chunks);
    for (int u = begin; u < end; u++) {
        const int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        const int x1 = min(x0 + args.chunk, args.spatial), n = row / blocks, k = row - n * blocks;
        const int j = k - args.c0 / 16; /* the block of b that ends here, or begins */
        const __global uint *own = a + (n * blocks0 + min(k, blocks0 - 1)) * plane;
        const __global uint *before = j > 0 ? b + (n * blocks1 + j - 1) * plane : NULL;
        const __global uint *after = j >= 0 && j < blocks1 ? b + (n * blocks1 + j) * plane : NULL;
        __global uint *to = dst + row * plane;
        if (j < 0 || cut == 0) {
            const __global uint *from = j < 0 ? own : after;
            for (int x = x0; x < x1; x++) vstore16(vload16(x, from), x, to);
            continue;
        }
        for (int x = x0; x < x1; x++) {
            uint16 pixel;
            if (x == 0 || x == args.spatial - 1)
                pixel = shifted_pixel(before, after, x, cut);
            else
                pixel = join_lanes(before ? vload16(0, before + x * 16 + 16 - cut) : (uint16)(0),
                                   after ? vload16(0, after + x * 16 - cut) : (uint16)(0), cut);
            vstore16(before ? pixel : join_lanes(vload16(x, own), pixel, cut), x, to);
        }
    }
}

typedef struct {
    int span, n, spatial, chunk, chunks;
    int src_blocks, dst_c;
    int base, digits, length[8], stride[8]; /* of channels: cvk_planes (graph/planes.h) */
} planes_args;

static int2 planes_units(const planes_args *args)
{
    int begin = (int)get_global_id(0) * args->span;
    int units = args->n * ((args->dst_c + 15) / 16) * args->chunks;
    return (int2)(begin, min(begin + args->span, units));
}

/* Where the plane that becomes channel c begins in a picture of the source. */
static int planes_source(const planes_args *args, int c)
{
    int from = args->base;
    for (int d = 7; d >= 0; d--) { /* unrolled */
        if (d >= args->digits) continue;
        from += c % args->length[d] * args->stride[d];
        c /= args->length[d];
    }
    return from / 16 * args->spatial * 16 + from % 16;
}

/* Whole planes, each from where it lies:
 *
 *   dst block [c0 c1 c2 .. c15]  <-  lanes of any blocks of src, the same for every pixel
 *
 * unit: a chunk of pixels of one block of dst. Lanes beyond C repeat the last channel. Elements of 4
 * bytes, then of 2. */
__kernel void copy_planes4(const __global uint *src, __global uint *dst, const planes_args args)
{
    int2 units = planes_units(&args);
    for (int u = units.x; u < units.y; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int blocks = (args.dst_c + 15) / 16, picture = row / blocks, at[16];
        int from = picture * args.src_blocks * args.spatial * 16, to = row * args.spatial * 16;
        for (int i = 0; i < 16; i++)
            at[i] =
                from + planes_source(&args, min((row - picture * blocks) * 16 + i, args.dst_c - 1));
        for (int x = x0; x < min(x0 + args.chunk, args.spatial); x++)
            for (int i = 0; i < 16; i++) dst[to + x * 16 + i] = src[at[i] + x * 16];
    }
}

__kernel void copy_planes2(const __global ushort *src, __global ushort *dst, const planes_args args)
{
    int2 units = planes_units(&args);
    for (int u = units.x; u < units.y; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int blocks = (args.dst_c + 15) / 16, picture = row / blocks, at[16];
        int from = picture * args.src_blocks * args.spatial * 16, to = row * args.spatial * 16;
        for (int i = 0; i < 16; i++)
            at[i] =
                from + planes_source(&args, min((row - picture * blocks) * 16 + i, args.dst_c - 1));
        for (int x = x0; x < min(x0 + args.chunk, args.spatial); x++)
            for (int i = 0; i < 16; i++) dst[to + x * 16 + i] = src[at[i] + x * 16];
    }
}

typedef struct {
    int span, n, c, spatial, chunk, chunks;
} last_args;

/* Blocked to (N, pixels, C): the channels of a block are neighbours on both sides. unit: a chunk of
 * pixels of all blocks. Elements of 4 bytes, then of 2. */
__kernel void copy_last4(const __global uint *src, __global uint *dst, const last_args args)
{
    int begin = (int)get_global_id(0) * args.span, blocks = (args.c + 15) / 16;
    int end = min(begin + args.span, args.n * args.chunks);
    for (int u = begin; u < end; u++) {
        int n = u / args.chunks, x0 = (u - n * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.spatial);
        for (int b = 0; b < blocks; b++) {
            const __global uint *from = src + (n * blocks + b) * args.spatial * 16;
            __global uint *to = dst + n * args.spatial * args.c + b * 16;
            int lanes = min(16, args.c - b * 16);
            for (int x = x0; x < x1; x++) {
                if (lanes == 16)
                    vstore16(vload16(x, from), 0, to + x * args.c);
                else
                    for (int i = 0; i < lanes; i++) to[x * args.c + i] = from[x * 16 + i];
            }
        }
    }
}

__kernel void copy_last2(const __global ushort *src, __global ushort *dst, const last_args args)
{
    int begin = (int)get_global_id(0) * args.span, blocks = (args.c + 15) / 16;
    int end = min(begin + args.span, args.n * args.chunks);
    for (int u = begin; u < end; u++) {
        int n = u / args.chunks, x0 = (u - n * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.spatial);
        for (int b = 0; b < blocks; b++) {
            const __global ushort *from = src + (n * blocks + b) * args.spatial * 16;
            __global ushort *to = dst + n * args.spatial * args.c + b * 16;
            int lanes = min(16, args.c - b * 16);
            for (int x = x0; x < x1; x++) {
                if (lanes == 16)
                    vstore16(vload16(x, from), 0, to + x * args.c);
                else
                    for (int i = 0; i < lanes; i++) to[x * args.c + i] = from[x * 16 + i];
            }
        }
    }
}

typedef struct {
    int span, n, c, spatial, chunk, chunks;
} reorder_args;

/* A chunk of pixels of one block: its first and last + 1, the block's first plane (n c + c0), and
 * how many of its channels exist. */
static int4 reorder_chunk(const reorder_args *args, int u)
{
    int blocks = (args->c + 15) / 16;
    int row = u / args->chunks, x0 = (u - row * args->chunks) * args->chunk;
    int n = row / blocks, c0 = (row - n * blocks) * 16;
    return (int4)(x0, min(x0 + args->chunk, args->spatial), n * args->c + c0,
                  min(16, args->c - c0));
}

static int2 reorder_units(const reorder_args *args)
{
    int begin = (int)get_global_id(0) * args->span;
    int units = args->n * ((args->c + 15) / 16) * args->chunks;
    return (int2)(begin, min(begin + args->span, units));
}

INLINE float16 zip(float8 even, float8 odd)
{
    float16 both;
    both.even = even;
    both.odd = odd;
    return both;
}

/* Rows become columns. A zip of rows i and i + 8 rotates the 8 bits of (row, column) by one place;
 * after four of them the two have changed places. */
INLINE void transpose16(float16 v[16])
{
    float16 zipped[16];
#pragma unroll
    for (int stage = 0; stage < 4; stage++) {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            zipped[2 * i] = zip(v[i].lo, v[i + 8].lo);
            zipped[2 * i + 1] = zip(v[i].hi, v[i + 8].hi);
        }
#pragma unroll
        for (int i = 0; i < 16; i++) v[i] = zipped[i];
    }
}

/*   plain    c0 [x0 x1 x2 ..]        blocked   x0 [c0 c1 .. c15]
 *            c1 [x0 x1 x2 ..]   ->             x1 [c0 c1 .. c15]
 *            ..                                ..
 * unit: a chunk of pixels of one block; lanes beyond C are set to 0. Elements of 4 bytes, then of 2.
 */
__kernel void reorder_block4(const __global float *src, __global float *dst,
                             const reorder_args args)
{
    int2 units = reorder_units(&args);
    int s = args.spatial;
    for (int u = units.x; u < units.y; u++) {
        int4 k = reorder_chunk(&args, u);
        const __global float *from = src + k.z * s;
        __global float *to = dst + u / args.chunks * s * 16;
        int x = k.x;
        for (; x + 16 <= k.y; x += 16) {
            float16 v[16];
#pragma unroll
            for (int i = 0; i < 16; i++)
                v[i] = i < k.w ? vload16(0, from + i * s + x) : (float16)(0.0f);
            transpose16(v);
#pragma unroll
            for (int i = 0; i < 16; i++) vstore16(v[i], x + i, to);
        }
        for (; x < k.y; x++)
            for (int i = 0; i < 16; i++) to[x * 16 + i] = i < k.w ? from[x + i * s] : 0.0f;
    }
}

__kernel void reorder_block2(const __global ushort *src, __global ushort *dst,
                             const reorder_args args)
{
    int2 units = reorder_units(&args);
    int s = args.spatial;
    for (int u = units.x; u < units.y; u++) {
        int4 k = reorder_chunk(&args, u);
        const __global ushort *from = src + k.z * s;
        __global ushort *to = dst + u / args.chunks * s * 16;
        for (int x = k.x; x < k.y; x++)
            for (int i = 0; i < 16; i++) to[x * 16 + i] = i < k.w ? from[x + i * s] : (ushort)0;
    }
}

/* The other way. */
__kernel void reorder_plain4(const __global float *src, __global float *dst,
                             const reorder_args args)
{
    int2 units = reorder_units(&args);
    int s = args.spatial;
    for (int u = units.x; u < units.y; u++) {
        int4 k = reorder_chunk(&args, u);
        const __global float *from = src + u / args.chunks * s * 16;
        __global float *to = dst + k.z * s;
        int x = k.x;
        for (; x + 16 <= k.y; x += 16) {
            float16 v[16];
#pragma unroll
            for (int i = 0; i < 16; i++) v[i] = vload16(x + i, from);
            transpose16(v);
#pragma unroll
            for (int i = 0; i < 16; i++)
                if (i < k.w) vstore16(v[i], 0, to + i * s + x);
        }
        for (; x < k.y; x++)
            for (int i = 0; i < k.w; i++) to[i * s + x] = from[x * 16 + i];
    }
}

/* The same of fewer than 16 pixels: far less to compile. */
__kernel void reorder_plain_few4(const __global float *src, __global float *dst,
                                 const reorder_args args)
{
    int2 units = reorder_units(&args);
    int s = args.spatial;
    for (int u = units.x; u < units.y; u++) {
        int4 k = reorder_chunk(&args, u);
        const __global float *from = src + u / args.chunks * s * 16;
        __global float *to = dst + k.z * s;
        for (int x = k.x; x < k.y; x++)
            for (int i = 0; i < k.w; i++) to[i * s + x] = from[x * 16 + i];
    }
}

__kernel void reorder_plain2(const __global ushort *src, __global ushort *dst,
                             const reorder_args args)
{
    int2 units = reorder_units(&args);
    int s = args.spatial;
    for (int u = units.x; u < units.y; u++) {
        int4 k = reorder_chunk(&args, u);
        const __global ushort *from = src + u / args.chunks * s * 16;
        __global ushort *to = dst + k.z * s;
        for (int i = 0; i < k.w; i++)
            for (int x = k.x; x < k.y; x++) to[i * s + x] = from[x * 16 + i];
    }
}
