/* SPDX-License-Identifier: Apache-2.0
 *
 * The store from outside: looked at, emptied, copied to a file and from one, sound or damaged; and
 * the ways in which the library opens and reads it for tuned rows.
 */
#include "tests/model_text.h"
#include "tests/store_checks.h"

static void count_entry(void *user, const cvk_cache_entry *entry)
{
    int *counts = user; /* sound, damaged, of text */
    assert_string_equal(entry->kind, "test");
    counts[!entry->sound]++;
    counts[2] += strcmp(entry->name, "a") == 0 && strcmp(entry->value, "one") == 0;
    assert_true(entry->used > 1600000000);
}

static void looked_at_from_outside(void **state)
{
    (void)state;
    cvk_cache_sum sum = {.rows = -1};
    char path[128];
    int counts[3] = {0};
    expect_ok(cvk_cache_path(path, sizeof path), "path");
    assert_string_equal(path, file);
    assert_int_equal(cvk_cache_path(path, 3), CVK_UNSUPPORTED);
    expect_ok(cvk_cache_visit(NULL, NULL, &sum), "no file");
    assert_int_equal(sum.rows + sum.bytes + sum.damaged, 0);
    expect_ok(cvk_cache_clear(&sum), "nothing to clear");
    assert_int_equal(access(file, F_OK), -1);
    cvk_store *store = open_store();
    assert_true(put(store, "a", "one") && put(store, "b", "two\001"));
    expect_ok(cvk_cache_visit(count_entry, counts, &sum), "visit"); /* while it is open */
    cvk_store_close(store);
    assert_int_equal(sum.rows, 2);
    assert_int_equal(sum.bytes, 1 + 3 + 1 + 4);
    assert_int_equal(sum.damaged, 0);
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[2], 1);
    sql("UPDATE entry SET sum=sum+1 WHERE key=x'62'");
    expect_ok(cvk_cache_visit(count_entry, counts, &sum), "visit");
    assert_int_equal(sum.rows, 1);
    assert_int_equal(sum.damaged, 1);
    assert_int_equal(counts[1], 1);
    expect_ok(cvk_cache_clear(&sum), "clear");
    assert_int_equal(sum.rows, 1);
    store = open_store();
    expect(store, "a", NULL);
    cvk_store_close(store);
    assert_int_equal(warnings, 0);
}

static void out_and_in_again(void **state)
{
    (void)state;
    cvk_cache_sum sum;
    char path[128];
    snprintf(path, sizeof path, "%s/exported", folder);
    cvk_store *store = open_store();
    assert_true(put(store, "a", "one") && put(store, "b", "two") && put(store, "c", "three"));
    cvk_store_close(store);
    sql("UPDATE entry SET data=x'00' WHERE key=x'62'");
    expect_ok(cvk_cache_export(path, &sum), "export");
    assert_int_equal(sum.rows, 2);
    assert_int_equal(sum.damaged, 1);
    store = open_store();
    assert_true(put(store, "a", "newer") && put(store, "d", "four"));
    cvk_store_close(store);
    expect_ok(cvk_cache_import(path, &sum), "import");
    assert_int_equal(sum.rows, 2);
    assert_int_equal(sum.bytes, 1 + 3 + 1 + 5);
    store = open_store();
    expect(store, "a", "one");
    expect(store, "c", "three");
    expect(store, "d", "four");
    cvk_store_close(store);
    snprintf(path, sizeof path, "%s/not/there", folder);
    assert_int_equal(cvk_cache_import(path, &sum), CVK_IO);
    assert_int_equal(cvk_cache_export(path, &sum), CVK_IO);
    snprintf(path, sizeof path, "%s/text", folder);
    FILE *out = fopen(path, "w");
    for (int i = 0; i < 100; i++) fputs("no store ", out);
    fclose(out);
    assert_int_equal(cvk_cache_import(path, &sum), CVK_BAD_INPUT);
    assert_int_equal(cvk_cache_import(NULL, &sum), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_cache_export(NULL, &sum), CVK_BAD_ARGUMENT);
}

