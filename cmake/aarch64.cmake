# SPDX-License-Identifier: Apache-2.0
# A toolchain file: Debian's cross compiler for AArch64, what it links unpacked in SYSROOT_ARM64 (an environment
# variable; scripts/setup.sh aarch64 fills build/sysroot-aarch64), and tests run by qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

set(CVK_SYSROOT $ENV{SYSROOT_ARM64})
set(CVK_SYSROOT_LIBRARIES ${CVK_SYSROOT}/usr/lib/aarch64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} ${CVK_SYSROOT_LIBRARIES}/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CVK_SYSROOT})
set(CMAKE_FIND_ROOT_PATH ${CVK_SYSROOT} /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link,${CVK_SYSROOT_LIBRARIES}")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=${CVK_SYSROOT_LIBRARIES})
