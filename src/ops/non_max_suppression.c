/* SPDX-License-Identifier: Apache-2.0
 *
 * NonMaxSuppression: of the boxes of each batch and class, by falling score, those that overlap no
 * better one of the class by more than iou_threshold: (batch, class, box) as int64. How many there
 * are is known with the data.
 */
#include <stdlib.h>

#include "ops/move.h"
#include "ops/order.h"

/* Comparisons of two boxes: more would take minutes. */
#define MOST_COMPARISONS (UINT64_C(1) << 32)

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    int64_t center;
    CVK_TRY(cvk_attrs_int(attrs, "center_point_box", 0, &center));
    if (center != 0 && center != 1)
        return cvk_fail(CVK_BAD_MODEL, "attribute center_point_box is %lld, 0 or 1 is expected",
                        (long long)center);
    ((cvk_non_max_suppression_params *)params)->center = center == 1;
    return CVK_OK;
}

/* Two corners, the first below the second. */
typedef struct box {
    double low[2], high[2];
} box;

typedef struct work {
    const cvk_view *boxes, *scores;
    bool center, has_least;
    double iou, least; /* thresholds */
    int64_t most, n;   /* boxes kept of a class; boxes of a batch */
    int64_t base;      /* of the class, in scores */
    int64_t *order;    /* candidates by falling score; in front, those kept so far */
    box *kept;
    uint64_t comparisons;
} work;

static box box_of(const work *w, int64_t index)
{
    double v[4];
    box b;
    for (int i = 0; i < 4; i++) v[i] = cvk_view_get(w->boxes, index * 4 + i);
    for (int d = 0; d < 2; d++) {
        double first = w->center ? v[d] - v[d + 2] / 2 : v[d],
               second = w->center ? v[d] + v[d + 2] / 2 : v[d + 2];
        b.low[d] = first < second ? first : second;
        b.high[d] = first < second ? second : first;
    }
    return b;
}

static double area(const box *b)
{
    return (b->high[0] - b->low[0]) * (b->high[1] - b->low[1]);
}

static bool overlap(const box *a, const box *b, double threshold)
{
    double common = 1;
    for (int d = 0; d < 2; d++) {
        double low = a->low[d] > b->low[d] ? a->low[d] : b->low[d],
               high = a->high[d] < b->high[d] ? a->high[d] : b->high[d];
        if (!(high > low)) return false;
        common *= high - low;
    }
    return common > threshold * (area(a) + area(b) - common);
}

static bool better(const void *context, int64_t i, int64_t k)
{
    const work *w = context;
    return cvk_order(w->scores, w->base + i, w->scores, w->base + k) > 0;
}

/* The kept boxes of one class into the front of w->order, *kept of them. */
static cvk_status keep_class(work *w, int64_t batch, int64_t *kept)
{
    int64_t candidates = 0;
    *kept = 0;
    for (int64_t i = 0; i < w->n; i++)
        if (!w->has_least || cvk_view_get(w->scores, w->base + i) > w->least)
            w->order[candidates++] = i;
    CVK_TRY(cvk_sort(w->order, candidates, better, w));
    for (int64_t i = 0; i < candidates && *kept < w->most; i++) {
        box b = box_of(w, batch * w->n + w->order[i]);
        bool fine = true;
        for (int64_t k = 0; fine && k < *kept; k++) fine = !overlap(&b, &w->kept[k], w->iou);
        w->comparisons += (uint64_t)*kept;
        if (w->comparisons > MOST_COMPARISONS)
            return cvk_fail(CVK_UNSUPPORTED, "more than %llu comparisons of boxes",
                            (unsigned long long)MOST_COMPARISONS);
        if (!fine) continue;
        w->kept[*kept] = b;
        w->order[(*kept)++] = w->order[i];
    }
    return CVK_OK;
}

