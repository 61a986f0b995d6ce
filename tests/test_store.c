/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: what is put is there, what is damaged is not, and nothing that can be wrong with its
 * file does more than cost time. On OpenCL: the second opening of a device builds from binaries.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/backend.h"
#include "tests/model_reference.h"
#include "tests/store_checks.h"

static void what_is_put_is_there(void **state)
{
    (void)state;
    cvk_store *store = open_store();
    expect(store, "a", NULL);
    assert_true(put(store, "a", "one"));
    assert_true(put(store, "ab", "two"));
    expect(store, "a", "one");
    assert_true(put(store, "a", "three, longer"));
    cvk_store_close(store);
    store = open_store();
    expect(store, "a", "three, longer");
    expect(store, "ab", "two");
    void *data = NULL;
    size_t bytes = 0;
    assert_false(cvk_store_get(store, "another kind", "a", 1, &data, &bytes));
    assert_null(data);
    assert_false(put(store, "", "no key"));
    assert_false(put(store, "no data", ""));
    cvk_store_close(store);
    assert_int_equal(warnings, 0);
}

static void switched_off(void **state)
{
    (void)state;
    setenv("CONVOKE_CACHE_DIR", "", 1);
    assert_null(cvk_store_open());
    assert_int_equal(access(file, F_OK), -1);
    assert_false(put(NULL, "a", "one"));
    expect(NULL, "a", NULL);
    cvk_store_close(NULL);
    assert_int_equal(warnings, 0);
}

static void the_usual_folders(void **state)
{
    (void)state;
    char path[128], home[1024];
    snprintf(home, sizeof home, "%s", getenv("HOME") ? getenv("HOME") : "/");
    unsetenv("CONVOKE_CACHE_DIR");
    setenv("XDG_CACHE_HOME", folder, 1);
    cvk_store_close(open_store());
    snprintf(path, sizeof path, "%s/convoke/convoke.sqlite", folder);
    assert_int_equal(access(path, F_OK), 0);
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", folder, 1);
    cvk_store_close(open_store());
    snprintf(path, sizeof path, "%s/.cache/convoke/convoke.sqlite", folder);
    assert_int_equal(access(path, F_OK), 0);
    setenv("HOME", home, 1); /* drivers look there too */
}

static void put_large(cvk_store *store, const char *key, unsigned char *data, size_t bytes)
{
    if (!cvk_store_put(store, "test", key, 1, data, bytes)) fail_msg("'%s' was not kept", key);
}

static bool has(cvk_store *store, const char *key)
{
    void *data = NULL;
    size_t bytes;
    bool there = cvk_store_get(store, "test", key, 1, &data, &bytes);
    free(data);
    return there;
}

static void the_least_recently_used_go_first(void **state)
{
    (void)state;
    const size_t bytes = CVK_STORE_LIMIT / 4 - 100; /* four fit */
    unsigned char *data = calloc(1, CVK_STORE_LIMIT);
    assert_non_null(data);
    cvk_store *store = open_store();
    for (int i = 0; i < 4; i++) put_large(store, (const char[]){(char)('a' + i), 0}, data, bytes);
    assert_true(has(store, "a"));
    put_large(store, "e", data, bytes);
    assert_false(has(store, "b"));
    assert_true(has(store, "a") && has(store, "c") && has(store, "d") && has(store, "e"));
    assert_false(cvk_store_put(store, "test", "f", 1, data, CVK_STORE_LIMIT)); /* with its key */
    assert_true(has(store, "a"));
    put_large(store, "f", data, CVK_STORE_LIMIT - 1);
    assert_true(has(store, "f") && !has(store, "a") && !has(store, "e"));
    cvk_store_close(store);
    free(data);
    assert_int_equal(warnings, 0);
}

static void damaged_rows(void **state)
{
    (void)state;
    static const char *const damage[] = {
        "UPDATE entry SET data=x'6f6e66'",
        "UPDATE entry SET data=x'6f6e'",
        "UPDATE entry SET data=NULL",
        "UPDATE entry SET data=17",
        "UPDATE entry SET sum=sum+1",
        "UPDATE entry SET bytes=bytes+1",
        "UPDATE entry SET bytes=-1",
        "UPDATE entry SET key=x'62'",
        "UPDATE entry SET used=9223372036854775807, data='x'",
    };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        cvk_store *store = open_store();
        assert_true(put(store, "a", "one"));
        expect(store, "a", "one");
        sql(damage[i]);
        warnings = 0;
        expect(store, "a", NULL);
        assert_int_equal(warnings, 1);
        expect(store, "a", NULL); /* dropped: simply not there any more */
        assert_int_equal(warnings, 1);
        assert_true(put(store, "a", "one"));
        expect(store, "a", "one");
        cvk_store_close(store);
    }
}

