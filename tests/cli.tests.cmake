# SPDX-License-Identifier: Apache-2.0
# The command: its parts, and each sub-command from outside.
if(CONVOKE_CLI)
    file(GLOB CLI_PARTS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/*.c ${PROJECT_SOURCE_DIR}/src/zoo/*.c)
    list(REMOVE_ITEM CLI_PARTS ${PROJECT_SOURCE_DIR}/src/cli/main.c)
    convoke_test(test_cli_parts test_cli_parts.c ${CLI_PARTS})
    target_link_libraries(test_cli_parts PRIVATE PkgConfig::JANSSON JPEG::JPEG PNG::PNG ZLIB::ZLIB ${MATH_LIBRARY})

    add_test(NAME cli COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/test_cli.sh $<TARGET_FILE:convoke_cli> ${PROJECT_SOURCE_DIR})
    set_tests_properties(cli PROPERTIES TIMEOUT 600)
endif()
