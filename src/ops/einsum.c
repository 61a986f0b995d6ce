/* SPDX-License-Identifier: Apache-2.0
 *
 * Einsum: products of the inputs' elements, summed over the labels of the equation that the output
 * does not have. "ij,jk->ik" is a product of matrices, "ii->i" a diagonal, "..." stands for the
 * dimensions that have no letter.
 */
#include <string.h>

#include "ops/common.h"

enum { ELLIPSIS = 0x100, NOT_FOUND = -1 }; /* symbols from ELLIPSIS on: its dims, from the right */

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_einsum_params *p = params;
    CVK_TRY(cvk_attrs_string(attrs, "equation", NULL, &p->equation));
    return p->equation ? CVK_OK : cvk_fail(CVK_BAD_MODEL, "attribute equation is missing");
}

/* A part of the equation, between commas or behind the arrow. */
typedef struct term {
    int n, ellipsis; /* letters; how many stand before "...", -1: there is none */
    char letters[CVK_MAX_RANK];
} term;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Reads a term at *text and moves *text behind it. */
static cvk_status read_term(const char **text, term *t)
{
    *t = (term){.ellipsis = -1};
    for (;; (*text)++) {
        const char *at = *text;
        if (*at == ' ') continue;
        if (is_letter(*at) && t->n < CVK_MAX_RANK) {
            t->letters[t->n++] = *at;
        } else if (strncmp(at, "...", 3) == 0 && t->ellipsis < 0) {
            t->ellipsis = t->n;
            *text += 2;
        } else if (*at == '\0' || *at == ',' || strncmp(at, "->", 2) == 0) {
            return CVK_OK;
        } else {
            return cvk_fail(is_letter(*at) ? CVK_UNSUPPORTED : CVK_BAD_MODEL,
                            "the equation cannot be read at '%.20s'", at);
        }
    }
}

/* The symbols of a term's dimensions, in order, with `extra` dims for its ellipsis. */
static int expand(const term *t, int extra, int *symbols)
{
    int n = 0;
    for (int i = 0; i <= t->n; i++) {
        for (int e = extra; i == t->ellipsis && e > 0; e--) symbols[n++] = ELLIPSIS + e - 1;
        if (i < t->n) symbols[n++] = t->letters[i];
    }
    return n;
}

/* The symbols of labels, the output's first. */
typedef struct table {
    int n, symbols[CVK_EINSUM_LABELS];
} table;

static int find(const table *labels, int symbol)
{
    for (int i = 0; i < labels->n; i++)
        if (labels->symbols[i] == symbol) return i;
    return NOT_FOUND;
}

static cvk_status add_label(table *labels, int symbol)
{
    if (labels->n == CVK_EINSUM_LABELS)
        return cvk_fail(CVK_UNSUPPORTED, "the equation has more than %d labels", CVK_EINSUM_LABELS);
    labels->symbols[labels->n++] = symbol;
    return CVK_OK;
}

/* Without an arrow: the ellipsis, then the letters that come once, in alphabetical order. */
static void implicit_output(const term *terms, int n_in, term *out)
{
    *out = (term){.ellipsis = 0};
    for (int c = 'A'; c <= 'z'; c++) {
        int times = 0;
        for (int i = 0; i < n_in; i++)
            for (int k = 0; k < terms[i].n; k++) times += terms[i].letters[k] == c;
        if (times == 1 && out->n < CVK_MAX_RANK) out->letters[out->n++] = (char)c;
    }
}

/* The equation as terms. */
static cvk_status read_equation(const char *text, int n_in, term *terms, term *out)
{
    for (int i = 0; i < n_in; i++) {
        CVK_TRY(read_term(&text, &terms[i]));
        bool more = *text == ',';
        if (more != (i + 1 < n_in))
            return cvk_fail(CVK_BAD_MODEL, "the equation has %s terms than the %d inputs",
                            more ? "more" : "fewer", n_in);
        text += more;
    }
    if (strncmp(text, "->", 2) != 0) {
        implicit_output(terms, n_in, out);
        return CVK_OK;
    }
    text += 2;
    CVK_TRY(read_term(&text, out));
    return *text ? cvk_fail(CVK_BAD_MODEL, "the equation goes on behind its output") : CVK_OK;
}

/* The output's labels, then all others of the inputs. */
static cvk_status label_output(cvk_einsum_params *p, const term *out, int extra, table *labels)
{
    int symbols[2 * CVK_MAX_RANK], n = expand(out, extra, symbols);
    if (n > CVK_MAX_RANK)
        return cvk_fail(CVK_UNSUPPORTED, "the output has rank %d, more than %d", n, CVK_MAX_RANK);
    for (int i = 0; i < n; i++) {
        if (find(labels, symbols[i]) != NOT_FOUND)
            return cvk_fail(CVK_BAD_MODEL, "the output has label '%c' twice", symbols[i]);
        CVK_TRY(add_label(labels, symbols[i]));
    }
    p->rank = n;
    return CVK_OK;
}

/* Input i's dims get labels, and those their lengths; a length of 1 is repeated. */
static cvk_status label_input(cvk_einsum_params *p, const term *t, const cvk_shape *shape, int i,
                              table *labels)
{
    int symbols[2 * CVK_MAX_RANK], n = expand(t, shape->rank - t->n, symbols);
    p->n_dims[i] = n;
    for (int d = 0; d < n; d++) {
        if (find(labels, symbols[d]) == NOT_FOUND) CVK_TRY(add_label(labels, symbols[d]));
        int label = p->label[i][d] = find(labels, symbols[d]);
        int64_t *length = &p->length[label], dim = shape->dims[d];
        if (*length == 1 || (*length < 0 && dim > 1))
            *length = dim;
        else if (dim != 1 && !cvk_dims_agree(*length, dim))
            return cvk_fail(CVK_SHAPE,
                            "dimension %d of input %d is %lld, its label stands for %lld", d, i,
                            (long long)dim, (long long)*length);
    }
    return CVK_OK;
}

