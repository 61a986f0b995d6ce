/* SPDX-License-Identifier: Apache-2.0
 *
 * Constants kept from plan to plan of one model.
 */
#include "schedule/reuse.h"

#include <stdlib.h>

struct cvk_made {
    struct cvk_made *next;
    const void *source;
    uint64_t key[2];
    void *data;
};

cvk_reuse *cvk_reuse_create(const cvk_graph *model)
{
    cvk_reuse *reuse = calloc(1, sizeof *reuse);
    if (!reuse) return NULL;
    reuse->arena = cvk_arena_create();
    reuse->known = cvk_known_create();
    bool made = reuse->arena && reuse->known;
    for (int i = 0; made && i < model->n_values; i++)
        if (model->values[i].data)
            made =
                cvk_known_add(reuse->known, model->values[i].data, cvk_graph_value_bytes(model, i));
    if (!made) cvk_reuse_free(&reuse);
    return reuse;
}

void cvk_reuse_free(cvk_reuse **reuse)
{
    if (!*reuse) return;
    cvk_known_free(&(*reuse)->known);
    cvk_arena_free(&(*reuse)->arena);
    free(*reuse);
    *reuse = NULL;
}

bool cvk_reuse_knows(const cvk_reuse *reuse, const void *source, size_t bytes)
{
    bool *hashed;
    return reuse && cvk_known_hash(reuse->known, source, bytes, &hashed);
}

void *cvk_reuse_find(const cvk_reuse *reuse, const void *source, const uint64_t key[2])
{
    for (const struct cvk_made *m = reuse->made; m; m = m->next)
        if (m->source == source && m->key[0] == key[0] && m->key[1] == key[1]) return m->data;
    return NULL;
}

void *cvk_reuse_make(cvk_reuse *reuse, const void *source, const uint64_t key[2], size_t bytes)
{
    struct cvk_made *made = cvk_arena_alloc(reuse->arena, sizeof *made);
    void *data = cvk_arena_alloc(reuse->arena, bytes);
    if (!made || !data || !cvk_known_add(reuse->known, data, bytes)) return NULL;
    *made = (struct cvk_made){.next = reuse->made, .source = source, .data = data};
    made->key[0] = key[0];
    made->key[1] = key[1];
    reuse->made = made;
    return data;
}
