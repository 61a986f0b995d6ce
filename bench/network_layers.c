/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes the lists of bench/layers from the zoo: every Conv and Gemm of a network as Convoke plans
 * it for the CPU, fused parts included (but bottlenecks taken apart); each distinct problem once,
 * with its count.
 *
 *     network_layers FOLDER [NETWORK...]        writes FOLDER/NETWORK.txt; default: the ten below
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session.h"
#include "zoo/zoo.h"

enum { TEXT = 512, MOST = 512 };

static const char *const networks[] = {
    "resnet50",     "vgg16",   "mobilenetv2", "squeezenet1.1", "googlenet",
    "inception-v3", "alexnet", "lenet5",      "densenet121",   "efficientnet-b0"};

typedef struct layer {
    char name[TEXT], problem[TEXT]; /* problem: "op | inputs | attributes | posts" */
    int count;
} layer;

typedef struct layers {
    layer items[MOST];
    int count;
} layers;

static void put(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, TEXT - used, format, args);
    va_end(args);
}

static void put_shape(char *text, const char *before, const cvk_shape *shape)
{
    char dims[CVK_SHAPE_TEXT];
    put(text, "%s%s", before, cvk_shape_text(shape, dims));
}

static void put_list(char *text, const char *name, const int64_t *begin, const int64_t *end,
                     int count, int64_t usual)
{
    bool all_usual = true;
    for (int i = 0; i < count; i++)
        all_usual = all_usual && begin[i] == usual && (!end || end[i] == usual);
    if (all_usual) return;
    put(text, " %s=[", name);
    for (int i = 0; i < count; i++) put(text, "%s%lld", i ? "," : "", (long long)begin[i]);
    for (int i = 0; end && i < count; i++) put(text, ",%lld", (long long)end[i]);
    put(text, "]");
}

static void put_attrs(char *text, const cvk_node *node)
{
    if (node->op == CVK_OP_Gemm) {
        const cvk_gemm_params *gemm = node->params;
        if (gemm->trans_a) put(text, " transA=1");
        if (gemm->trans_b) put(text, " transB=1");
        return;
    }
    const cvk_conv_params *conv = node->params;
    const cvk_window *w = &conv->window;
    if (conv->group != 1) put(text, " group=%lld", (long long)conv->group);
    put_list(text, "strides", w->stride, NULL, w->spatial, 1);
    put_list(text, "dilations", w->dilation, NULL, w->spatial, 1);
    put_list(text, "pads", w->pad_begin, w->pad_end, w->spatial, 0);
}

static void put_act(char *text, const cvk_act *act)
{
    const float values[] = {act->a, act->b, act->c, act->d};
    int count = 4;
    while (count && values[count - 1] == 0) count--;
    put(text, " %s", cvk_act_name(act->kind));
    for (int i = 0; i < count; i++) put(text, ":%g", (double)values[i]);
}

/* False if a list cannot say it: such a pool is left out. */
static bool put_pool(char *text, const cvk_pool_params *pool)
{
    const cvk_window *w = &pool->window;
    for (int d = 0; d < w->spatial; d++)
        if (w->kernel[d] != w->kernel[0] || w->stride[d] != w->stride[0] || w->dilation[d] != 1 ||
            w->pad_begin[d] != w->pad_begin[0] || w->pad_end[d] != w->pad_begin[0] ||
            pool->kind == CVK_POOL_LP)
            return false;
    put(text, " %s:%lld/%lld/%lld%s%s", pool->kind == CVK_POOL_MAX ? "Max" : "Avg",
        (long long)w->kernel[0], (long long)w->stride[0], (long long)w->pad_begin[0],
        pool->ceil_mode ? "^" : "", pool->count_include_pad ? "p" : "");
    return true;
}

static void put_posts(char *text, const cvk_node *node)
{
    for (int i = 0; i < node->n_posts; i++) {
        const cvk_post *post = &node->posts[i];
        if (post->kind == CVK_POST_ADD) put(text, " Add");
        if (post->kind == CVK_POST_PRELU) put(text, " PRelu");
        if (post->kind == CVK_POST_ACT) put_act(text, &post->act);
        if (post->kind == CVK_POST_POOL && !put_pool(text, &post->pool)) return;
    }
}

