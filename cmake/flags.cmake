# SPDX-License-Identifier: Apache-2.0
# flags.cmake: language, warnings and hardening that every target shares.
# A target that embeds LuaJIT overrides -fcf-protection: LuaJIT's archive carries no CET marks.
include(CheckCCompilerFlag)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
if(LUTTPD_ASAN OR LUTTPD_FUZZ)
    set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
else()
    set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

set(LUTTPD_WARNINGS -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -Wformat=2 -Wpointer-arith -Wimplicit-fallthrough)
# Narrowing is an error in what ships; tests may say 1 where a uint16_t is meant.
set(LUTTPD_WARNINGS_SHIPPED -Wconversion -Wno-sign-conversion)

add_compile_definitions(_GNU_SOURCE LUTTPD_VERSION="${PROJECT_VERSION}")
add_compile_options(${LUTTPD_WARNINGS} -fPIE -fno-strict-aliasing -fno-common
    -fstack-protector-strong -fstack-clash-protection -ffunction-sections -fdata-sections)
# A program keeps only the codecs and helpers that it calls.
add_link_options(-pie -Wl,--gc-sections -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed)

check_c_compiler_flag(-fcf-protection=full LUTTPD_HAVE_CET)
if(LUTTPD_HAVE_CET)
    set(LUTTPD_CET -fcf-protection=full)
endif()

if(LUTTPD_COVERAGE)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "LUTTPD_COVERAGE needs clang: configure with the preset coverage")
    endif()
    add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
    add_link_options(-fprofile-instr-generate)
endif()

set(LUTTPD_SANITIZERS -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
if(LUTTPD_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "LUTTPD_FUZZ needs clang: configure with the preset fuzz")
    endif()
    add_compile_definitions(LUTTPD_ASAN=1 LUTTPD_FUZZ=1)
    add_compile_options(${LUTTPD_SANITIZERS} -fsanitize=fuzzer-no-link)
    add_link_options(${LUTTPD_SANITIZERS})
elseif(LUTTPD_ASAN)
    add_compile_definitions(LUTTPD_ASAN=1)
    add_compile_options(${LUTTPD_SANITIZERS})
    add_link_options(${LUTTPD_SANITIZERS})
else()
    # Level 3 needs gcc 12 or clang 9 and a glibc that knows it; glibc falls back to 2 by itself.
    add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
