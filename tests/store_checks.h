/* SPDX-License-Identifier: Apache-2.0
 *
 * A store of its own for every test, entries in it, and damage done to its file. After cmocka.h and
 * tests/model_text.h; with _XOPEN_SOURCE 700.
 */
#ifndef CVK_TESTS_STORE_CHECKS_H
#define CVK_TESTS_STORE_CHECKS_H

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/store.h"

static char folder[64], file[96];
static atomic_int warnings, built, loaded;

static inline void sink(void *user, cvk_log_level level, const char *message)
{
    (void)user;
    warnings += level <= CVK_LOG_WARN;
    built += strstr(message, ": built ") != NULL;
    loaded += strstr(message, ": loaded ") != NULL;
}

static inline int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

/* Every test has a folder of its own, two levels below one that exists. */
static inline int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, P_tmpdir "/convoke-store-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/a/b", folder);
    setenv("CONVOKE_CACHE_DIR", file, 1);
    snprintf(file, sizeof file, "%s/a/b/convoke.sqlite", folder);
    cvk_log_set(sink, NULL, CVK_LOG_DEBUG);
    warnings = built = loaded = 0;
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline bool put(cvk_store *store, const char *key, const char *data)
{
    return cvk_store_put(store, "test", key, strlen(key), data, strlen(data));
}

static inline void expect(cvk_store *store, const char *key, const char *want)
{
    void *data = NULL;
    size_t bytes = 0;
    bool there = cvk_store_get(store, "test", key, strlen(key), &data, &bytes);
    if (there != (want != NULL)) fail_msg("'%s' is %s", key, there ? "there" : "not there");
    if (want) {
        assert_int_equal(bytes, strlen(want));
        assert_memory_equal(data, want, bytes);
    }
    free(data);
}

static inline cvk_store *open_store(void)
{
    cvk_store *store = cvk_store_open();
    assert_non_null(store);
    return store;
}

/* A store that works, whatever it held. */
static inline void expect_working(void)
{
    cvk_store *store = open_store();
    assert_true(put(store, "new", "entry"));
    expect(store, "new", "entry");
    cvk_store_close(store);
    store = open_store();
    expect(store, "new", "entry");
    cvk_store_close(store);
}

static inline void sql(const char *text)
{
    sqlite3 *db = NULL;
    char *problem = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    sqlite3_exec(db, text, NULL, NULL, &problem);
    if (problem) fail_msg("%s: %s", text, problem);
    assert_true(sqlite3_changes(db) >= 1 || strncmp(text, "UPDATE", 6) != 0);
    sqlite3_close(db);
}

static inline void write_over(long offset, const void *data, size_t bytes)
{
    int out = open(file, O_WRONLY);
    assert_true(out >= 0);
    assert_int_equal(pwrite(out, data, bytes, offset), bytes);
    close(out);
}

static inline void fill(int entries)
{
    char key[16], data[3000];
    memset(data, 'x', sizeof data - 1);
    data[sizeof data - 1] = 0;
    cvk_store *store = open_store();
    for (int i = 0; i < entries; i++) {
        snprintf(key, sizeof key, "key %d", i);
        assert_true(put(store, key, data) || put(store, key, data)); /* the first one mends */
    }
    cvk_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
