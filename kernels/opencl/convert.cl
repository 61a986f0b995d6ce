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

/* dst = saturate(round half to even(x / scale) + zero) */
__kernel void quantize(const __global float *src, const __global float *scale,
                       const __global uchar *zero, __global uchar *dst, const quantize_args args)
{
    int begin = (int)get_global_id(0) * args.span * 16,
        end = min(begin + args.span * 16, args.count);
    float low = args.type == I8 ? -128.0f : 0.0f, high = args.type == I8 ? 127.0f : 255.0f;
    for (int i = begin; i < end; i++) {
        int c = i / args.inner % args.channels;
        float z = args.has_zero ? (float)read_int(args.type, zero, c) : 0.0f;
        float v = clamp(rint(src[i] / scale[c]) + z, low, high);
        write_int(args.type, (long)(int)v, dst, i);
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
