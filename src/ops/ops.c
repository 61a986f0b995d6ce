/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of operators, made from graph/ops.def.
 */
#include <string.h>

#include "ops/op.h"

static const cvk_op *const table[CVK_OP_COUNT] = {
#define X(Name) &cvk_op_##Name,
#define XI(Name) &cvk_op_##Name,
#include "graph/ops.def"
#undef X
#undef XI
};

const cvk_op *cvk_op_get(cvk_op_kind kind)
{
    return table[kind];
}

bool cvk_op_find(const char *name, cvk_op_kind *kind)
{
    for (int i = 0; i < CVK_OP_COUNT; i++) {
        if (table[i]->internal || strcmp(table[i]->name, name) != 0) continue;
        *kind = (cvk_op_kind)i;
        return true;
    }
    return false;
}
