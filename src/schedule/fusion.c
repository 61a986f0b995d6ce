/* SPDX-License-Identifier: Apache-2.0
 *
 * Words of fusions.def as bits.
 */
#include "schedule/fusion.h"

#include <string.h>

static const char *const words[] = {
#define X(name, word) word,
#include "schedule/fusions.def"
#undef X
};

static const char all_words[] =
#define X(name, word) " " word
#include "schedule/fusions.def"
#undef X
    ;

cvk_status cvk_fusions_read(const char *list, unsigned *fusions)
{
    *fusions = list ? 0 : CVK_FUSE_ALL;
    for (const char *at = list; at && *at;) {
        const size_t length = strcspn(at, ",");
        int i = 0;
        while (i < CVK_FUSIONS &&
               (strlen(words[i]) != length || strncmp(words[i], at, length) != 0))
            i++;
        if (i == CVK_FUSIONS)
            return cvk_fail(CVK_BAD_ARGUMENT, "'%.*s' is no fusion: there are%s", (int)length, at,
                            all_words);
        *fusions |= 1u << i;
        at += length + (at[length] == ',');
    }
    return CVK_OK;
}
