# SPDX-License-Identifier: Apache-2.0
# libraries.cmake: the foreign code that luttpd links, under the short names that LINKS uses.
# Everything but libc and libm is linked from its static archive: roles start fast and small.
#   uv  luajit  lpeg  seccomp  cmocka
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_program(LUTTPD_LUAJIT NAMES luajit REQUIRED)

# luttpd_foreign(NAME ARCHIVE libx.a [HEADER x.h] [SUFFIXES dir] [LINKS y])
function(luttpd_foreign name)
    cmake_parse_arguments(arg "" "ARCHIVE;HEADER" "SUFFIXES;LINKS" ${ARGN})
    find_library(LUTTPD_ARCHIVE_${name} NAMES ${arg_ARCHIVE})
    if(NOT LUTTPD_ARCHIVE_${name})
        message(STATUS "${arg_ARCHIVE} is missing: what links ${name} will not build")
        return()
    endif()
    add_library(${name} INTERFACE IMPORTED GLOBAL)
    target_link_libraries(${name} INTERFACE ${LUTTPD_ARCHIVE_${name}} ${arg_LINKS})
    if(arg_HEADER)
        find_path(LUTTPD_INCLUDE_${name} NAMES ${arg_HEADER} PATH_SUFFIXES ${arg_SUFFIXES} REQUIRED)
        target_include_directories(${name} SYSTEM INTERFACE ${LUTTPD_INCLUDE_${name}})
    endif()
endfunction()

luttpd_foreign(uv ARCHIVE libuv_a.a HEADER uv.h LINKS Threads::Threads)
luttpd_foreign(luajit ARCHIVE libluajit-5.1.a HEADER luajit.h SUFFIXES luajit-2.1 LINKS m)
luttpd_foreign(lpeg ARCHIVE liblua5.1-lpeg.a)
luttpd_foreign(seccomp ARCHIVE libseccomp.a HEADER seccomp.h)
luttpd_foreign(cmocka ARCHIVE cmocka HEADER cmocka.h)