static cvk_status resolve(cvk_einsum_params *p, const cvk_view *in, int n_in)
{
    term terms[CVK_EINSUM_INPUTS], out;
    table labels = {0};
    int extra = 0;
    CVK_TRY(read_equation(p->equation, n_in, terms, &out));
    for (int i = 0; i < n_in; i++) {
        int more = in[i].shape.rank - terms[i].n;
        if (more < 0 || (more > 0 && terms[i].ellipsis < 0))
            return cvk_fail(CVK_SHAPE, "input %d has rank %d, the equation gives it %d labels", i,
                            in[i].shape.rank, terms[i].n);
        if (more > extra) extra = more;
    }
    for (int k = 0; k < CVK_EINSUM_LABELS; k++) p->length[k] = 1;
    CVK_TRY(label_output(p, &out, extra, &labels));
    for (int i = 0; i < n_in; i++) CVK_TRY(label_input(p, &terms[i], &in[i].shape, i, &labels));
    for (int k = 0; k < p->rank; k++) {
        bool found = labels.symbols[k] >= ELLIPSIS;
        for (int i = 0; !found && i < n_in; i++)
            for (int d = 0; d < p->n_dims[i]; d++) found = found || p->label[i][d] == k;
        if (!found)
            return cvk_fail(CVK_BAD_MODEL, "no input has the output's label '%c'",
                            labels.symbols[k]);
    }
    p->n_in = n_in;
    p->n_labels = labels.n;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_einsum_params *p = params;
    cvk_shape shape = cvk_shape_unknown();
    bool ranked = true;
    CVK_TRY(cvk_check_numeric(&in[0], "input 0"));
    CVK_TRY(cvk_check_same_type(in, n_in));
    for (int i = 0; i < n_in; i++) ranked = ranked && cvk_ranked(&in[i]);
    if (ranked) {
        CVK_TRY(resolve(p, in, n_in));
        shape = cvk_shape_make(p->rank, p->length);
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

/* The distance in input i of neighbours along each label. */
static void label_strides(const cvk_einsum_params *p, const cvk_view *in, int i, int64_t *strides)
{
    int64_t own[CVK_MAX_RANK];
    cvk_shape_strides(&in[i].shape, own);
    memset(strides, 0, CVK_EINSUM_LABELS * sizeof *strides);
    for (int d = 0; d < p->n_dims[i]; d++)
        if (in[i].shape.dims[d] != 1) strides[p->label[i][d]] += own[d];
}

/* The next index of the labels [first, end); false after the last. */
static bool next(const cvk_einsum_params *p, int first, int end, int64_t *index)
{
    for (int k = end - 1; k >= first; k--) {
        if (++index[k] < p->length[k]) return true;
        index[k] = 0;
    }
    return false;
}

/* The sum of products at one index of the output. */
static void sum_products(const cvk_einsum_params *p, const cvk_view *in,
                         int64_t strides[][CVK_EINSUM_LABELS], int64_t *index, cvk_view *out,
                         int64_t to)
{
    bool real = cvk_dtype_is_float(in->dtype);
    double sum = 0;
    uint64_t whole = 0;
    do {
        double product = 1;
        uint64_t number = 1;
        for (int i = 0; i < p->n_in; i++) {
            int64_t at = cvk_index_dot(index, strides[i], p->n_labels);
            if (real)
                product *= cvk_view_get(&in[i], at);
            else
                number *= (uint64_t)cvk_view_get_int(&in[i], at);
        }
        sum += product;
        whole += number;
    } while (next(p, p->rank, p->n_labels, index));
    if (real)
        cvk_view_set(out, to, sum);
    else
        cvk_view_set_int(out, to, (int64_t)whole);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    const cvk_einsum_params *p = params;
    int64_t strides[CVK_EINSUM_INPUTS][CVK_EINSUM_LABELS], index[CVK_EINSUM_LABELS] = {0};
    int64_t count = cvk_view_count(out);
    if (cvk_view_bytes(out)) memset(out->data, 0, cvk_view_bytes(out));
    for (int k = 0; k < p->n_labels; k++)
        if (p->length[k] == 0) return CVK_OK;
    for (int i = 0; i < n_in; i++) label_strides(p, in, i, strides[i]);
    for (int64_t i = 0; i < count; i++) {
        sum_products(p, in, strides, index, out, i);
        next(p, 0, p->rank, index);
    }
    return CVK_OK;
}

static uint64_t products(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    (void)in, (void)n_in, (void)out;
    const cvk_einsum_params *p = params;
    uint64_t all = 1;
    for (int k = 0; k < p->n_labels; k++)
        if (p->length[k] >= 0 && __builtin_mul_overflow(all, (uint64_t)p->length[k], &all))
            return UINT64_MAX;
    return all;
}

const cvk_op cvk_op_Einsum = {
    .name = "Einsum",
    .min_in = 1,
    .max_in = CVK_EINSUM_INPUTS,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_einsum_params),
    .form = {.kind = CVK_FORM_EINSUM},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .macs = products,
    .work = products,
};
