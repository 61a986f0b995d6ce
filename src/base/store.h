/* SPDX-License-Identifier: Apache-2.0
 *
 * What is worth keeping between runs (built OpenCL programs, tuned and denied kernel rows): one
 * SQLite file, convoke.sqlite, in the user's cache folder, shared by any number of processes. A
 * store is never needed: whatever is wrong with it is a warning in the log, and what it held is
 * made again. Every function takes a store of NULL, which holds nothing. Any thread may call.
 */
#ifndef CVK_BASE_STORE_H
#define CVK_BASE_STORE_H

#include <convoke/convoke.h>

/* Keys and data together; beyond it the least recently used entries go. */
#define CVK_STORE_LIMIT ((size_t)256 << 20)

typedef struct cvk_store cvk_store;

/* NULL if it is switched off or cannot be had. */
cvk_store *cvk_store_open(void);

/* The same for a caller who only reads: NULL, and silence, if there is no file yet. */
cvk_store *cvk_store_open_present(void);

/* The same for a file of any name, which is made if it is not there. */
cvk_store *cvk_store_open_file(const char *path);

void cvk_store_close(cvk_store *store);

/* The data put under this kind and key, to be freed with free(); false if it is not there or not
 * beyond doubt what was put. */
bool cvk_store_get(cvk_store *store, const char *kind, const void *key, size_t key_bytes,
                   void **data, size_t *bytes);

/* The same for small things that are read often: it counts as a use at most once a day, so that
 * nothing is written but on the first of them. */
bool cvk_store_peek(cvk_store *store, const char *kind, const void *key, size_t key_bytes,
                    void **data, size_t *bytes);

/* Whether there is anything of this kind, sound or not. */
bool cvk_store_any(cvk_store *store, const char *kind);

/* Replaces what is there; false if it was not kept. */
bool cvk_store_put(cvk_store *store, const char *kind, const void *key, size_t key_bytes,
                   const void *data, size_t bytes);

/* Takes out what is there, if anything is; false if that failed. */
bool cvk_store_drop(cvk_store *store, const char *kind, const void *key, size_t key_bytes);

/* An empty store; false if that failed. */
bool cvk_store_clear(cvk_store *store);

/* store_file.c: the file as it lies, for people. Nothing here mends or makes one; but a write in the
 * midst of which a process was stopped is undone. */

/* Where the user's store is or would be; false if it is switched off or the path does not fit. */
bool cvk_store_path(char *path, size_t size);

typedef struct cvk_store_entry {
    const char *kind;
    const void *key, *data;
    size_t key_bytes, data_bytes;
    int64_t used_us; /* since 1970 */
    bool sound;      /* key, lengths and checksum agree */
} cvk_store_entry;

/* Calls `visit` (may be NULL) for every entry, the one used longest ago first, until it fails;
 * nothing to visit if there is no file or nothing in it. CVK_BAD_INPUT: not a store, or damaged beyond its entries;
 * CVK_IO: cannot be read. */
cvk_status cvk_store_walk(const char *path,
                          cvk_status (*visit)(void *user, const cvk_store_entry *entry),
                          void *user);

/* store_admin.c: behind the cvk_cache functions of the public header. `sum` may be NULL. */
cvk_status cvk_store_survey(cvk_cache_fn visit, void *user, cvk_cache_sum *sum);
cvk_status cvk_store_wipe(cvk_cache_sum *sum);
cvk_status cvk_store_export(const char *path, cvk_cache_sum *sum);
cvk_status cvk_store_import(const char *path, cvk_cache_sum *sum);

#endif