/* All that are kept, counted, and written unless `out` is NULL. */
static cvk_status keep_all(work *w, int64_t *out, int64_t *count)
{
    const int64_t *dims = w->scores->shape.dims;
    *count = 0;
    for (int64_t i = 0; w->most > 0 && i < dims[0] * dims[1]; i++) {
        int64_t kept;
        w->base = i * w->n;
        CVK_TRY(keep_class(w, i / dims[1], &kept));
        for (int64_t k = 0; out && k < kept; k++) {
            int64_t *row = out + (*count + k) * 3;
            row[0] = i / dims[1];
            row[1] = i % dims[1];
            row[2] = w->order[k];
        }
        *count += kept;
    }
    return CVK_OK;
}

static cvk_status read_threshold(const cvk_view *view, const char *what, double *value)
{
    char text[CVK_SHAPE_TEXT];
    if (cvk_view_count(view) != 1)
        return cvk_fail(CVK_SHAPE, "%s has shape %s, one element is expected", what,
                        cvk_shape_text(&view->shape, text));
    *value = cvk_view_get(view, 0);
    return CVK_OK;
}

static cvk_status suppress(const cvk_non_max_suppression_params *p, const cvk_view *in, int n_in,
                           int64_t *out, int64_t *count)
{
    work w = {.boxes = &in[0], .scores = &in[1], .center = p->center, .n = in[0].shape.dims[1]};
    if (cvk_input(in, n_in, 2))
        CVK_TRY(cvk_input_number(&in[2], "max_output_boxes_per_class", &w.most));
    if (cvk_input(in, n_in, 3)) CVK_TRY(read_threshold(&in[3], "iou_threshold", &w.iou));
    w.has_least = cvk_input(in, n_in, 4) != NULL;
    if (w.has_least) CVK_TRY(read_threshold(&in[4], "score_threshold", &w.least));
    w.order = malloc(((size_t)w.n + 1) * sizeof *w.order);
    w.kept = malloc(((size_t)w.n + 1) * sizeof *w.kept);
    cvk_status status = w.order && w.kept
                            ? keep_all(&w, out, count)
                            : cvk_fail(CVK_NO_MEMORY, "out of memory: %lld boxes", (long long)w.n);
    free(w.order);
    free(w.kept);
    return status;
}

static cvk_status check_shapes(const cvk_view *boxes, const cvk_view *scores)
{
    char a[CVK_SHAPE_TEXT], b[CVK_SHAPE_TEXT];
    const cvk_shape *x = &boxes->shape, *y = &scores->shape;
    CVK_TRY(cvk_check_float(boxes, "boxes"));
    CVK_TRY(cvk_check_float(scores, "scores"));
    bool fits = (x->rank < 0 || (x->rank == 3 && cvk_dims_agree(x->dims[2], 4))) &&
                (y->rank < 0 || y->rank == 3);
    if (fits && x->rank == 3 && y->rank == 3)
        fits = cvk_dims_agree(x->dims[0], y->dims[0]) && cvk_dims_agree(x->dims[1], y->dims[2]);
    if (fits) return CVK_OK;
    return cvk_fail(CVK_SHAPE,
                    "boxes are %s and scores %s, expected batches x boxes x 4 and batches x "
                    "classes x boxes",
                    cvk_shape_text(x, a), cvk_shape_text(y, b));
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_shape shape = {.rank = 2, .dims = {-1, 3}};
    bool known = true;
    CVK_TRY(check_shapes(&in[0], &in[1]));
    for (int i = 0; i < n_in; i++)
        known = known && (!cvk_input(in, n_in, i) || cvk_input_constant(in, n_in, i));
    if (known) CVK_TRY(suppress(params, in, n_in, NULL, &shape.dims[0]));
    cvk_set_out(&out[0], CVK_I64, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    int64_t count;
    return suppress(params, in, n_in, out->data, &count);
}

const cvk_op cvk_op_NonMaxSuppression = {
    .name = "NonMaxSuppression",
    .min_in = 2,
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_non_max_suppression_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
