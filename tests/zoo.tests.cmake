# SPDX-License-Identifier: Apache-2.0
# The classic networks: counts, options, seeds.
file(GLOB ZOO_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/zoo/*.c)
convoke_test(test_zoo ${CMAKE_CURRENT_SOURCE_DIR}/test_zoo.c ${ZOO_SOURCES})
target_link_libraries(test_zoo PRIVATE ${MATH_LIBRARY})
