/* SPDX-License-Identifier: Apache-2.0
 *
 * The store on SQLite. An entry is found by a hash of its key, and is believed if the whole key,
 * the lengths and a checksum agree. A file that is damaged or not ours is deleted and made anew.
 */
#include "base/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "base/log.h"
#include "base/store_hash.h"

enum { BUSY_MS = 2000, MAX_PATH = CVK_STORE_MAX_PATH };
enum { GET, TOUCH, DROP, PUT, TRIM, CLEAR, ANY, STATEMENTS };
static const sqlite3_int64 day_us = INT64_C(24) * 3600 * 1000000;

/* Nothing is lost but time if the machine stops before the data is on the disk: no syncing. */
static const char settings[] = "PRAGMA synchronous=OFF; PRAGMA cell_size_check=ON;";

static const char schema[] = "BEGIN IMMEDIATE;"
                             "CREATE TABLE IF NOT EXISTS entry(kind TEXT NOT NULL, hash INTEGER "
                             "NOT NULL, used INTEGER, bytes INTEGER, sum INTEGER, key BLOB, data "
                             "BLOB, PRIMARY KEY(kind, hash));"
                             "CREATE INDEX IF NOT EXISTS entry_used ON entry(used, bytes);"
                             "PRAGMA user_version=1;"
                             "COMMIT;";

/* `used` is the time in microseconds, made to grow even if the clock does not. */
static const char *const texts[STATEMENTS] = {
    [GET] = "SELECT bytes, sum, key, data, used FROM entry WHERE kind=?1 AND hash=?2",
    [TOUCH] = "UPDATE entry SET used=max(?3, 1+(SELECT max(used) FROM entry)) "
              "WHERE kind=?1 AND hash=?2",
    [DROP] = "DELETE FROM entry WHERE kind=?1 AND hash=?2",
    [PUT] = "INSERT OR REPLACE INTO entry(kind, hash, used, bytes, sum, key, data) VALUES(?1, ?2, "
            "max(?3, 1+coalesce((SELECT max(used) FROM entry), 0)), ?4, ?5, ?6, ?7)",
    [TRIM] = "DELETE FROM entry WHERE rowid IN (SELECT rowid FROM (SELECT rowid, total(bytes) OVER "
             "(ORDER BY used DESC, rowid DESC) AS upto FROM entry) WHERE upto>?1)",
    [CLEAR] = "DELETE FROM entry",
    [ANY] = "SELECT 1 FROM entry WHERE kind=?1 LIMIT 1",
};

struct cvk_store {
    pthread_mutex_t lock;
    sqlite3 *db; /* NULL if the file could not be made anew */
    sqlite3_stmt *statements[STATEMENTS];
    bool warned;
    char path[MAX_PATH];
};

/* What an entry is called. */
typedef struct name {
    const char *kind;
    const void *key;
    size_t bytes;
    uint64_t hash;
} name;

static name name_of(const char *kind, const void *key, size_t bytes)
{
    return (name){kind, key, bytes, cvk_store_hash(CVK_STORE_HASH_START, key, bytes)};
}

static sqlite3_int64 now_us(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (sqlite3_int64)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Damage, or tables that are not ours: the statements themselves are right. */
static bool damaged(int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: return true;
    default: return false;
    }
}

static void close_file(cvk_store *store)
{
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    sqlite3_close(store->db);
    store->db = NULL;
}

static int read_version(sqlite3 *db, int *version)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL);
    if (!code) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) *version = sqlite3_column_int(statement, 0);
    int end = sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SQLITE_OK : end ? end : SQLITE_ERROR;
}

/* Tables as expected, or SQLITE_CORRUPT for a database of something else. */
static int prepare(cvk_store *store)
{
    int version = 0, code = read_version(store->db, &version);
    if (!code && version == 0) code = sqlite3_exec(store->db, schema, NULL, NULL, NULL);
    if (code) return code;
    if (version != 0 && version != CVK_STORE_FORMAT) return SQLITE_CORRUPT;
    for (int i = 0; i < STATEMENTS && !code; i++)
        code = sqlite3_prepare_v2(store->db, texts[i], -1, &store->statements[i], NULL);
    return code;
}

static int open_file(cvk_store *store)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(store->path, &store->db, flags, NULL);
    if (!code) {
        sqlite3_extended_result_codes(store->db, 1);
        sqlite3_busy_timeout(store->db, BUSY_MS);
        code = sqlite3_exec(store->db, settings, NULL, NULL, NULL);
    }
    if (!code) code = prepare(store);
    if (code) close_file(store);
    return code;
}