/* Looking at a damaged file leaves it as it is; what is read then is right or missing. */
static void damage_is_seen_from_outside(void **state)
{
    (void)state;
    unsigned char noise[512];
    struct stat info;
    int seen = 0;
    for (int round = 0; round < 20; round++) {
        cvk_cache_sum sum = {.rows = 0};
        fill(20);
        assert_int_equal(stat(file, &info), 0);
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (unsigned char)seeded(100 + (uint64_t)round, i, 0, 256);
        write_over((long)seeded(8, (uint64_t)round, 0, (double)info.st_size - 512), noise,
                   sizeof noise);
        cvk_status status = cvk_cache_visit(NULL, NULL, &sum);
        if (status) assert_int_equal(status, CVK_BAD_INPUT);
        seen += status || sum.damaged || sum.rows < 20;
        expect_ok(cvk_cache_clear(NULL), "clear");
        expect_ok(cvk_cache_visit(NULL, NULL, &sum), "visit");
        assert_int_equal(sum.rows + sum.damaged, 0);
    }
    assert_true(seen >= 10); /* the rest of the noise lies where nothing is */
}

/* A use that writes nothing unless the last one is a day old. */
static void peeking(void **state)
{
    (void)state;
    cvk_store *store = open_store();
    assert_true(put(store, "a", "one") && put(store, "b", "two"));
    void *data = NULL;
    size_t bytes = 0;
    assert_true(cvk_store_peek(store, "test", "a", 1, &data, &bytes));
    assert_int_equal(bytes, 3);
    assert_memory_equal(data, "one", 3);
    free(data);
    sql("UPDATE entry SET used=used WHERE used=(SELECT max(used) FROM entry) AND key=x'62'");
    sql("UPDATE entry SET used=1 WHERE key=x'61'");
    assert_true(cvk_store_peek(store, "test", "a", 1, &data, &bytes));
    free(data);
    sql("UPDATE entry SET used=used WHERE used=(SELECT max(used) FROM entry) AND key=x'61'");
    assert_false(cvk_store_peek(store, "test", "c", 1, &data, &bytes));
    assert_false(cvk_store_peek(NULL, "test", "a", 1, &data, &bytes));
    cvk_store_close(store);
    assert_null(cvk_store_open_file("/dev/null/no"));
    assert_int_equal(warnings, 1);
    store = cvk_store_open_present();
    expect(store, "a", "one");
    cvk_store_close(store);
    unlink(file);
    assert_null(cvk_store_open_present());
    assert_int_equal(warnings, 1);
}

/* Entries taken out one by one, and whether any of a kind are left. */
static void dropping(void **state)
{
    (void)state;
    cvk_store *store = open_store();
    assert_false(cvk_store_any(store, "test"));
    assert_true(put(store, "a", "one") && put(store, "b", "two"));
    assert_true(cvk_store_any(store, "test"));
    assert_false(cvk_store_any(store, "tes"));
    assert_true(cvk_store_drop(store, "test", "a", 1));
    assert_true(cvk_store_drop(store, "other", "b", 1)); /* nothing is there */
    expect(store, "a", NULL);
    expect(store, "b", "two");
    assert_true(cvk_store_any(store, "test"));
    assert_true(cvk_store_drop(store, "test", "b", 1));
    assert_true(cvk_store_drop(store, "test", "b", 1));
    assert_false(cvk_store_any(store, "test"));
    cvk_store_close(store);
    assert_false(cvk_store_any(NULL, "test"));
    assert_false(cvk_store_drop(NULL, "test", "a", 1));
    assert_int_equal(warnings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(looked_at_from_outside),
        TEST(out_and_in_again),
        TEST(damage_is_seen_from_outside),
        TEST(peeking),
        TEST(dropping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
