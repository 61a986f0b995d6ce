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

enum { FORMAT = 1, BUSY_MS = 2000, MAX_PATH = 4096 };
enum { GET, TOUCH, DROP, PUT, TRIM, STATEMENTS };

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
    [GET] = "SELECT bytes, sum, key, data FROM entry WHERE kind=?1 AND hash=?2",
    [TOUCH] = "UPDATE entry SET used=max(?3, 1+(SELECT max(used) FROM entry)) "
              "WHERE kind=?1 AND hash=?2",
    [DROP] = "DELETE FROM entry WHERE kind=?1 AND hash=?2",
    [PUT] = "INSERT OR REPLACE INTO entry(kind, hash, used, bytes, sum, key, data) VALUES(?1, ?2, "
            "max(?3, 1+coalesce((SELECT max(used) FROM entry), 0)), ?4, ?5, ?6, ?7)",
    [TRIM] = "DELETE FROM entry WHERE rowid IN (SELECT rowid FROM (SELECT rowid, total(bytes) OVER "
             "(ORDER BY used DESC, rowid DESC) AS upto FROM entry) WHERE upto>?1)",
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

/* FNV-1a, continued from `hash`. */
static uint64_t hash_more(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static name name_of(const char *kind, const void *key, size_t bytes)
{
    return (name){kind, key, bytes, hash_more(UINT64_C(0xcbf29ce484222325), key, bytes)};
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
    if (version != 0 && version != FORMAT) return SQLITE_CORRUPT;
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

cvk_store *cvk_store_open(void)
{
    static const char file[] = "/convoke.sqlite";
    char folder[MAX_PATH - sizeof file];
    if (!cvk_env_cache_dir(folder, sizeof folder)) return NULL;
    cvk_store *store = sqlite3_threadsafe() ? calloc(1, sizeof *store) : NULL;
    if (!store || pthread_mutex_init(&store->lock, NULL) != 0) {
        cvk_log(CVK_LOG_WARN, "no store: no memory, or an SQLite without threads");
        free(store);
        return NULL;
    }
    make_folders(folder);
    snprintf(store->path, sizeof store->path, "%s%s", folder, file);
    int code = open_file(store);
    if (damaged(code)) code = rebuild(store);
    if (!code) return store;
    cvk_log(CVK_LOG_WARN, "'%s': %s: done without", store->path, sqlite3_errstr(code));
    cvk_store_close(store);
    return NULL;
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
        (uint64_t)sqlite3_column_int64(row, 1) != hash_more(entry->hash, data, data_bytes))
        return NULL;
    void *copy = malloc(data_bytes);
    if (copy) memcpy(copy, data, data_bytes);
    *bytes = data_bytes;
    return copy;
}

static int get(cvk_store *store, const name *entry, void **data, size_t *bytes)
{
    sqlite3_stmt *row = bind(store, GET, entry);
    int code = sqlite3_step(row);
    if (code == SQLITE_ROW) *data = take(row, entry, bytes);
    sqlite3_reset(row);
    sqlite3_clear_bindings(row);
    if (code != SQLITE_ROW) return code == SQLITE_DONE ? SQLITE_OK : code;
    if (!*data) {
        cvk_log(CVK_LOG_WARN, "'%s': an entry of kind '%s' is damaged: dropped", store->path,
                entry->kind);
        return finish(bind(store, DROP, entry));
    }
    sqlite3_stmt *touch = bind(store, TOUCH, entry);
    sqlite3_bind_int64(touch, 3, now_us());
    code = finish(touch);
    return damaged(code) ? code : SQLITE_OK; /* a file that is read-only or busy was still read */
}

bool cvk_store_get(cvk_store *store, const char *kind, const void *key, size_t key_bytes,
                   void **data, size_t *bytes)
{
    *data = NULL;
    if (!store || !key_bytes) return false;
    const name entry = name_of(kind, key, key_bytes);
    pthread_mutex_lock(&store->lock);
    int code = store->db ? get(store, &entry, data, bytes) : SQLITE_OK;
    if (code) failed(store, code);
    pthread_mutex_unlock(&store->lock);
    return *data != NULL;
}

static int put(cvk_store *store, const name *entry, const void *data, size_t bytes)
{
    int code = sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code) return code;
    sqlite3_stmt *row = bind(store, PUT, entry);
    sqlite3_bind_int64(row, 3, now_us());
    sqlite3_bind_int64(row, 4, (sqlite3_int64)(entry->bytes + bytes));
    sqlite3_bind_int64(row, 5, (sqlite3_int64)hash_more(entry->hash, data, bytes));
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
