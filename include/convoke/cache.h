/* SPDX-License-Identifier: Apache-2.0
 *
 * The store that convoke.h (ring 6) describes, as it lies in its file: to look at, to empty, and to
 * carry from one machine to another. convoke.h includes it.
 */
#ifndef CONVOKE_CACHE_H
#define CONVOKE_CACHE_H

#include <convoke/convoke.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An entry of the store. */
typedef struct cvk_cache_entry {
    const char *kind;  /* "tuned row", "denied row", "device rates", "opencl program" */
    const char *name;  /* its key, lines separated by '\n', where that is text; else "" */
    const char *value; /* what is kept, where that is text; else "" */
    size_t bytes;      /* of both */
    int64_t used;      /* last use, in seconds since 1970 (of rows: to the day) */
    bool sound;        /* its checksum is right; if not, it is never used */
} cvk_cache_entry;
typedef void (*cvk_cache_fn)(void *user, const cvk_cache_entry *entry);

typedef struct cvk_cache_sum {
    int64_t rows, bytes; /* of sound entries: how many, and their keys and contents together */
    int64_t damaged;     /* entries that are not */
} cvk_cache_sum;

/* Writes the path of the store's file, whether there is one or not, to `path`, which holds `size`
 * bytes. CVK_UNSUPPORTED: the store is switched off (CONVOKE_CACHE_DIR is empty), there is no home,
 * or the path is longer than `size`. */
CVK_API cvk_status cvk_cache_path(char *path, size_t size);

/* Reads the whole store, checks it, and calls `visit` (may be NULL) for every entry, the one used
 * longest ago first; its strings are valid during the call. Changes nothing, but undoes a write that
 * a process which was killed has left unfinished. No file: no entries.
 * CVK_BAD_INPUT: the file is damaged or not a store; CVK_IO: it cannot be read. */
CVK_API cvk_status cvk_cache_visit(cvk_cache_fn visit, void *user, cvk_cache_sum *sum);

/* Empties the store, damaged or not. sum (may be NULL): what was in it, if it could be read. */
CVK_API cvk_status cvk_cache_clear(cvk_cache_sum *sum);

/* Writes the sound entries to a file of their own, which appears when it is complete, and reads
 * such a file into the store, where its entries replace those of the same key. sum (may be NULL):
 * what was copied, and entries left out because they are damaged. CVK_BAD_INPUT: the file that is
 * read is damaged or not a store; CVK_IO: a file cannot be read or written. */
CVK_API cvk_status cvk_cache_export(const char *path, cvk_cache_sum *sum);
CVK_API cvk_status cvk_cache_import(const char *path, cvk_cache_sum *sum);

#ifdef __cplusplus
}
#endif
#endif
