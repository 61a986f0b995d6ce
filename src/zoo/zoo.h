/* SPDX-License-Identifier: Apache-2.0
 *
 * The classic networks, built with the public interface, with seeded weights: the same seed gives
 * the same file on every machine.
 */
#ifndef CVK_ZOO_ZOO_H
#define CVK_ZOO_ZOO_H

#include <convoke/convoke.h>

/* What may be chosen; 0 is the network's own default. */
typedef struct cvk_zoo_options {
    int classes;
    int size;  /* height and width of the picture */
    int batch; /* 0: a free dimension */
    uint64_t seed;
} cvk_zoo_options;

typedef struct cvk_zoo_entry {
    const char *name, *about;
    cvk_status (*build)(const cvk_zoo_options *options, cvk_model **model);
} cvk_zoo_entry;

/* The networks, ended by an entry without a name. */
extern const cvk_zoo_entry cvk_zoo[];

/* Builds the network called `name`; *model stays NULL, with CVK_BAD_ARGUMENT, if there is none. */
cvk_status cvk_zoo_build(const char *name, const cvk_zoo_options *options, cvk_model **model);

cvk_status cvk_zoo_lenet5(const cvk_zoo_options *options, cvk_model **model);
cvk_status cvk_zoo_lenet5_rgb(const cvk_zoo_options *options, cvk_model **model);

#endif
