/* SPDX-License-Identifier: Apache-2.0
 *
 * What devices of all backends share: the memory of a step, and weights in the form that a kernel
 * wants, kept once per device however many steps and sessions hold them. They are found by their
 * content: two hashes of the source, its size, the form and its variant.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "base/hash.h"
#include "base/known.h"

typedef struct pack_key {
    uint64_t hash[2];
    uint64_t variant;
    size_t source_bytes, source2_bytes, bytes;
} pack_key;

typedef struct cvk_pack_entry {
    struct cvk_pack_entry *next;
    pack_key key;
    void *data;
    int holders;
} pack_entry;

typedef struct cvk_pack_ref {
    struct cvk_pack_ref *next;
    pack_entry *entry;
} pack_ref;

void cvk_device_init(cvk_device *device, const cvk_backend *backend)
{
    device->backend = backend;
    device->lanes = 1;
    pthread_mutex_init(&device->lock, NULL);
}

cvk_status cvk_device_build(cvk_device *device, cvk_step *const *steps, int count)
{
    return device && device->backend->build ? device->backend->build(device, steps, count) : CVK_OK;
}

void cvk_device_deinit(cvk_device *device)
{
    for (pack_entry *entry = device->packs, *next; entry; entry = next) {
        next = entry->next;
        device->backend->release(device, entry->data);
        free(entry);
    }
    device->packs = NULL;
    free(device->choice);
    pthread_mutex_destroy(&device->lock);
}

const cvk_caps *cvk_device_caps(const cvk_device *device)
{
    return &device->caps;
}

void *cvk_step_alloc(cvk_step *step, size_t bytes)
{
    return cvk_arena_alloc(step->arena, bytes);
}

/* Mixes in the hash of a source; that of one that is known is kept. */
static void hash_source(uint64_t hash[2], cvk_known *known, const void *source, size_t bytes)
{
    uint64_t fresh[2] = CVK_HASH_START;
    bool now = false, *hashed = &now;
    uint64_t *own = cvk_known_hash(known, source, bytes, &hashed);
    if (!own) own = fresh;
    if (!*hashed) {
        memcpy(own, fresh, sizeof fresh);
        cvk_hash_bytes(own, source, bytes);
        *hashed = true;
    }
    cvk_hash_bytes(hash, own, sizeof fresh);
}

static pack_key make_key(const cvk_pack *pack, cvk_known *known)
{
    pack_key key = {.hash = CVK_HASH_START,
                    .variant = pack->variant,
                    .source_bytes = pack->source_bytes,
                    .source2_bytes = pack->source2 ? pack->source2_bytes : 0,
                    .bytes = pack->bytes};
    cvk_hash_bytes(key.hash, pack->kind, strlen(pack->kind));
    hash_source(key.hash, known, pack->source, key.source_bytes);
    if (pack->source2) hash_source(key.hash, known, pack->source2, key.source2_bytes);
    return key;
}

static bool same_key(const pack_key *a, const pack_key *b)
{
    return a->hash[0] == b->hash[0] && a->hash[1] == b->hash[1] && a->variant == b->variant &&
           a->source_bytes == b->source_bytes && a->source2_bytes == b->source2_bytes &&
           a->bytes == b->bytes;
}

/* With one more holder, or NULL. */
static pack_entry *hold(cvk_device *device, const pack_key *key)
{
    pack_entry *entry = device->packs;
    while (entry && !same_key(&entry->key, key)) entry = entry->next;
    if (entry) entry->holders++;
    return entry;
}

static cvk_status make_data(cvk_device *device, const cvk_pack *pack, void **data)
{
    CVK_TRY(device->backend->alloc(device, pack->bytes, data));
    cvk_status status = device->backend->fill(device, *data, pack->bytes, pack->fill, pack->arg);
    if (status) device->backend->release(device, *data);
    return status;
}

/* The device is not locked while the weights are packed: it takes long, and the backend may lock
 * it. If somebody else was as quick with the same weights, ours go again. */
static cvk_status make_entry(cvk_device *device, const cvk_pack *pack, const pack_key *key,
                             pack_entry **made)
{
    pack_entry *entry = calloc(1, sizeof *entry);
    if (!entry) return cvk_fail(CVK_NO_MEMORY, "out of memory: no room for packed weights");
    cvk_status status = make_data(device, pack, &entry->data);
    if (status) {
        free(entry);
        return status;
    }
    entry->key = *key;
    entry->holders = 1;
    pthread_mutex_lock(&device->lock);
    *made = hold(device, key);
    if (!*made) {
        entry->next = device->packs;
        device->packs = *made = entry;
        entry = NULL;
    }
    pthread_mutex_unlock(&device->lock);
    if (entry) {
        device->backend->release(device, entry->data);
        free(entry);
    }
    return CVK_OK;
}

cvk_status cvk_step_pack(cvk_device *device, cvk_step *step, const cvk_pack *pack, void **data)
{
    pack_ref *ref = cvk_step_alloc(step, sizeof *ref);
    if (!ref) return CVK_NO_MEMORY;
    pack_key key = make_key(pack, step->known);
    pthread_mutex_lock(&device->lock);
    ref->entry = hold(device, &key);
    pthread_mutex_unlock(&device->lock);
    if (!ref->entry) CVK_TRY(make_entry(device, pack, &key, &ref->entry));
    ref->next = step->packs;
    step->packs = ref;
    *data = ref->entry->data;
    return CVK_OK;
}

static void let_go(cvk_device *device, pack_entry *entry)
{
    pthread_mutex_lock(&device->lock);
    bool last = --entry->holders == 0;
    for (pack_entry **at = &device->packs; last && *at; at = &(*at)->next) {
        if (*at != entry) continue;
        *at = entry->next;
        break;
    }
    pthread_mutex_unlock(&device->lock);
    if (!last) return;
    device->backend->release(device, entry->data);
    free(entry);
}

void cvk_step_unpack(cvk_device *device, cvk_step *step)
{
    for (pack_ref *ref = step->packs; ref; ref = ref->next) let_go(device, ref->entry);
    step->packs = NULL;
}

size_t cvk_step_pack_bytes(const cvk_step *step)
{
    size_t bytes = 0;
    for (const pack_ref *ref = step->packs; ref; ref = ref->next) bytes += ref->entry->key.bytes;
    return bytes;
}

static void fill_copy(void *dst, const void *arg)
{
    const cvk_pack *pack = arg;
    memcpy(dst, pack->source, pack->source_bytes);
}

cvk_status cvk_step_constant(cvk_device *device, cvk_step *step, const void *source, size_t bytes,
                             void **data)
{
    cvk_pack pack = {.source = source,
                     .source_bytes = bytes,
                     .kind = "constant",
                     .bytes = bytes,
                     .fill = fill_copy};
    pack.arg = &pack;
    return cvk_step_pack(device, step, &pack, data);
}
