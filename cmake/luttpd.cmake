# SPDX-License-Identifier: Apache-2.0
# luttpd.cmake: the functions with which each folder declares its targets.
#
#   luttpd_library(NAME SOURCES a.c b.c [LINKS x y] [LUA])
#   luttpd_role(NAME SOURCES main.c ... [LINKS x y] [LUA])      bin/luttpd-NAME
#   luttpd_program(NAME SOURCES main.c ... [LINKS x y] [LUA])   bin/NAME
#   luttpd_unit_test(NAME SOURCES test_x.c [LINKS ...] [LUA])   ctest runs it as unit.NAME
#   luttpd_test_program(NAME SOURCES x.c [LINKS ...] [LUA])     tests/NAME, for Python tests to start
#   luttpd_fuzz(NAME SOURCES fuzz_x.c [LINKS ...])              ctest runs it as fuzz.NAME
#   luttpd_embed_lua(TARGET PREFIX files.lua...)                Lua text in C arrays
#
# LUA: the target hosts LuaJIT, which is linked for it, and gets no CET marks.
# The fuzz preset builds libraries and fuzz targets only, coverage all; the others build everything else.

function(luttpd_add_folders)
    foreach(pattern IN LISTS ARGN)
        file(GLOB lists CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${pattern}/CMakeLists.txt")
        foreach(list IN LISTS lists)
            get_filename_component(folder "${list}" DIRECTORY)
            add_subdirectory("${folder}")
        endforeach()
    endforeach()
endfunction()

# What every target has in common. Called by the functions below only.
function(luttpd_finish target lua shipped links)
    target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/runtime" "${CMAKE_BINARY_DIR}/gen")
    add_dependencies(${target} generate)
    target_link_libraries(${target} PUBLIC ${links})
    if(lua)
        target_compile_options(${target} PRIVATE -fcf-protection=none)
        target_link_libraries(${target} PUBLIC luajit)
    else()
        target_compile_options(${target} PRIVATE ${LUTTPD_CET})
    endif()
    if(shipped AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE ${LUTTPD_WARNINGS_SHIPPED})
    endif()
endfunction()

function(luttpd_library name)
    cmake_parse_arguments(arg "LUA" "" "SOURCES;LINKS" ${ARGN})
    if(arg_SOURCES)
        add_library(${name} STATIC ${arg_SOURCES})
        luttpd_finish(${name} "${arg_LUA}" TRUE "${arg_LINKS}")
    endif()
endfunction()

function(luttpd_program name)
    cmake_parse_arguments(arg "LUA" "" "SOURCES;LINKS" ${ARGN})
    if(LUTTPD_FUZZ)
        return()
    endif()
    add_executable(${name} ${arg_SOURCES})
    if(LUTTPD_ASAN)
        target_sources(${name} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/asan_options.c")
    endif()
    luttpd_finish(${name} "${arg_LUA}" TRUE "${arg_LINKS}")
endfunction()

# A role's binary is not readable, so that its process is not dumpable from the first instruction.
function(luttpd_role name)
    luttpd_program(luttpd-${name} ${ARGN})
    if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT LUTTPD_ASAN AND NOT LUTTPD_FUZZ)
        add_custom_command(TARGET luttpd-${name} POST_BUILD COMMAND chmod 0111 "$<TARGET_FILE:luttpd-${name}>")
    endif()
endfunction()

function(luttpd_unit_test name)
    cmake_parse_arguments(arg "LUA" "" "SOURCES;LINKS" ${ARGN})
    if(LUTTPD_FUZZ OR NOT TARGET cmocka)
        return()
    endif()
    add_executable(unit_${name} ${arg_SOURCES})
    set_target_properties(unit_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/unit")
    luttpd_finish(unit_${name} "${arg_LUA}" FALSE "${arg_LINKS};cmocka")
    add_test(NAME unit.${name} COMMAND unit_${name} WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set_tests_properties(unit.${name} PROPERTIES TIMEOUT 120)
endfunction()

# A helper that Python tests start: build/<preset>/tests/NAME.
function(luttpd_test_program name)
    cmake_parse_arguments(arg "LUA" "" "SOURCES;LINKS" ${ARGN})
    if(LUTTPD_FUZZ)
        return()
    endif()
    add_executable(${name} ${arg_SOURCES})
    if(LUTTPD_ASAN)
        target_sources(${name} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/asan_options.c")
    endif()
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    luttpd_finish(${name} "${arg_LUA}" FALSE "${arg_LINKS}")
endfunction()

# What is found while fuzzing is kept under build/; tests/fuzz/corpus holds what is committed.
function(luttpd_fuzz name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
    if(NOT LUTTPD_FUZZ AND NOT LUTTPD_COVERAGE)
        return()
    endif()
    add_executable(fuzz_${name} ${arg_SOURCES})
    set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
    luttpd_finish(fuzz_${name} FALSE FALSE "${arg_LINKS}")
    target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${name} COMMAND "${CMAKE_SOURCE_DIR}/tests/fuzz/run" "$<TARGET_FILE:fuzz_${name}>" ${name})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 120)
endfunction()

# Defines `const struct embedded_lua PREFIX_files[]` in TARGET, declared by "PREFIX_lua.h". Each
# entry's name is the file's path beneath lua/ (else beneath the source tree), such as
# "shared/media.lua"; the array ends with an entry whose name is NULL. Call it after TARGET exists.
function(luttpd_embed_lua target prefix)
    set(out "${CMAKE_BINARY_DIR}/gen/${prefix}_lua")
    set(files)
    foreach(file IN LISTS ARGN)
        get_filename_component(file "${file}" ABSOLUTE)
        list(APPEND files "${file}")
    endforeach()
    add_custom_command(OUTPUT "${out}.c" "${out}.h"
        COMMAND "${LUTTPD_LUAJIT}" "${CMAKE_SOURCE_DIR}/cmake/embed_lua.lua" "${CMAKE_SOURCE_DIR}" "${prefix}" "${out}" ${files}
        DEPENDS ${files} "${CMAKE_SOURCE_DIR}/cmake/embed_lua.lua" VERBATIM)
    target_sources(${target} PRIVATE "${out}.c" "${out}.h")
endfunction()
