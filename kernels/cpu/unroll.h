/* SPDX-License-Identifier: Apache-2.0
 *
 * For register tiles: functions that must be inlined, so that their literal arguments specialise
 * them, and loops that must be unrolled, so that their arrays of sums become registers.
 */
#ifndef CVK_KERNELS_CPU_UNROLL_H
#define CVK_KERNELS_CPU_UNROLL_H

#define CVK_INLINE static inline __attribute__((always_inline))

/* CVK_UNROLL: before a loop whose bound is a literal once inlined. CVK_UNROLL_4: before any. */
#if defined(__clang__)
/* Loops of one turn are gone before the pass that would unroll them, which it reports. */
#pragma clang diagnostic ignored "-Wpass-failed"
#define CVK_UNROLL _Pragma("clang loop unroll(full)")
#define CVK_UNROLL_4 _Pragma("clang loop unroll_count(4)")
#else
#define CVK_UNROLL _Pragma("GCC unroll 64")
#define CVK_UNROLL_4 _Pragma("GCC unroll 4")
#endif

/* A vec that several multiply-adds share is read once, and not by each as its operand. */
#if defined(__x86_64__)
#define CVK_HELD(x) __asm__("" : "+v"(x))
#elif defined(__aarch64__)
#define CVK_HELD(x) __asm__("" : "+w"(x))
#else
#define CVK_HELD(x)
#endif

/* The compiler forgets what it knows of a pointer: what was read through it is read again. */
#define CVK_OPAQUE(pointer) __asm__("" : "+r"(pointer))

#endif
