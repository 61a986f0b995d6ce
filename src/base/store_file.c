/* SPDX-License-Identifier: Apache-2.0
 *
 * A store's file as it lies: every entry of it, and whether it can be believed. Opened for reading
 * only, so that looking at a damaged file changes nothing, but for a write that never came to its
 * end: it is undone.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/status.h"
#include "base/store.h"
#include "base/store_hash.h"

enum { BUSY_MS = 2000 };

bool cvk_store_path(char *path, size_t size)
{
    char folder[CVK_STORE_MAX_PATH];
    if (!cvk_env_cache_dir(folder, sizeof folder)) return false;
    int length = snprintf(path, size, "%s/convoke.sqlite", folder);
    return length > 0 && (size_t)length < size;
}

static cvk_status wrong(const char *path, int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return cvk_fail(CVK_BAD_INPUT, "'%s' is no store of Convoke's, or damaged: %s", path,
                        sqlite3_errstr(code));
    case SQLITE_NOMEM: return cvk_fail(CVK_NO_MEMORY, "'%s': out of memory", path);
    default: return cvk_fail(CVK_IO, "'%s' cannot be read: %s", path, sqlite3_errstr(code));
    }
}

/* The first line that a statement gives. SQLITE_ERROR: none. */
static int first_line(sqlite3 *db, const char *sql, char *text, size_t size)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (!code) code = sqlite3_step(statement);
    const unsigned char *line = code == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
    if (line) snprintf(text, size, "%s", (const char *)line);
    sqlite3_finalize(statement);
    return line ? SQLITE_OK : code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_ERROR : code;
}

/* The format's number and SQLite's own check of its pages. *empty: a file without a page, whose
 * maker was stopped before there were tables in it. */
static cvk_status check_file(sqlite3 *db, const char *path, bool *empty)
{
    char line[256], want[16];
    snprintf(want, sizeof want, "%d", CVK_STORE_FORMAT);
    int code = first_line(db, "PRAGMA page_count", line, sizeof line);
    *empty = !code && strcmp(line, "0") == 0;
    if (*empty) return CVK_OK;
    if (!code) code = first_line(db, "PRAGMA user_version", line, sizeof line);
    if (code) return wrong(path, code);
    if (strcmp(line, want) != 0)
        return cvk_fail(CVK_BAD_INPUT, "'%s' is no store of Convoke's: its format is %s, not %s",
                        path, line, want);
    code = first_line(db, "PRAGMA integrity_check(1)", line, sizeof line);
    if (code) return wrong(path, code);
    if (strcmp(line, "ok") != 0) return cvk_fail(CVK_BAD_INPUT, "'%s' is damaged: %s", path, line);
    return CVK_OK;
}

/* Columns: kind, hash, used, bytes, sum, key, data. */
static cvk_store_entry read_entry(sqlite3_stmt *row)
{
    cvk_store_entry e = {.kind = (const char *)sqlite3_column_text(row, 0),
                         .used_us = sqlite3_column_int64(row, 2),
                         .key = sqlite3_column_blob(row, 5),
                         .data = sqlite3_column_blob(row, 6)};
    e.key_bytes = (size_t)sqlite3_column_bytes(row, 5);
    e.data_bytes = (size_t)sqlite3_column_bytes(row, 6);
    if (!e.kind) e.kind = "";
    if (!e.key || !e.data || !e.key_bytes || !e.data_bytes) return e;
    uint64_t hash = cvk_store_hash(CVK_STORE_HASH_START, e.key, e.key_bytes);
    e.sound = *e.kind && (uint64_t)sqlite3_column_int64(row, 1) == hash &&
              sqlite3_column_int64(row, 3) == (sqlite3_int64)(e.key_bytes + e.data_bytes) &&
              (uint64_t)sqlite3_column_int64(row, 4) == cvk_store_hash(hash, e.data, e.data_bytes);
    return e;
}

static cvk_status walk(sqlite3 *db, const char *path,
                       cvk_status (*visit)(void *user, const cvk_store_entry *entry), void *user)
{
    static const char query[] =
        "SELECT kind, hash, used, bytes, sum, key, data FROM entry ORDER BY used, rowid";
    sqlite3_stmt *row = NULL;
    bool empty;
    cvk_status status = check_file(db, path, &empty);
    if (status || empty) return status;
    int code = sqlite3_prepare_v2(db, query, -1, &row, NULL);
    while (!code && !status && (code = sqlite3_step(row)) == SQLITE_ROW) {
        cvk_store_entry entry = read_entry(row);
        if (visit) status = visit(user, &entry);
        code = SQLITE_OK;
    }
    sqlite3_finalize(row);
    if (status || code == SQLITE_DONE) return status;
    return wrong(path, code);
}

/* Opens it as far as reading the first page. SQLITE_READONLY_ROLLBACK: a process was stopped in the
 * midst of a write, which SQLite must undo before anybody can read. */
static int open_file(const char *path, int flags, sqlite3 **db)
{
    int code = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code) return code;
    sqlite3_extended_result_codes(*db, 1);
    sqlite3_busy_timeout(*db, BUSY_MS);
    sqlite3_exec(*db, "PRAGMA cell_size_check=ON", NULL, NULL, NULL);
    return sqlite3_exec(*db, "PRAGMA schema_version", NULL, NULL, NULL);
}

cvk_status cvk_store_walk(const char *path,
                          cvk_status (*visit)(void *user, const cvk_store_entry *entry), void *user)
{
    sqlite3 *db = NULL;
    if (access(path, F_OK) != 0) return CVK_OK;
    int code = open_file(path, SQLITE_OPEN_READONLY, &db);
    if (code == SQLITE_READONLY_ROLLBACK) {
        sqlite3_close(db);
        code = open_file(path, SQLITE_OPEN_READWRITE, &db);
    }
    cvk_status status = code ? wrong(path, code) : walk(db, path, visit, user);
    sqlite3_close(db);
    return status;
}
