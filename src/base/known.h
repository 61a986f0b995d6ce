/* SPDX-License-Identifier: Apache-2.0
 *
 * Sources of packed weights whose memory stays as it is while a table of them lives: each is hashed
 * once, however often a step asks for it (cvk_step_pack).
 */
#ifndef CVK_BASE_KNOWN_H
#define CVK_BASE_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cvk_known cvk_known;

cvk_known *cvk_known_create(void); /* NULL: no memory */
void cvk_known_free(cvk_known **known);

/* `bytes` from `source` on will not change; false: no memory. To say it again changes nothing. */
bool cvk_known_add(cvk_known *known, const void *source, size_t bytes);

/* Where the hash of a source stands or is to stand; *hashed says which, the caller sets it. NULL: not
 * one of the table's, or known is NULL. */
uint64_t *cvk_known_hash(cvk_known *known, const void *source, size_t bytes, bool **hashed);

#endif