/* "3x3/2 64->128 56x56", "depthwise 3x3 32 112x112", "gemm 1x2048x1000" */
static void put_name(char *text, const cvk_graph *graph, const cvk_node *node)
{
    const cvk_shape *src = &graph->values[node->in[0]].shape,
                    *wgt = &graph->values[node->in[1]].shape,
                    *dst = &graph->values[node->out[0]].shape;
    if (node->op == CVK_OP_Gemm) {
        const cvk_gemm_params *gemm = node->params;
        put(text, "gemm %lldx%lldx%lld", (long long)dst->dims[0],
            (long long)src->dims[gemm->trans_a ? 0 : 1], (long long)dst->dims[1]);
        return;
    }
    const cvk_conv_params *conv = node->params;
    bool depthwise = conv->group > 1 && conv->group == src->dims[1];
    if (depthwise) put(text, "depthwise ");
    for (int d = 2; d < wgt->rank; d++)
        put(text, "%s%lld", d > 2 ? "x" : "", (long long)wgt->dims[d]);
    if (conv->window.stride[0] != 1) put(text, "/%lld", (long long)conv->window.stride[0]);
    put(text, " %lld", (long long)src->dims[1]);
    if (!depthwise) put(text, "->%lld", (long long)wgt->dims[0]);
    if (!depthwise && conv->group > 1) put(text, " by %lld", (long long)conv->group);
    for (int d = 2; d < src->rank; d++)
        put(text, "%s%lld", d > 2 ? "x" : " ", (long long)src->dims[d]);
}

static bool has_bias(const cvk_node *node)
{
    for (int i = 0; i < node->n_posts; i++)
        if (cvk_post_has_input(&node->posts[i]) && node->posts[i].input == 2) return false;
    return node->n_in > 2 && node->in[2] >= 0;
}

static void add_layer(layers *all, const cvk_graph *graph, const cvk_node *node)
{
    layer made = {.count = 1};
    put_name(made.name, graph, node);
    put(made.problem, "%s | ", cvk_op_kind_name(node->op));
    put_shape(made.problem, "", &graph->values[node->in[0]].shape);
    put_shape(made.problem, " c:", &graph->values[node->in[1]].shape);
    if (has_bias(node)) put_shape(made.problem, " c:", &graph->values[node->in[2]].shape);
    put(made.problem, " |");
    put_attrs(made.problem, node);
    put(made.problem, " |");
    put_posts(made.problem, node);
    for (int i = 0; i < all->count; i++)
        if (strcmp(all->items[i].problem, made.problem) == 0) {
            all->items[i].count++;
            return;
        }
    if (all->count < MOST) all->items[all->count++] = made;
}

static bool write_list(const layers *all, const char *folder, const char *network)
{
    char path[TEXT] = "";
    put(path, "%s/%s.txt", folder, network);
    FILE *file = fopen(path, "w");
    if (!file) return false;
    fprintf(
        file,
        "# %s: its convolutions and products, as bench/network_layers writes them\n"
        "# name | op | inputs | attributes | posts | count     (the grammar: selftest/case.h)\n",
        network);
    for (int i = 0; i < all->count; i++)
        fprintf(file, "%-28s | %s | %d\n", all->items[i].name, all->items[i].problem,
                all->items[i].count);
    return fclose(file) == 0;
}

static cvk_status collect(const char *network, cvk_device *device, layers *all)
{
    const cvk_zoo_entry *entry = cvk_zoo_find(network);
    cvk_zoo_options options = {.seed = 1, .batch = 1};
    cvk_model *model = NULL;
    cvk_session *session = NULL;
    if (!entry) return CVK_BAD_ARGUMENT;
    const cvk_session_options apart = {.fuse = "rewrite,fold,map,add,act,pool,concat"};
    cvk_status status = cvk_zoo_build(entry, &options, &model, NULL);
    if (!status) status = cvk_session_create(model, &device, 1, &apart, &session);
    cvk_model_free(&model);
    for (int i = 0; !status && i < session->plan->n_steps; i++) {
        const cvk_node *node = session->plan->steps[i].step.node;
        if (node->op == CVK_OP_Conv || node->op == CVK_OP_Gemm)
            add_layer(all, session->plan->graph, node);
    }
    cvk_session_free(&session);
    return status;
}

int main(int argc, char **argv)
{
    cvk_device *device = NULL;
    const char *const *wanted = argc > 2 ? (const char *const *)argv + 2 : networks;
    int count = argc > 2 ? argc - 2 : (int)(sizeof networks / sizeof *networks), failed = 0;
    layers *all = malloc(sizeof *all);
    if (argc < 2 || !all || cvk_device_open("cpu", NULL, &device)) {
        fprintf(stderr, "usage: network_layers FOLDER [NETWORK...]\n");
        free(all);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        all->count = 0;
        if (collect(wanted[i], device, all) || !write_list(all, argv[1], wanted[i])) {
            fprintf(stderr, "%s: %s\n", wanted[i], cvk_last_error());
            failed = 1;
        }
    }
    free(all);
    cvk_device_close(&device);
    return failed;
}
