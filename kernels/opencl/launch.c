/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps as lists of launches, and epilogues: what every twin uses.
 */
#include "kernels/opencl/launch.h"

#include <assert.h>
#include <math.h>

/* Whether the step needs the activations that a program has only where ACT_RARE is set. */
static bool needs_rare_acts(const cvk_node *node)
{
    bool rare = node->op == CVK_OP_Unary &&
                ((const cvk_unary_params *)node->params)->act.kind > CVK_ACT_SWISH;
    rare = rare || (node->pre.on && node->pre.act.kind > CVK_ACT_SWISH);
    if (node->op == CVK_OP_Bottleneck) {
        const cvk_bottleneck_params *params = node->params;
        rare =
            params->expand_act.kind > CVK_ACT_SWISH || params->depthwise_act.kind > CVK_ACT_SWISH;
    }
    for (int i = 0; i < node->n_posts; i++)
        rare = rare ||
               (node->posts[i].kind == CVK_POST_ACT && node->posts[i].act.kind > CVK_ACT_SWISH);
    return rare;
}

/* The same of what a Bottleneck has between its convolutions. */
static int needs_between(const cvk_step *step)
{
    const cvk_bottleneck_params *params = step->node->params;
    const int slopes[] = {CVK_BOTTLENECK_ES, CVK_BOTTLENECK_DS};
    const cvk_act *acts[] = {&params->expand_act, &params->depthwise_act};
    int most = 0;
    for (int i = 0; i < 2; i++) {
        const cvk_view none = {.dtype = CVK_NONE};
        cvk_cl_posts posts;
        cvk_cl_between_make(acts[i], slopes[i] < step->node->n_in ? &step->in[slopes[i]] : &none,
                            &posts);
        const int level = !posts.simple ? 3 : posts.prelu ? 2 : 0;
        if (level > most) most = level;
    }
    return most;
}

/* The step's POSTS (common.cl). */
static int needs_posts(const cvk_step *step)
{
    cvk_cl_posts posts, before;
    int residual, slope;
    cvk_cl_posts_make(step->node, step->in, &posts, &residual, &slope);
    cvk_cl_pre_make(step->node, &before);
    const int own = !posts.simple || !before.simple ? 3
                    : posts.prelu                   ? 2
                    : posts.add                     ? 1
                                                    : 0,
              between = step->node->op == CVK_OP_Bottleneck ? needs_between(step) : 0;
    return own > between ? own : between;
}

/* Also what the node's posts want; NULL: out of memory. */
static const char *all_defines(const cvk_step *step, const char *defines)
{
    return needs_rare_acts(step->node) ? cvk_arena_printf(step->arena, "%s -DACT_RARE=1", defines)
                                       : defines;
}

bool cvk_cl_stage_ready(cvk_device *device, const cvk_step *step, const char *file,
                        const char *defines, const char *kernel)
{
    const char *all = all_defines(step, defines);
    return all && cvk_cl_is_built(device, file, all, needs_posts(step), kernel);
}

cvk_status cvk_cl_stage_add(cvk_device *device, cvk_step *step, const char *file,
                            const char *defines, const char *kernel, cvk_cl_stage **stage)
{
    (void)device;
    if (!step->state) step->state = cvk_step_alloc(step, sizeof(cvk_cl_work));
    cvk_cl_work *work = step->state;
    cvk_cl_stage *added = work ? cvk_step_alloc(step, sizeof *added) : NULL;
    if (!added) return CVK_NO_MEMORY;
    defines = all_defines(step, defines);
    if (!defines) return CVK_NO_MEMORY;
    CVK_TRY(cvk_cl_kernel(&added->launch, file, defines, needs_posts(step), kernel));
    if (work->last)
        work->last->next = added;
    else
        work->first = added;
    work->last = added;
    *stage = added;
    return CVK_OK;
}

static void bind(cvk_cl_stage *stage, cl_uint arg, cvk_cl_from from, int index)
{
    assert(stage->n_mem < CVK_CL_MAX_MEM);
    stage->mem[stage->n_mem].arg = arg;
    stage->mem[stage->n_mem].from = from;
    stage->mem[stage->n_mem].index = index;
    stage->n_mem++;
}

void cvk_cl_stage_in(cvk_cl_stage *stage, cl_uint arg, int index)
{
    bind(stage, arg, CVK_CL_FROM_IN, index);
}

void cvk_cl_stage_out(cvk_cl_stage *stage, cl_uint arg, int index)
{
    bind(stage, arg, CVK_CL_FROM_OUT, index);
}

void cvk_cl_stage_scratch(cvk_cl_stage *stage, cl_uint arg)
{
    bind(stage, arg, CVK_CL_FROM_SCRATCH, 0);
}

void cvk_cl_stage_size(cvk_cl_stage *stage, const cvk_device *device, size_t x, size_t y, size_t z)
{
    const bool cpu = cvk_device_caps(device)->bits & CVK_CAP_CPU;
    stage->launch.dims = 3;
    stage->launch.global[0] = x;
    stage->launch.global[1] = y;
    stage->launch.global[2] = z;
    for (int i = 0; i < 3; i++) stage->launch.local[i] = cpu ? 1 : 0;
}

static const void *memory(const cvk_step *step, cvk_cl_from from, int index)
{
    if (from == CVK_CL_FROM_SCRATCH) return step->scratch;
    if (from == CVK_CL_FROM_OUT) return index < step->node->n_out ? step->out[index].data : NULL;
    if (index < 0 || index >= step->node->n_in || step->in[index].dtype == CVK_NONE) return NULL;
    return step->in[index].data;
}

