# SPDX-License-Identifier: Apache-2.0
# cmake --install: headers, both forms of the library, a CMake package and a pkg-config file.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/convoke DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS convoke EXPORT ConvokeTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES $<TARGET_FILE:convoke_static> DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT ConvokeTargets NAMESPACE Convoke:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Convoke)

set(CONVOKE_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Convoke)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/ConvokeConfig.cmake.in
    ${PROJECT_BINARY_DIR}/generated/ConvokeConfig.cmake INSTALL_DESTINATION ${CONVOKE_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/ConvokeConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/generated/ConvokeConfig.cmake
    ${PROJECT_BINARY_DIR}/generated/ConvokeConfigVersion.cmake DESTINATION ${CONVOKE_PACKAGE_DIR})

# What a static link needs beside libconvoke.a, as pkg-config flags.
set(CONVOKE_PC_LIBS_PRIVATE "-lm -ldl -lpthread")
configure_file(${PROJECT_SOURCE_DIR}/cmake/convoke.pc.in ${PROJECT_BINARY_DIR}/generated/convoke.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/generated/convoke.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
