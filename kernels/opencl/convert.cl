/* SPDX-License-Identifier: Apache-2.0
 *
 * From one element type to another: cast, quantize, dequantize. Plain layout. A unit is 16
 * elements; an item does `span` units. Types are the numbers of cvk_dtype
 * (include/convoke/convoke.h).
 */

enum { F32 = 1, U8 = 2, I8 = 3, I32 = 6, I64 = 7, BOOL = 9, F16 = 10 };

/* Element i of a float buffer; float16 takes no extension to load and store. */
static float read_float(int type, const __global uchar *src, int i)
{
    if (type == F16) return vload_half(i, (const __global half *)src);
    return ((const __global float *)src)[i];
}

static void write_float(int type, float v, __global uchar *dst, int i)
{
    if (type == F16)
        vstore_half_rte(v, i, (__global half *)dst);
    else
        ((__global float *)dst)[i] = v;
}

static int is_float(int type)
{
    return type == F32 || type == F16;
}

/* Element i of an integer (or bool) buffer. */
static long read_int(int type, const __global uchar *src, int i)
{
    switch (type) {
    case I8: return ((const __global char *)src)[i];
    case I32: return ((const __global int *)src)[i];
    case I64: return ((const __global long *)src)[i];
    }
    return src[i];
}

/* Integers wrap, floats are cut off towards 0 and saturate. */
static void write_int(int type, long v, __global uchar *dst, int i)
{
    switch (type) {
    case I8: ((__global char *)dst)[i] = (char)v; break;
    case I32: ((__global int *)dst)[i] = (int)v; break;
    case I64: ((__global long *)dst)[i] = v; break;
    case BOOL: dst[i] = v != 0; break;
    default: dst[i] = (uchar)v;
    }
}

static long float_to_int(int type, float v)
{
    switch (type) {
    case U8: return convert_uchar_sat_rtz(v);
    case I8: return convert_char_sat_rtz(v);
    case I32: return convert_int_sat_rtz(v);
    case BOOL: return v != 0.0f;
    }
    return convert_long_sat_rtz(v);
}

typedef struct {
    int span, count, from, to;
} cast_args;

__kernel void cast(const __global uchar *src, __global uchar *dst, const cast_args args)
{
    int begin = (int)get_global_id(0) * args.span * 16,
        end = min(begin + args.span * 16, args.count);
    for (int i = begin; i < end; i++) {
        if (is_float(args.from)) {
            float v = read_float(args.from, src, i);
            if (is_float(args.to))
                write_float(args.to, v, dst, i);
            else
                write_int(args.to, float_to_int(args.to, v), dst, i);
        } else {
            long v = read_int(args.from, src, i);
            if (is_float(args.to))
                write_float(args.to, convert_float(v), dst, i);
            else
                write_int(args.to, v, dst, i);
        }
    }
}

/* Between float32 and float16, in either layout: 16 elements, whether they are channels or not. */
__kernel void widen(const __global half *src, __global float *dst, const cast_args args)
{
    int begin = (int)get_global_id(0) * args.span * 16,
        end = min(begin + args.span * 16, args.count);
    int i = begin;
    for (; i + 16 <= end; i += 16) vstore16(vload_half16(0, src + i), 0, dst + i);
    for (; i < end; i++) dst[i] = vload_half(i, src);
}

__kernel void narrow(const __global float *src, __global half *dst, const cast_args args)
{
    int begin = (int)get_global_id(0) * args.span * 16,
        end = min(begin + args.span * 16, args.count);
    int i = begin;
    for (; i + 16 <= end; i += 16) vstore_half16_rte(vload16(0, src + i), 0, dst + i);
    for (; i < end; i++) vstore_half_rte(src[i], i, dst);
}

typedef struct {
    int span, count, type, has_zero; /* type of the integers; 0: no zero point */
    int inner, channels;             /* element i has scale and zero point i / inner % channels */
} quantize_args;

/* The scales (or, cast to float, zero points) of elements i to i + count - 1, at most 16. */
static float16 per_channel(const quantize_args *args, const __global float *scale,
                           const __global uchar *zero, int i, int count)
{
    float lane[16];
    int first = i / args->inner % args->channels;
    int same = args->channels == 1 || i % args->inner + count <= args->inner;
    for (int k = 0; k < 16; k++) {
        int c = same || k >= count ? first : (i + k) / args->inner % args->channels;
        lane[k] = zero ? (float)read_int(args->type, zero, c) : scale[c];
        if (same) return (float16)(lane[0]);
    }
    return vload16(0, lane);
}

/* dst = saturate(round half to even(x / scale) + zero); NaN gives the least value. */
__kernel void quantize(const __global float *src, const __global float *scale,
                       const __global uchar *zero, __global uchar *dst, const quantize_args args)
{
    int begin = (int)get_global_id(0) * args.span * 16,
        end = min(begin + args.span * 16, args.count);
    float16 low = (float16)(args.type == I8 ? -128.0f : 0.0f), high = low + 255.0f;
    for (int i = begin; i < end; i += 16) {
        int count = min(16, end - i);
        uchar lane[16];
        float16 z = (float16)(0.0f), s = per_channel(&args, scale, 0, i, count);
        if (args.has_zero) z = per_channel(&args, scale, zero, i, count);
        float16 v = rint(divide16(load_n(src + i, count), s)) + z;
        v = v > low ? v : low;
        v = v < high ? v : high;
        uchar16 q = convert_uchar16(convert_int16(v) & 255);
        if (count == 16) {
            vstore16(q, 0, dst + i);
            continue;
        }
        vstore16(q, 0, lane);
        for (int k = 0; k < count; k++) dst[i + k] = lane[k];
    }
}

/* dst = (x - zero) scale */
__kernel void dequantize(const __global uchar *src, const __global float *scale,
                         const __global uchar *zero, __global float *dst, const quantize_args args)
{
    int begin = (int)get_global_id(0) * args.span * 16,
        end = min(begin + args.span * 16, args.count);
    for (int i = begin; i < end; i++) {
        int c = i / args.inner % args.channels;
        long z = args.has_zero ? read_int(args.type, zero, c) : 0;
        dst[i] = (float)(read_int(args.type, src, i) - z) * scale[c];
    }
}