static int rebuild(cvk_store *store)
{
    char journal[MAX_PATH + 16];
    cvk_log(CVK_LOG_WARN, "'%s' is damaged: it is made anew", store->path);
    close_file(store);
    snprintf(journal, sizeof journal, "%s-journal", store->path);
    unlink(store->path);
    unlink(journal);
    return open_file(store);
}

/* After an operation failed: a file that can be had again is, else one warning. */
static void failed(cvk_store *store, int code)
{
    if (damaged(code)) {
        code = rebuild(store);
    } else if (code == SQLITE_READONLY_DBMOVED) { /* another process has made it anew */
        close_file(store);
        code = open_file(store);
    }
    if (code && !store->warned)
        cvk_log(CVK_LOG_WARN, "'%s': %s: done without", store->path, sqlite3_errstr(code));
    store->warned = store->warned || code;
}

static void make_folders(const char *folder)
{
    char path[MAX_PATH];
    snprintf(path, sizeof path, "%s", folder);
    for (char *at = path + 1; *at; at++) {
        if (*at != '/') continue;
        *at = 0;
        mkdir(path, 0700);
        *at = '/';
    }
    mkdir(path, 0700);
}

cvk_store *cvk_store_open_file(const char *path)
{
    cvk_store *store = sqlite3_threadsafe() ? calloc(1, sizeof *store) : NULL;
    if (!store || pthread_mutex_init(&store->lock, NULL) != 0) {
        cvk_log(CVK_LOG_WARN, "no store: no memory, or an SQLite without threads");
        free(store);
        return NULL;
    }
    snprintf(store->path, sizeof store->path, "%s", path);
    int code = open_file(store);
    if (damaged(code)) code = rebuild(store);
    if (!code) return store;
    cvk_log(CVK_LOG_WARN, "'%s': %s: done without", store->path, sqlite3_errstr(code));
    cvk_store_close(store);
    return NULL;
}

cvk_store *cvk_store_open(void)
{
    char folder[MAX_PATH], path[MAX_PATH];
    if (!cvk_env_cache_dir(folder, sizeof folder)) return NULL;
    if (!cvk_store_path(path, sizeof path)) return NULL;
    make_folders(folder);
    return cvk_store_open_file(path);
}

cvk_store *cvk_store_open_present(void)
{
    char path[MAX_PATH];
    if (!cvk_store_path(path, sizeof path) || access(path, F_OK) != 0) return NULL;
    return cvk_store_open_file(path);
}

void cvk_store_close(cvk_store *store)
{
    if (!store) return;
    close_file(store);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static sqlite3_stmt *bind(cvk_store *store, int which, const name *entry)
{
    sqlite3_stmt *statement = store->statements[which];
    sqlite3_bind_text(statement, 1, entry->kind, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)entry->hash);
    return statement;
}

