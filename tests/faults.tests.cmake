# SPDX-License-Identifier: Apache-2.0
# What fails under the library's feet: processes that are killed while they write to the store.
convoke_test(test_store_kill test_store_kill.c model_text.c model_reference.c)
target_include_directories(test_store_kill PRIVATE ${SQLITE3_INCLUDE_DIRS})
target_compile_definitions(test_store_kill PRIVATE _XOPEN_SOURCE=700)
set_tests_properties(test_store_kill PROPERTIES TIMEOUT 300 ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")
