/* SPDX-License-Identifier: Apache-2.0
 *
 * The classic networks, built with the public interface, with seeded weights: the same seed gives
 * the same file on every machine. A network is a row of zoo.def and a function in its family's
 * file, which calls the layers of net.h.
 */
#ifndef CVK_ZOO_ZOO_H
#define CVK_ZOO_ZOO_H

#include <convoke/convoke.h>

struct net;

typedef struct cvk_zoo_entry {
    const char *name, *about;
    int channels, size, classes; /* of its own input and output; classes 0: it has none */
    int least, multiple;         /* the sizes that it takes: see cvk_zoo_takes_size */
    void (*build)(struct net *);
} cvk_zoo_entry;

/* What may be chosen; 0 is the network's own default. */
typedef struct cvk_zoo_options {
    int classes;
    int size;  /* height and width of the picture */
    int batch; /* 0: a free dimension */
    uint64_t seed;
    bool outline; /* no weights: enough to count, not to save or to run */
} cvk_zoo_options;

/* The networks, ended by an entry without a name. */
extern const cvk_zoo_entry cvk_zoo[];

const cvk_zoo_entry *cvk_zoo_find(const char *name); /* NULL: there is none */

/* Whether pictures of this height and width fit: a multiple of `multiple`, from `least` to
 * CVK_ZOO_LARGEST. 0, the default, does. */
enum { CVK_ZOO_LARGEST = 4096 };
bool cvk_zoo_takes_size(const cvk_zoo_entry *entry, int size);

/* Builds a network. `depth` (may be NULL): convolutions and dense layers on the longest way from
 * an input to an output. CVK_BAD_ARGUMENT: the size does not fit. */
cvk_status cvk_zoo_build(const cvk_zoo_entry *entry, const cvk_zoo_options *options,
                         cvk_model **model, int *depth);

#define X(id, name, channels, size, least, multiple, classes, about)                               \
    void cvk_zoo_##id(struct net *n);
#include "zoo/zoo.def"
#undef X

#endif