/* Runs a statement that returns no rows. */
static int finish(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* A copy of the data in the row at hand, NULL if there is any doubt about it. */
static void *take(sqlite3_stmt *row, const name *entry, size_t *bytes)
{
    const void *key = sqlite3_column_blob(row, 2), *data = sqlite3_column_blob(row, 3);
    const size_t key_bytes = (size_t)sqlite3_column_bytes(row, 2);
    const size_t data_bytes = (size_t)sqlite3_column_bytes(row, 3);
    if (!key || !data || key_bytes != entry->bytes || memcmp(key, entry->key, key_bytes) != 0 ||
        sqlite3_column_int64(row, 0) != (sqlite3_int64)(key_bytes + data_bytes) ||
        (uint64_t)sqlite3_column_int64(row, 1) != cvk_store_hash(entry->hash, data, data_bytes))
        return NULL;
    void *copy = malloc(data_bytes);
    if (copy) memcpy(copy, data, data_bytes);
    *bytes = data_bytes;
    return copy;
}

/* fresh_us: an entry used no longer ago than this is not written to. */
static int get(cvk_store *store, const name *entry, sqlite3_int64 fresh_us, void **data,
               size_t *bytes)
{
    sqlite3_stmt *row = bind(store, GET, entry);
    int code = sqlite3_step(row);
    sqlite3_int64 used = 0;
    if (code == SQLITE_ROW) {
        *data = take(row, entry, bytes);
        used = sqlite3_column_int64(row, 4);
    }
    sqlite3_reset(row);
    sqlite3_clear_bindings(row);
    if (code != SQLITE_ROW) return code == SQLITE_DONE ? SQLITE_OK : code;
    if (!*data) {
        cvk_log(CVK_LOG_WARN, "'%s': an entry of kind '%s' is damaged: dropped", store->path,
                entry->kind);
        return finish(bind(store, DROP, entry));
    }
    const sqlite3_int64 now = now_us();
    if (used <= now && now - used < fresh_us) return SQLITE_OK;
    sqlite3_stmt *touch = bind(store, TOUCH, entry);
    sqlite3_bind_int64(touch, 3, now);
    code = finish(touch);
    return damaged(code) ? code : SQLITE_OK; /* a file that is read-only or busy was still read */
}

static bool find(cvk_store *store, const name *entry, sqlite3_int64 fresh_us, void **data,
                 size_t *bytes)
{
    *data = NULL;
    if (!store || !entry->bytes) return false;
    pthread_mutex_lock(&store->lock);
    int code = store->db ? get(store, entry, fresh_us, data, bytes) : SQLITE_OK;
    if (code) failed(store, code);
    pthread_mutex_unlock(&store->lock);
    return *data != NULL;
}

bool cvk_store_get(cvk_store *store, const char *kind, const void *key, size_t key_bytes,
                   void **data, size_t *bytes)
{
    const name entry = name_of(kind, key, key_bytes);
    return find(store, &entry, 0, data, bytes);
}

bool cvk_store_peek(cvk_store *store, const char *kind, const void *key, size_t key_bytes,
                    void **data, size_t *bytes)
{
    const name entry = name_of(kind, key, key_bytes);
    return find(store, &entry, day_us, data, bytes);
}

bool cvk_store_any(cvk_store *store, const char *kind)
{
    if (!store) return false;
    pthread_mutex_lock(&store->lock);
    int code = SQLITE_DONE;
    if (store->db) {
        sqlite3_stmt *row = store->statements[ANY];
        sqlite3_bind_text(row, 1, kind, -1, SQLITE_STATIC);
        code = sqlite3_step(row);
        sqlite3_reset(row);
        sqlite3_clear_bindings(row);
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) failed(store, code);
    pthread_mutex_unlock(&store->lock);
    return code == SQLITE_ROW;
}

static int put(cvk_store *store, const name *entry, const void *data, size_t bytes)
{
    int code = sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code) return code;
    sqlite3_stmt *row = bind(store, PUT, entry);
    sqlite3_bind_int64(row, 3, now_us());
    sqlite3_bind_int64(row, 4, (sqlite3_int64)(entry->bytes + bytes));
    sqlite3_bind_int64(row, 5, (sqlite3_int64)cvk_store_hash(entry->hash, data, bytes));
    sqlite3_bind_blob64(row, 6, entry->key, entry->bytes, SQLITE_STATIC);
    sqlite3_bind_blob64(row, 7, data, bytes, SQLITE_STATIC);
    code = finish(row);
    if (!code) {
        sqlite3_bind_int64(store->statements[TRIM], 1, (sqlite3_int64)CVK_STORE_LIMIT);
        code = finish(store->statements[TRIM]);
    }
    if (!code) code = sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    if (code && !sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

bool cvk_store_put(cvk_store *store, const char *kind, const void *key, size_t key_bytes,
                   const void *data, size_t bytes)
{
    if (!store || !key_bytes || !bytes) return false;
    if (bytes > CVK_STORE_LIMIT || key_bytes > CVK_STORE_LIMIT - bytes) return false;
    const name entry = name_of(kind, key, key_bytes);
    pthread_mutex_lock(&store->lock);
    bool open = store->db != NULL;
    int code = open ? put(store, &entry, data, bytes) : SQLITE_OK;
    if (code) failed(store, code);
    pthread_mutex_unlock(&store->lock);
    return open && !code;
}

bool cvk_store_drop(cvk_store *store, const char *kind, const void *key, size_t key_bytes)
{
    if (!store) return false;
    const name entry = name_of(kind, key, key_bytes);
    pthread_mutex_lock(&store->lock);
    bool open = store->db != NULL;
    int code = open ? finish(bind(store, DROP, &entry)) : SQLITE_OK;
    if (code) failed(store, code);
    pthread_mutex_unlock(&store->lock);
    return open && !code;
}

bool cvk_store_clear(cvk_store *store)
{
    if (!store) return false;
    pthread_mutex_lock(&store->lock);
    int code = store->db ? finish(store->statements[CLEAR]) : SQLITE_CANTOPEN;
    bool cleared = !code;
    if (!code) code = sqlite3_exec(store->db, "VACUUM", NULL, NULL, NULL);
    if (code && !(cleared && (code & 0xff) == SQLITE_BUSY)) { /* a reader: as large as it was */
        failed(store, code);
        cleared = cleared || (damaged(code) && store->db); /* made anew */
    }
    pthread_mutex_unlock(&store->lock);
    return cleared;
}