/* Random damage anywhere in the file, also behind the back of a store that has it open. */
static void damaged_files(void **state)
{
    (void)state;
    unsigned char noise[512];
    struct stat info;
    for (int round = 0; round < 60; round++) {
        fill(20);
        assert_int_equal(stat(file, &info), 0);
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (unsigned char)seeded((uint64_t)round, i, 0, 256);
        cvk_store *store = round % 2 ? open_store() : NULL;
        long offset =
            round < 4 ? 0 : (long)seeded(7, (uint64_t)round, 0, (double)info.st_size - 512);
        write_over(offset, noise, round % 3 ? sizeof noise : 1);
        for (int i = 0; store && i < 20; i++) {
            char key[16];
            void *data = NULL;
            size_t bytes = 0;
            snprintf(key, sizeof key, "key %d", i);
            if (!cvk_store_get(store, "test", key, strlen(key), &data, &bytes)) continue;
            assert_int_equal(bytes, 2999);
            for (size_t b = 0; b < bytes; b++) assert_int_equal(((char *)data)[b], 'x');
            free(data);
        }
        cvk_store_close(store);
        /* Damage met only in writing costs that entry and mends the file. */
        store = open_store();
        assert_true(put(store, "mended", "yes") || put(store, "mended", "yes"));
        expect(store, "mended", "yes");
        cvk_store_close(store);
    }
    assert_true(warnings > 0);
}

static void files_of_something_else(void **state)
{
    (void)state;
    static const char text[] = "This is not a database, and it is longer than one header of 100 "
                               "bytes would be, so that nobody can take it for an empty file.";
    static const char *const foreign[] = {
        "DROP TABLE entry; CREATE TABLE entry(a); PRAGMA user_version=0",
        "DROP TABLE entry; CREATE TABLE entry(a)",
        "DROP TABLE entry",
        "PRAGMA user_version=2",
    };
    fill(1);
    write_over(0, text, sizeof text);
    expect_working();
    assert_int_equal(warnings, 1);
    for (int i = 0; i < 4; i++) {
        sql(foreign[i]);
        expect_working();
        assert_int_equal(warnings, 2 + i);
    }
}

static void truncated_files(void **state)
{
    (void)state;
    static const long sizes[] = {0, 1, 50, 100, 1000, 4096, 5000, 8192, 20000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        fill(20);
        assert_int_equal(truncate(file, sizes[i]), 0);
        expect_working();
    }
    fill(20);
    cvk_store *store = open_store(); /* while open */
    assert_int_equal(truncate(file, 8192), 0);
    expect(store, "key 19", NULL);
    assert_true(put(store, "a", "one"));
    expect(store, "a", "one");
    cvk_store_close(store);
}

static void removed_while_open(void **state)
{
    (void)state;
    cvk_store *store = open_store();
    assert_true(put(store, "a", "one"));
    assert_int_equal(unlink(file), 0);
    put(store, "b", "two");
    assert_true(put(store, "c", "three"));
    expect(store, "c", "three");
    cvk_store_close(store);
    expect_working();
}

static void no_folder(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/file", folder);
    fclose(fopen(path, "w"));
    setenv("CONVOKE_CACHE_DIR", path, 1); /* a file */
    assert_null(cvk_store_open());
    assert_int_equal(warnings, 1);
    snprintf(path, sizeof path, "%s/file/below", folder);
    setenv("CONVOKE_CACHE_DIR", path, 1);
    assert_null(cvk_store_open());
    assert_int_equal(warnings, 2);
}

static void a_folder_instead_of_the_file(void **state)
{
    (void)state;
    cvk_store_close(open_store());
    unlink(file);
    assert_int_equal(mkdir(file, 0700), 0);
    assert_null(cvk_store_open());
    assert_int_equal(warnings, 1);
}

static void read_only(void **state)
{
    (void)state;
    if (geteuid() == 0) skip(); /* may write all the same */
    cvk_store *store = open_store();
    assert_true(put(store, "a", "one"));
    cvk_store_close(store);
    char path[96];
    snprintf(path, sizeof path, "%s/a/b", folder);
    chmod(file, 0400);
    chmod(path, 0500);
    store = open_store();
    expect(store, "a", "one");
    assert_false(put(store, "b", "two"));
    assert_false(put(store, "c", "three"));
    assert_int_equal(warnings, 1);
    cvk_store_close(store);
    chmod(path, 0700);
    unlink(file);
    chmod(path, 0500);
    assert_null(cvk_store_open());
    assert_int_equal(warnings, 2);
    chmod(path, 0700);
}

enum { WRITES = 100 };

/* A child's part: its own entries and one that all write. */
static int write_many(int who)
{
    char key[64];
    cvk_store *store = cvk_store_open();
    int kept = 0;
    for (int i = 0; i < WRITES; i++) {
        snprintf(key, sizeof key, "child %d entry %d", who, i);
        kept += put(store, key, key) && put(store, "shared", "the same");
    }
    cvk_store_close(store);
    return kept == WRITES ? 0 : 1;
}

