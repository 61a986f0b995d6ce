# SPDX-License-Identifier: Apache-2.0
# The command: the public headers, the zoo, a JSON library and two image libraries.
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
file(GLOB CLI_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/*.c ${PROJECT_SOURCE_DIR}/src/zoo/*.c)
add_executable(convoke_cli ${CLI_SOURCES})
set_target_properties(convoke_cli PROPERTIES OUTPUT_NAME convoke)
target_include_directories(convoke_cli PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_compile_options(convoke_cli PRIVATE -Wall -Wextra -Wpedantic $<$<BOOL:${CONVOKE_WERROR}>:-Werror>)
target_compile_definitions(convoke_cli PRIVATE _POSIX_C_SOURCE=200809L)
target_link_libraries(convoke_cli PRIVATE convoke PkgConfig::JANSSON JPEG::JPEG PNG::PNG ZLIB::ZLIB ${MATH_LIBRARY})
install(TARGETS convoke_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