static cvk_status set_memory(const cvk_step *step, const cvk_cl_stage *stage)
{
    for (int i = 0; i < stage->n_mem; i++)
        CVK_TRY(cvk_cl_arg_mem(&stage->launch, stage->mem[i].arg,
                               memory(step, stage->mem[i].from, stage->mem[i].index)));
    return CVK_OK;
}

cvk_status cvk_cl_stage_run(cvk_device *device, const cvk_step *step, const cvk_cl_stage *stage)
{
    CVK_TRY(set_memory(step, stage));
    return cvk_cl_enqueue(device, &stage->launch);
}

cvk_status cvk_cl_run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)worker;
    (void)workers;
    cvk_cl_work *work = step->state;
    const bool moved = !work->bound || work->moved != step->moved;
    for (const cvk_cl_stage *stage = work->first; stage; stage = stage->next) {
        if (moved) CVK_TRY(set_memory(step, stage));
        CVK_TRY(cvk_cl_enqueue(device, &stage->launch));
    }
    work->bound = true;
    work->moved = step->moved;
    return CVK_OK;
}

void cvk_cl_release(cvk_device *device, cvk_step *step)
{
    (void)device;
    cvk_cl_work *work = step->state;
    for (cvk_cl_stage *stage = work ? work->first : NULL; stage; stage = stage->next)
        cvk_cl_kernel_release(&stage->launch);
    step->state = NULL;
}

bool cvk_cl_has_input(const cvk_node *node, const cvk_view *in, int index)
{
    if (index >= node->n_in || in[index].dtype == CVK_NONE) return false;
    for (int i = 0; i < node->n_posts; i++)
        if (node->posts[i].kind != CVK_POST_ACT && node->posts[i].kind != CVK_POST_POOL &&
            node->posts[i].input == index)
            return false;
    return true;
}

const cvk_post *cvk_cl_pool_post(const cvk_node *node)
{
    for (int i = 0; i < node->n_posts; i++)
        if (node->posts[i].kind == CVK_POST_POOL) return &node->posts[i];
    return NULL;
}

bool cvk_cl_posts_accept(const cvk_problem *problem, bool pool, const char **why_not)
{
    const cvk_node *node = problem->node;
    int adds = 0, slopes = 0;
    for (int i = 0; i < node->n_posts; i++) {
        adds += node->posts[i].kind == CVK_POST_ADD;
        slopes += node->posts[i].kind == CVK_POST_PRELU;
    }
    if (adds > 1 || slopes > 1)
        *why_not = "at most one residual and one PRelu";
    else if (!pool && cvk_cl_pool_post(node))
        *why_not = "does not pool";
    else
        return true;
    return false;
}

/* Posts that are at most a residual, then a PRelu or max and min, are done without walking the
 * list. */
static void make_simple(cvk_cl_posts *posts)
{
    const int others = posts->count - posts->add, last = posts->count - 1;
    posts->low = -INFINITY;
    posts->high = INFINITY;
    posts->simple = others <= 1 && (!posts->add || posts->list[0].kind == CVK_POST_ADD);
    if (!posts->simple || !others || posts->prelu) return;
    if (posts->list[last].act == CVK_ACT_RELU) {
        posts->low = 0.0f;
    } else if (posts->list[last].act == CVK_ACT_CLIP) {
        posts->low = posts->list[last].a;
        posts->high = posts->list[last].b;
    } else {
        posts->simple = 0;
    }
}

static void put_act(cvk_cl_posts *posts, int i, const cvk_act *act)
{
    posts->list[i].act = (cl_int)act->kind;
    posts->list[i].a = act->a;
    posts->list[i].b = act->b;
    posts->list[i].c = act->c;
    posts->list[i].d = act->d;
}

void cvk_cl_posts_make(const cvk_node *node, const cvk_view *in, cvk_cl_posts *posts, int *residual,
                       int *slope)
{
    *posts = (cvk_cl_posts){0};
    *residual = *slope = -1;
    for (int i = 0; i < node->n_posts && node->posts[i].kind != CVK_POST_POOL; i++) {
        const cvk_post *post = &node->posts[i];
        posts->count = i + 1;
        posts->list[i].kind = (cl_int)post->kind;
        if (post->kind == CVK_POST_ADD) {
            posts->add = 1;
            *residual = post->input;
        } else if (post->kind == CVK_POST_PRELU) {
            posts->prelu = cvk_view_count(&in[post->input]) == 1 ? 2 : 1;
            *slope = post->input;
        } else {
            put_act(posts, i, &post->act);
        }
    }
    make_simple(posts);
}

void cvk_cl_between_make(const cvk_act *act, const cvk_view *slope, cvk_cl_posts *posts)
{
    *posts = (cvk_cl_posts){0};
    if (slope->dtype != CVK_NONE) {
        posts->count = 1;
        posts->prelu = cvk_view_count(slope) == 1 ? 2 : 1;
        posts->list[0].kind = CVK_POST_PRELU;
    } else if (act->kind != CVK_ACT_NONE) {
        posts->count = 1;
        posts->list[0].kind = CVK_POST_ACT;
        put_act(posts, 0, act);
    }
    make_simple(posts);
}

void cvk_cl_pre_make(const cvk_node *node, cvk_cl_posts *before)
{
    *before = (cvk_cl_posts){0};
    if (node->pre.on && node->pre.act.kind != CVK_ACT_NONE) {
        before->count = 1;
        before->list[0].kind = CVK_POST_ACT;
        put_act(before, 0, &node->pre.act);
    }
    make_simple(before);
}
