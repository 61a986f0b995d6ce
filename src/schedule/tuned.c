/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of measured kernel rows: how they are called, read and written, and what a plan makes of
 * them. A record of which anything cannot be had is one that is not there; one whose row does not
 * take the node any more is named in the node's note.
 */
#include "schedule/tuned.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kind[] = "tuned row";
enum { MAX_RECORD = 256 };

bool cvk_tuned_rival(const cvk_kernel *chosen, const cvk_kernel *row)
{
    return row->op == chosen->op && row->out_layout == chosen->out_layout;
}

/* "conv_first *conv_winograd conv_direct": what competes, in the table's order, with a mark at the
 * row chosen without a record. A table that has changed makes other keys. "" if nothing does. */
static const char *rivals_of(cvk_arena *arena, const cvk_device *device, const cvk_kernel *chosen)
{
    const char *text = "";
    int count = 0;
    for (int r = 0; text && r < device->n_kernels; r++) {
        const cvk_kernel *row = &device->kernels[r];
        if (!cvk_tuned_rival(chosen, row)) continue;
        text = cvk_arena_printf(arena, "%s%s%s%s", text, *text ? " " : "", row == chosen ? "*" : "",
                                row->name);
        count += row->variant ? 2 : 1;
    }
    return count < 2 && text ? "" : text;
}

cvk_status cvk_tuned_key(cvk_scheduler *s, const cvk_node *node, const cvk_device *device,
                         const cvk_kernel *chosen, const char **key)
{
    cvk_arena *arena = s->graph->arena;
    const cvk_device_info *info = &device->info;
    const cvk_op *op = cvk_op_get(node->op);
    *key = NULL;
    const char *rivals = rivals_of(arena, device, chosen);
    if (!rivals) return CVK_NO_MEMORY;
    if (!*rivals || (node->params && !op->tell)) return CVK_OK;
    const char *problem = cvk_problem_text(s->graph, node);
    if (problem)
        *key =
            cvk_arena_printf(arena, "Convoke %s\n%s; %s; %s; %s; %d units; %x\n%s\n%s",
                             cvk_version(), info->backend, info->name, info->driver, info->version,
                             info->units, (unsigned)device->caps.bits, rivals, problem);
    return *key ? CVK_OK : CVK_NO_MEMORY;
}

const char *cvk_tuned_name(cvk_arena *arena, const cvk_kernel *row, const char *variant)
{
    return variant ? cvk_arena_printf(arena, "%s:%s", row->name, variant) : row->name;
}

const char *cvk_tuned_problem(const char *key)
{
    return strrchr(key, '\n') + 1;
}

bool cvk_tuned_read(cvk_store *store, const char *key, cvk_tuned *tuned)
{
    void *data = NULL;
    size_t bytes = 0;
    char text[MAX_RECORD] = "";
    if (!cvk_store_peek(store, kind, key, strlen(key), &data, &bytes)) return false;
    if (bytes < sizeof text) memcpy(text, data, bytes);
    free(data);
    *tuned = (cvk_tuned){.ms = 0};
    return sscanf(text, "%63s %lf ms, default %lf ms", tuned->row, &tuned->ms,
                  &tuned->default_ms) == 3 &&
           isfinite(tuned->ms) && isfinite(tuned->default_ms);
}

bool cvk_tuned_write(cvk_store *store, const char *key, const cvk_tuned *tuned)
{
    char text[MAX_RECORD];
    snprintf(text, sizeof text, "%s %.6g ms, default %.6g ms", tuned->row, tuned->ms,
             tuned->default_ms);
    return cvk_store_put(store, kind, key, strlen(key), text, strlen(text));
}

/* Adds to the node's note. */
static cvk_status add_note(cvk_arena *arena, cvk_node *node, const char *row, const char *what)
{
    node->note = cvk_arena_printf(arena, "%s%stuned: %s%s", node->note ? node->note : "",
                                  node->note ? "; " : "", row, what);
    return node->note ? CVK_OK : CVK_NO_MEMORY;
}

/* Sets the node's variant to the one of that name; NULL: the row's own choice. */
static cvk_status find_variant(cvk_scheduler *s, cvk_node *node, int device, const cvk_kernel *row,
                               const char *name, bool *found)
{
    cvk_problem problem;
    const char *variant = NULL;
    node->variant = 0;
    *found = !name;
    if (!name || !row->variant) return CVK_OK;
    CVK_TRY(cvk_problem_make(s, node, &s->devices[device]->caps, &problem));
    for (int k = 1; !*found && (variant = row->variant(&problem, k)); k++) {
        *found = strcmp(variant, name) == 0;
        if (*found) node->variant = k;
    }
    return CVK_OK;
}

/* The recorded row if it takes the node, which then has its variant; else why not. */
static cvk_status find_row(cvk_scheduler *s, cvk_node *node, int device, const cvk_kernel *chosen,
                           const char *name, const cvk_kernel **found, const char **why)
{
    const cvk_device *dev = s->devices[device];
    const size_t length = strcspn(name, ":");
    *found = NULL;
    *why = "there is no such row for this step";
    for (int r = 0; r < dev->n_kernels; r++) {
        const cvk_kernel *row = &dev->kernels[r];
        bool takes;
        if (!cvk_tuned_rival(chosen, row) || strlen(row->name) != length ||
            memcmp(row->name, name, length) != 0)
            continue;
        CVK_TRY(
            find_variant(s, node, device, row, name[length] ? name + length + 1 : NULL, &takes));
        if (takes) CVK_TRY(cvk_place_takes(s, node, device, row, &takes, why));
        if (takes)
            *found = row;
        else
            node->variant = 0;
        return CVK_OK;
    }
    return CVK_OK;
}

cvk_status cvk_place_tuned(cvk_scheduler *s, cvk_node *node, int device, const cvk_kernel **row)
{
    cvk_arena *arena = s->graph->arena;
    cvk_tuned tuned;
    const char *key, *why;
    const cvk_kernel *found;
    if (s->options->no_tuned || s->options->prefer_kernel || !s->store) return CVK_OK;
    CVK_TRY(cvk_tuned_key(s, node, s->devices[device], *row, &key));
    if (!key || !cvk_tuned_read(s->store, key, &tuned)) return CVK_OK;
    if (strcmp(tuned.row, (*row)->name) == 0) {
        node->tuned_ms = tuned.ms;
        return CVK_OK;
    }
    CVK_TRY(find_row(s, node, device, *row, tuned.row, &found, &why));
    const char *what = found == *row ? ""
                       : found       ? cvk_arena_printf(arena, " instead of %s", (*row)->name)
                                     : cvk_arena_printf(arena, " is not used: %s", why);
    if (!what) return CVK_NO_MEMORY;
    CVK_TRY(add_note(arena, node, tuned.row, what));
    if (!found) return CVK_OK;
    *row = found;
    node->tuned_ms = tuned.ms;
    return CVK_OK;
}
