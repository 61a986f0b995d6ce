/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled when a device says that it has half arithmetic, to see whether that is so. Never
 * launched.
 *
 *   data [ x0 x1 x2 ... ]   work-item i squares element i
 */
#pragma OPENCL EXTENSION cl_khr_fp16 : enable

__kernel void probe_half(__global half *data)
{
    half x = data[get_global_id(0)];
    data[get_global_id(0)] = x * x + (half)(1.0f);
}
