/* SPDX-License-Identifier: Apache-2.0
 *
 * What is worth keeping between runs (built OpenCL programs): one SQLite file, convoke.sqlite, in
 * the user's cache folder, shared by any number of processes. A store is never needed: whatever is
 * wrong with it is a warning in the log, and what it held is made again. Every function takes a
 * store of NULL, which holds nothing. Any thread may call.
 */
#ifndef CVK_BASE_STORE_H
#define CVK_BASE_STORE_H

#include <stdbool.h>
#include <stddef.h>

/* Keys and data together; beyond it the least recently used entries go. */
#define CVK_STORE_LIMIT ((size_t)256 << 20)

typedef struct cvk_store cvk_store;

/* NULL if it is switched off or cannot be had. */
cvk_store *cvk_store_open(void);

void cvk_store_close(cvk_store *store);

/* The data put under this kind and key, to be freed with free(); false if it is not there or not
 * beyond doubt what was put. */
bool cvk_store_get(cvk_store *store, const char *kind, const void *key, size_t key_bytes,
                   void **data, size_t *bytes);

/* Replaces what is there; false if it was not kept. */
bool cvk_store_put(cvk_store *store, const char *kind, const void *key, size_t key_bytes,
                   const void *data, size_t bytes);

#endif
