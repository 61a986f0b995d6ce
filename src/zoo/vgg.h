/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of VGG, for the networks that stand on them.
 */
#ifndef CVK_ZOO_VGG_H
#define CVK_ZOO_VGG_H

#include "zoo/net.h"

/* Five stages; the last three have `repeats` convolutions each. `pools`: the five values after
 * them; may be NULL. */
void net_vgg_stages(net *n, int repeats, net_value pools[5]);
/* The classifier of VGG and AlexNet: fc6, fc7, fc8, softmax. */
void net_vgg_head(net *n);

#endif
