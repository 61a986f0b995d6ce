/* SPDX-License-Identifier: Apache-2.0
 *
 * The store for people: what is in it, emptied, copied to a file and from one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "base/store.h"
#include "base/store_hash.h"

static cvk_status find_path(char path[CVK_STORE_MAX_PATH])
{
    if (cvk_store_path(path, CVK_STORE_MAX_PATH)) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED, "there is no store: CONVOKE_CACHE_DIR is empty, or no folder "
                                     "for caches is known");
}

/* A string if the bytes are text of printable lines, else an empty one; NULL: out of memory. */
static char *text_of(const void *data, size_t bytes)
{
    const unsigned char *at = data;
    bool text = true;
    for (size_t i = 0; text && i < bytes; i++)
        text = at[i] == '\n' || (at[i] >= 0x20 && at[i] != 0x7f);
    char *copy = malloc(text ? bytes + 1 : 1);
    if (!copy) return NULL;
    if (text && bytes) memcpy(copy, data, bytes);
    copy[text ? bytes : 0] = 0;
    return copy;
}

static void count(cvk_cache_sum *sum, const cvk_store_entry *entry)
{
    if (!entry->sound) {
        sum->damaged++;
        return;
    }
    sum->rows++;
    sum->bytes += (int64_t)(entry->key_bytes + entry->data_bytes);
}

typedef struct survey {
    cvk_cache_fn visit;
    void *user;
    cvk_cache_sum sum;
} survey;

static cvk_status survey_entry(void *context, const cvk_store_entry *entry)
{
    survey *s = context;
    count(&s->sum, entry);
    if (!s->visit) return CVK_OK;
    char *name = text_of(entry->key, entry->key_bytes);
    char *value = text_of(entry->data, entry->data_bytes);
    const cvk_cache_entry shown = {.kind = entry->kind,
                                   .name = name,
                                   .value = value,
                                   .bytes = entry->key_bytes + entry->data_bytes,
                                   .used = entry->used_us / 1000000,
                                   .sound = entry->sound};
    if (name && value) s->visit(s->user, &shown);
    bool done = name && value;
    free(name);
    free(value);
    return done ? CVK_OK : cvk_fail(CVK_NO_MEMORY, "out of memory: an entry of the store");
}

cvk_status cvk_store_survey(cvk_cache_fn visit, void *user, cvk_cache_sum *sum)
{
    char path[CVK_STORE_MAX_PATH];
    survey s = {.visit = visit, .user = user};
    CVK_TRY(find_path(path));
    CVK_TRY(cvk_store_walk(path, survey_entry, &s));
    if (sum) *sum = s.sum;
    return CVK_OK;
}

cvk_status cvk_store_wipe(cvk_cache_sum *sum)
{
    char path[CVK_STORE_MAX_PATH];
    survey s = {.visit = NULL};
    CVK_TRY(find_path(path));
    if (cvk_store_walk(path, survey_entry, &s)) s.sum = (cvk_cache_sum){0};
    if (access(path, F_OK) == 0) {
        cvk_store *store = cvk_store_open(); /* which makes a damaged file anew */
        bool cleared = cvk_store_clear(store);
        cvk_store_close(store);
        if (!cleared) return cvk_fail(CVK_IO, "'%s' cannot be emptied", path);
    }
    if (sum) *sum = s.sum;
    return CVK_OK;
}

typedef struct transfer {
    cvk_store *to;
    cvk_cache_sum sum;
} transfer;

static cvk_status copy_entry(void *context, const cvk_store_entry *entry)
{
    transfer *t = context;
    count(&t->sum, entry);
    if (!entry->sound) return CVK_OK;
    bool kept = cvk_store_put(t->to, entry->kind, entry->key, entry->key_bytes, entry->data,
                              entry->data_bytes);
    return kept ? CVK_OK : cvk_fail(CVK_IO, "an entry cannot be written");
}

/* All sound entries of the file `from` into `to`, which is closed. */
static cvk_status copy_all(const char *from, cvk_store *to, const char *to_path, cvk_cache_sum *sum)
{
    transfer t = {.to = to};
    if (!to) return cvk_fail(CVK_IO, "'%s' cannot be written", to_path);
    cvk_status status = cvk_store_walk(from, copy_entry, &t);
    cvk_store_close(to);
    if (!status && sum) *sum = t.sum;
    return status;
}

cvk_status cvk_store_export(const char *path, cvk_cache_sum *sum)
{
    char own[CVK_STORE_MAX_PATH], partial[CVK_STORE_MAX_PATH];
    CVK_TRY(find_path(own));
    int length = snprintf(partial, sizeof partial, "%s.%ld.part", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof partial)
        return cvk_fail(CVK_IO, "'%s': the path is too long", path);
    cvk_status status = copy_all(own, cvk_store_open_file(partial), path, sum);
    if (!status && rename(partial, path) != 0)
        status = cvk_fail(CVK_IO, "'%s' cannot be written", path);
    if (status) unlink(partial);
    return status;
}

cvk_status cvk_store_import(const char *path, cvk_cache_sum *sum)
{
    char own[CVK_STORE_MAX_PATH];
    CVK_TRY(find_path(own));
    struct stat info;
    if (stat(path, &info) != 0) return cvk_fail(CVK_IO, "'%s' cannot be opened", path);
    if (info.st_size == 0)
        return cvk_fail(CVK_BAD_INPUT, "'%s' is no store of Convoke's: it is empty", path);
    CVK_TRY(cvk_store_walk(path, NULL, NULL));
    return copy_all(path, cvk_store_open(), own, sum);
}