static void processes_at_once(void **state)
{
    (void)state;
    pid_t children[2];
    for (int who = 0; who < 2; who++) {
        children[who] = fork();
        if (children[who] == 0) _exit(write_many(who));
        assert_true(children[who] > 0);
    }
    for (int who = 0; who < 2; who++) {
        int status = -1;
        assert_int_equal(waitpid(children[who], &status, 0), children[who]);
        assert_int_equal(status, 0);
    }
    cvk_store *store = open_store();
    for (int i = 0; i < 2 * WRITES; i++) {
        char key[64];
        snprintf(key, sizeof key, "child %d entry %d", i % 2, i / 2);
        expect(store, key, key);
    }
    expect(store, "shared", "the same");
    cvk_store_close(store);
}

static void *write_in_thread(void *argument)
{
    cvk_store *store = argument;
    for (int i = 0; i < WRITES; i++) {
        void *data = NULL;
        size_t bytes;
        put(store, "shared", "the same");
        cvk_store_get(store, "test", "shared", 6, &data, &bytes);
        free(data);
    }
    return NULL;
}

static void threads_at_once(void **state)
{
    (void)state;
    cvk_store *store = open_store();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_in_thread, store), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    expect(store, "shared", "the same");
    cvk_store_close(store);
    assert_int_equal(warnings, 0);
}

/* Opens the device, runs a model and compares; false if there is no such device. */
static bool run_on_opencl(void)
{
    cvk_device *device = NULL;
    if (cvk_device_open("opencl", NULL, &device) != CVK_OK) return false;
    device->caps.bits &= ~(uint32_t)CVK_CAP_CPU; /* as on a device that compiles ahead */
    cvk_model *model = model_text("in x 1x3x10x9; const w 20x3x3x3; const b 20; c = Conv x w b "
                                  "pads=[1,1,1,1]; r = Relu c; y = MaxPool r kernel_shape=[2,2]; "
                                  "out y");
    warnings = built = loaded = 0;
    test_run run = run_make(model, &device, 1, NULL);
    run_once(&run);
    double distance = distance_to_reference(model, &run);
    run_free(&run);
    cvk_model_free(&model);
    cvk_device_close(&device);
    if (!(distance < 1e-5)) fail_msg("distance %g", distance);
    return true;
}

static void programs_are_built_once(void **state)
{
    (void)state;
    if (!run_on_opencl()) skip();
    const int programs = built;
    assert_true(programs > 0);
    assert_int_equal(loaded, 0);
    run_on_opencl();
    assert_int_equal(built, 0);
    assert_int_equal(loaded, programs);
    /* One byte of every binary: found by the checksum, built from the text, kept again. */
    sql("UPDATE entry SET data=CAST(substr(data,1,200)||x'ff'||substr(data,202) AS BLOB)");
    run_on_opencl();
    assert_int_equal(built, programs);
    assert_int_equal(loaded, 0);
    assert_true(warnings >= programs);
    run_on_opencl();
    assert_int_equal(built, 0);
    assert_int_equal(loaded, programs);
    setenv("CONVOKE_CACHE_DIR", "", 1);
    run_on_opencl();
    assert_int_equal(built, programs);
    assert_int_equal(warnings, 0);
}

/* What passes the checksum and is still no program for this driver. */
static void a_binary_that_the_driver_refuses(void **state)
{
    (void)state;
    if (!run_on_opencl()) skip();
    const int programs = built;
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    enum { MOST = 64 };
    char *whole[MOST];
    size_t bytes[MOST];
    char kind[64] = "";
    int count = 0;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT kind, key FROM entry", -1, &rows, NULL), 0);
    for (; count < MOST && sqlite3_step(rows) == SQLITE_ROW; count++) {
        snprintf(kind, sizeof kind, "%s", (const char *)sqlite3_column_text(rows, 0));
        bytes[count] = (size_t)sqlite3_column_bytes(rows, 1);
        whole[count] = malloc(bytes[count]);
        memcpy(whole[count], sqlite3_column_blob(rows, 1), bytes[count]);
    }
    sqlite3_finalize(rows);
    sqlite3_close(db);
    cvk_store *store = open_store();
    for (int i = 0; i < count; i++) {
        assert_true(cvk_store_put(store, kind, whole[i], bytes[i], "no program", 10));
        free(whole[i]);
    }
    cvk_store_close(store);
    run_on_opencl();
    assert_int_equal(built, programs);
    run_on_opencl();
    assert_int_equal(loaded, programs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_there),
        TEST(switched_off),
        TEST(the_usual_folders),
        TEST(the_least_recently_used_go_first),
        TEST(damaged_rows),
        TEST(damaged_files),
        TEST(files_of_something_else),
        TEST(truncated_files),
        TEST(removed_while_open),
        TEST(no_folder),
        TEST(a_folder_instead_of_the_file),
        TEST(read_only),
        TEST(processes_at_once),
        TEST(threads_at_once),
        TEST(programs_are_built_once),
        TEST(a_binary_that_the_driver_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
