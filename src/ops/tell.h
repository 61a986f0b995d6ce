/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters as words, for cvk_op.tell and for what is fused into a node.
 */
#ifndef CVK_OPS_TELL_H
#define CVK_OPS_TELL_H

#include "ops/op.h"

/* Appends to the text; what does not fit is cut. */
void cvk_tell(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* " strides=[2,2] dilations=[2,2] pads=[1,1,1,1]", each only if it is not the usual one. The kernel
 * is left out: a convolution's weights have it in their shape. */
void cvk_tell_window(const cvk_window *window, char *text, size_t size);
/* " Max kernel_shape=[3,3] strides=[2,2] ceil_mode=1" */
void cvk_tell_pool(const cvk_pool_params *pool, char *text, size_t size);
/* " LeakyRelu:0.1": with its numbers up to the last that is not 0. */
void cvk_tell_act(const cvk_act *act, char *text, size_t size);
/* " y=128:0:255:uint8": zero point, lowest, highest, type. */
void cvk_tell_range(const cvk_quant_range *range, char *text, size_t size);

/* cvk_op.tell of Conv and ConvTranspose. */
void cvk_tell_conv(const void *params, char *text, size_t size);

#endif
