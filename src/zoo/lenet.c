/* SPDX-License-Identifier: Apache-2.0
 *
 * LeNet-5 (LeCun et al. 1998), as it is usually written today: ReLU and max pooling, softmax.
 */
#include "zoo/net.h"
#include "zoo/zoo.h"

static cvk_status build(const char *name, int channels, int filters, const cvk_zoo_options *options,
                        cvk_model **model)
{
    net n;
    net_begin(&n, name, options->batch, channels, options->size ? options->size : 32,
              options->seed);
    net_conv(&n, "conv1", filters, 5, 0);
    net_relu(&n, "relu1");
    net_max_pool(&n, "pool1", 2, 2);
    net_conv(&n, "conv2", 16, 5, 0);
    net_relu(&n, "relu2");
    net_max_pool(&n, "pool2", 2, 2);
    net_flatten(&n, "flatten");
    net_dense(&n, "fc3", 120);
    net_relu(&n, "relu3");
    net_dense(&n, "fc4", 84);
    net_relu(&n, "relu4");
    net_dense(&n, "fc5", options->classes ? options->classes : 10);
    net_softmax(&n, "softmax");
    return net_end(&n, model);
}

cvk_status cvk_zoo_lenet5(const cvk_zoo_options *options, cvk_model **model)
{
    return build("lenet5", 1, 6, options, model);
}

cvk_status cvk_zoo_lenet5_rgb(const cvk_zoo_options *options, cvk_model **model)
{
    return build("lenet5-rgb", 3, 8, options, model);
}
